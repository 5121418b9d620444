"""HTTP connections that all end: a deadline for each state, limits on heads, and a place for health checks."""

from __future__ import annotations

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 << 10
"""Bytes of a request that are not its body: its headers, trailers, and what frames chunks."""

SPARE = 50
"""Connections beyond the limit, on which only health and metrics are answered."""

_FLUSH = 1.0
"""Seconds that a client has to read an answer after which the connection ends."""

_ALWAYS = (b"/healthz", b"/metrics")
_ONCE = (b"host", b"content-length", b"transfer-encoding")


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for ever in some states, and takes headers without end.

    A connection waits for its client when it is new, between requests, and when an answer isn't read; each time for
    ``timeout`` seconds. Bodies have a deadline of their own, see `bodies`. When there are ``max_connections`` the one
    that has waited longest for its client makes room for a new one.
    """

    timeout: float
    max_connections: int
    _deadline: TimerHandle | None = None
    _since = 0.0
    """When it began to wait for its client."""
    _in_head = True
    """Whether a request's headers may be on their way."""
    _chunk = _head = 0

    # A deadline

    def _wait(self) -> None:
        self._stop_waiting()
        self._since = self.loop.time()
        self._deadline = self.loop.call_later(self.timeout, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self._in_head and not self._answering() and not self.transport.is_closing():
            self.transport.write(_answer(b"408 Request Timeout"))
        self._end()

    def _end(self) -> None:
        """Close, though nobody may read what was written."""
        self._stop_waiting()
        self.transport.close()
        self._deadline = self.loop.call_later(_FLUSH, self.transport.abort)

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _waits(self) -> bool:
        return self._deadline is not None or (self._answering() and self.cycle.more_body)

    # A connection

    def connection_made(self, transport: Any) -> None:
        """Begin; when there are too many connections, end the one that has waited longest, or this one."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.max_connections:
            others: list[Any] = [each for each in self.connections if each is not self]
            waiting = [each for each in others if each._waits() and not each.transport.is_closing()]
            if waiting:
                longest = min(waiting, key=lambda each: each._since)
                self.connections.discard(longest)  # at once, though the transport tells it a little later
                longest.transport.abort()
            elif len(self.connections) > self.max_connections + SPARE:
                transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, with all that waits."""
        self._stop_waiting()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for the client to read what was written."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        if self._answering():
            self._stop_waiting()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection on which no further request has come."""
        if not self.transport.is_closing():
            self._end()

    # A request

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; heads of more than `MAX_HEAD` bytes are answered 431."""
        self._chunk = len(data)
        self._head += self._chunk
        super().data_received(data)
        if self._head > MAX_HEAD and not self.transport.is_closing():
            if not self._answering():
                self.transport.write(_answer(b"431 Request Header Fields Too Large"))
            self._end()

    def on_message_begin(self) -> None:
        """Wait for the headers of a request."""
        super().on_message_begin()
        self._head = self._chunk
        self._in_head = True
        if not self._answering() and not self.flow.write_paused:
            self._wait()

    def on_headers_complete(self) -> None:
        """Choose who answers. Two of a header that may be there once are answered 400; 503 says the relay is full."""
        names = [name for name, _ in self.headers]
        if any(names.count(name) > 1 for name in _ONCE):
            raise ValueError("a header that may be there once")  # uvicorn answers 400
        self._in_head = False
        self._since = self.loop.time()
        full = len(self.connections) > self.max_connections
        path = self.url.partition(b"?")[0]
        self.app = service_unavailable if full and path not in _ALWAYS else self.config.loaded_app
        if not self._answering() and not self.flow.write_paused:
            self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, which counts for no head."""
        self._head -= len(body)
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        pipelined = bool(self.pipeline)
        super().on_response_complete()
        if self.transport.is_closing():
            self._end()
        elif not pipelined and not self.flow.write_paused:
            self._wait()


def _answer(status: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status
