"""The command ``map``: a dry run of messages through a destination."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from ..browser import sources
from ..settings import SettingsError
from .connection import REJECTED, STOPPED
from .inputs import BROKEN, WRONG_SETTINGS, Input, lines, message_from
from .mapped import NAMES, DryRun, javascript, utf_8
from .settings import settings_from


def _one_of(*names: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """What a shell may complete; a wrong name gets an error with a suggestion instead of click's."""
    return lambda context, parameter, begun: [name for name in names if name.startswith(begun)]


@click.command("map", short_help="Print the FullStory calls that messages would make.")
@click.argument("file", metavar="[FILE|-]", default="-", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--destination", required=True, shell_complete=_one_of(*NAMES), help=f"One of {', '.join(NAMES)}.")
@click.option(
    "--settings",
    default="{}",
    metavar="FILE|JSON",
    help="The destination's settings under the vendor's names: JSON or a file. A list of subscriptions does, too.",
)
@click.option(
    "--source",
    shell_complete=_one_of(*sources.NAMES),
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
        dry = DryRun(destination, settings_from(settings), source)
    except SettingsError as error:
        click.echo(f"Error: {error}", err=True)
        return WRONG_SETTINGS
    show = _pretty() if pretty else lambda number, message, calls: dry.line(number, calls)
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
                calls = dry.calls(message, problems.append)
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
    click.echo(done.summary("request" if dry.makes_requests else "call"), err=True)
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


def _pretty() -> Callable[[int, Any, list[Any]], bytes]:
    """What shows calls to people, which needs rich."""
    from rich.console import Console
    from rich.syntax import Syntax
    from rich.text import Text

    console = Console(highlight=False)
    syntax = Syntax("", "javascript", background_color="default")

    def show(number: int, message: Any, calls: list[Any]) -> bytes:
        about = message.get("event") or message.get("name") or message.get("userId") or ""
        heading = Text.assemble((f"{number}  ", "dim"), (message["type"], "bold"), f" {about}" if about else "")
        lines = [syntax.highlight(javascript(call)) for call in calls] or [Text("no call\n", "dim")]
        with console.capture() as captured:
            console.print(heading, *[Text("    ") + line for line in lines], sep="\n", end="", soft_wrap=True)
        return utf_8(captured.get())

    return show
