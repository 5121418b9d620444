"""Group commit: what concurrent requests bring goes to disk in as few commits as can be, by one thread."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Sequence

from .queue import Queue
from .tracking import Message

_log = logging.getLogger(__name__)


class Committer:
    """Appends messages to the queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._changed = threading.Condition()
        self._waiting: list[tuple[Sequence[Message], asyncio.Future[None]]] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self.failure = ""
        """Why the last commit failed; empty when it didn't."""

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
        """Return when ``messages`` are on disk. Raises sqlite3.Error: then none of them is."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._changed:
            self._waiting.append((messages, written))
            self._changed.notify()
        await written

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._stopping:
                        return
                    self._changed.wait()
                group, self._waiting = self._waiting, []
            error = self._write([message for messages, _ in group for message in messages])
            _answer([written for _, written in group], error)

    def _write(self, messages: Sequence[Message]) -> sqlite3.Error | None:
        try:
            self._queue.append(messages)
        except sqlite3.Error as error:
            if not self.failure:
                _log.error("the queue can't be written", extra={"fields": {"reason": str(error)}})
            self.failure = str(error)
            return error
        if self.failure:
            _log.info("the queue can be written again")
        self.failure = ""
        return None


def _answer(waiting: Sequence[asyncio.Future[None]], error: sqlite3.Error | None) -> None:
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
