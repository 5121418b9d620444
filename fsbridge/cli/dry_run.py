"""The command ``map``: a dry run of messages through a destination."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from .. import destinations
from ..browser import sources
from ..browser.sources.rudderanalytics import targets
from ..browser.sources.rudderanalytics.options import LoadOptions
from ..cloud.destination import Request, SegmentCloud
from ..contracts import Call
from ..messages import allows
from ..runtime import UNDEFINED, raw_get, type_of
from ..settings import SettingsError
from .connection import REJECTED, STOPPED
from .inputs import BROKEN, WRONG_SETTINGS, Input, lines, message_from
from .settings import settings_from


@click.command("map", short_help="Print the FullStory calls that messages would make.")
@click.argument("file", metavar="[FILE|-]", default="-", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--destination", required=True, help=f"One of {', '.join((*destinations.NAMES, SegmentCloud.name))}.")
@click.option(
    "--settings",
    default="{}",
    metavar="FILE|JSON",
    help="The destination's settings under the vendor's names: JSON or a file. A list of subscriptions does, too.",
)
@click.option(
    "--source",
    help=f"Whose filters apply: {' or '.join(sources.NAMES)}; by default the ones of the destination's vendor.",
)
@click.option("--pretty", is_flag=True, help="For people: calls as a developer writes them, dates as ISO text.")
@click.pass_context
def map_(context: click.Context, file: str, destination: str, settings: str, source: str | None, pretty: bool) -> None:
    """Print the FullStory calls that Segment-spec messages would make.

    Reads one message a line (JSON Lines, also gzipped) from FILE or standard input, and prints one line for each,
    whether it makes calls or not:

    \b
      {"line": 1, "calls": [{"call": "FS.event", "args": ["Clicked", {"count": 2}, "segment"]}]}

    For segment-cloud these are requests to FullStory's HTTP API, without the Authorization header that goes with them:

    \b
      {"line": 1, "requests": [{"method": "POST", "path": "/v2/events", "headers": {…}, "json": {…}}]}

    "call" is FS or FS.<method>. What JSON can't hold is tagged: {"$date": "2024-03-05T10:00:00.000Z"},
    {"$undefined": true}, {"$number": "NaN" | "Infinity" | "-Infinity" | "-0"}, {"$bigint": "12"}; undefined properties
    are left out.

    A message is what a source hands over, so nothing is filled in, no identity is kept and no consent is asked for.
    Of a source there are only the filters between it and a destination: each message's own "integrations" and, for
    rudderanalytics, the destination's event filter and its "enabled" and connection mode. Dates that become text are
    in UTC.

    Lines that are no such message, and messages that a mapping fails on, are reported on standard error with their
    number and don't stop the rest; a summary follows them. Exit status: 0, 1 when there were such lines, 2 when the
    settings are wrong, 3 when the input broke off.

    \b
    Example:
      fsbridge map --destination segment-actions --settings settings.json --pretty messages.jsonl
    """
    context.exit(run(Input(file), destination, settings, source, pretty))


def run(given: Input, destination: str, settings: str, source: str | None, pretty: bool) -> int:
    """Print the calls of all lines, and say in the end how many there were; the exit status."""
    problems: list[str] = []
    try:
        kind_ = SegmentCloud if destination == SegmentCloud.name else destinations.find(destination)
        target = destinations.configured(kind_, _complete(settings_from(settings), kind_), strict=True)
        plugins_for = _filter(source or target.source, target)
    except SettingsError as error:
        click.echo(f"Error: {error}", err=True)
        return WRONG_SETTINGS
    as_json = _request_lines if destination == "segment-cloud" else _json_lines
    show: Callable[[int, Any, list[Any]], bytes] = _pretty if pretty else as_json
    done = Done()
    out = sys.stdout.buffer
    broken = ""
    try:
        for number, line in lines(given.text):
            if not line.strip():
                continue
            shown = b""
            try:
                message = message_from(line)
                calls = [call for plugin in plugins_for(message) for call in plugin.calls(message, problems.append)]
                shown = show(number, message, calls)
                done.count(calls)
            except Exception as error:  # one message, whatever is wrong with it
                problems.append(str(error) or type(error).__name__)
            out.write(shown)
            for problem in problems:
                out.flush()
                click.echo(f"line {number}: {problem}", err=True)
            done.wrong += bool(problems)
            problems.clear()
    except BrokenPipeError:  # nobody reads on: nothing to complain of
        raise
    except BROKEN as error:
        broken = f"Error: {given.path} can't be read to its end: {error}."
    out.flush()
    if broken:
        click.echo(broken, err=True)
    click.echo(done.summary("request" if destination == SegmentCloud.name else "call"), err=True)
    return STOPPED if broken else REJECTED if done.wrong else 0


@dataclass
class Done:
    """What became of the messages so far; ``wrong`` are lines with a problem."""

    messages: int = 0
    silent: int = 0
    calls: int = 0
    wrong: int = 0

    def count(self, calls: list[Any]) -> None:
        """Count one message with these calls."""
        self.messages += 1
        self.calls += len(calls)
        self.silent += not calls

    def summary(self, call: str) -> str:
        """All of it in a line."""
        told = f"{_count(self.messages, 'message')}: {_count(self.calls, call)}"
        told += f", {self.silent:,} without any" if self.silent else ""
        return told + (f"; {_count(self.wrong, 'line')} with problems." if self.wrong else ".")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _complete(settings: dict[str, Any], kind_: Any) -> dict[str, Any]:
    """Subscriptions alone, as Segment exports them, don't name the org, and no call depends on it."""
    if settings.keys() == {"subscriptions"} and kind_.org in [setting.name for setting in kind_.settings]:
        return {**settings, kind_.org: "of-no-matter"}
    return settings


