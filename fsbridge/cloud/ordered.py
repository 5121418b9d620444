"""Work side by side that keeps order where it matters: per user."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Generic, TypeVar

from ..runtime import text

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


async def each(messages: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    """Each of ``messages``, whichever way they come."""
    if isinstance(messages, AsyncIterable):
        async for message in messages:
            yield message
    else:
        for message in messages:
            yield message


class Ordered(Generic[Item]):
    """Awaits ``work(item)`` for each item, ``connections`` at a time; those of one lane one after the other, in order.

    At most ``window`` items are unfinished at any time: `put` waits for room, so that memory stays constant. After the
    first exception in ``work`` no more items are begun; `put` and `finish` raise it. For one event loop.
    """

    def __init__(
        self,
        work: Callable[[Item], Awaitable[None]],
        connections: int = 16,
        window: int = 1000,
    ) -> None:
        self._work = work
        self._window = window
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


def new_loop() -> asyncio.AbstractEventLoop:
    """An event loop that libcurl can work with: the fastest that there is."""
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop()
    return uvloop.new_event_loop()
