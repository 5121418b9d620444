"""A WebKit for the tests: WebKitGTK's MiniBrowser, on a display of its own, driven over WebDriver.

python -m tools.webkit    finds or installs one and prints its path (an empty line where none can be had)

`WEBKIT` is the environment variable that hands the outcome on to the test run.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from glob import glob
from typing import Any

from selenium.common.exceptions import NoSuchFrameException, WebDriverException
from selenium.webdriver import Remote
from selenium.webdriver.common.actions import interaction
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from urllib3.exceptions import ReadTimeoutError

from . import browser

WEBKIT = "FSBRIDGE_WEBKIT"
PLACES = (
    "/usr/lib/*/webkit2gtk-4.*/MiniBrowser",
    "/usr/lib*/webkit2gtk-4.*/MiniBrowser",
    "/usr/libexec/webkit2gtk-4.*/MiniBrowser",
)
DRIVER = "WebKitWebDriver"
NONE = """\
No WebKit: its tests will be skipped. Tried: an installed MiniBrowser of WebKitGTK's with WebKitWebDriver and Xvfb,
apt-get's webkit2gtk-driver and xvfb. Install them, or set FSBRIDGE_WEBKIT to the path of a MiniBrowser."""

LOAD_SECONDS = 180
ANSWER_SECONDS = 60
FLAGS = ["--automation", "--javascript-can-open-windows-automatically=true"]  # pages may open popups

# The value as JSON: WebDriver would wait for promises, and refuse what goes round in circles.
EVALUATE = "const value = (%s\n); try { return JSON.stringify(value) ?? null; } catch { return null; }"
STATES = {"none": 0, "interactive": 1, "complete": 2}
STATE = "return window.isLeft || location.href === 'about:blank' ? 'none' : document.readyState;"


class WebKit:
    """A running WebKit. ``proxy`` (host:port) serves all but 127.0.0.1, under any certificate."""

    def __init__(self, path: str, proxy: str = "") -> None:
        self._open = ExitStack()
        try:
            environment = {**os.environ, "DISPLAY": self._display()}
            options = Options()
            options.binary_location = path
            options.page_load_strategy = "none"
            flags = [f"--proxy=http://{proxy}", "--ignore-host=127.0.0.1", "--ignore-tls-errors"] if proxy else []
            for flag in [*FLAGS, *flags]:
                options.add_argument(flag)
            service = Service(shutil.which(DRIVER), log_output=subprocess.DEVNULL, env=environment)
            service.start()
            self._open.callback(service.stop)
            config = ClientConfig(service.service_url, timeout=ANSWER_SECONDS)
            self.driver = Remote(RemoteConnection(client_config=config), options=options)
            self._open.callback(self._end)
        except BaseException:
            self.close()
            raise
        self.version = str(self.driver.capabilities["browserVersion"])
        self._home = self.driver.current_window_handle

    def _display(self) -> str:
        # An X server that nobody sees. It says which display it has taken.
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with os.fdopen(reading) as answer:
            server = subprocess.Popen(command, pass_fds=[writing], **quiet)  # type: ignore[call-overload]
            self._open.callback(server.wait)
            self._open.callback(server.terminate)
            os.close(writing)
            return f":{answer.readline().strip()}"

    def tab(self) -> "Tab":
        """A tab. Cookies and storage are those of all tabs."""
        self.driver.switch_to.window(self._home)
        self.driver.switch_to.new_window("window")
        return Tab(self.driver, self._home)

    def close(self) -> None:
        """End this WebKit: it keeps nothing."""
        self._open.close()

    def _end(self) -> None:
        with suppress(WebDriverException):
            self.driver.quit()


class Tab:
    """One tab, with as much of Playwright's ``Page`` as the tests use."""

    def __init__(self, driver: Remote, home: str) -> None:
        self._driver = driver
        self._home = home

    def goto(self, url: str, wait: str = "complete") -> None:
        """Navigate, and wait until the page is "complete", or only "interactive" or "none"."""
        self._driver.execute_script("window.isLeft = true")
        self._driver.get(url)
        deadline = time.monotonic() + LOAD_SECONDS
        while wait != "none" and STATES.get(self._state(), 0) < STATES[wait]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url} is not {wait} within {LOAD_SECONDS} s")
            time.sleep(0.01)

    def _state(self) -> str:
        with suppress(WebDriverException):  # in the middle of leaving
            return str(self._driver.execute_script(STATE))
        return "none"

    def go(self, delta: int) -> None:
        """Back (-1) or forward (1) in history, without waiting."""
        self._driver.execute_script(f"history.go({delta})")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page, whatever its CSP says: JSON's kinds, None for anything else."""
        try:
            found = self._driver.execute_script(EVALUATE % expression)
        except (NoSuchFrameException, ReadTimeoutError):
            # The page was left in the meantime. At times the driver never answers then.
            return self.evaluate(expression)
        return None if found is None else json.loads(found)

    def wait_for_timeout(self, milliseconds: float) -> None:
        """Let so much time pass."""
        time.sleep(milliseconds / 1000)

    def resize(self, width: int, height: int) -> None:
        """Give the page this size."""
        self._driver.set_window_size(width, height)
        inner_width, inner_height = self.evaluate("[innerWidth, innerHeight]")
        self._driver.set_window_size(2 * width - inner_width, 2 * height - inner_height)

    def tap(self, x: float, y: float) -> None:
        """Touch the page here with a finger."""
        touch = PointerInput(interaction.POINTER_TOUCH, "finger")  # type: ignore[no-untyped-call]
        actions = ActionBuilder(self._driver, mouse=touch, duration=0)
        actions.pointer_action.move_to_location(x, y).pointer_down().pointer_up()  # type: ignore[no-untyped-call]
        actions.perform()

    def screenshot(self, path: str) -> None:
        """Write a PNG of what is to be seen."""
        self._driver.save_screenshot(path)

    def close(self) -> None:
        """Close the tab, and what it has opened; its cookies go, too."""
        self._driver.delete_all_cookies()
        for handle in self._driver.window_handles:
            if handle != self._home:
                self._driver.switch_to.window(handle)
                self._driver.close()
        self._driver.switch_to.window(self._home)


def starts(path: str) -> bool:
    """Whether this WebKit is there and can be driven."""
    if not (shutil.which("Xvfb") and shutil.which(DRIVER)):
        return False
    try:
        WebKit(path).close()
    except (WebDriverException, OSError):
        return False
    return True


def installed() -> list[str]:
    """The paths of installed MiniBrowsers."""
    return [path for place in PLACES for path in sorted(glob(place), reverse=True)]


def provision() -> str:
    """A WebKit by the rule above, installing where need be; "" where none can be had."""
    chosen = os.environ.get(WEBKIT)
    if chosen:
        return chosen
    found = next(filter(starts, installed()), "")
    if not found:
        browser.install_package("webkit2gtk-driver", "xvfb")
        found = next(filter(starts, installed()), "")
    return found


if __name__ == "__main__":
    webkit = provision()
    print(f"Browser tests use {webkit}, too." if webkit else NONE, file=sys.stderr)
    print(webkit)
