"""A Firefox for the tests: an installed one, else the system's package; headless, driven over WebDriver BiDi.

python -m tools.firefox    finds or installs one and prints its path (an empty line where none can be had)

`FIREFOX` is the environment variable that hands the outcome on to the test run.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from . import browser

FIREFOX = "FSBRIDGE_FIREFOX"
INSTALLED = ("firefox-esr", "firefox")
PLACES = ("/Applications/Firefox.app/Contents/MacOS/firefox", r"C:\Program Files\Mozilla Firefox\firefox.exe")
NONE = """\
No Firefox: its tests will be skipped. Tried: an installed Firefox, apt-get's firefox-esr.
Install one, or set FSBRIDGE_FIREFOX to the path of a Firefox."""

START_SECONDS = 180
ANSWER_SECONDS = 180
PREFERENCES = {"dom.disable_open_during_load": False}  # pages may open popups; all else is as users have it


class BiDiError(Exception):
    """A command that Firefox refused, or a script that threw."""


class Firefox:
    """A running Firefox. ``proxy`` (host:port) serves all but 127.0.0.1, under any certificate; ``preferences`` come on
    top of `PREFERENCES`."""

    def __init__(self, path: str, proxy: str = "", preferences: Mapping[str, Any] | None = None) -> None:
        self._open = ExitStack()
        profile = tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True)
        self._profile = Path(self._open.enter_context(profile))
        wanted = {**PREFERENCES, **(preferences or {})}
        written = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in wanted.items()]
        (self._profile / "user.js").write_text("\n".join(written), encoding="utf-8")
        command = [path, "--headless", "--no-remote", "--profile", str(self._profile), "--remote-debugging-port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._open.callback(self._end)
        self._answers: dict[int, dict[str, Any]] = {}
        self._last = 0
        try:
            self._socket = self._open.enter_context(connect(f"{self._address()}/session", max_size=None))
            session = {"alwaysMatch": {"acceptInsecureCerts": True, "proxy": _manual(proxy)}} if proxy else {}
            self.version = self.command("session.new", capabilities=session)["capabilities"]["browserVersion"]
        except BaseException:
            self.close()
            raise

    def _address(self) -> str:
        # Where Firefox says that it listens.
        file = self._profile / "WebDriverBiDiServer.json"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                found = json.loads(file.read_text("utf-8"))
                return f"ws://{found['ws_host']}:{found['ws_port']}"
            except (OSError, ValueError):
                time.sleep(0.05)
        raise BiDiError(f"Firefox did not start within {START_SECONDS} s")

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result. Raises BiDiError where Firefox refuses it."""
        self._last += 1
        wanted = self._last
        self._socket.send(json.dumps({"id": wanted, "method": method, "params": parameters}))
        deadline = time.monotonic() + ANSWER_SECONDS
        while wanted not in self._answers:
            self._receive(deadline - time.monotonic())
        answer = self._answers.pop(wanted)
        if answer["type"] == "error":
            raise BiDiError(f"{method}: {answer['error']}: {answer['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _receive(self, seconds: float) -> None:
        message = json.loads(self._socket.recv(max(seconds, 0)))
        if message["type"] != "event":
            self._answers[message["id"]] = message

    def tab(self) -> "Tab":
        """A tab with storage and cookies of its own."""
        container = self.command("browser.createUserContext")["userContext"]
        context = self.command("browsingContext.create", type="tab", userContext=container)["context"]
        return Tab(self, container, context)

    def close(self) -> None:
        """End this Firefox and forget its profile."""
        self._open.close()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Tab:
    """One tab, with as much of Playwright's ``Page`` as the tests use."""

    def __init__(self, firefox: Firefox, container: str, context: str) -> None:
        self._firefox = firefox
        self._container = container
        self.context = context

    def goto(self, url: str, wait: str = "complete") -> None:
        """Navigate, and wait until the page is "complete", or only "interactive" or "none"."""
        self._firefox.command("browsingContext.navigate", context=self.context, url=url, wait=wait)

    def go(self, delta: int) -> None:
        """Back (-1) or forward (1) in history, without waiting."""
        self._firefox.command("browsingContext.traverseHistory", context=self.context, delta=delta)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page, whatever its CSP says: JSON's kinds, None for anything else."""
        target = {"context": self.context}
        ran = self._firefox.command("script.evaluate", expression=expression, target=target, awaitPromise=False)
        if ran["type"] == "exception":
            raise BiDiError(ran["exceptionDetails"]["text"])
        return _plain(ran["result"])

    def wait_for_timeout(self, milliseconds: float) -> None:
        """Let so much time pass."""
        time.sleep(milliseconds / 1000)

    def resize(self, width: int, height: int) -> None:
        """Give the page this size."""
        size = {"width": width, "height": height}
        self._firefox.command("browsingContext.setViewport", context=self.context, viewport=size)

    def tap(self, x: float, y: float) -> None:
        """Touch the page here with a finger."""
        at = {"type": "pointerMove", "x": round(x), "y": round(y)}
        finger = {
            "type": "pointer",
            "id": "finger",
            "parameters": {"pointerType": "touch"},
            "actions": [at, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}],
        }
        self._firefox.command("input.performActions", context=self.context, actions=[finger])

    def screenshot(self, path: str) -> None:
        """Write a PNG of what is to be seen."""
        taken = self._firefox.command("browsingContext.captureScreenshot", context=self.context)
        Path(path).write_bytes(base64.b64decode(taken["data"]))

    def close(self) -> None:
        """Close the tab, and what it has opened."""
        self._firefox.command("browser.removeUserContext", userContext=self._container)


def _manual(proxy: str) -> dict[str, Any]:
    return {"proxyType": "manual", "httpProxy": proxy, "sslProxy": proxy, "noProxy": ["127.0.0.1"]}


def _plain(remote: dict[str, Any]) -> Any:
    """A value of the page as Python's: JSON's kinds; None for anything else."""
    value = remote.get("value")
    match remote["type"]:
        case "array":
            return [_plain(item) for item in value or []]
        case "object":
            return {key: _plain(item) for key, item in value or []}
        case "string" | "number" | "boolean":
            return value
    return None


def starts(path: str) -> bool:
    """Whether this Firefox is there and can be driven."""
    try:
        Firefox(path).close()
    except (BiDiError, OSError):
        return False
    return True


def installed() -> list[str]:
    """The paths of installed Firefox browsers."""
    return browser.installed(INSTALLED, PLACES)


def provision() -> str:
    """A Firefox by the rule above, installing where need be; "" where none can be had."""
    chosen = os.environ.get(FIREFOX)
    if chosen:
        return chosen
    found = next(filter(starts, installed()), "")
    if not found:
        browser.install_package("firefox-esr")
        found = next(filter(starts, installed()), "")
    return found


if __name__ == "__main__":
    firefox = provision()
    print(f"Browser tests use {firefox}, too." if firefox else NONE, file=sys.stderr)
    print(firefox)
