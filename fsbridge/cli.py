"""The command line: a dry run of messages through a destination, and the build of what a site serves."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from . import destinations, sources
from .build import BuildError, build_web
from .calls import Call
from .runtime import UNDEFINED, from_json, get, is_plain, kind
from .settings import SettingsError
from .sources.analytics_js import pipeline
from .sources.rudderanalytics import targets
from .sources.rudderanalytics.options import LoadOptions
from .version import VERSION

TYPES = ("identify", "track", "page", "screen", "group", "alias")
WRONG_SETTINGS = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION)
def commands() -> None:
    """Segment and RudderStack analytics calls to FullStory.

    \b
    Example:
      fsbridge map --destination segment-classic --settings '{"org": "o-1ABC-na1"}' < messages.jsonl
    """


@commands.command("map")
@click.option("--destination", required=True, help=f"One of {', '.join(destinations.NAMES)}.")
@click.option(
    "--settings",
    default="{}",
    metavar="FILE|JSON",
    help="The destination's settings under the vendor's names: a JSON object, or a file that holds one.",
)
@click.option(
    "--source",
    help=f"Whose filters apply: {' or '.join(sources.NAMES)}; by default the ones of the destination's vendor.",
)
@click.option("--pretty", is_flag=True, help="For people: calls as a developer writes them, dates as ISO text.")
@click.pass_context
def map_(context: click.Context, destination: str, settings: str, source: str | None, pretty: bool) -> None:
    """Print the FullStory calls that Segment-spec messages would make.

    Reads one message a line (JSON Lines) from standard input and prints one line for each, whether it makes calls or
    not:

    \b
      {"line": 1, "calls": [{"call": "FS.event", "args": ["Clicked", {"count": 2}, "segment"]}]}

    "call" is FS or FS.<method>. What JSON can't hold is tagged: {"$date": "2024-03-05T10:00:00.000Z"},
    {"$undefined": true}, {"$number": "NaN" | "Infinity" | "-Infinity" | "-0"}, {"$bigint": "12"}; undefined properties
    are left out.

    A message is what a source hands over, so nothing is filled in, no identity is kept and no consent is asked for.
    Of a source there are only the filters between it and a destination: each message's own "integrations" and, for
    rudderanalytics, the destination's event filter and its "enabled" and connection mode. Dates that become text are
    in UTC.

    Lines that are no such message, and messages that a mapping fails on, are reported on standard error with their
    number and don't stop the rest. Exit status: 0, 1 when there were such lines, 2 when the settings are wrong.

    \b
    Example:
      fsbridge map --destination segment-actions --settings settings.json --pretty < messages.jsonl
    """
    problems: list[str] = []
    try:
        target = destinations.make(destination, _settings(settings), strict=True)
        target.report = problems.append
        plugins_for = _filter(source or target.source, target)
    except SettingsError as error:
        click.echo(f"Error: {error}", err=True)
        context.exit(WRONG_SETTINGS)
    show: Callable[[int, Any, list[Call]], bytes] = _pretty if pretty else _json_lines
    failed = False
    out = sys.stdout.buffer
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            message = _message(line)
            calls = [call for plugin in plugins_for(message) for call in plugin.calls(message)]
            out.write(show(number, message, calls))
        except Exception as error:  # one message, whatever is wrong with it
            problems.append(str(error) or type(error).__name__)
        for problem in problems:
            out.flush()
            click.echo(f"line {number}: {problem}", err=True)
            failed = True
        problems.clear()
    out.flush()
    context.exit(1 if failed else 0)


def _settings(given: str) -> dict[str, Any]:
    """The settings from JSON text or from a file with it."""
    where = "--settings"
    if not given.lstrip().startswith("{"):
        where = f"--settings {given}"
        try:
            given = Path(given).read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            raise SettingsError(f"{where} can't be read: {getattr(error, 'strerror', None) or error}.") from error
    try:
        settings = from_json(given)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{where} is no JSON: {error}.") from error
    if not isinstance(settings, dict):
        raise SettingsError(f"{where} must be a JSON object, and is {kind(settings)}.")
    return settings


def _filter(source: str, destination: Any) -> Callable[[Any], list[Any]]:
    """A function from a message to the plugins of ``destination`` that ``source`` lets have it."""
    if sources.find(source).api == "analytics.js":

        def segment(message: Any) -> list[Any]:
            wanted = get(message, "integrations")
            plugins = destination.plugins
            return [plugin for plugin in plugins if pipeline.allows(wanted, plugin.integration, plugin.alternative)]

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


def _message(line: bytes) -> Any:
    """The message of one line. Raises ValueError with what is wrong."""
    try:
        message = from_json(line.decode())
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error.msg} at character {error.colno}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"no UTF-8: byte {error.start + 1} can't be read") from error
    except RecursionError as error:
        raise ValueError("no message: it is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"no JSON: {error}") from error
    if not is_plain(message):
        raise ValueError(f"no message: a JSON object is expected, and this is {kind(message)}")
    if "type" not in message:
        raise ValueError("no message: its type is missing")
    if message["type"] not in TYPES:
        raise ValueError(f"no message: its type is {json.dumps(message['type'])}; known: {', '.join(TYPES)}")
    return message


def _json_lines(number: int, message: Any, calls: list[Call]) -> bytes:
    shown = [{"call": call.name, "args": [_tagged(arg) for arg in call.args]} for call in calls]
    return _utf_8(json.dumps({"line": number, "calls": shown}, ensure_ascii=False) + "\n")


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
    sort = kind(value)
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


def _pretty(number: int, message: Any, calls: list[Call]) -> bytes:
    about = message.get("event") or message.get("name") or message.get("userId") or ""
    heading = Text.assemble((f"{number}  ", "dim"), (message["type"], "bold"), f" {about}" if about else "")
    lines = [_syntax.highlight(_javascript(call)) for call in calls] or [Text("no call\n", "dim")]
    with _console.capture() as captured:
        _console.print(heading, *[Text("    ") + line for line in lines], sep="\n", end="", soft_wrap=True)
    return _utf_8(captured.get())


def _javascript(call: Call) -> str:
    """A call as a developer writes it."""
    return f"{call.name}({', '.join(_words(arg) for arg in call.args)})"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)}: {_words(item)}" for key, item in value.items() if item is not UNDEFINED)
        return "{" + inside + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_words, value)) + "]"
    sort = kind(value)
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


@commands.command("build")
@click.argument("out_dir", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--node-modules",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where `npm ci` put the interpreters; by default beside web/package.json.",
)
def build(out_dir: Path, node_modules: Path | None) -> None:
    """Write what a site has to serve into OUT_DIR: the tag, the interpreters and the browser's part of fsbridge.

    What an earlier build left in OUT_DIR is replaced; a folder with anything else in it is refused.

    \b
    Example:
      fsbridge build dist/web
    """
    if out_dir.exists() and any(out_dir.iterdir()) and not (out_dir / "fsbridge.json").is_file():
        raise click.ClickException(f"{out_dir} holds other files than a build; give a new or an empty folder.")
    try:
        build_web(out_dir, node_modules)
    except BuildError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Built {out_dir}")
