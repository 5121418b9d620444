"""`FullStory`: for Playwright's sync API. It answers fs.js with the stand-in, and lets nothing through."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from .calls import Call, Event, Operation
from .record import BINDING, CATCH_UP, FULLSTORY, POLL_INTERVAL, REFUSAL, Record, T, Wanted, context_of, is_script

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route


class FullStory(Record):
    """What a page sent to FullStory, and how FullStory behaves towards it. The ``fullstory`` fixture is one.

    It serves every page of the browser contexts it is attached to, and keeps what they send in one order, over
    navigations too. Nothing reaches FullStory: requests to its hosts that aren't for the script are refused.

    ``scripts`` are more URLs to answer with the stand-in, as Playwright's globs: where a site hosts fs.js itself.
    ``timeout`` is how many milliseconds anything is waited for that isn't told otherwise.
    """

    def __init__(self, scripts: Sequence[str] = (), timeout: float = 5000) -> None:
        super().__init__(scripts, timeout)
        self._contexts: list[BrowserContext] = []
        self._waiting: list[Route] | None = None

    def attach(self, target: "BrowserContext | Page") -> None:
        """Serve all pages of this browser context, or of this page's; call it before the page loads FullStory.

        Raises TypeError for what isn't a page or context of Playwright's sync API.
        """
        context: BrowserContext = context_of(target, "sync", "AsyncFullStory")
        if context in self._contexts:
            return
        self._contexts.append(context)
        self._attached = True
        context.expose_binding(BINDING, self._receive)
        context.route(FULLSTORY, lambda route: self._serve(route, is_script(route.request.url)))
        context.route_web_socket(FULLSTORY, lambda socket: socket.close())
        for script in self._scripts:
            context.route(script, self._serve)

    @contextmanager
    def delayed(self) -> Iterator[None]:
        """Inside the ``with`` block fs.js stays on its way: the page has to queue. It arrives at the block's end."""
        self._waiting = []
        try:
            yield
        finally:
            waiting, self._waiting = self._waiting, None
            for route in waiting:
                self._serve(route)

    @property
    def operations(self) -> list[Operation]:
        """Everything that reached fs.js, raw and in order, setup and questions included."""
        self._catch_up()
        return super().operations

    def clear(self) -> None:
        """Forget what has arrived so far."""
        self._catch_up()
        self._operations.clear()

    def wait_for_event(
        self, name: str, properties: dict[str, Any] | None = None, timeout: float | None = None
    ) -> Event:
        """The first event called ``name``, with at least these ``properties``, as soon as it arrives.

        Raises AssertionError after ``timeout`` milliseconds, listing what did arrive.
        """
        return self._wait(self._event(name, properties or {}), timeout)

    def wait_for_call(self, call: Call, timeout: float | None = None) -> Call:
        """``call`` (made by `FS`) as soon as it arrives. Raises AssertionError after ``timeout`` milliseconds."""
        return self._wait(self._call(call), timeout)

    def wait_for_identity(self, uid: str, timeout: float | None = None) -> str:
        """``uid`` as soon as it is the user in force. Raises AssertionError after ``timeout`` milliseconds."""
        return self._wait(self._identity(uid), timeout)

    def expect_calls(self, *calls: Call, timeout: float | None = None) -> None:
        """Wait until as many calls are there, ``timeout`` milliseconds at most, then assert that they are exactly
        these, in this order."""
        deadline = self._deadline(timeout)
        while len(self.calls) < len(calls) and time.monotonic() < deadline:
            self._let_pass()
        self._check(calls)

    def _wait(self, wanted: Wanted[T], timeout: float | None) -> T:
        deadline = self._deadline(timeout)
        while (found := wanted.find()) is None:
            if time.monotonic() > deadline:
                raise self._missed(wanted, timeout)
            self._let_pass()
        return found

    def _serve(self, route: "Route", script: bool = True) -> None:
        if script and not self._blocked and self._waiting is not None:
            self._waiting.append(route)
            return
        answer = self._answer(route.request.method, route.request.url, script)
        if answer is None:
            route.abort(REFUSAL)
        else:
            route.fulfill(**answer)

    def _catch_up(self) -> None:
        pages = self._pages()
        if not pages:
            return
        from playwright.sync_api import Error

        for page in pages:
            for frame in page.frames:
                with suppress(Error):  # the frame went away meanwhile
                    frame.evaluate(CATCH_UP)

    def _let_pass(self) -> None:
        pages = self._pages()
        if pages:
            pages[0].wait_for_timeout(POLL_INTERVAL)
        else:
            time.sleep(POLL_INTERVAL / 1000)

    def _pages(self) -> "list[Page]":
        return [page for context in self._contexts for page in context.pages if not page.is_closed()]
