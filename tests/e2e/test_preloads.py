"""What the lines to paste ask for is what a first visit needs, in that order."""

import itertools
import re
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fsbridge import serve
from tools.serve import Response, Site, address, server

from .shop import ORG, wait_until
from .visitor import Visitor

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "Access-Control-Allow-Origin": "*"}
BASES = (f"/files{number}/" for number in itertools.count())

SEGMENT_SDK = """
  window.analytics = {
    queue: { plugins: [] },
    register(...plugins) { plugins.forEach((each) => each.load({}, this)); },
  };
"""
"""As much of Segment's SDK as takes a plugin."""

# When each file was asked for. Engines round that, so that some are asked for at the same time.
ASKED = """performance.getEntriesByType("resource").map(({ name, startTime }) => [name.split("?")[0], startTime])"""


class Counting(Site):
    """A site that counts requests by path. It is at ``url``, and ``other`` is another origin."""

    url = other = ""

    def __init__(self) -> None:
        super().__init__(FOREVER)
        self.counts: Counter[str] = Counter()

    def get(self, url: str, accepts: str = "") -> Response:
        self.counts[url.partition("?")[0]] += 1
        return super().get(url, accepts)


@pytest.fixture
def site() -> Iterator[Counting]:
    site = Counting()
    servers = [server(site), server(site)]
    site.url, site.other = [address(each).rstrip("/") for each in servers]
    for each in servers:
        threading.Thread(target=each.serve_forever, args=[0.02], daemon=True).start()
    yield site
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.mark.parametrize("elsewhere", [False, True], ids=["own host", "other host"])
@pytest.mark.parametrize(
    ("destination", "options", "call"),
    [
        ("segment-classic", {}, "analytics.track('Called')"),
        ("segment-actions", {}, "analytics.track('Called')"),
        ("rudderstack", {}, "rudderanalytics.load('key', 'https://data.example'); rudderanalytics.track('Called')"),
        ("rudderstack", {"source": "analytics.js"}, "analytics.track('Called')"),
        ("segment-classic", {"beside": True}, SEGMENT_SDK),
    ],
    ids=["classic", "actions", "rudderstack", "all", "beside"],
)
def test_what_is_preloaded_is_what_is_needed(
    visitor: Visitor, site: Counting, released: Path, destination: str, options: Any, call: str, elsewhere: bool
) -> None:
    path = next(BASES)  # browsers have it not yet
    site.mount(path, released)
    tag = serve.tag(destination, base=site.other + path if elsewhere else path, folder=released, org=ORG, **options)
    site.put("/call.js", call)
    head = f"<!doctype html><meta charset=utf-8><title>Shop</title>{tag}<script src='/call.js'></script>"
    site.put("/", head, {"Cache-Control": "no-store"})
    visitor.tab.goto(site.url + "/")
    if call == SEGMENT_SDK:
        wait_until(visitor.tab, f"{ASKED}.filter(([name]) => name.includes('{path}')).length > 3")  # and the tag
    else:
        visitor.wait_for_event("Called")

    def is_first(name: str) -> bool:
        return bool(re.search(rf"{path}fsbridge-[0-9a-f]+/(?!(.+[.])?second[.])", name))

    lines = "[...document.querySelectorAll(\"link[rel*='preload']\")].map(({ href }) => href)"
    preloaded = [each for each in visitor.tab.evaluate(lines) if is_first(each)]
    asked = {name: start for name, start in visitor.tab.evaluate(ASKED) if is_first(name)}
    assert set(asked) == set(preloaded)
    assert [asked[each] for each in preloaded] == sorted(asked.values())
    counts = [count for name, count in site.counts.items() if is_first(name)]
    # Known: WebKit asks again for what it has in CORS mode from the page's own host.
    assert 3 <= sum(counts) <= (5 if visitor.engine == "webkit" and not elsewhere else 3)
