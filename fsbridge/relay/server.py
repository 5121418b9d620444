"""`run`: the relay as a process, from start to graceful end."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

import uvicorn

from ..settings import SettingsError
from . import logs
from .app import Relay
from .delivering import client
from .protocol import SPARE, BoundedProtocol
from .queue import QueueError
from .settings import RelaySettings

_MAX_FILES = 4096
_OTHER_FILES = 64
"""Files that a process may open, and how many of them are not connections."""


def run(settings: RelaySettings) -> None:
    """Serve until SIGTERM or SIGINT: then what was begun is finished, and the rest stays in the queue.

    Raises SettingsError for a wrong API key, for wrong settings of the destination, and for a queue that can't be used.
    """
    client(settings)  # what is wrong with it shows here
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)  # uvicorn raises it again when it has shut down
    logs.configure()
    try:
        relay = Relay(settings)
    except QueueError as error:
        raise SettingsError(f"The queue {settings.queue} can't be used: {error}.") from None
    try:
        server(relay).run()
    finally:
        relay.close()


def _end(*_: object) -> None:
    sys.exit()


def server(relay: Relay) -> uvicorn.Server:
    """An HTTP server for ``relay``."""

    class Protocol(BoundedProtocol):
        timeout = relay.settings.client_timeout
        max_connections = _max_files() - _OTHER_FILES - SPARE

    return uvicorn.Server(
        uvicorn.Config(
            relay.app,
            host=relay.settings.host,
            port=relay.settings.port,
            http=Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(relay.settings.grace),
        )
    )


def _max_files() -> int:
    """How many files this process may open, after raising the limit as far as is sensible and allowed."""
    try:
        import resource
    except ImportError:  # Windows, which has another kind of limit
        return 1024
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_FILES if hard == resource.RLIM_INFINITY else min(_MAX_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MAX_FILES if soft == resource.RLIM_INFINITY else min(soft, _MAX_FILES)
