"""Whatever a page passes to whatever method: nothing is thrown into the page, and later calls still arrive."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from fsbridge.browser.sources import find
from fsbridge.testing import FullStory
from tests.e2e.conftest import ShopSite

from .shop import ORG, Console, html_page, tag, wait_until

ODD = Path(__file__).with_name("odd.js").read_text(encoding="utf-8")

APIS = {"segment-classic": "analytics.js", "segment-actions": "analytics.js", "rudderstack": "rudderanalytics"}


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
@pytest.mark.parametrize("destination", APIS)
def test_nothing_is_thrown_and_calls_still_arrive(
    page: Page, site: ShopSite, fullstory: FullStory, runtime: str, destination: str
) -> None:
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
    wait_until(page, "!['loading', 'queueing'].includes(fsbridge.status)")
    assert page.evaluate("early") == []
    assert page.evaluate("[fsbridge.status, fsbridge.dropped, arrived[0]]") == ["ready", 0, "Before"]
    wait_until(page, "arrived.at(-1) === 'Early'")

    for method in source.methods + source.unsupported:
        page.evaluate("window.arrived.length = 0")
        assert page.evaluate("method => provoke(api, [method], [shapes.every, shapes.property])", method) == []
        page.evaluate("method => { api.track('After ' + method) }", method)
        wait_until(page, f"arrived.at(-1) === 'After {method}'")
    # What the page's own callbacks throw is the page's.
    assert set(console.thrown) <= {"callback", "Class constructor Shop cannot be invoked without 'new'"}


# A FullStory that keeps names only, under the functions that we put on the page.
KEEP_NAMES = "FS._api = (operation, options) => { arrived.push(options && options.name) }"

HANDED_OUT = {
    "FS": "({ FS, identify: FS.identify, setUserVars: FS.setUserVars, setVars: FS.setVars, event: FS.event })",
    "user": "analytics.user()",
    "group": "analytics.group()",
}


def provoke_and_go_on(page: Page, api: str) -> None:
    """Call each method of the object ``api`` (JavaScript) with odd values; the page's calls then still arrive."""
    page.evaluate(f"window.api = {api}")
    for method in page.evaluate("Object.keys(api)"):
        page.evaluate("window.arrived.length = 0")
        assert page.evaluate("method => provoke(api, [method], [shapes.every, shapes.property])", method) == []
        page.evaluate("method => { analytics.track('After ' + method) }", method)
        wait_until(page, f"arrived.at(-1) === 'After {method}'")


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
@pytest.mark.parametrize("name", HANDED_OUT)
def test_functions_that_are_handed_out(
    page: Page, site: ShopSite, fullstory: FullStory, runtime: str, name: str
) -> None:
    site.put("/odd.js", ODD)
    parts = ["<script src='/odd.js'></script>", "delete window.FS", tag(org=ORG, runtime=runtime)]
    page.goto(site.page("/", html_page(*parts)))
    wait_until(page, "!['loading', 'queueing'].includes(fsbridge.status) && !!FS._api")
    page.evaluate(KEEP_NAMES)
    provoke_and_go_on(page, HANDED_OUT[name])


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_entries_that_say_they_are_long(page: Page, site: ShopSite, fullstory: FullStory, runtime: str) -> None:
    page.goto(site.page("/", html_page(tag(org=ORG, runtime=runtime))))
    page.evaluate("analytics.push({ length: 1e9 }, { length: 2 ** 53 - 1, 0: 'page' }, 5, null, ['track', 'After'])")
    fullstory.wait_for_event("After")


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_arrays_of_any_length_arrive_whole(page: Page, site: ShopSite, fullstory: FullStory, runtime: str) -> None:
    lengths = [0, 1, 2, 3, 32, 33, 1000]
    calls = f"""for (const length of {lengths}) {{
      rudderanalytics.track(`${{length}} items`, {{ items: Array.from({{ length }}, (_, index) => ({{ index }})) }});
    }}"""
    page.goto(site.page("/", html_page(tag("rudderstack", org=ORG, runtime=runtime), calls)))
    for length in lengths:
        event = fullstory.wait_for_event(f"{length} items")
        assert event.properties == {"items": [{"index": index} for index in range(length)]}


def test_exposed_from_python(page: Page, site: ShopSite, fullstory: FullStory) -> None:
    python = f"from fsbridge import connect; connect('segment-classic', org='{ORG}', expose=True)"
    config = '{"interpreter": "/fsbridge/micropython/micropython.js", "files": {"/fsbridge/fsbridge.zip": "./*"}}'
    site.put("/odd.js", ODD)
    parts = ["<script src='/odd.js'></script>", "<script type='module' src='/pyscript/core.js'></script>"]
    page.goto(site.page("/", html_page(*parts, f"<script type='mpy' config='{config}'>{python}</script>")))
    wait_until(page, "window.fsbridge")
    provoke_and_go_on(page, "({ identify: analytics.identify, track: analytics.track, page: analytics.page })")


# Each global and property that we read of a page, as one that throws.
TRAPS = """
  window.trap = (object, ...names) => {
    for (const name of names)
      Object.defineProperty(object, name, { configurable: true, get() { throw new Error("trap " + name) } });
  };
"""

