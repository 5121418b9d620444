"""The body of a request: not too long, not too late, decompressed with a limit."""

from __future__ import annotations

import asyncio
import zlib

from starlette.requests import ClientDisconnect, Request

MAX_DISCARDED = 16 << 20
"""So much of a body that is too long is still read, because most clients see no answer before they have sent it."""

MAX_HELD = 64 << 20
"""Bytes of bodies that are being received, of all clients together."""

_MAX_MEMBERS = 16
"""Of a gzip: SDKs write one."""

_GZIP = 31


class Refused(Exception):
    """A request that can't be taken: ``status``, a ``code`` for programs and a text for people."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = reason


def encoding(request: Request) -> str:
    """The request's Content-Encoding, "gzip" or "identity". Raises Refused."""
    given = request.headers.get("content-encoding", "identity").strip().lower()
    if given not in ("identity", "gzip", "x-gzip"):
        raise Refused(415, "unsupported_encoding", "Content-Encoding must be gzip or identity.")
    return "identity" if given == "identity" else "gzip"


class Bodies:
    """Receives bodies of at most ``max_bytes``, each within ``timeout`` seconds."""

    def __init__(self, max_bytes: int, timeout: float) -> None:
        self._max = max_bytes
        self._timeout = timeout
        self._held = 0

    async def received(self, request: Request) -> bytes:
        """The body as it was sent. Raises Refused."""
        received = bytearray()
        try:
            async with asyncio.timeout(self._timeout):
                await self._receive(request, received)
        except TimeoutError:
            raise Refused(408, "too_slow", f"The body took longer than {self._timeout:g} s.") from None
        except ClientDisconnect:
            raise Refused(400, "cut_off", "The client went away before the end of the body.") from None
        finally:
            self._held -= len(received)
        return bytes(received)

    async def _receive(self, request: Request, received: bytearray) -> None:
        length = 0
        async for chunk in request.stream():
            length += len(chunk)
            if length <= self._max:
                if self._held + len(chunk) > MAX_HELD:
                    raise Refused(503, "busy", "Too many bodies are under way: try again.")
                self._held += len(chunk)
                received += chunk
            elif length > MAX_DISCARDED:
                break
        if length > self._max:
            raise _too_long(self._max)


def decompressed(body: bytes, max_bytes: int) -> bytes:
    """What gzip made ``body`` of, at most ``max_bytes``; no more than that is ever unpacked. Raises Refused."""
    unpacked = bytearray()
    for _ in range(_MAX_MEMBERS):
        if not body:
            break
        member = zlib.decompressobj(_GZIP)
        try:
            unpacked += member.decompress(body, max_bytes + 1 - len(unpacked))
        except zlib.error:
            raise Refused(400, "bad_gzip", "The body is not gzip.") from None
        if len(unpacked) > max_bytes:
            raise _too_long(max_bytes)
        if not member.eof:
            raise Refused(400, "bad_gzip", "The gzip of the body is incomplete.")
        body = member.unused_data
    if body:
        raise Refused(400, "bad_gzip", f"The gzip of the body has more than {_MAX_MEMBERS} members.")
    return bytes(unpacked)


def _too_long(max_bytes: int) -> Refused:
    return Refused(413, "too_large", f"The body is longer than {max_bytes >> 10} KB.")
