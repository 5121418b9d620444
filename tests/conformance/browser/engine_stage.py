"""Plays page loads of recordings in Firefox and WebKit, through the tag, as `stage` does in Chromium."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.engines import LEAVING

from .stage import TIMEOUT, Internet, PageLoad, Visit, emptied

# A visitor comes with these cookies and no others. %s: the host, its domain, and each cookie as a line.
COOKIES = """
(([host, domain, lines]) => {
  const parts = location.pathname.split("/");
  const paths = parts.flatMap((_, index) => ["", "/"].map((end) => parts.slice(0, index + 1).join("/") + end));
  for (const name of document.cookie.split("; ").map((each) => each.split("=")[0])) {
    for (const path of paths) {
      for (const of of ["", `; domain=${host}`, `; domain=${domain}`]) {
        document.cookie = `${name}=; max-age=0; path=${path}${of}`;
      }
    }
  }
  for (const line of lines) document.cookie = line;
})(%s);
"""


def is_playable(visit: Visit) -> bool:
    """Whether these engines' drivers can bring a page there: not from another page, nor into another time zone."""
    return visit.timezone == "UTC" and not any(load.referrer or urlsplit(load.url).port for load in visit.loads)


class EngineStage:
    """One tab for many visits, one after the other, each with cookies and storage of its own."""

    def __init__(self, browser: Any, internet: Internet) -> None:
        self._browser = browser
        self._internet = internet
        self._tab: Any = None

    def play(self, visit: Visit) -> list[dict[str, Any]]:
        """What came of each page load of ``visit``, as the player tells it, undecoded."""
        self._internet.begin(visit)
        self._tab = self._tab or self._browser.tab()
        try:
            first, *others = visit.loads
            cookies = COOKIES % json.dumps(_cookies(visit)).replace("<", "\\u003c")
            return [self._load(emptied(first), cookies), *(self._load(load) for load in others)]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._tab:
            self._tab.close()
        self._tab = None

    def _load(self, load: PageLoad, script: str = "") -> dict[str, Any]:
        first = "<!doctype html>"
        if "#" in load.url:  # or it might be a jump within the page that is open
            self._internet.url = f"https://{urlsplit(load.url).hostname}/between"
            self._internet.document = first
            self._tab.goto(self._internet.url)
        before = f"{first}<script>{script}</script>"
        self._internet.url, self._internet.document = load.url, load.document().replace(first, before, 1)
        self._tab.goto(load.url, wait="none")
        deadline = time.monotonic() + TIMEOUT
        delivered = None
        while delivered is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"nothing came of {load.url} within {TIMEOUT} s")
            self._tab.wait_for_timeout(5)
            with suppress(*LEAVING):  # the page before is being left
                delivered = self._tab.evaluate("window.player?.delivered")
        outcome = json.loads(delivered)
        assert not outcome["thrown"], outcome["thrown"]
        self._tab.evaluate("delete player.delivered")
        return dict(outcome)


def _cookies(visit: Visit) -> tuple[str, str, list[str]]:
    host = urlsplit(visit.loads[0].url).hostname or ""
    domain = ".".join(host.split(".")[-2:])
    return host, domain, [f"{name}={value}; path=/; domain={domain}" for name, value in visit.cookies.items()]
