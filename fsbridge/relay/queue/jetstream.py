"""What the queue asks of NATS JetStream: its documented API, a request and an answer each.

Reads are answered by a stream's leader alone: other servers may be behind.
"""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

from . import QueueError
from .connection import Connection

_NO_MAJORITY = 10008
"""A server that is cut off from the others says so, for as long as it is."""

_NOT_FOUND = 10037
_NO_MESSAGE = (10043, 10057)
_NO_STREAM = 10059
_NAME_IN_USE = 10058
_WRONG_LAST = (10071, 10164)
_ONE_SERVER = 10074


class Refused(QueueError):
    """JetStream answered with an error; ``code`` is its number."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"NATS: {text}")
        self.code = code


class Overtaken(QueueError):
    """A value was changed by somebody else since it was read."""


class Stored(NamedTuple):
    """A message of a stream, or the value of a key, whose revision ``seq`` is."""

    seq: int
    subject: str
    data: bytes


class JetStream:
    """For the connection's event loop. All that fails raises QueueError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def _ask(self, what: str, **body: Any) -> dict[str, Any]:
        return await self._sent(f"$JS.API.{what}", json.dumps(body).encode() if body else b"")

    async def _sent(self, subject: str, body: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
        data = await self._connection.request(subject, body, headers)
        answer: dict[str, Any] = json.loads(data)
        error = answer.get("error") or {}
        if error.get("err_code") == _NO_MAJORITY:
            self._connection.leave()
        if error:
            raise Refused(error.get("err_code", 0), error.get("description", "unknown error"))
        return answer

    # Streams

    async def make(self, name: str, subjects: str, **config: Any) -> int:
        """Make a stream, where there is none, kept by three servers, or by one that is alone; returns by how many."""
        wanted = {"name": name, "subjects": [subjects], "storage": "file", "retention": "limits", **config}
        for replicas in (3, 1):
            try:
                await self._ask(f"STREAM.CREATE.{name}", **wanted, num_replicas=replicas)
            except Refused as refused:
                if refused.code == _NAME_IN_USE:  # perhaps with other limits, which somebody has set
                    break
                if refused.code != _ONE_SERVER or replicas == 1:
                    raise
            else:
                break
        return int((await self.info(name))["config"]["num_replicas"])

    async def info(self, name: str, subjects: str | None = None) -> dict[str, Any]:
        """Config and state of a stream, with how many messages there are of each of its ``subjects``."""
        return await self._ask(f"STREAM.INFO.{name}", **({"subjects_filter": subjects} if subjects else {}))

    async def exists(self, name: str) -> bool:
        """Whether there is such a stream."""
        try:
            await self.info(name)
        except Refused as refused:
            if refused.code == _NO_STREAM:
                return False
            raise
        return True

    async def publish(self, subject: str, data: bytes) -> int:
        """Put a message into its stream, where a majority has it then.

        Without an id to be recognised by, so that an acknowledgement is of this very message.
        """
        return int((await self._sent(subject, data))["seq"])

    async def next(self, name: str, seq: int) -> Stored | None:
        """The first message of a stream from ``seq`` on."""
        return await self._got(name, seq=seq, next_by_subj=">")

    async def purge(self, name: str, seq: int) -> None:
        """Delete all messages before ``seq``."""
        await self._ask(f"STREAM.PURGE.{name}", seq=seq)

    async def delete(self, name: str, seq: int) -> bool:
        """Delete a message; whether it was there."""
        try:
            await self._ask(f"STREAM.MSG.DELETE.{name}", seq=seq)
        except Refused as refused:
            if refused.code in _NO_MESSAGE or "no message found" in str(refused):
                return False
            raise
        return True

    async def last(self, name: str, subject: str) -> Stored | None:
        """The last message of a subject, which for a bucket is a key's value."""
        return await self._got(name, last_by_subj=subject)

    async def put(self, subject: str, data: bytes, revision: int | None = None) -> int:
        """Set a key's value, if ``revision`` is still its revision (0: there is none); the new revision.

        Raises Overtaken if it isn't.
        """
        headers = None if revision is None else {"Nats-Expected-Last-Subject-Sequence": str(revision)}
        try:
            return int((await self._sent(subject, data, headers))["seq"])
        except Refused as refused:
            if refused.code in _WRONG_LAST:
                raise Overtaken(str(refused)) from None
            raise

    async def forget(self, bucket: str, key: str) -> None:
        """Delete a key and its value."""
        await self._ask(f"STREAM.PURGE.{bucket}", filter=key)

    async def _got(self, name: str, **which: Any) -> Stored | None:
        try:
            message = (await self._ask(f"STREAM.MSG.GET.{name}", **which))["message"]
        except Refused as refused:
            if refused.code == _NOT_FOUND:
                return None
            raise
        return Stored(message["seq"], message["subject"], base64.b64decode(message.get("data", "")))
