"""A visitor with any of the engines: a tab, the FullStory that its pages see, and what they complain about."""

import random
import threading
import time
from contextlib import suppress
from typing import Any

from fsbridge.testing import FullStory
from fsbridge.testing.record import POLL_INTERVAL, STAND_IN
from tests.conftest import PATIENCE
from tools.serve import Response

from .engines import LEAVING
from .net import Unreachable

HOST = "edge.fullstory.com"

# Pages keep for us what they send, in localStorage over all pages, or where that is denied in the page.
KEEP = """
window.__fsbridge_testing = (text) => {
  try {
    const count = (localStorage["received"] = 1 + Number(localStorage["received"] || 0));
    localStorage["received:" + String(count).padStart(9, "0")] = text;
  } catch {
    (window.received = window.received || []).push(text);
  }
};
"""
FETCH = """
(() => {
  const kept = window.received ? window.received.splice(0) : [];
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith("received:")).sort();
    for (const key of keys) {
      kept.push(localStorage[key]);
      delete localStorage[key];
    }
  } catch {} // denied
  return kept;
})()"""

# First of all in a page: what it complains about.
WATCH = """
window.complaints = [];
for (const level of ["warn", "error"]) {
  const original = console[level];
  console[level] = (...words) => {
    complaints.push(words.map(String).join(" "));
    original.apply(console, words);
  };
}
addEventListener("error", (event) => complaints.push("thrown: " + (event.message || event.target)));
addEventListener("unhandledrejection", (event) => complaints.push("rejected: " + event.reason));
addEventListener("securitypolicyviolation", (event) => complaints.push("CSP: " + event.violatedDirective));
"""


class Edge:
    """The host of fs.js.

    ``blocked``: it doesn't answer. ``script``: what it has instead of the stand-in. ``slow``: it takes up to a second.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.blocked = False
        self.script = ""
        self.slow = False
        self._asked = threading.Event()
        self._free = threading.Event()
        self._free.set()

    def hold(self) -> None:
        """From now on fs.js stays on its way."""
        self._free.clear()

    def wait_for_request(self) -> None:
        """Until fs.js has been asked for."""
        assert self._asked.wait(120)

    def release(self) -> None:
        """What was held arrives, where its page is still there."""
        self._free.set()

    def get(self, url: str) -> Response:
        if self.blocked:
            raise Unreachable
        self._asked.set()
        self._free.wait()
        if self.slow:
            time.sleep(random.random() ** 2)
        text = self.script or KEEP + STAND_IN["path"].read_text("utf-8")
        headers = {"Content-Type": "text/javascript", "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
        return Response(text.encode(), headers)


class Visitor(FullStory):
    """What a tab of its own, in the browser of an ``engine``, sends to FullStory, whose host is ``edge``."""

    def __init__(self, engine: str, browser: Any, edge: Edge) -> None:
        super().__init__(timeout=PATIENCE)
        self.engine = engine
        self._attached = True
        self.edge = edge
        self.tab = browser.tab()
        edge.reset()

    @property
    def console(self) -> Any:
        """What the page complained about: warnings, errors, what it threw and what its policy refused."""
        return self.tab.evaluate("complaints")

    def close(self) -> None:
        self.edge.release()
        self.tab.close()

    # As the FullStory of Playwright's pages does it with theirs.

    def _catch_up(self) -> None:
        with suppress(*LEAVING):  # in the middle of leaving
            for text in self.tab.evaluate(FETCH) or ():
                self._receive(None, text)

    def _let_pass(self) -> None:
        self.tab.wait_for_timeout(POLL_INTERVAL)
