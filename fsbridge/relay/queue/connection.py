"""A connection to NATS that is replaced when it is of no use, for callers in other threads."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from ...cloud.ordered import new_loop
from . import QueueError
from .address import Cluster

Result = TypeVar("Result")

TIMEOUT = 2.0
"""Seconds for one request. A server that leads nothing at the moment doesn't answer at all."""

_CONNECT_TIMEOUT = 5.0
_CLOSE_TIMEOUT = 1.0
_PAUSE = 0.5
"""Between two attempts to connect."""

_MAX_SILENCE = 4.0
"""Seconds without an answer of JetStream, though there were requests, until another server is tried: this one may be
paused, or cut off from the others."""

_PAST_TIME = 60.0
"""What any one call may take, whatever happens."""

_log = logging.getLogger(__name__)
# It speaks up each time that a connection with TLS ends, and nobody can do anything about it.
logging.getLogger("asyncio").addFilter(lambda record: "eof_received" not in str(record.msg))


class Connection:
    """To one of a cluster's servers. nats-py's own reconnecting waits for ever in some states, so it isn't used."""

    def __init__(self, cluster: Cluster, on_connect: Callable[[Client], Awaitable[None]]) -> None:
        self._cluster = cluster
        self._on_connect = on_connect
        self._client: Client | None = None
        self._hosts = random.sample(cluster.hosts, len(cluster.hosts))
        """In the order in which they are tried."""
        self._useless = asyncio.Event()
        self._heard = self._found = time.monotonic()
        self._lost = time.monotonic()
        self._trouble = "it has not answered yet"
        self._ended = False
        self._loop = new_loop()
        self._keeper = self._loop.create_task(self._keep())
        self._thread = threading.Thread(target=self._run, name="nats", daemon=True)
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine in the connection's event loop, from another thread. Raises QueueError."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(_PAST_TIME)
        except TimeoutError:
            future.cancel()
            raise QueueError("NATS has not answered") from None

    def close(self) -> None:
        """End it; what was sent is sent."""
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join()

    # In the event loop

    async def request(self, subject: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
        """Send a request to JetStream; its answer. Raises QueueError."""
        client = self.client()
        try:
            answer = await client.request(subject, body, timeout=TIMEOUT, headers=headers)
        except (NatsError, OSError, TimeoutError) as error:
            if client is self._client and time.monotonic() - self._heard > _MAX_SILENCE:
                self._useless.set()
            none = isinstance(error, NoRespondersError)
            raise QueueError("NATS has no leader for it" if none else "NATS has not answered") from None
        self._heard = time.monotonic()
        return bytes(answer.data)

    def leave(self) -> None:
        """Try another server, after some time with this one."""
        if self._client is not None and time.monotonic() - self._found > _MAX_SILENCE:
            self._useless.set()

    def client(self) -> Client:
        """The client, while it is connected. Raises QueueError."""
        if self._client is None:
            raise QueueError(f"no server of {','.join(self._cluster.hosts)} can be used: {self._trouble}")
        return self._client

    def away(self) -> float:
        """For how many seconds there has been no connection."""
        return 0 if self._client is not None else time.monotonic() - self._lost

    def _end(self) -> None:
        self._ended = True
        self._useless.set()
        self._keeper.cancel()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._keeper)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.close()

    async def _keep(self) -> None:
        """Connect, again and again, until it is cancelled, which Python 3.11's ``wait_for`` may hide from us."""
        while not self._ended:
            client = Client()
            self._useless.clear()
            try:
                async with asyncio.timeout(_CONNECT_TIMEOUT):
                    await client.connect(**self._options())
                    await self._on_connect(client)
            except Exception as error:  # a library may raise anything, and nothing replaces this task
                self._trouble = _said(error)
                await _closed(client)
                await asyncio.sleep(_PAUSE)
                continue
            except asyncio.CancelledError:
                await _closed(client)
                raise
            used = client.connected_url
            self._hosts.sort(key=lambda host: used is not None and host == used.netloc)  # the next one is another
            self._client = client
            self._heard = self._found = time.monotonic()
            try:
                await self._useless.wait()
            finally:
                self._client, self._lost = None, time.monotonic()
                self._trouble = "the connection was lost"
                await _closed(client)
            _log.warning("another NATS server is tried")

    def _options(self) -> dict[str, Any]:
        """Arguments of nats-py's ``connect``. Credentials are in no address, which errors may quote."""

        async def lost() -> None:
            self._useless.set()

        async def failed(error: Exception) -> None:
            self._trouble = _said(error)

        return {
            "servers": [f"{self._cluster.scheme}{host}" for host in self._hosts],
            "dont_randomize": True,
            "user": self._cluster.user,
            "password": self._cluster.password,
            "token": self._cluster.token,
            "name": f"fsbridge relay {self._cluster.relay}",
            "allow_reconnect": False,
            "max_reconnect_attempts": 1,
            "reconnect_time_wait": 0.1,
            "connect_timeout": 2,
            "ping_interval": 3,
            "max_outstanding_pings": 2,
            "pending_size": 64 << 20,
            "closed_cb": lost,
            "disconnected_cb": lost,
            "error_cb": failed,
        }


async def _closed(client: Client) -> None:
    """Close a client; one whose server is paused never finishes."""
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await client.close()
    except Exception as error:
        _log.debug(f"a client of NATS did not close: {_said(error)}")


def _said(error: Exception) -> str:
    """What an error of a connection is about."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