TRAPPED_PAGES = {
    "segment-classic": """
      trap(window, "Intl", "jQuery", "Zepto", "trustedTypes", "XMLHttpRequest");
      trap(document, "title", "referrer");
      trap(navigator, "userAgent", "userLanguage", "language");
      analytics.addSourceMiddleware(({ payload, next }) => { payload.obj.context; next(payload) });
      analytics.track("After");
    """,
    "segment-actions": """
      trap(window, "navigator");
      analytics.addSourceMiddleware(({ payload, next }) => { payload.obj.context; next(payload) });
      analytics.track("After");
    """,
    **{
        "rudderstack " + provider: f"""
          trap(document, "title", "referrer");
          trap(window, "OnetrustActiveGroups", "OneTrust", "ketchConsent", "_iub");
          rudderanalytics.load("key", "https://plane.example", {{
            consentManagement: {{ enabled: true, provider: "{provider}" }}
          }});
          rudderanalytics.track("After");
        """
        for provider in ("oneTrust", "ketch", "iubenda")
    },
    "rudderstack later": """
      window.OnetrustActiveGroups = "C1";
      window.OneTrust = { GetDomainData: () => ({ get Groups() { throw new Error("trap Groups") } }) };
      rudderanalytics.load("key", "https://plane.example", {
        consentManagement: { enabled: true, provider: "oneTrust" }
      });
      rudderanalytics.track("After");
    """,
}


NOT_FOR_PYODIDE = ("segment-classic", "segment-actions")
"""Pages on which Pyodide itself doesn't start."""


@pytest.mark.parametrize(
    ("trapped", "runtime"),
    [(page, "micropython") for page in TRAPPED_PAGES]
    + [(page, "pyodide") for page in TRAPPED_PAGES if page not in NOT_FOR_PYODIDE],
)
def test_what_a_page_has_may_throw_when_it_is_read(
    page: Page, site: ShopSite, fullstory: FullStory, runtime: str, trapped: str
) -> None:
    console = Console(page)
    destination = trapped.partition(" ")[0]
    page.goto(
        site.page(
            "/",
            html_page(f"<script>{TRAPS}</script>", tag(destination, org=ORG, runtime=runtime), TRAPPED_PAGES[trapped]),
        )
    )
    fullstory.wait_for_event("After")
    assert console.thrown == []  # nothing is evaluated here: Playwright itself reads what is trapped


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_objects_of_the_page_may_throw_later(page: Page, site: ShopSite, fullstory: FullStory, runtime: str) -> None:
    console = Console(page)
    link = "<a id='link' href='#there'>there</a>"
    page.goto(site.page("/", html_page(link, f"<script>{TRAPS}</script>", tag(org=ORG, runtime=runtime))))
    wait_until(page, "fsbridge.status === 'ready'")
    page.evaluate("""() => {
      const link = document.getElementById("link");
      trap(link, "target");
      analytics.trackLink(link, "Link");
      link.click();
      const fake = { nodeType: 1 };
      trap(fake, "addEventListener");
      analytics.trackLink(fake, "Fake");
      const nodeless = {};
      trap(nodeless, "nodeType");
      analytics.trackLink(nodeless, "Fake");
      const there = window.FS;
      trap(window, "FS");
      analytics.track("Lost");
      Object.defineProperty(window, "FS", { configurable: true, writable: true, value: there });
      analytics.track("After");
    }""")
    fullstory.wait_for_event("After")
    assert [event.name for event in fullstory.events if event.name in ("Link", "Fake", "Lost", "After")] == [
        "Link",
        "After",
    ]
    assert console.thrown == []


# An object and an array that throw when they are looked at for the so-manieth time, in whatever way.
BRITTLE = """
  window.brittle = (target, most) => {
    let count = 0;
    const traps = {};
    for (const name of Object.getOwnPropertyNames(Reflect))
      traps[name] = (...args) => {
        if (++count > most) throw new Error("looked at too often");
        return Reflect[name](...args);
      };
    return new Proxy(target, traps);
  };
"""


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_a_call_that_waits_costs_no_other(page: Page, site: ShopSite, fullstory: FullStory, runtime: str) -> None:
    console = Console(page)
    calls = """
      analytics.track("Before");
      for (const most of [...Array(40).keys(), 60, 90, 150]) {
        analytics.track("Object " + most, brittle({ a: 1, products: [{ b: 2 }] }, most));
        analytics.track("Array " + most, { a: brittle([1, { b: 2 }], most) });
        analytics.track("Between " + most);
      }
      analytics.track("After");
    """
    page.goto(site.page("/", html_page(f"<script>{BRITTLE}</script>", tag(org=ORG, runtime=runtime), calls)))
    fullstory.wait_for_event("After")
    arrived = [event.name for event in fullstory.events if event.name.startswith(("Before", "Between", "After"))]
    assert arrived == ["Before", *[f"Between {most}" for most in [*range(40), 60, 90, 150]], "After"]
    assert console.thrown == []
