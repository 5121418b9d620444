"""`run`: the relay as a process, from start to graceful end."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from asyncio import TimerHandle
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..settings import SettingsError
from . import logs
from .app import Relay
from .deliverer import sender
from .settings import RelaySettings

_CONNECTIONS = 900  # of the 1024 files that a process may usually open


def run(settings: RelaySettings) -> None:
    """Serve until SIGTERM or SIGINT: then what was begun is finished, and the rest stays in the queue.

    Raises SettingsError for a wrong API key, for wrong settings of the destination, and for a queue that can't be used.
    """
    sender(settings).close()  # what is wrong with it shows here
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)  # uvicorn raises it again when it has shut down
    try:
        relay = Relay(settings)
    except sqlite3.Error as error:
        raise SettingsError(f"The queue {settings.queue} can't be used: {error}.") from None
    logs.configure()
    try:
        server(relay).run()
    finally:
        relay.close()


def _end(*_: object) -> None:
    sys.exit()


def server(relay: Relay) -> uvicorn.Server:
    """An HTTP server for ``relay``."""

    class Protocol(_Impatient):
        seconds = relay.settings.slowest

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
            limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=int(relay.settings.grace),
        )
    )


class _Impatient(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for ever for the headers of a request."""

    seconds: float
    _deadline: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_headers()

    def on_headers_complete(self) -> None:
        self._forget()
        super().on_headers_complete()

    def _expect_headers(self) -> None:
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(self.seconds, self._give_up)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.transport.close()
