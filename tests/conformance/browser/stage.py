"""Plays page loads of recordings in Chromium, through the tag; `player.js` is the half of it that runs in the page.

What the player gets is JSON with tagged values:

- ``global``: the API's name. ``load``: the arguments of its ``load``. ``returns``: whether to note what calls return.
- ``fs``: "" for none, "recording", "bare" (without methods) or "throws"; ``fsName``: its name, FS; ``fsOther``: the
  name of another one.
- ``empty``, ``seed``, ``preset``: clear the storage; fill it; globals to set.
- ``buffered``: what a vendor's snippet kept before the tag. ``early``: calls before Python is live. ``script``: calls
  after.
- ``beside``: how many calls an SDK beside the tag should lead to; ``off``: ``integrations`` that keep a message from
  us; ``consents``: the script decides when the SDK begins.
- ``duration``: milliseconds to wait at the end; ``awaits``: "fs.js" or "blocked"; ``snapshot``: what else to look at.
"""

from __future__ import annotations

import html
import json
import re
import time
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Error

from fsbridge.build import INTERPRETERS, archives, browser_sources, pinned_versions
from fsbridge.testing.simulated import FS_METHODS
from tests import wire
from tools.serve import Site

PLAYER = (Path(__file__).parent / "player.js").read_text(encoding="utf-8")
TIMEOUT = 180
"""Seconds for one page load."""

# An interpreter that is there already, with our package in it.
WARM = {
    "pyodide": "export const loadPyodide = null;",
    "fsbridge": "export const boot = async () => window.warmPython;"
    "export { start } from '/fsbridge/fsbridge/pyodide.js';",
}

TAKES_OVER = (
    "window.taken = FS.q.slice(); FS.q = null; FS._api = function () { taken.push([].slice.call(arguments)); };"
)


@dataclass
class PageLoad:
    """One page of a scenario: where it is, the tag's attributes, and what the player is to do."""

    url: str
    tag: dict[str, str]
    play: dict[str, Any]
    title: str = ""
    referrer: str = ""
    canonical: str | None = None

    def head(self) -> str:
        """The page's own part of the document: without it the tag would find nothing to describe."""
        link = "" if self.canonical is None else f'<link rel="canonical" href="{html.escape(self.canonical)}">'
        return f"<!doctype html><meta charset=utf-8><title>{html.escape(self.title)}</title>{link}"

    def place(self) -> dict[str, Any]:
        return {"url": self.url, "title": self.title, "referrer": self.referrer, "canonical": self.canonical}

    def document(self) -> str:
        attributes = " ".join(f'data-{name}="{html.escape(value)}"' for name, value in self.tag.items())
        return (
            f"{self.head()}<script>{PLAYER}</script><script>player.prepare({_inline(self.play)})</script>"
            f'<script src="/fsbridge/fsbridge.js" {attributes}></script><script>player.run()</script>'
        )


@dataclass
class Visit:
    """Successive page loads of one visitor."""

    loads: list[PageLoad]
    cookies: dict[str, str] = field(default_factory=dict)
    timezone: str = "UTC"
    fsjs: str = ""
    """What becomes of a request for fs.js: "blocked", "takes-over", or no answer at all."""


def player_load(**given: Any) -> dict[str, Any]:
    """What the player gets, with the recording FullStory unless ``fs`` says otherwise."""
    return {"fs": "recording", "fsMethods": FS_METHODS, "script": [], **given}


@cache
def _image() -> bytes:
    """The package for a MicroPython that the tag doesn't start."""
    version = pinned_versions()[INTERPRETERS["micropython"][0]]
    return archives.image(archives.compiled(browser_sources(), version)).content


