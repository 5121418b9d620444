"""Many requests at a time for code without an event loop: a thread that drives libcurl, and the coroutines that wait.

An event loop does the same at twice the CPU a request.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, TypeVar

import pycurl

from .curl import Handle
from .http import Answer, Call

Item = TypeVar("Item")
Job = tuple[object, Coroutine[Any, Any, None]]
"""What is under way: the lane of an item, and the work on it."""

_MAX_WAIT = 0.01
"""Seconds until libcurl looks again by itself, at sockets that select can't watch, and the thread at new items."""


@types.coroutine
def _wait(wanted: Call | float) -> Generator[Any, Any, Any]:
    return (yield wanted)


class Driven:
    """An engine for what an `OrderedThread` works on: that is who makes the requests, and counts the seconds."""

    def __init__(self) -> None:
        self.closed = False

    async def exchange(self, call: Call) -> Answer:
        """The answer to a request. Raises NoAnswer."""
        answer: Answer = await _wait(call)
        return answer

    async def pause(self, seconds: float) -> bool:
        """Wait; whether it is worth going on then."""
        if not self.closed:
            await _wait(seconds)
        return not self.closed

    def close(self) -> None:
        """End all pauses."""
        self.closed = True


class OrderedThread(Generic[Item]):
    """Awaits ``work(item)`` for each item, ``connections`` at a time; those of one lane one after the other, in order.

    ``work`` runs in a thread of its own, and awaits nothing but ``engine``. At most ``window`` items are unfinished at
    any time: `put` blocks until there is room, so that memory stays constant. After the first exception in ``work`` no
    more items are begun; `put` and `finish` raise it. Used with ``with``, leaving waits for what was put; after an
    exception, for what has begun.
    """

    def __init__(
        self, work: Callable[[Item], Awaitable[None]], engine: Driven, connections: int = 16, window: int = 1000
    ) -> None:
        self._work = work
        self._engine = engine
        self._connections = min(connections, window)
        self._window = window
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._handed: deque[tuple[str | None, Item]] = deque()
        self._put = self._done = 0
        """How many items were put, and how many are done. Only `put` writes the one, only the thread the other."""
        self._full = self._asleep = self._ending = False
        self._failure: BaseException | None = None
        # The thread's own
        self._lanes: dict[object, deque[Item]] = {}
        self._ready: deque[object] = deque()
        self._active = 0
        self._multi: Any = None
        self._free: list[Handle] = []
        self._running: dict[Any, tuple[Handle, Call, Job]] = {}
        self._pauses: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self._run, name="ordered", daemon=True)
        self._thread.start()

    def put(self, lane: str | None, item: Item) -> None:
        """Have ``item`` worked on after all others of its lane; in the lane None there is no order."""
        with self._lock:
            if self._put - self._done >= self._window:
                self._full = True
                self._changed.wait_for(lambda: self._put - self._done < self._window or self._failure is not None)
                self._full = False
            if self._failure is not None:
                raise self._failure
            self._put += 1
            self._handed.append((lane, item))
            if self._asleep:
                self._changed.notify_all()

    def finish(self) -> None:
        """Wait until all is done. Raises what ``work`` raised first."""
        self._end()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Begin nothing more, and wait for what has begun; other attempts aren't waited for."""
        self._fail(InterruptedError("stopped"))
        self._engine.close()
        self._end()

    def __enter__(self) -> OrderedThread[Item]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None:
            self.finish()
        else:
            self.stop()

    def _end(self) -> None:
        with self._lock:
            self._ending = True
            self._changed.notify_all()
        self._thread.join()

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._failure = self._failure or error
            self._changed.notify_all()

    # In the thread

    def _run(self) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, self._connections)
        try:
            while self._begin() or not self._ended():
                self._exchange()
        except BaseException as error:
            self._fail(error)
        finally:
            for handle in self._free:
                handle.curl.close()
            self._multi.close()

    def _ended(self) -> bool:
        """Wait for items; whether no more will come."""
        with self._lock:
            self._asleep = True
            self._changed.wait_for(lambda: self._handed or self._ending)
            self._asleep = False
            return not self._handed

    def _begin(self) -> int:
        """Take what was put, and begin as much as may be; how much is under way."""
        while self._handed:
            lane, item = self._handed.popleft()
            key = object() if lane is None else lane
            if key in self._lanes:
                self._lanes[key].append(item)
            else:
                self._lanes[key] = deque([item])
                self._ready.append(key)
        while self._ready and self._active < self._connections:
            key = self._ready.popleft()
            self._active += 1
            if self._failure is None:
                self._step((key, self._one(self._lanes[key][0])))
            else:
                self._over(key)
        return self._active

    async def _one(self, item: Item) -> None:
        await self._work(item)

    def _step(self, job: Job, answer: Any = None, error: BaseException | None = None) -> None:
        """Let a job go on until it waits again, or is over."""
        key, work = job
        try:
            wanted = work.send(answer) if error is None else work.throw(error)
        except StopIteration:
            self._over(key)
        except BaseException as failure:
            self._fail(failure)
            self._over(key)
        else:
            if isinstance(wanted, Call):
                self._request(job, wanted)
            else:
                heapq.heappush(self._pauses, (time.monotonic() + wanted, next(self._numbers), job))

    def _over(self, key: object) -> None:
        items = self._lanes[key]
        items.popleft()
        if items:
            self._ready.append(key)
        else:
            del self._lanes[key]
        self._active -= 1
        self._done += 1
        if self._full and self._put - self._done <= self._window // 2:
            with self._lock:
                self._changed.notify_all()

    def _request(self, job: Job, call: Call) -> None:
        handle = self._free.pop() if self._free else Handle()
        try:
            handle.begin(call)
            self._multi.add_handle(handle.curl)
        except Exception as error:
            self._step(job, error=error)
        else:
            self._running[handle.curl] = handle, call, job

    def _exchange(self) -> None:
        """Wait until something can go on, for a moment at most, and let it."""
        if self._running:
            self._multi.perform()
            if not self._answered() and self._multi.select(_MAX_WAIT) == -1:
                time.sleep(_MAX_WAIT / 10)  # there is no socket yet, or none that it can watch
        elif self._pauses:
            with self._lock:
                self._changed.wait(min(max(self._pauses[0][0] - time.monotonic(), 0), _MAX_WAIT))
        while self._pauses and (self._engine.closed or self._pauses[0][0] <= time.monotonic()):
            self._step(heapq.heappop(self._pauses)[2])

    def _answered(self) -> bool:
        """Let those go on whose requests are done; whether there were any."""
        found = False
        more = 1
        while more:
            more, well, failed = self._multi.info_read()
            for curl, code in [*((curl, pycurl.E_OK) for curl in well), *((curl, code) for curl, code, _ in failed)]:
                found = True
                handle, call, job = self._running.pop(curl)
                self._multi.remove_handle(curl)
                self._free.append(handle)
                if code == pycurl.E_OK:
                    self._step(job, handle.answer())
                else:
                    self._step(job, error=handle.failure(code, call.timeout))
        return found
