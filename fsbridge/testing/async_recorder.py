"""`AsyncFullStory`: the same for Playwright's async API."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from .calls import Call, Event
from .record import BINDING, CATCH_UP, FULLSTORY, POLL_INTERVAL, REFUSAL, Record, T, Wanted, context_of, is_script

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page, Route, WebSocketRoute


class AsyncFullStory(Record):
    """`FullStory` for Playwright's async API: what talks to the browser is awaited.

    ::

        fullstory = AsyncFullStory()
        await fullstory.attach(page)
        await page.goto("https://shop.example/checkout")
        order = await fullstory.wait_for_event("Order Completed")
        assert fullstory.identity == "user-1"

    ``calls``, ``events``, ``identity`` and the like are what has arrived. All that pages have sent is there after
    anything that waits, and after ``await fullstory.catch_up()``.

    ``scripts`` are more URLs to answer with the stand-in, as Playwright's globs: where a site hosts fs.js itself.
    ``timeout`` is how many milliseconds anything is waited for that isn't told otherwise.
    """

    def __init__(self, scripts: Sequence[str] = (), timeout: float = 5000) -> None:
        super().__init__(scripts, timeout)
        self._contexts: list[BrowserContext] = []
        self._waiting: list[Route] | None = None

    async def attach(self, target: "BrowserContext | Page") -> None:
        """Serve all pages of this browser context, or of this page's; await it before the page loads FullStory.

        Raises TypeError for what isn't a page or context of Playwright's async API.
        """
        context: BrowserContext = context_of(target, "async", "FullStory")
        if context in self._contexts:
            return
        self._contexts.append(context)
        self._attached = True
        await context.expose_binding(BINDING, self._receive)
        await context.route(FULLSTORY, self._serve_fullstory)
        await context.route_web_socket(FULLSTORY, _close)
        for script in self._scripts:
            await context.route(script, self._serve_script)

    @asynccontextmanager
    async def delayed(self) -> AsyncIterator[None]:
        """Inside the ``async with`` block fs.js stays on its way: the page has to queue. It arrives at its end."""
        self._waiting = []
        try:
            yield
        finally:
            waiting, self._waiting = self._waiting, None
            for route in waiting:
                await self._serve(route, True)

    async def catch_up(self) -> None:
        """Wait for everything that the pages have sent so far."""
        pages = [page for context in self._contexts for page in context.pages if not page.is_closed()]
        if not pages:
            return
        from playwright.async_api import Error

        for page in pages:
            for frame in page.frames:
                with suppress(Error):  # the frame went away meanwhile
                    await frame.evaluate(CATCH_UP)

    async def clear(self) -> None:
        """Forget what the pages have sent so far."""
        await self.catch_up()
        self._operations.clear()

    async def wait_for_event(
        self, name: str, properties: dict[str, Any] | None = None, timeout: float | None = None
    ) -> Event:
        """The first event called ``name``, with at least these ``properties``, as soon as it arrives.

        Raises AssertionError after ``timeout`` milliseconds, listing what did arrive.
        """
        return await self._wait(self._event(name, properties or {}), timeout)

    async def wait_for_call(self, call: Call, timeout: float | None = None) -> Call:
        """``call`` (made by `FS`) as soon as it arrives. Raises AssertionError after ``timeout`` milliseconds."""
        return await self._wait(self._call(call), timeout)

    async def wait_for_identity(self, uid: str, timeout: float | None = None) -> str:
        """``uid`` as soon as it is the user in force. Raises AssertionError after ``timeout`` milliseconds."""
        return await self._wait(self._identity(uid), timeout)

    async def expect_calls(self, *calls: Call, timeout: float | None = None) -> None:
        """Wait until as many calls are there, ``timeout`` milliseconds at most, then assert that they are exactly
        these, in this order."""
        deadline = self._deadline(timeout)
        await self.catch_up()
        while len(self.calls) < len(calls) and time.monotonic() < deadline:
            await self._let_pass()
        self._check(calls)

    async def _wait(self, wanted: Wanted[T], timeout: float | None) -> T:
        deadline = self._deadline(timeout)
        await self.catch_up()
        while (found := wanted.find()) is None:
            if time.monotonic() > deadline:
                raise self._missed(wanted, timeout)
            await self._let_pass()
        return found

    async def _let_pass(self) -> None:
        import asyncio  # not for every pytest run that has this plugin

        await asyncio.sleep(POLL_INTERVAL / 1000)
        await self.catch_up()

    async def _serve_fullstory(self, route: "Route") -> None:
        await self._serve(route, is_script(route.request.url))

    async def _serve_script(self, route: "Route") -> None:
        await self._serve(route, True)

    async def _serve(self, route: "Route", script: bool) -> None:
        if script and not self._blocked and self._waiting is not None:
            self._waiting.append(route)
            return
        answer = self._answer(route.request.method, route.request.url, script)
        if answer is None:
            await route.abort(REFUSAL)
        else:
            await route.fulfill(**answer)


async def _close(socket: "WebSocketRoute") -> None:
    await socket.close()
