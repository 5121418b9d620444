"""Page loads in Firefox and WebKit, which tell less of what they cost than Chromium (`visits`)."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from selenium.common.exceptions import WebDriverException
from websockets.exceptions import WebSocketException

from tools import firefox, webkit

from .cases import SITE, Case
from .visits import BURSTS, CALLS, SETTLE, TIMEOUT, Figures, VisitError, failing

TITLES = {"chromium": "Chromium", "firefox": "Firefox", "webkit": "WebKit"}

Open = Callable[[str], Any]
"""Starts a browser with a fresh profile, which reaches all hosts by the proxy (host:port)."""

FAILURES = (firefox.BiDiError, WebDriverException, WebSocketException, OSError)
POLL = 100  # milliseconds: each look costs the page a little

# Firefox rounds times to milliseconds, of which a burst takes five.
PRECISE = {"privacy.reduceTimerPrecision": False}


def others() -> tuple[dict[str, Open], list[str]]:
    """The engines beside Chromium that there are, by name; and a line for each that can't be had."""
    gecko = os.environ.get(firefox.FIREFOX) or next(iter(firefox.installed()), "")
    mini = os.environ.get(webkit.WEBKIT) or next(iter(webkit.installed()), "")
    offered: dict[str, tuple[str, Open, str]] = {
        "firefox": (gecko, lambda proxy: firefox.Firefox(gecko, proxy, PRECISE), firefox.FIREFOX),
        "webkit": (mini, lambda proxy: webkit.WebKit(mini, proxy), webkit.WEBKIT),
    }
    found, missing = {}, []
    for name, (path, start, variable) in offered.items():
        if path:
            found[name] = start
        else:
            missing.append(
                f"{TITLES[name]} is not measured: none was found. Install one, or set {variable} to its path."
            )
    return found, missing


@contextmanager
def profile(start: Open, proxy: int) -> Iterator[tuple[Any, str]]:
    """A tab in a browser with a fresh profile, and the browser's version."""
    with failing(*FAILURES):
        browser = start(f"127.0.0.1:{proxy}")
        try:
            tab = browser.tab()
            # The browser's own processes are started by a first page; the one that counts comes from another site.
            tab.goto("https://elsewhere.example/")
            tab.wait_for_timeout(300)
            yield tab, browser.version
        finally:
            browser.close()


def visit(tab: Any, case: Case, bursts: bool) -> Figures:
    """Open the case's page until FullStory has the call made in its head; returns the figures.

    With ``bursts`` the time that a call takes until FullStory has it is measured afterwards.
    """
    with failing(*FAILURES):
        tab.goto("https://elsewhere.example/")
        tab.goto(f"https://{SITE}{case.path}", wait="none")
        first = _await(tab, "window.bench && bench.figures().first.received && bench.figures().first")
        figures = {"received": first["received"], "made": first["made"]}
        tab.wait_for_timeout(SETTLE)
        if bursts:
            took = [_burst(tab, case) for _ in range(BURSTS)]
            figures["delivery"] = statistics.median(took) / CALLS
        return figures


def _burst(tab: Any, case: Case) -> float:
    calls = f"bench.burst((...call) => {case.api}.track(...call), {CALLS})"
    tab.evaluate(f"void (bench.took = 0, {calls}.then((took) => (bench.took = took)))")
    return float(_await(tab, "bench.took"))


def _await(tab: Any, expression: str) -> Any:
    """The expression's value, once it has one."""
    deadline = time.monotonic() + TIMEOUT / 1000
    while time.monotonic() < deadline:
        value = tab.evaluate(expression)
        if value:
            return value
        tab.wait_for_timeout(POLL)
    raise VisitError(f"{expression} is nothing within {TIMEOUT / 1000:.0f} s")
