"""Whatever a page passes to whatever method: nothing is thrown into the page, and later calls still arrive."""

from pathlib import Path

import pytest

from fsbridge.browser.sources import find

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
    wait_until(page, "!['loading', 'queueing'].includes(fsbridge.status)", 60)
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


# A FullStory that keeps names only, under the functions that we put on the page.
KEEP_NAMES = "FS._api = (operation, options) => { arrived.push(options && options.name) }"

HANDED_OUT = {
    "FS": "({ FS, identify: FS.identify, setUserVars: FS.setUserVars, setVars: FS.setVars, event: FS.event })",
    "user": "analytics.user()",
    "group": "analytics.group()",
}


def provoke_and_go_on(page, api):
    """Call each method of the object ``api`` (JavaScript) with odd values; the page's calls then still arrive."""
    page.evaluate(f"window.api = {api}")
    for method in page.evaluate("Object.keys(api)"):
        page.evaluate("window.arrived.length = 0")
        assert page.evaluate("method => provoke(api, [method], [shapes.every, shapes.property])", method) == []
        page.evaluate("method => { analytics.track('After ' + method) }", method)
        wait_until(page, f"arrived.at(-1) === 'After {method}'", 5)


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
@pytest.mark.parametrize("name", HANDED_OUT)
def test_functions_that_are_handed_out(page, site, fullstory, runtime, name):
    site.put("/odd.js", ODD)
    parts = ["<script src='/odd.js'></script>", "delete window.FS", tag(org=ORG, runtime=runtime)]
    page.goto(site.page("/", html_page(*parts)))
    wait_until(page, "!['loading', 'queueing'].includes(fsbridge.status) && !!FS._api", 60)
    page.evaluate(KEEP_NAMES)
    provoke_and_go_on(page, HANDED_OUT[name])


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_entries_that_say_they_are_long(page, site, fullstory, runtime):
    page.goto(site.page("/", html_page(tag(org=ORG, runtime=runtime))))
    page.evaluate("analytics.push({ length: 1e9 }, { length: 2 ** 53 - 1, 0: 'page' }, 5, null, ['track', 'After'])")
    fullstory.wait_for_event("After", timeout=60_000)


def test_exposed_from_python(page, site, fullstory):
    python = f"from fsbridge import connect; connect('segment-classic', org='{ORG}', expose=True)"
    config = '{"interpreter": "/fsbridge/micropython/micropython.js", "files": {"/fsbridge/fsbridge.zip": "./*"}}'
    site.put("/odd.js", ODD)
    parts = ["<script src='/odd.js'></script>", "<script type='module' src='/pyscript/core.js'></script>"]
    page.goto(site.page("/", html_page(*parts, f"<script type='mpy' config='{config}'>{python}</script>")))
    wait_until(page, "window.fsbridge", 60)
    provoke_and_go_on(page, "({ identify: analytics.identify, track: analytics.track, page: analytics.page })")