class Stage:
    """One browser context for many visits, one after the other, each with cookies and storage of its own."""

    def __init__(self, browser: Any, web: Path, timezone: str = "UTC") -> None:
        self.context = browser.new_context(timezone_id=timezone)
        self.context.expose_binding("playerDelivers", self._take)
        self.context.route(re.compile("^https?://"), self._answer)
        self._site = Site()
        self._site.mount("/fsbridge/", web)
        for folder, module in WARM.items():
            self._site.put(f"/warm/{folder}/pyodide.js", module, {"Content-Type": "text/javascript"})
        self._site.put("/warm/all.romfs", _image())
        self._outcome: str | None = None
        self._document = ""
        self._fsjs = ""
        self._held: list[Any] = []
        self.page = self.context.new_page()

    def play(self, visit: Visit) -> list[dict[str, Any]]:
        """What came of each page load of ``visit``, as the player tells it, undecoded."""
        self._begin(visit)
        played = []
        for index, load in enumerate(visit.loads):
            if index == 0:
                load = emptied(load)
            self._open(load)
            played.append(self._wait(load))
        return played

    def bulk(self, runtime: str, driver: str, calls: list[list[Any]]) -> list[Any]:
        """What the functions of the Python module ``driver`` return: ``calls`` are their names and arguments."""
        load = PageLoad("https://shop.example/bulk", {}, {})
        self._outcome, self._document = None, f"<!doctype html><title></title><script>{PLAYER}</script>"
        self.page.goto(load.url)
        self._tell("bulk", runtime, driver, calls)
        return list(self._wait(load)["results"])

    def cookies(self) -> list[dict[str, Any]]:
        """The visitor's cookies as the browser has them."""
        return list(self.context.cookies())

    def close(self) -> None:
        self.context.close()

    def _begin(self, visit: Visit) -> None:
        self._fsjs = visit.fsjs
        while self._held:  # or the browser would let the next page wait for the same answer
            with suppress(Error):
                self._held.pop().abort()
        self.context.clear_cookies()
        if visit.cookies:
            domain = "." + ".".join((urlsplit(visit.loads[0].url).hostname or "").split(".")[-2:])
            self.context.add_cookies(
                [{"name": name, "value": value, "domain": domain, "path": "/"} for name, value in visit.cookies.items()]
            )

    def _open(self, load: PageLoad) -> None:
        self._outcome, self._document = None, load.document()
        if "#" in load.url:  # or it might be a jump within the page that is open
            self.page.goto("about:blank")
        self.page.goto(load.url, referer=load.referrer or None, wait_until="commit")

    def _tell(self, method: str, *args: Any) -> None:
        # As JSON text: Playwright's own way for arguments doesn't know lone surrogates.
        self.page.evaluate("([method, args]) => { player[method](...JSON.parse(args)) }", [method, json.dumps(args)])

    def _wait(self, load: PageLoad) -> dict[str, Any]:
        deadline = time.monotonic() + TIMEOUT
        while self._outcome is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"nothing came of {load.url} within {TIMEOUT} s")
            self.page.wait_for_timeout(2)
        outcome = json.loads(self._outcome)
        assert not outcome["thrown"], outcome["thrown"]
        return dict(outcome)

    def _take(self, source: Any, outcome: str) -> None:
        self._outcome = outcome

    def _answer(self, route: Any) -> None:
        request = route.request
        if request.resource_type == "document":
            route.fulfill(body=self._document, content_type="text/html; charset=utf-8")
        elif "/fsbridge/" in request.url or "/warm/" in request.url:
            wire.fulfill(route, self._site.get(request.url))
        elif self._fsjs == "takes-over":
            cors = {"Access-Control-Allow-Origin": "*"}
            route.fulfill(body=TAKES_OVER, content_type="text/javascript", headers=cors)
        elif self._fsjs == "blocked" or request.resource_type != "script":
            route.abort("blockedbyclient")
        else:  # fs.js stays on its way, and the page queues
            self._held.append(route)


class WarmStage(Stage):
    """A stage whose page boots Pyodide once. For each page load the page is made like new, and the tag added again."""

    _origin = ""

    def _open(self, load: PageLoad) -> None:
        parts = urlsplit(load.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin != self._origin:
            self._outcome, self._document = None, f"<!doctype html><title></title><script>{PLAYER}</script>"
            self.page.goto(origin + "/")
            self._tell("warm", "pyodide")
            self._wait(load)
            self._origin = origin
        self._outcome = None
        attributes = {**load.tag, "base": "/warm/"}
        self._tell("again", load.place(), load.play, attributes)


def emptied(load: PageLoad) -> PageLoad:
    """A visitor's first page: the storage of the one before is cleared."""
    emptied = copy(load)
    emptied.play = {**load.play, "empty": True}
    return emptied


def _inline(value: Any) -> str:
    return json.dumps(value).replace("<", "\\u003c")
