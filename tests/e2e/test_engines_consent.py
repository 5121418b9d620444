"""Nothing before consent, and nothing after a no, in all three engines: what is asked for, and what is stored."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.serve import Response, Site, address, server

from .beside import modules
from .shop import ORG, html_page, tag, wait_until
from .visitor import WATCH, Visitor


class Noting(Site):
    """A site that notes what it is asked for, and knows its ``url``."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def get(self, url: str, accepts: str = "") -> Response:
        self.asked.append(url.partition("?")[0])
        return super().get(url, accepts)


@pytest.fixture
def site(web: Path) -> Iterator[Noting]:
    site = Noting()
    site.mount("/fsbridge/", web)
    site.mount("/sdk/", modules() / "@segment/analytics-next/dist/umd")
    site.put("/v1/projects/key/settings", '{"integrations": {}}', {"Content-Type": "application/json"})
    running = server(site)
    site.url = address(running).rstrip("/")
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield site
    running.shutdown()
    running.server_close()


ONETRUST = """
window.decide = (groups) => {
  window.OnetrustActiveGroups = groups;
  dispatchEvent(new Event("OneTrustGroupsUpdated"));
};
"""
SDK = """
window.analytics = AnalyticsNext.AnalyticsBrowser.load(
  { writeKey: "key", cdnURL: location.origin }, { integrations: { "Segment.io": false } },
);
"""
STORED = """(() => {
  if (!window.kept) {
    window.kept = {};
    const registered = navigator.serviceWorker ? navigator.serviceWorker.getRegistrations() : [];
    Promise.all([indexedDB.databases(), self.caches ? caches.keys() : [], registered]).then((found) => {
      kept.elsewhere = found.map((each) => each.length);
    });
  }
  return kept.elsewhere && [
    [...Object.keys(localStorage), ...Object.keys(sessionStorage), document.cookie].filter(
      (name) => name && !name.startsWith("ajs_") && !name.startsWith("received") && !name.includes("persisted-queue"),
    ), kept.elsewhere, performance.getEntriesByType("resource").map(({ name }) => name.replace(location.origin, "")),
  ];
})()"""
WAYS: dict[str, Any] = {
    "wait": [{"consent": "wait"}, "", "fsbridge.consent(true)", "fsbridge.consent(false)"],
    "onetrust": [{"consent": "onetrust C0002"}, ONETRUST, "decide(',C0001,C0002,')", "decide(',C0001,')"],
    "beside": [{"consent": "wait", "beside": ""}, SDK, "fsbridge.consent(true)", "fsbridge.consent(false)"],
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_before_consent_and_nothing_after_a_no(visitor: Visitor, site: Noting, way: str) -> None:
    data, script, yes, no = WAYS[way]
    sdk = ["<script src='/sdk/index.js'></script>"] if way == "beside" else []
    ours = tag(org=ORG, **data)
    page = html_page(f"<script>{WATCH}</script>", ours, *sdk, script or "", "analytics.track('Early')")
    site.put("/shop", page)
    tab = visitor.tab
    tab.goto(site.url + "/shop")
    tab.wait_for_timeout(500)
    names, elsewhere, asked = wait_until(tab, STORED)
    assert (names, elsewhere) == ([], [0, 0, 0])
    assert [name for name in asked if "fsbridge" in name or "fullstory" in name] == [ours.split('"')[1]]
    assert [path for path in site.asked if "/fsbridge/" in path] == [ours.split('"')[1]]
    assert tab.evaluate("fsbridge.status") == "waiting"
    assert tab.evaluate("document.querySelectorAll('link, iframe').length") == 0
    tab.evaluate(f"void ({yes})")
    visitor.wait_for_event("Early")
    tab.evaluate(f"void ({no})")
    wait_until(tab, "fsbridge.status === 'waiting'")
    tab.evaluate("void analytics.track('Refused')")
    tab.evaluate("void (window.kept = null)")
    names, elsewhere, _ = wait_until(tab, STORED)
    assert names == []
    assert [each.name for each in visitor.events] == ["Early"]
    assert [each.operation for each in visitor.operations].count("shutdown") == 1
    if way != "beside":
        assert tab.evaluate("Object.keys(localStorage).some((name) => name.startsWith('ajs_'))") is False
    assert visitor.console == []
