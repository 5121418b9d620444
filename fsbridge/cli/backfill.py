"""The command ``backfill``: past messages by FullStory's batch imports."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ..cloud.private import secured
from .connection import REJECTED, STOPPED, cloud, connected, fail
from .inputs import BROKEN, WRONG_SETTINGS, Input, lines, message_from


@click.command("backfill", short_help="Import past messages in batches.")
@click.argument("file", metavar="FILE|-", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--settings",
    default="{}",
    metavar="FILE|JSON",
    help="Settings of segment-cloud, such as its subscriptions (V2 actions only); by default Segment's presets.",
)
@click.option(
    "--rejected",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where goes what can't be imported, with the reason; by default FILE.rejected.",
)
@click.option("--batch-size", type=click.IntRange(1, 50_000), default=50_000, show_default=True)
@connected
def backfill(file: str, settings: str, rejected: Path | None, batch_size: int, **options: Any) -> None:
    """Import the past messages of FILE (JSON Lines, also gzipped) in batches, the better way for many of them.

    FullStory works on batches in the background; the command waits for all of them. What can't be imported stops
    nothing and is kept in a file of JSON Lines, with the reason. The same FILE imported again within 24 hours, after a
    crash say, doubles nothing: each batch has an idempotency key that follows from what is in it.

    Exit status: 0 when all was imported, 1 when something was rejected, 2 when the settings or the key are wrong, 3
    when it stopped before the end.

    \b
    Example:
      fsbridge backfill 2024.jsonl.gz --settings settings.json
    """
    given = Input(file)
    name = Path("stdin" if file == "-" else file)
    kept = rejected or name.with_name(name.name + ".rejected")
    failed = 0

    def keep(what: Any, error: Any) -> None:
        nonlocal failed
        failed += 1
        if secured(kept):
            click.echo(f"Others could read {kept}; from now on its owner only.", err=True)
        with kept.open("ab") as out:
            record = json.dumps({"error": str(error), "message": what}, ensure_ascii=False)
            out.write(record.encode("utf-8", "backslashreplace") + b"\n")

    def messages(bar: Bar) -> Iterator[Any]:
        for number, line in lines(given.text):
            if line.strip():
                try:
                    yield message_from(line)
                except ValueError as error:
                    keep(line.decode("utf-8", "replace").rstrip("\r\n"), f"line {number}: {error}")
            bar.show(given.position(), number, failed)

    with cloud(**options, settings=settings) as fullstory:
        from ..cloud import Rejected, Unavailable
        from .bar import Bar

        try:
            with Bar("Importing", given.size) as bar:
                done = fullstory.backfill(messages(bar), keep, batch_size=batch_size)
        except Rejected as error:
            fail(str(error), WRONG_SETTINGS if error.status in (401, 403) else REJECTED)
        except (Unavailable, *BROKEN) as error:
            fail(f"{error}. The same command again goes on; batches that were taken are not doubled.", STOPPED)
    if failed or sys.stderr.isatty():
        told = f"{done.users:,} users and {done.events:,} events imported in {done.batches:,} batches"
        click.echo(f"{told}; {failed:,} rejected: see {kept}" if failed else f"{told}.", err=True)
    raise SystemExit(REJECTED if failed else 0)
