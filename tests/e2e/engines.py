"""The three engines behind one seam: a browser gives tabs, and a tab opens a page and evaluates JavaScript in it.

What pages ask of other hosts than 127.0.0.1 the tests' own `Net` answers, the same for all.
"""

import json
import os
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Error, Page, Playwright, ProxySettings
from selenium.common.exceptions import WebDriverException

from tests.conftest import patient
from tools import browser, firefox, webkit

ENGINES = ["chromium", "firefox", "webkit"]
STATES: dict[str, Any] = {"none": "commit", "interactive": "domcontentloaded", "complete": "load"}

# The value as JSON: Playwright would wait for promises.
EVALUATE = "() => { const value = (%s\n); try { return JSON.stringify(value) ?? null; } catch { return null; } }"

LEAVING = (Error, firefox.BiDiError, WebDriverException)
"""What `evaluate` may raise while the page is being left, or where the script throws."""


class Chromium:
    """A Chromium with the back/forward cache, which Playwright turns off."""

    def __init__(self, playwright: Playwright, path: str, proxy: str) -> None:
        options = browser.launch_options(path)
        options["args"] = [*options["args"], "--ignore-certificate-errors"]
        rules: ProxySettings = {"server": f"http://{proxy}", "bypass": "127.0.0.1"}
        self._browser = patient(
            playwright.chromium.launch(**options, proxy=rules, ignore_default_args=["--disable-back-forward-cache"])
        )
        self.version = self._browser.version

    def tab(self) -> "ChromiumTab":
        return ChromiumTab(self._browser.new_context().new_page())

    def close(self) -> None:
        self._browser.close()


class ChromiumTab:
    """As the tabs of `tools.firefox` and `tools.webkit`."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def goto(self, url: str, wait: str = "complete") -> None:
        self._page.goto(url, wait_until=STATES[wait])

    def go(self, delta: int) -> None:
        with suppress(Error):  # the page may be gone before it answers
            self._page.evaluate(f"void history.go({delta})")

    def evaluate(self, expression: str) -> Any:
        try:
            found = self._page.evaluate(EVALUATE % expression)
        except Error as error:
            if "context was destroyed" not in error.message:
                raise
            return self.evaluate(expression)  # the page was left in the meantime
        return None if found is None else json.loads(found)

    def wait_for_timeout(self, milliseconds: float) -> None:
        self._page.wait_for_timeout(milliseconds)

    def resize(self, width: int, height: int) -> None:
        self._page.set_viewport_size({"width": width, "height": height})

    def tap(self, x: float, y: float) -> None:
        session = self._page.context.new_cdp_session(self._page)
        session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
        for kind, points in {"touchStart": [{"x": x, "y": y}], "touchEnd": []}.items():
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.detach()

    def screenshot(self, path: str) -> None:
        self._page.screenshot(path=path)

    def close(self) -> None:
        self._page.context.close()


class Engines:
    """The browsers of a test run, each started when it is asked for first."""

    def __init__(self, playwright: Playwright, proxy: str) -> None:
        self._playwright = playwright
        self._proxy = proxy
        self._running: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        if name not in self._running:
            self._running[name] = getattr(self, f"_{name}")()
        return self._running[name]

    def _chromium(self) -> Chromium:
        own = os.path.exists(self._playwright.chromium.executable_path)
        path = os.environ.get(browser.CHROMIUM) or next(iter([] if own else browser.installed()), browser.OWN)
        return Chromium(self._playwright, path, self._proxy)

    def _firefox(self) -> firefox.Firefox:
        path = os.environ.get(firefox.FIREFOX, next(iter(firefox.installed()), ""))
        return firefox.Firefox(path or pytest.skip(firefox.NONE), self._proxy)

    def _webkit(self) -> webkit.WebKit:
        path = os.environ.get(webkit.WEBKIT, next(iter(webkit.installed()), ""))
        return webkit.WebKit(path or pytest.skip(webkit.NONE), self._proxy)

    def close(self) -> None:
        for each in self._running.values():
            with suppress(*LEAVING):
                each.close()
