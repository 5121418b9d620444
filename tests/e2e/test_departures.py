"""Nothing lost, nothing doubled, nothing reordered: a visitor who leaves page after page, in every way there is.

`departures.js` is the visitor. The seed is printed, and chosen with FSBRIDGE_SEED; FSBRIDGE_DEPARTURES sets how many
pages are left in each engine on each runtime.
"""

import contextlib
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.serve import Response, Site, address, server

from .engines import LEAVING
from .shop import html_page, tag
from .visitor import Visitor

VISITOR = (Path(__file__).parent / "departures.js").read_text(encoding="utf-8")
POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' https://edge.fullstory.com"
SEED = int(os.environ.get("FSBRIDGE_SEED") or random.randrange(1_000_000))
DEPARTURES = {
    ("chromium", "micropython"): 200,
    ("chromium", "pyodide"): 60,
    ("firefox", "micropython"): 200,
    ("firefox", "pyodide"): 20,
    ("webkit", "micropython"): 200,
    ("webkit", "pyodide"): 20,
}

PATIENCE = 240  # seconds without a new page, after which the visit stands still

FULLSTORY = """
(() => {
  const waiting = FS.q;
  FS._api = (operation, options) => {
    if (operation === "trackEvent") arrived(options.name);
  };
  FS.q = [];
  for (const entry of waiting) FS._api(...entry);
})();
"""


@pytest.fixture
def shop(web: Path) -> Iterator[str]:
    site = Site({"Content-Security-Policy": POLICY})
    site.mount("/fsbridge/", web)
    site.put("/departures.js", VISITOR)
    visitor = '<script src="/departures.js"></script>'
    for runtime in ("micropython", "pyodide"):
        working = tag(org="o-1ABC-na1", runtime=runtime)
        site.put(f"/{runtime}/normal.html", html_page(working, visitor))
        site.put(f"/{runtime}/bare.html", html_page(visitor))
        site.put(
            f"/{runtime}/broken.html", html_page(working.replace(" data-", ' data-base="/nowhere/" data-', 1), visitor)
        )
    running = server(site)
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield address(running)
    running.shutdown()
    running.server_close()


def notes(tab: Any) -> list[tuple[float, str, str]]:
    """All lines that pages wrote, as (milliseconds, text, key and page), in the order of time."""
    wanted = "Object.entries(localStorage).filter(([own]) => /^(made|arrived|left):/.test(own))"
    lines = [(*line.split(" ", 1), own) for own, text in tab.evaluate(wanted) for line in text.splitlines()]
    return sorted([(float(at), what, own) for at, what, own in lines], key=lambda line: line[0])


def noted(tab: Any, key: str) -> list[tuple[float, str]]:
    """The lines that all pages wrote under ``key``, as (milliseconds, text), in the order of time."""
    return [(at, what) for at, what, own in notes(tab) if own.startswith(f"{key}:")]


def diary(tab: Any, pages: set[str]) -> str:
    """What was noted from these pages' first line to their last: milliseconds, what, key and page."""
    lines = [f"{at:.1f} {what} {own}" for at, what, own in notes(tab)]
    places = [place for place, line in enumerate(lines) if any(page in line for page in pages)]
    return "\n".join(lines[places[0] : places[-1] + 1])


def out_of_order(made: list[tuple[float, str]], arrived: list[str]) -> list[tuple[str, str]]:
    """Pairs of calls that arrived the wrong way round.

    Within a page all count; between the pages of the tab, those that were made 100 ms apart: a page with the
    back/forward cache is hidden while the next one has begun.
    """
    when = {name: at for at, name in made}
    wrong = []
    newest = ("", 0.0)
    last: dict[Any, Any] = {}
    for name in arrived:
        tab, page, number = name.split(":")
        if int(number) <= last.get(page, 0):
            wrong.append((page, name))
        last[page] = int(number)
        if tab == "tab":
            if when[name] < newest[1] - 100:
                wrong.append((newest[0], name))
            newest = max(newest, (name, when[name]), key=lambda each: each[1])
    return wrong


