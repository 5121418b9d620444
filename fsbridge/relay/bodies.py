"""The body of a request: not too long, not too late, decompressed with a limit."""

from __future__ import annotations

import asyncio
import zlib

from starlette.requests import ClientDisconnect, Request

DISCARDED = 16 << 20
"""So much of a body that is too long is still read, because most clients see no answer before they have sent it."""

_GZIP = 31


class Refused(Exception):
    """A request that can't be taken: ``status``, a ``code`` for programs and a text for people."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = reason


async def read(request: Request, limit: int, seconds: float) -> bytes:
    """The body, decompressed, of at most ``limit`` bytes. Raises Refused."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise Refused(415, "unsupported_encoding", "Content-Encoding must be gzip or identity.")
    try:
        async with asyncio.timeout(seconds):
            body = await _received(request, limit)
    except TimeoutError:
        raise Refused(408, "too_slow", f"The body took longer than {seconds:g} s.") from None
    except ClientDisconnect:
        raise Refused(400, "cut_off", "The client went away before the end of the body.") from None
    return body if encoding == "identity" else decompressed(body, limit)


async def _received(request: Request, limit: int) -> bytes:
    received = bytearray()
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length <= limit:
            received += chunk
        elif length > DISCARDED:
            break
    if length > limit:
        raise _too_long(limit)
    return bytes(received)


def decompressed(body: bytes, limit: int) -> bytes:
    """What gzip made ``body`` of, at most ``limit`` bytes; no more than that is ever unpacked. Raises Refused."""
    unpacked = bytearray()
    while body:
        member = zlib.decompressobj(_GZIP)
        try:
            unpacked += member.decompress(body, limit + 1 - len(unpacked))
        except zlib.error:
            raise Refused(400, "bad_gzip", "The body is no gzip.") from None
        if len(unpacked) > limit:
            raise _too_long(limit)
        if not member.eof:
            raise Refused(400, "bad_gzip", "The gzip of the body is incomplete.")
        body = member.unused_data
    return bytes(unpacked)


def _too_long(limit: int) -> Refused:
    return Refused(413, "too_large", f"The body is longer than {limit >> 10} KB.")
