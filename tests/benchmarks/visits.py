"""One page load in Chromium, and what it cost."""

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Error, Page, Playwright

from tools.browser import launch_options

from .cases import SITE, Case

BURSTS, CALLS = 8, 25
TIMEOUT = 60_000
"""Milliseconds after which a page from which FullStory got nothing has failed."""
SETTLE = 400

Figures = dict[str, float]
"""A visit's figures by name; `results.FIGURES` says what they are."""


class VisitError(Exception):
    """FullStory got nothing from a page, or its browser failed; the text has what the page's console, or that, said."""


@contextmanager
def failing(*kinds: type[Exception]) -> Iterator[None]:
    """What a browser raises is a `VisitError`."""
    try:
        yield
    except kinds as error:
        raise VisitError(str(error)) from error


@contextmanager
def profile(playwright: Playwright, chromium: str, port: int, trusted: str) -> Iterator[BrowserContext]:
    """A browser with a fresh profile that finds every host at ``port``."""
    options: dict[str, Any] = launch_options(chromium)
    options["args"] = [
        *options["args"],
        f"--host-resolver-rules=MAP * 127.0.0.1:{port}",
        f"--ignore-certificate-errors-spki-list={trusted}",
    ]
    with failing(Error), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        context = playwright.chromium.launch_persistent_context(folder, headless=True, **options)
        try:
            # The browser's own processes are started by a first page; the one that counts comes from another site.
            context.pages[0].goto("https://elsewhere.example/")
            context.pages[0].wait_for_timeout(300)
            yield context
        finally:
            context.close()


def visit(context: BrowserContext, case: Case, bursts: bool, slower: int = 1) -> tuple[Figures, dict[str, float]]:
    """Open the case's page until FullStory has the call made in its head; returns the figures and the timeline.

    With ``bursts`` the cost of a call is measured afterwards. The page's processor is ``slower`` by that factor.
    """
    said: list[str] = []
    try:
        return _visit(context, case, bursts, slower, said)
    except Error as error:
        raise VisitError("; ".join(said) or str(error)) from error


def _visit(
    context: BrowserContext, case: Case, bursts: bool, slower: int, said: list[str]
) -> tuple[Figures, dict[str, float]]:
    page = context.new_page()
    protocol = context.new_cdp_session(page)
    if slower > 1:
        protocol.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    protocol.send("Performance.enable", {"timeDomain": "threadTicks"})
    transferred = _count(protocol, f"https://{SITE}{case.path}")
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    with page.expect_console_message(lambda message: message.text == "bench: received", timeout=TIMEOUT):
        page.goto(f"https://{SITE}{case.path}", wait_until="commit")
    page.wait_for_timeout(SETTLE)
    seen = page.evaluate("bench.figures()")
    figures = {
        "received": seen["first"]["received"],
        "made": seen["first"]["made"],
        "bytes": sum(transferred.get(url, 0) for url in _before_the_first_call(seen)),
        "blocked": _blocked(seen["longTasks"], seen["first"]["received"]),
        "memory": _heap(protocol) + seen["wasm"],
    }
    if bursts and case.api:
        figures.update(_cost_of_a_call(page, protocol, case))
    page.close()
    return figures, _timeline(seen)


def _count(protocol: CDPSession, page: str) -> dict[str, float]:
    """The bytes by address of each request from now on, but the page's own and fs.js, which are the same for all."""
    counted: dict[str, str] = {}
    sizes: dict[str, float] = defaultdict(float)

    def asked(event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        if url != page and "/s/fs.js" not in url:
            counted[event["requestId"]] = url

    def finished(event: dict[str, Any]) -> None:
        if event["requestId"] in counted:
            sizes[counted[event["requestId"]]] += event["encodedDataLength"]

    protocol.on("Network.requestWillBeSent", asked)
    protocol.on("Network.loadingFinished", finished)
    protocol.send("Network.enable")
    return sizes


def _before_the_first_call(seen: dict[str, Any]) -> set[str]:
    """The addresses that a page asked for before FullStory had its first call."""
    return {url for url, start, _ in seen["resources"] if start < seen["first"]["received"]}


def _blocked(tasks: list[dict[str, float]], until: float) -> float:
    """How long tasks kept the main thread beyond 50 ms each, of those that began before ``until``."""
    return sum(max(0, task["duration"] - 50) for task in tasks if task["startTime"] < until)


def _heap(protocol: CDPSession) -> float:
    protocol.send("HeapProfiler.collectGarbage")
    return float(protocol.send("Runtime.getHeapUsage")["usedSize"])


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
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")) * 1000

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
