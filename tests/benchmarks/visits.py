"""One page load in Chromium, and what it cost."""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Page, Playwright, TimeoutError

from tools.browser import launch_options

from .cases import SITE, Case

BURSTS, CALLS = 8, 25
TIMEOUT = 60_000
"""Milliseconds after which a page from which FullStory got nothing has failed."""
SETTLE = 400

Figures = dict[str, float]
"""A visit's figures by name; `results.FIGURES` says what they are."""


class VisitError(Exception):
    """FullStory got nothing from a page; the text has what the page's console said."""


@contextmanager
def profile(playwright: Playwright, chromium: str, port: int, trusted: str) -> Iterator[BrowserContext]:
    """A browser with a fresh profile that finds every host at ``port``."""
    options: dict[str, Any] = launch_options(chromium)
    options["args"] = [
        *options["args"],
        f"--host-resolver-rules=MAP * 127.0.0.1:{port}",
        f"--ignore-certificate-errors-spki-list={trusted}",
    ]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        context = playwright.chromium.launch_persistent_context(folder, headless=True, **options)
        try:
            # The browser's own processes are started by a first page; the one that counts comes from another site.
            context.pages[0].goto("https://elsewhere.example/")
            context.pages[0].wait_for_timeout(300)
            yield context
        finally:
            context.close()


def visit(context: BrowserContext, case: Case, bursts: bool) -> tuple[Figures, dict[str, float]]:
    """Open the case's page until FullStory has the call made in its head; returns the figures and the timeline.

    With ``bursts`` the cost of a call is measured afterwards.
    """
    page = context.new_page()
    protocol = context.new_cdp_session(page)
    protocol.send("Performance.enable", {"timeDomain": "threadTicks"})
    transferred = _count(protocol, f"https://{SITE}{case.path}")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        with page.expect_console_message(lambda message: message.text == "bench: received", timeout=TIMEOUT):
            page.goto(f"https://{SITE}{case.path}", wait_until="commit")
    except TimeoutError as error:
        raise VisitError("; ".join(said) or "the console is empty") from error
    page.wait_for_timeout(SETTLE)
    seen = page.evaluate("bench.figures()")
    figures = {
        "received": seen["first"]["received"],
        "made": seen["first"]["made"],
        "bytes": sum(transferred.values()),
        "blocked": _blocked(seen["longTasks"], seen["first"]["received"]),
        "memory": _heap(protocol) + seen["wasm"],
    }
    if bursts and case.api:
        figures.update(_cost_of_a_call(page, protocol, case))
    page.close()
    return figures, _timeline(seen)


def _count(protocol: CDPSession, page: str) -> dict[str, float]:
    """The bytes of each request from now on, but the page's own and fs.js, which are the same for all."""
    counted: set[str] = set()
    sizes: dict[str, float] = {}

    def asked(event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        if url != page and "/s/fs.js" not in url:
            counted.add(event["requestId"])

    def finished(event: dict[str, Any]) -> None:
        if event["requestId"] in counted:
            sizes[event["requestId"]] = event["encodedDataLength"]

    protocol.on("Network.requestWillBeSent", asked)
    protocol.on("Network.loadingFinished", finished)
    protocol.send("Network.enable")
    return sizes


def _blocked(tasks: list[dict[str, float]], until: float) -> float:
    """How long tasks kept the main thread beyond 50 ms each, of those that began before ``until``."""
    return sum(max(0, task["duration"] - 50) for task in tasks if task["startTime"] < until)


def _heap(protocol: CDPSession) -> float:
    protocol.send("HeapProfiler.collectGarbage")
    return protocol.send("Runtime.getHeapUsage")["usedSize"]


def _cost_of_a_call(page: Page, protocol: CDPSession, case: Case) -> Figures:
    """The main thread's CPU time for a call, and the time on the clock until FullStory has it, of bursts."""
    cpu, clock = [], []
    idle = _busy(page, protocol, "0")[0]
    for _ in range(BURSTS):
        busy, took = _busy(page, protocol, f"bench.burst((...call) => {case.api}.track(...call), {CALLS})")
        cpu.append((busy - idle) / CALLS)
        clock.append(took / CALLS)
    return {"call": statistics.median(cpu), "delivery": statistics.median(clock)}


def _busy(page: Page, protocol: CDPSession, expression: str) -> tuple[float, float]:
    """Milliseconds of CPU that the main thread's tasks take while the page evaluates this and for 100 ms after it."""

    def spent() -> float:
        metrics = protocol.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration") * 1000

    before = spent()
    result = page.evaluate(expression)
    page.wait_for_timeout(100)
    return spent() - before, result


def _timeline(seen: dict[str, Any]) -> dict[str, float]:
    """When things happened, in ms since navigation began: files by the ending of their names, marks by theirs."""
    events: dict[str, float] = {}
    for url, start, end in seen["resources"]:
        name = url.split("?")[0].rpartition("/")[2]
        events[f"{name} asked for"] = start
        events[f"{name} there"] = end
    events.update((name, time) for name, time in seen["marks"] if name.startswith("fsbridge"))
    titles = {
        "wasm": "WebAssembly instantiated",
        "snippet": "FS on the page: Python is live",
        "made": "first call made",
        "received": "first call at fs.js",
    }
    events.update((title, seen["first"][name]) for name, title in titles.items() if name in seen["first"])
    return events
