"""Whatever a page passes to whatever method: nothing is thrown into the page, and later calls still arrive."""

from pathlib import Path

import pytest

from fsbridge.sources import find

from .shop import ORG, Console, html_page, tag, wait_until

ODD = Path(__file__).with_name("odd.js").read_text(encoding="utf-8")

APIS = {"segment-classic": "analytics.js", "segment-actions": "analytics.js", "rudderstack": "rudderanalytics"}


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
@pytest.mark.parametrize("destination", APIS)
def test_nothing_is_thrown_and_calls_still_arrive(page, site, fullstory, runtime, destination):
    console = Console(page)
    source = find(APIS[destination])
    early = f"""
      window.api = {source.global_name};
      api.track("Before");
      window.early = provoke(api, ["identify", "track", "page"], [shapes.property]);
      api.track("Early");
    """
    site.put("/odd.js", ODD)
    parts = ["<script src='/odd.js'></script>", tag(destination, org=ORG, runtime=runtime), early]
    page.goto(site.page("/", html_page(*parts)))
    wait_until(page, "fsbridge.status !== 'loading'", 60)
    assert page.evaluate("early") == []
    assert page.evaluate("[fsbridge.status, fsbridge.dropped, arrived[0]]") == ["ready", 0, "Before"]
    wait_until(page, "arrived.at(-1) === 'Early'", 5)

    for method in source.methods + source.unsupported:
        page.evaluate("window.arrived.length = 0")
        assert page.evaluate("method => provoke(api, [method], [shapes.every, shapes.property])", method) == []
        page.evaluate("method => { api.track('After ' + method) }", method)
        wait_until(page, f"arrived.at(-1) === 'After {method}'", 5)
    # What the page's own callbacks throw is the page's.
    assert set(console.thrown) <= {"callback", "Class constructor Shop cannot be invoked without 'new'"}
