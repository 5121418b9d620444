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
import threading
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import TimeoutError

from fsbridge.build import INTERPRETERS, archives, browser_sources, pinned_versions
from fsbridge.testing.simulated import FS_METHODS
from tests.e2e.net import Unreachable
from tools.serve import Response, Site

PLAYER = (Path(__file__).parent / "player.js").read_text(encoding="utf-8")
EMPTY = f"<!doctype html><title></title><script>{PLAYER}</script>"
TIMEOUT = 180
"""Seconds that fs.js stays on its way, and that a page load is waited for."""

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


class Internet:
    """All hosts: each has the visit's pages, and the tag's files. ``document`` is the page at the address ``url``."""

    def __init__(self, web: Path) -> None:
        self._site = Site({"Cache-Control": "max-age=3600"})
        self._site.mount("/fsbridge/", web)
        for folder, module in WARM.items():
            self._site.put(f"/warm/{folder}/pyodide.js", module)
        self._site.put("/warm/all.romfs", _image())
        self.document = self.url = self._fsjs = ""
        self._over = threading.Event()

    # What Firefox and WebKit ask for themselves gets an answer too, a refusal: without one they ask up to ten times.

    def __contains__(self, host: str) -> bool:
        return not host.endswith(".mozilla.com")

    def __getitem__(self, host: str) -> Internet:
        return self

    def begin(self, visit: Visit) -> None:
        """What was on its way for the visit before fails, or the browser might let a next page wait for it."""
        self._over.set()
        self._over, self._fsjs = threading.Event(), visit.fsjs

    def get(self, url: str) -> Response:
        parts, own = urlsplit(url), urlsplit(self.url)
        if (parts.path or "/", parts.query) == (own.path or "/", own.query):
            return Response(self.document.encode(), {"Content-Type": "text/html; charset=utf-8"})
        if parts.path.startswith(("/fsbridge/", "/warm/", "/favicon.ico")):
            return self._site.get(url)
        if self._fsjs == "takes-over":
            headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}
            return Response(TAKES_OVER.encode(), headers)
        is_fsjs = parts.path.endswith(".js") or "org=" in parts.query  # where a null script leads, too
        if is_fsjs and self._fsjs != "blocked":  # fs.js stays on its way, and the page queues
            self._over.wait(TIMEOUT)
        raise Unreachable


class Stage:
    """One browser context for many visits, one after the other, each with cookies and storage of its own."""

    def __init__(self, browser: Any, internet: Internet, proxy: str, timezone: str = "UTC") -> None:
        by = {"server": f"http://{proxy}"}
        self.context = browser.new_context(timezone_id=timezone, proxy=by, ignore_https_errors=True)
        self._internet = internet
        self.page = self.context.new_page()

    def play(self, visit: Visit) -> list[dict[str, Any]]:
        """What came of each page load of ``visit``, as the player tells it, undecoded."""
        self._internet.begin(visit)
        self.context.clear_cookies()
        if visit.cookies:
            domain = "." + ".".join((urlsplit(visit.loads[0].url).hostname or "").split(".")[-2:])
            self.context.add_cookies(
                [{"name": name, "value": value, "domain": domain, "path": "/"} for name, value in visit.cookies.items()]
            )
        first, *others = visit.loads
        return [self._play(load) for load in (emptied(first), *others)]

    def bulk(self, runtime: str, driver: str, calls: list[list[Any]]) -> list[Any]:
        """What the functions of the Python module ``driver`` return: ``calls`` are their names and arguments."""
        self._goto("https://shop.example/bulk", EMPTY)
        self._tell("bulk", runtime, driver, calls)
        return list(self._outcome()["results"])

    def cookies(self) -> list[dict[str, Any]]:
        """The visitor's cookies as the browser has them."""
        return list(self.context.cookies())

    def close(self) -> None:
        self.context.close()

    def _play(self, load: PageLoad) -> dict[str, Any]:
        if "#" in load.url:  # or it might be a jump within the page that is open
            self.page.goto("about:blank")
        self._goto(load.url, load.document(), referer=load.referrer or None)
        return self._outcome()

    def _goto(self, url: str, document: str, **options: Any) -> None:
        self._internet.url, self._internet.document = url, document
        self.page.goto(url, wait_until="domcontentloaded", **options)

    def _tell(self, method: str, *args: Any) -> None:
        # As JSON text: Playwright's own way for arguments doesn't know lone surrogates.
        self.page.evaluate("([method, args]) => { player[method](...JSON.parse(args)) }", [method, json.dumps(args)])

    def _outcome(self) -> dict[str, Any]:
        try:
            ended = self.page.wait_for_function("player.ended", timeout=TIMEOUT * 1000)
        except TimeoutError:
            raise AssertionError(f"nothing came of {self.page.url} within {TIMEOUT} s") from None
        outcome = json.loads(ended.json_value())
        assert not outcome["thrown"], outcome["thrown"]
        return dict(outcome)


class WarmStage(Stage):
    """A stage whose page boots Pyodide once. For each page load the page is made like new, and the tag added again."""

    _origin = ""

    def _play(self, load: PageLoad) -> dict[str, Any]:
        parts = urlsplit(load.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin != self._origin:
            self._goto(origin + "/", EMPTY)
            self._tell("warm", "pyodide")
            self._outcome()
            self._origin = origin
        attributes = {**load.tag, "base": "/warm/"}
        self._tell("again", load.place(), load.play, attributes)
        return self._outcome()


def emptied(load: PageLoad) -> PageLoad:
    """A visitor's first page: the storage of the one before is cleared."""
    emptied = copy(load)
    emptied.play = {**load.play, "empty": True}
    return emptied


def _inline(value: Any) -> str:
    return json.dumps(value).replace("<", "\\u003c")