def _filter(source: str, destination: Any) -> Callable[[Any], list[Any]]:
    """A function from a message to the plugins of ``destination`` that ``source`` lets have it."""
    if sources.find(source).api == "analytics.js":

        def segment(message: Any) -> list[Any]:
            wanted = raw_get(message, "integrations")
            plugins = destination.plugins
            return [plugin for plugin in plugins if allows(wanted, plugin.integration, plugin.alternative)]

        return segment

    active = targets.active(targets.configurations(destination), LoadOptions(UNDEFINED), _Consenting)

    def rudder(message: Any) -> list[Any]:
        return [plugin for target in active if targets.accepts(target, message) for plugin in destination.plugins]

    return rudder


class _Consenting:
    """A visitor who allows everything."""

    integrations = None

    @staticmethod
    def allows(config: Any) -> bool:
        return True


def _json_lines(number: int, message: Any, calls: list[Call]) -> bytes:
    shown = [{"call": call.name, "args": [_tagged(arg) for arg in call.args]} for call in calls]
    return _utf_8(json.dumps({"line": number, "calls": shown}, ensure_ascii=False) + "\n")


def _request_lines(number: int, message: Any, requests: list[Request]) -> bytes:
    shown = [
        {"method": request.method, "path": request.path, "headers": request.headers, "json": _body(request)}
        for request in requests
    ]
    return _utf_8(json.dumps({"line": number, "requests": shown}, ensure_ascii=False) + "\n")


def _body(request: Request) -> Any:
    return json.loads(request.body() or b"null")


def _utf_8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a character
        return text.encode("utf-8", "backslashreplace")


def _tagged(value: Any) -> Any:
    """``value`` as JSON, what JSON can't hold under a tag. See the help of ``map``."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: _tagged(item) for key, item in value.items() if item is not UNDEFINED}
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    sort = type_of(value)
    if sort == "number":
        return _number(value)
    if sort == "undefined":
        return {"$undefined": True}
    if sort == "date":
        return {"$date": value.iso() or "Invalid Date"}
    if sort == "bigint":
        return {"$bigint": str(int(value))}
    return value


def _number(value: float) -> Any:
    if value == 0 and str(value) == "-0.0":
        return {"$number": "-0"}
    if value != value or value in (float("inf"), -float("inf")):
        return {"$number": str(value).replace("inf", "Infinity").replace("nan", "NaN")}
    return int(value) if value == int(value) and abs(value) < 2**53 else value


_console = Console(highlight=False)
_syntax = Syntax("", "javascript", background_color="default")


def _pretty(number: int, message: Any, calls: list[Call] | list[Request]) -> bytes:
    about = message.get("event") or message.get("name") or message.get("userId") or ""
    heading = Text.assemble((f"{number}  ", "dim"), (message["type"], "bold"), f" {about}" if about else "")
    lines = [_syntax.highlight(_javascript(call)) for call in calls] or [Text("no call\n", "dim")]
    with _console.capture() as captured:
        _console.print(heading, *[Text("    ") + line for line in lines], sep="\n", end="", soft_wrap=True)
    return _utf_8(captured.get())


def _javascript(call: Call | Request) -> str:
    """A call as a developer writes it, a request as it goes out."""
    if isinstance(call, Request):
        return f"{call.method} {call.path} {json.dumps(_body(call), ensure_ascii=False)}"
    return f"{call.name}({', '.join(_words(arg) for arg in call.args)})"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)}: {_words(item)}" for key, item in value.items() if item is not UNDEFINED)
        return "{" + inside + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_words, value)) + "]"
    sort = type_of(value)
    if sort == "undefined":
        return "undefined"
    if sort == "date":
        return value.iso() or "Invalid Date"
    tagged = _tagged(value)
    if isinstance(tagged, dict):
        return "".join(map(str, tagged.values()))
    return json.dumps(tagged, ensure_ascii=False)


def _key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() else json.dumps(key, ensure_ascii=False)
