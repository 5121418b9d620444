"""Group commit: what concurrent requests bring goes to disk in as few commits as can be, by one thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence

from .queue import Queue, QueueError
from .tracking import Message

MAX_COMMIT = 8 << 20
MAX_WAITING = 64 << 20
"""Bytes of one commit, and of all that wait for one."""

_log = logging.getLogger(__name__)


class Committer:
    """Appends messages to the queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Sequence[Message], int, asyncio.Future[None]]] = deque()
        self._bytes = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._failure = ""

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write all that was asked for, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    async def append(self, messages: Sequence[Message]) -> None:
        """Return when ``messages`` are on disk. Raises QueueError: then none of them is, or not all."""
        size = sum(len(message.body) for message in messages)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._changed:
            if self._bytes + size > MAX_WAITING:
                raise QueueError("too many messages wait to be written")
            self._bytes += size
            self._waiting.append((messages, size, written))
            self._changed.notify()
        await written

    def _run(self) -> None:
        while group := self._next():
            error = self._write([message for messages, _ in group for message in messages])
            _answer([written for _, written in group], error)

    def _next(self) -> list[tuple[Sequence[Message], asyncio.Future[None]]]:
        """Wait for messages, and take what fits into one commit; nothing in the end."""
        group = []
        size = 0
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            while self._waiting and size < MAX_COMMIT:
                messages, bytes_, written = self._waiting.popleft()
                group.append((messages, written))
                size += bytes_
            self._bytes -= size
        return group

    def _write(self, messages: Sequence[Message]) -> QueueError | None:
        try:
            self._queue.append(messages)
        except Exception as error:  # whatever it is, those who wait have to hear of it
            failed = error if isinstance(error, QueueError) else QueueError(f"unexpected error: {type(error).__name__}")
            if not self._failure:
                _log.error("the queue can't be written", extra={"fields": {"reason": str(failed)}})
            self._failure = str(failed)
            return failed
        if self._failure:
            _log.info("the queue can be written again")
        self._failure = ""
        return None


def _answer(waiting: Sequence[asyncio.Future[None]], error: QueueError | None) -> None:
    """Tell those who wait, in their event loop."""

    def tell() -> None:
        for written in waiting:
            if written.done():  # its client went away
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)

    waiting[0].get_loop().call_soon_threadsafe(tell)
