"""Work in parallel threads that keeps order where it matters: per user."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


def lane(message: Any) -> str | None:
    """Whose message it is, as far as order is concerned: the user id, else the anonymous id; None for nobody's."""
    if not isinstance(message, dict):
        return None
    for name in ("userId", "anonymousId"):
        if isinstance(message.get(name), (str, int, float)) and message[name] != "":
            return f"{name} {message[name]}"
    return None


class Ordered(Generic[Item]):
    """Calls ``work(item)`` for each item in ``threads`` threads; the items of one lane one after the other, in order.

    At most ``window`` items are unfinished at any time: `put` waits for room, so that memory stays constant. After the
    first exception in ``work`` no more items are begun; `put` and `finish` raise it. Used with ``with``, leaving waits
    for what was put.
    """

    def __init__(self, work: Callable[[Item], None], threads: int = 16, window: int = 1000) -> None:
        self._work = work
        self._room = threading.BoundedSemaphore(window)
        self._changed = threading.Condition()
        self._waiting: dict[object, deque[Item]] = {}
        self._ready: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(min(threads, window))]
        for thread in self._threads:
            thread.start()

    def put(self, lane: str | None, item: Item) -> None:
        """Have ``item`` worked on after all others of its lane; in the lane None there is no order."""
        self._room.acquire()
        if self._failure is not None:
            self._room.release()
            raise self._failure
        key = object() if lane is None else lane
        with self._changed:
            if key in self._waiting:
                self._waiting[key].append(item)
            else:
                self._waiting[key] = deque([item])
                self._ready.put(key)

    def finish(self) -> None:
        """Wait until all is done. Raises what ``work`` raised first."""
        self._end()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Begin nothing more, and wait for what has begun."""
        self._failure = self._failure or InterruptedError("stopped")
        self._end()

    def __enter__(self) -> Ordered[Item]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None:
            self.finish()
        else:
            self.stop()

    def _end(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting)
        for _ in self._threads:
            self._ready.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (key := self._ready.get()) is not None:
            if self._failure is None:
                try:
                    self._work(self._waiting[key][0])
                except BaseException as error:
                    self._failure = self._failure or error
            with self._changed:
                items = self._waiting[key]
                items.popleft()
                if items:
                    self._ready.put(key)
                else:
                    del self._waiting[key]
                    self._changed.notify_all()
            self._room.release()