def wait_for_the_end(tab: Any) -> None:
    """Until the last page says that the visit is over."""
    where = "[sessionStorage.over, sessionStorage.step, location.href, document.readyState, window.fsbridge?.status]"
    seen: list[Any] = []
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        tab.wait_for_timeout(100)
        with contextlib.suppress(*LEAVING):  # in the middle of leaving
            now = tab.evaluate(where)
            if now[0]:
                return
            if now != seen:
                seen, give_up = now, time.monotonic() + PATIENCE
    ways = [text for _, text in noted(tab, "left")]
    raise AssertionError(f"seed {SEED}: the visit stands still at {seen}; the last ways were {ways[-5:]}")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_every_call_arrives_once_and_in_order(
    visitor: Visitor, shop: str, runtime: str, record_property: Callable[[str, object], None]
) -> None:
    engine, tab = visitor.engine, visitor.tab
    steps = int(os.environ.get("FSBRIDGE_DEPARTURES") or DEPARTURES[engine, runtime])
    visitor.edge.script, visitor.edge.slow = FULLSTORY, True
    tab.goto(f"{shop}{runtime}/normal.html?seed={SEED}&steps={steps}", wait="none")
    wait_for_the_end(tab)
    tab.goto(f"{shop}{runtime}/normal.html?seed={SEED}&steps=0")
    patience = time.monotonic() + 180
    while time.monotonic() < patience and len(noted(tab, "arrived")) < len(noted(tab, "made")):
        tab.wait_for_timeout(100)
    tab.wait_for_timeout(500)  # for what would come twice
    made, arrived = noted(tab, "made"), [name for _, name in noted(tab, "arrived")]
    ways = Counter(way for _, way in noted(tab, "left"))
    record_property("seed", f"{engine}, {runtime}, seed {SEED}: {len(made)} calls, left by {dict(ways)}")
    lost = [name for _, name in made if name not in set(arrived)]
    doubled = [name for name, count in Counter(arrived).items() if count > 1]
    wrong = [name for _, name in out_of_order(made, arrived)]
    faults = [*lost, *doubled, *wrong]
    if faults:
        said = diary(tab, {name.split(":")[1] for name in faults})
        pytest.fail(f"seed {SEED}: lost {lost}, doubled {doubled}, out of order {wrong}\n{said}", pytrace=False)
    assert len(made) > steps


class HeldSite(Site):
    """A site where what is asked for ``held`` waits until it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.held = threading.Event()

    def get(self, url: str, accepts: str = "") -> Response:
        if "/held/" in url and "second.wasm" in url:
            self.asked.set()
            assert self.held.wait(60)
        return super().get(url, accepts)


def test_a_page_that_is_left_in_the_middle_of_a_call(visitor: Visitor, web: Path) -> None:
    # Diagnostics need the second part of the interpreter at once, and the page waits for it.
    site = HeldSite()
    for folder in ("/fsbridge/", "/held/"):
        site.mount(folder, web)
    calls = "".join([f"<script>analytics.track('Call {number}')</script>" for number in range(4)])
    site.put("/first", html_page(tag(org="o-1ABC-na1", base="/held/", diagnostics="true"), calls))
    site.put("/next", html_page(tag(org="o-1ABC-na1"), "<script>analytics.track('Next')</script>"))
    running = server(site)
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    visitor.edge.hold()
    visitor.tab.goto(address(running) + "first", wait="none")
    assert site.asked.wait(60)
    threading.Timer(0.5, site.held.set).start()  # Firefox lets the page be left before, the others after that
    visitor.tab.goto(address(running) + "next")
    visitor.edge.release()
    visitor.wait_for_event("Next")
    names = [event.name for event in visitor.events]
    assert names == ["Call 0", "Call 1", "Call 2", "Call 3", "Next"]
    running.shutdown()
    running.server_close()
