"""`AsyncFullStory` with Playwright's async API, in a Chromium of its own."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from fsbridge.testing import FS, AsyncFullStory
from tests.conftest import PATIENCE
from tools.serve import Site, address, server

from .test_testing import html

Test = Callable[[Page, AsyncFullStory, Callable[[str], str]], Awaitable[None]]


@pytest.fixture
def at() -> Iterator[Callable[[str], str]]:
    """Serves the HTML that it is given, and returns its address."""
    site = Site()
    running = server(site)
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()

    def put(body: str) -> str:
        site.put("/", body)
        return address(running)

    yield put
    running.shutdown()
    running.server_close()


@pytest.fixture
def play(browser_type_launch_args: dict[str, Any], at: Callable[[str], str]) -> Callable[[Test], None]:
    """Run ``await test(page, fullstory, at)`` in a browser of its own."""

    async def visit(test: Test) -> None:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(**browser_type_launch_args)
            page = await browser.new_page()
            page.set_default_timeout(PATIENCE)
            fullstory = AsyncFullStory(timeout=PATIENCE)
            await fullstory.attach(page)
            await fullstory.attach(page.context)  # once is enough
            await test(page, fullstory, at)
            await browser.close()

    def run(test: Test) -> None:
        # A thread of its own: in this one Playwright's sync API may be running already.
        outcome: Future[None] = Future()

        def body() -> None:
            try:
                outcome.set_result(asyncio.run(visit(test)))
            except BaseException as error:
                outcome.set_exception(error)

        threading.Thread(target=body).start()
        outcome.result(120)

    return run


def test_records_waits_and_adds_up(play: Callable[[Test], None]) -> None:
    async def test(page: Page, fullstory: AsyncFullStory, at: Callable[[str], str]) -> None:
        script = """
          FS.identify("user-1", { plan: "premium" }, "segment");
          setTimeout(() => FS.event("Order Completed", { price: 99.95 }), 300);
        """
        await page.goto(at(html(script)))
        assert not fullstory.events
        order = await fullstory.wait_for_event("Order Completed", {"price": 99.95})
        assert (order.properties, order.url) == ({"price": 99.95}, page.url)
        assert await fullstory.wait_for_identity("user-1") == "user-1"
        assert fullstory.user_properties == {"plan": "premium"}
        assert fullstory.org == "o-1ABC-na1"
        calls = FS.identify("user-1", {"plan": "premium"}, "segment"), FS.event("Order Completed", {"price": 99.95})
        await fullstory.expect_calls(*calls)
        assert await fullstory.wait_for_call(calls[1]) == calls[1]
        await fullstory.clear()
        assert fullstory.calls == []

    play(test)


def test_what_a_page_has_sent_is_there_after_catching_up(play: Callable[[Test], None]) -> None:
    async def test(page: Page, fullstory: AsyncFullStory, at: Callable[[str], str]) -> None:
        await page.goto(at(html("FS.event('First')")))
        await fullstory.wait_for_event("First")
        for number in range(20):
            await page.evaluate("n => { setTimeout(() => FS.event('Numbered', { n })) }", number)
            await page.evaluate("new Promise((done) => setTimeout(done, 5))")
            await fullstory.catch_up()
            assert [event.properties["n"] for event in fullstory.events("Numbered")] == list(range(number + 1))

    play(test)


def test_fails_with_what_did_arrive(play: Callable[[Test], None]) -> None:
    async def test(page: Page, fullstory: AsyncFullStory, at: Callable[[str], str]) -> None:
        await page.goto(at(html("FS.event('Clicked')")))
        await fullstory.wait_for_event("Clicked")
        with pytest.raises(AssertionError, match=r'event "Other" within 100 ms.*\n  FS\.event\("Clicked"\)'):
            await fullstory.wait_for_event("Other", timeout=100)
        with pytest.raises(AssertionError, match=r"exactly these calls:\n  FS\.restart\(\)"):
            await fullstory.expect_calls(FS.restart(), timeout=100)

    play(test)


def test_fs_js_is_late_blocked_and_nothing_else_gets_through(play: Callable[[Test], None]) -> None:
    async def test(page: Page, fullstory: AsyncFullStory, at: Callable[[str], str]) -> None:
        async with fullstory.delayed():
            await page.goto(at(html("FS.event('Queued')")), wait_until="commit")
            await page.wait_for_function("window.FS && FS.q.length === 2")
            assert fullstory.calls == []
        await fullstory.wait_for_event("Queued")

        refused = "url => fetch(url).then(() => 'sent', () => 'refused')"
        assert await page.evaluate(refused, "https://rs.fullstory.com/rec/page") == "refused"
        socket = "new Promise((over) => (new WebSocket('wss://rs.fullstory.com/live').onclose = () => over('closed')))"
        assert await page.evaluate(socket) == "closed"
        assert "Refused: GET https://rs.fullstory.com/rec/page" in fullstory.summary()

        fullstory.block()
        await page.goto(at(html("FS.event('Lost')")))
        await page.wait_for_function("window.failed")
        assert not fullstory.events("Lost")
        assert "Blocked: https://edge.fullstory.com/s/fs.js" in fullstory.summary()

    play(test)
