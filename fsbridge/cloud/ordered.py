"""Work side by side that keeps order where it matters: per user."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

from ..runtime import text
from .http import Engine

Item = TypeVar("Item")


def lane(message: Any) -> str | None:
    """Whose message it is, as far as order is concerned: the user id, else the anonymous id; None for nobody's.

    A number is what FullStory gets of it, a text: 1, 1.0 and "1" are one user.
    """
    if not isinstance(message, dict):
        return None
    for name in ("userId", "anonymousId"):
        value = message.get(name)
        if isinstance(value, str):
            if value:
                return f"{name} {value}"
        elif isinstance(value, (int, float)):
            try:
                return f"{name} {text(value)}"
            except OverflowError:
                return None  # and no message either
    return None


class Ordered(Generic[Item]):
    """Awaits ``work(item)`` for each item, ``connections`` at a time; those of one lane one after the other, in order.

    At most ``window`` items are unfinished at any time: `put` waits for room, so that memory stays constant. After the
    first exception in ``work`` no more items are begun; `put` and `finish` raise it. ``on_done`` hears of each item
    that is finished, well or not. For one event loop.
    """

    def __init__(
        self,
        work: Callable[[Item], Awaitable[None]],
        connections: int = 16,
        window: int = 1000,
        on_done: Callable[[], None] = lambda: None,
    ) -> None:
        self._work = work
        self._window = window
        self._on_done = on_done
        self._waiting: dict[object, deque[Item]] = {}
        self._ready: asyncio.Queue[object] = asyncio.Queue()
        self._unfinished = 0
        self._changed = asyncio.Event()
        self.failure: BaseException | None = None
        self._workers = [asyncio.create_task(self._run()) for _ in range(min(connections, window))]

    async def put(self, lane: str | None, item: Item) -> None:
        """Have ``item`` worked on after all others of its lane; in the lane None there is no order."""
        while self._unfinished >= self._window:
            await self._wait()
        if self.failure is not None:
            raise self.failure
        self.put_nowait(lane, item)

    def put_nowait(self, lane: str | None, item: Item) -> None:
        """`put` without regard to the window."""
        self._unfinished += 1
        key = object() if lane is None else lane
        if key in self._waiting:
            self._waiting[key].append(item)
        else:
            self._waiting[key] = deque([item])
            self._ready.put_nowait(key)

    async def finish(self) -> None:
        """Wait until all is done. Raises what ``work`` raised first."""
        while self._unfinished:
            await self._wait()
        for worker in self._workers:
            worker.cancel()
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """Begin nothing more."""
        self.failure = self.failure or InterruptedError("stopped")

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _run(self) -> None:
        while True:
            key = await self._ready.get()
            items = self._waiting[key]
            if self.failure is None:
                try:
                    await self._work(items[0])
                except BaseException as error:
                    self.failure = self.failure or error
            items.popleft()
            if items:
                self._ready.put_nowait(key)
            else:
                del self._waiting[key]
            self._unfinished -= 1
            self._changed.set()
            self._on_done()


class OrderedThread(Generic[Item]):
    """`Ordered` for code without an event loop: it has one in a thread of its own, and `put` and `finish` block.

    ``engine`` is what ``work`` makes its requests with; it is closed in the end. Used with ``with``, leaving waits for
    what was put; after an exception, for what has begun.
    """

    def __init__(
        self, work: Callable[[Item], Awaitable[None]], engine: Engine, connections: int = 16, window: int = 1000
    ) -> None:
        self._work = work
        self._engine = engine
        self._connections = connections
        self._window = window
        self._changed = threading.Condition()
        self._handed: deque[tuple[str | None, Item]] = deque()
        self._unfinished = 0
        self._asleep = False
        self._ending = False
        self._failure: BaseException | None = None
        self._loop = new_loop()
        self._thread = threading.Thread(target=self._run, name="ordered", daemon=True)
        self._thread.start()

    def put(self, lane: str | None, item: Item) -> None:
        """Have ``item`` worked on after all others of its lane; in the lane None there is no order."""
        with self._changed:
            self._changed.wait_for(lambda: self._unfinished < self._window or self._failure is not None)
            if self._failure is not None:
                raise self._failure
            self._unfinished += 1
            self._handed.append((lane, item))
            self._wake()

    def finish(self) -> None:
        """Wait until all is done. Raises what ``work`` raised first."""
        self._end()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Begin nothing more, and wait for what has begun."""
        with self._changed:
            self._failure = self._failure or InterruptedError("stopped")
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
        with self._changed:
            self._ending = True
            self._wake()
        self._thread.join()

    def _wake(self) -> None:
        if self._asleep:
            self._asleep = False
            self._loop.call_soon_threadsafe(self._news.set)

    # In the thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main())
        except BaseException as error:
            with self._changed:
                self._failure = self._failure or error
        finally:
            with self._changed:
                self._unfinished = 0
                self._changed.notify_all()
            self._loop.close()

    async def _main(self) -> None:
        self._news = asyncio.Event()
        self._ordered = Ordered(self._work, self._connections, self._window, self._done)
        while True:
            with self._changed:
                handed, self._handed = self._handed, deque()
                self._asleep = not handed and not self._ending
                if self._failure is not None:
                    self._ordered.stop()
                if not handed and self._ending:
                    break
            for lane, item in handed:
                self._ordered.put_nowait(lane, item)
            if not handed:
                await self._news.wait()
                self._news.clear()
            await asyncio.sleep(0)
        with suppress(InterruptedError):
            await self._ordered.finish()
        self._engine.close()
        await asyncio.sleep(0)

    def _done(self) -> None:
        with self._changed:
            self._unfinished -= 1
            self._failure = self._failure or self._ordered.failure
            if self._failure is not None or self._unfinished <= self._window // 2:
                self._changed.notify_all()


def new_loop() -> asyncio.AbstractEventLoop:
    """An event loop that libcurl can work with: the fastest that there is."""
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop()
    return uvloop.new_event_loop()
