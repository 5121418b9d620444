"""The command ``relay``: run one, and look after the messages that it parked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..extras import missing
from ..relay.queue.address import Cluster, parsed
from ..settings import SettingsError
from .connection import fail
from .inputs import WRONG_SETTINGS
from .settings import settings_from

if TYPE_CHECKING:
    from ..relay.queue import Queue

_SECONDS = click.FloatRange(min=0, min_open=True, max=86_400)
_ID = click.IntRange(1, 2**63 - 1)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("relay", invoke_without_command=True, short_help="Take messages from Segment's and RudderStack's SDKs.")
@click.option(
    "--queue",
    default="fsbridge-relay.db",
    show_default=True,
    show_envvar=True,
    envvar="FSBRIDGE_QUEUE",
    metavar="FILE|nats://HOST,…",
    help="Where messages wait: a file on a local disk, for one relay; or NATS servers, for any number of relays.",
)
@click.option("--partitions", type=click.IntRange(1, 1024), help="Of a new queue in NATS: how many; 16 by default.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=int, default=8181, show_default=True, help="The port to listen on.")
@click.option(
    "--settings",
    default="{}",
    metavar="FILE|JSON",
    help="The settings of segment-cloud, such as subscriptions; by default Segment's presets.",
)
@click.option("--origin", "origins", multiple=True, help="Where pages that may post live; may be repeated. * is all.")
@click.option("--write-keys-file", type=_FILE, help="Write keys, one a line; by default FSBRIDGE_WRITE_KEYS.")
@click.option("--api-key-file", type=_FILE, help="FullStory's API key; by default FULLSTORY_API_KEY.")
@click.option("--base-url", default="https://api.fullstory.com", show_default=True, help="A proxy, or a stand-in.")
@click.option("--timeout", type=_SECONDS, default=30, show_default=True, help="Seconds that a request may take.")
@click.option("--public-url", default="", help="Where browsers find the relay; by default where they asked.")
@click.option("--workers", type=click.IntRange(1, 256), default=16, show_default=True, help="Requests at a time.")
@click.option(
    "--max-backoff", type=_SECONDS, default=30, show_default=True, help="The most seconds between two attempts."
)
@click.option("--client-timeout", type=_SECONDS, default=10, show_default=True, help="Seconds for a client to send.")
@click.option("--max-queue", default="10GB", show_default=True, help="What may wait; above it: 503.")
@click.pass_context
def relay(
    context: click.Context,
    /,
    settings: str,
    origins: tuple[str, ...],
    write_keys_file: Path | None,
    api_key_file: Path | None,
    queue: str,
    partitions: int | None,
    max_queue: str,
    public_url: str,
    **options: Any,
) -> None:
    """Take messages from Segment's and RudderStack's SDKs, and deliver them to FullStory.

    Speaks the HTTP tracking API of both (POST /v1/track, /v1/batch, …). A message is acknowledged when it is safely on
    disk, and delivered in the background: each user's in order, through outages. What FullStory rejects is parked: see
    the commands below. /healthz and /metrics are for operators, logs are JSON on standard error. Relays on several
    machines share a queue in NATS JetStream: --queue nats://host1,host2,host3.

    Exit status: 0 after SIGTERM or SIGINT, 2 when something is wrong with the settings.

    \b
    Example:
      FSBRIDGE_WRITE_KEYS=shop FULLSTORY_API_KEY=na1.… fsbridge relay --origin https://shop.example
    """
    try:
        where = parsed(queue, partitions)
    except SettingsError as error:
        fail(str(error), WRONG_SETTINGS)
    if context.invoked_subcommand is not None:
        context.obj = where
        return
    with _extra():
        from ..relay import server
        from ..relay import settings as given
    try:
        server.run(
            given.RelaySettings(
                write_keys=given.write_keys(write_keys_file),
                api_key=given.api_key(api_key_file),
                queue=where,
                destination=settings_from(settings),
                origins=tuple(map(given.origin, origins)),
                max_queue=given.size(max_queue),
                public_url=given.public_url(public_url),
                **options,
            )
        )
    except SettingsError as error:
        fail(str(error), WRONG_SETTINGS)
    except ModuleNotFoundError as error:
        fail(missing(error.name, "relay"), WRONG_SETTINGS)


@relay.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines, with the messages themselves.")
@click.pass_obj
def list_(where: Path | Cluster, as_json: bool) -> None:
    """Print what is parked: id, when, and why. The relay may be running.

    \b
    Example:
      fsbridge relay --queue relay.db list --json
    """
    with _queue(where) as queue:
        for each in queue.parked():
            since = datetime.fromtimestamp(each.parked).astimezone().isoformat(timespec="seconds")
            if as_json:
                shown = {"id": each.id, "parked": since, "reason": each.reason, "message": _document(each.body)}
                click.echo(json.dumps(shown))
            else:
                click.echo(f"{each.id}  {since}  {each.reason}")


@relay.command("resend")
@click.argument("ids", nargs=-1, type=_ID, metavar="[ID]...")
@click.option("--all", "all_", is_flag=True, help="Everything that is parked.")
@click.pass_obj
def resend(where: Path | Cluster, ids: tuple[int, ...], all_: bool) -> None:
    """Put parked messages at the end of the queue again. The relay may be running.

    \b
    Example:
      fsbridge relay --queue relay.db resend 1041 1042
    """
    with _queue(where) as queue:
        click.echo(f"Resent: {queue.resend(_chosen(queue, ids, all_))}")


@relay.command("drop")
@click.argument("ids", nargs=-1, type=_ID, metavar="[ID]...")
@click.option("--all", "all_", is_flag=True, help="Everything that is parked.")
@click.pass_obj
def drop(where: Path | Cluster, ids: tuple[int, ...], all_: bool) -> None:
    """Delete parked messages for good.

    \b
    Example:
      fsbridge relay --queue relay.db drop 1041
    """
    with _queue(where) as queue:
        click.echo(f"Dropped: {queue.drop(_chosen(queue, ids, all_))}")


def _document(body: str) -> Any:
    """A message as it is, and as text where it can't be read."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


@contextmanager
def _queue(where: Path | Cluster) -> Iterator[Queue]:
    """A queue that is there already. Exits where it can't be used."""
    with _extra():
        from ..relay.queue import QueueError
        from ..relay.queue.opening import opened
    if isinstance(where, Path) and not where.exists():
        fail(f"There is no queue {where}.", WRONG_SETTINGS)
    try:
        with _extra():
            queue = opened(where, make=False)
        try:
            yield queue
        finally:
            queue.close()
    except QueueError as error:
        fail(f"The queue {where} can't be used: {error}.", WRONG_SETTINGS)


@contextmanager
def _extra() -> Iterator[None]:
    """Exits with advice where an import inside fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        fail(missing(error.name, "relay"), WRONG_SETTINGS)


def _chosen(queue: Queue, ids: tuple[int, ...], all_: bool) -> list[int]:
    if bool(ids) == all_:
        fail("Name the ids that `fsbridge relay list` shows, or --all.", WRONG_SETTINGS)
    return [each.id for each in queue.parked()] if all_ else list(ids)
