"""The command ``send``: messages of a file to FullStory, each once, whatever happens in between."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import dry_run as dry
from .connection import INTERRUPTED, REJECTED, STOPPED, cloud, connected, fail
from .inputs import BROKEN, WRONG_SETTINGS, Input, lines, message_from
from .journal import Journal, JournalError
from .settings import settings_from

if TYPE_CHECKING:
    from ..cloud import Cloud
    from ..cloud.client import Send


@click.command("send", short_help="Send messages to FullStory's HTTP API.")
@click.argument("file", metavar="FILE|-", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--settings",
    default="{}",
    metavar="FILE|JSON",
    help="Settings of segment-cloud, such as its subscriptions; by default Segment's presets.",
)
@click.option("--dry-run", is_flag=True, help="Send nothing: print the requests, as `map` does. Needs no key.")
@click.option("--resume", is_flag=True, help="Go on exactly where an earlier run of this FILE stopped or crashed.")
@click.option(
    "--progress-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where a run notes how far it got; by default FILE.progress. For - there is none unless given.",
)
@click.option(
    "--rejected",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where lines go that will never get through, with the reason; by default FILE.rejected.",
)
@click.option(
    "--parallel", type=click.IntRange(1, 256), default=16, show_default=True, help="Users to serve at a time."
)
@connected
def send(
    file: str,
    settings: str,
    dry_run: bool,
    resume: bool,
    progress_file: Path | None,
    rejected: Path | None,
    parallel: int,
    **options: Any,
) -> None:
    """Send the Segment-spec messages of FILE, one a line (JSON Lines, also gzipped), to FullStory's HTTP API.

    Each user's messages go in their order, those of different users in parallel, in constant memory. A terminal shows
    how it goes; otherwise only problems are told.

    Requests are tried again through outages and rate limits. When FullStory can't be had for too long, the key is
    refused, or you press Ctrl-C, what has begun is finished and the run stops; --resume goes on with the first line
    that isn't done. Within 24 hours that doubles nothing, not even after a crash: each line has its own idempotency
    key. What FullStory rejects stops nothing and is kept in a file of JSON Lines:

    \b
      {"line": 7, "error": "POST /v2/events: HTTP 400: name is required", "message": {…}}

    Exit status: 0 when all was sent, 1 when lines were rejected, 2 when the settings or the key are wrong, 3 when it
    stopped before the end, 130 after Ctrl-C.

    \b
    Example:
      fsbridge send messages.jsonl.gz --settings settings.json
      fsbridge send messages.jsonl.gz --settings settings.json --resume
    """
    given = Input(file)
    if dry_run:
        raise SystemExit(dry.run(given, "segment-cloud", settings, None, False))
    if file == "-" and resume and progress_file is None:
        fail("--resume from standard input needs the --progress-file of the run that stopped.", WRONG_SETTINGS)
    name = Path("stdin" if file == "-" else file)
    fullstory = cloud(**options, settings=settings, parallel=parallel)
    where = progress_file or (None if file == "-" else name.with_name(name.name + ".progress"))
    kept = rejected or name.with_name(name.name + ".rejected")
    try:
        journal = Journal(where, kept, file, json.dumps(settings_from(settings), sort_keys=True))
        opened = journal.begin(resume)
    except (JournalError, OSError) as error:
        fail(str(error), WRONG_SETTINGS)
    for path in opened:
        click.echo(f"Others could read {path}; from now on its owner only.", err=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # finishes what has begun, as Ctrl-C does
    raise SystemExit(Sending(fullstory, journal, given, parallel).run())


class Sending:
    """One run over an input."""

    def __init__(self, fullstory: Cloud, journal: Journal, given: Input, parallel: int) -> None:
        from .bar import Bar

        self._fullstory = fullstory
        self._journal = journal
        self._given = given
        self._parallel = parallel
        self._lock = threading.Lock()
        self._bar = Bar("Sending", given.size)

    def run(self) -> int:
        """The exit status, after all is sent or had to stop."""
        from ..cloud import CloudError

        journal = self._journal
        before = journal.done
        status = 0
        problem = ""
        try:
            with self._bar:
                self._send()
            journal.finished = True
        except KeyboardInterrupt:
            status, problem = INTERRUPTED, "stopped"
        except (CloudError, *BROKEN) as error:
            status, problem = STOPPED, str(error)
            if _stops(getattr(error, "status", None)):
                status = WRONG_SETTINGS
        try:
            with self._lock:
                journal.write()
        except OSError as error:
            status, problem = STOPPED, str(error)
        if problem:
            click.echo(f"Error: {problem}", err=True)
            click.echo(f"{journal.done:,} lines are done from the beginning; --resume goes on there.", err=True)
        if journal.failed or sys.stderr.isatty():
            told = f"{journal.sent:,} lines sent in {journal.requests:,} requests, {journal.failed:,} rejected"
            click.echo(f"{told}: see {journal.rejected}" if journal.failed else f"{told}.", err=True)
        if journal.done == before and not problem and before:
            click.echo("Nothing was left to do.", err=True)
        return status or (REJECTED if journal.failed else 0)

    def _send(self) -> None:
        from ..cloud.ordered import lane

        ordered = self._fullstory.ordered(self._work)
        try:
            for number, line in lines(self._given.text):
                if self._journal.is_done(number):
                    continue
                if not line.strip():
                    with self._lock:
                        self._journal.pass_by(number)
                    continue
                try:
                    message = message_from(line)
                except ValueError as error:
                    self._note(number, 0, str(error), line.decode("utf-8", "replace").rstrip("\r\n"))
                    continue
                ordered.put(lane(message), (number, message))
            ordered.finish()
        except BaseException:
            ordered.stop()
            raise

    async def _work(self, send: Send, item: tuple[int, Any]) -> None:
        from ..cloud import CloudError, Rejected

        number, message = item
        requests = 0
        problem = None
        try:
            requests = await send(message, self._journal.key(number), self._journal.resumed)
        except Rejected as error:
            if _stops(error.status):
                raise
            problem = str(error)
        except CloudError:
            raise  # FullStory can't be had
        except Exception as error:  # one message, whatever is wrong with it
            problem = str(error) or type(error).__name__
        self._note(number, requests, problem, message)

    def _note(self, number: int, requests: int, problem: str | None, line: Any) -> None:
        journal = self._journal
        with self._lock:
            journal.note(number, requests, problem, line)
            self._bar.show(self._given.position(), journal.sent + journal.failed, journal.failed)


def _stops(status: int | None) -> bool:
    """Whether an answer is about the key or the address: all other messages would get it, too."""
    return status in (401, 403) or (status is not None and 300 <= status < 400)
