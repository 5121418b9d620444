"""The tag in a second engine, Firefox, on both interpreters: what FullStory gets, also when pages are left early."""

import math
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fsbridge.testing import FS, UNDEFINED
from tools.firefox import FIREFOX, NONE, Firefox, installed
from tools.serve import Site, address, server

from .shop import ORG, html_page, rudder_page, tag, wait_until
from .visitor import Visitor, wire

POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' https://edge.fullstory.com"
ODD = Path(__file__).with_name("odd.js").read_text(encoding="utf-8")
READY = "window.fsbridge && ['ready', 'queueing'].includes(fsbridge.status)"

pytestmark = pytest.mark.parametrize("runtime", ["micropython", "pyodide"])


@pytest.fixture(scope="module")
def firefox():
    """The Firefox that ``nox -s tests`` found, else an installed one."""
    path = os.environ.get(FIREFOX, next(iter(installed()), ""))
    if not path:
        pytest.skip(NONE)
    running = Firefox(path)
    wire(running)
    yield running
    running.close()


@pytest.fixture
def visitor(firefox):
    visitor = Visitor(firefox)
    yield visitor
    visitor.tab.close()


@pytest.fixture
def site(web):
    """A shop under a strict Content Security Policy."""
    site = Site({"Content-Security-Policy": POLICY})
    site.mount("/fsbridge/", web)
    site.put("/odd.js", ODD)
    running = server(site)
    site.url = address(running).rstrip("/")
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield site
    running.shutdown()
    running.server_close()


@pytest.fixture
def shop(site, visitor):
    """``shop(path, script, tag)`` puts a page on the site and returns its address."""

    def put(path, script, *parts, title="Shop"):
        site.put(f"{path}.js", script)
        site.put(path, html_page(*parts, f"<body><script src='{path}.js'></script>", title=title))
        return site.url + path

    return put


def page_properties(url, title="Shop", referrer="", search=""):
    path = "/" + url.partition("//")[2].partition("/")[2]
    return {"path": path, "referrer": referrer, "search": search, "title": title, "url": url + search}


# What arrives

VALUES = """
  addEventListener("securitypolicyviolation", (event) => console.error("CSP: " + event.violatedDirective));
  window.values = {
    price: 99.95, big: 2 ** 40, negative: -0, nan: NaN, when: new Date(0), undef: undefined,
    nothing: null, text: "Stra\\u00dfe \\ud83d\\ude00", list: [1, { deep: "x" }], yes: true,
  };
"""
BY_REFERENCE = {
    "price": 99.95,
    "big": 2**40,
    "negative": -0.0,
    "nan": math.nan,
    "when": datetime(1970, 1, 1, tzinfo=UTC),
    "undef": UNDEFINED,
    "nothing": None,
    "text": "Straße 😀",
    "list": [1, {"deep": "x"}],
    "yes": True,
}
AS_JSON = {**BY_REFERENCE, "negative": 0, "nan": None, "when": "1970-01-01T00:00:00.000Z"}  # as RudderStack's SDK


def test_segment_classic(visitor, shop, runtime):
    early = """
      analytics.setAnonymousId("anonymous-1");
      analytics.identify("user-1", { plan: "premium" });
      analytics.page("One");
      history.pushState({}, "", "/two?q=1");
      document.title = "Two";
      analytics.track("Early", values);
      analytics.page("Two");
      fsbridge.ready.then((bridge) => (window.isReady = bridge.status));
    """
    named = tag(org=ORG, runtime=runtime, track_named_pages="true", track_pages_with_events="false")
    url = shop("/one", VALUES + early, named)
    visitor.tab.goto(url)
    assert wait_until(visitor.tab, "window.isReady") in ("queueing", "ready")
    visitor.tab.evaluate("analytics.track('Live', values)")
    two = page_properties(url.replace("/one", "/two"), "Two", search="?q=1")
    visitor.expect_calls(
        FS.identify("user-1", {"plan": "premium"}, "segment"),
        FS.setVars("page", {**page_properties(url), "name": "One", "pageName": "One"}, "segment"),
        FS.event("Early", BY_REFERENCE, "segment"),
        FS.setVars("page", {**two, "name": "Two", "pageName": "Two"}, "segment"),
        FS.event("Live", BY_REFERENCE, "segment"),
    )
    assert visitor.org == ORG
    assert visitor.console == []


def test_segment_actions(visitor, shop, runtime):
    source = "segment-browser-actions"
    early = "analytics.setAnonymousId('anonymous-1'); analytics.identify('user-1'); analytics.track('Early', values);"
    url = shop("/", VALUES + early, tag("segment-actions", org=ORG, runtime=runtime))
    visitor.tab.goto(url)
    wait_until(visitor.tab, READY)
    visitor.tab.evaluate("analytics.page('Retail Page')")
    identity = {"uid": "user-1", "properties": {"segmentAnonymousId": "anonymous-1"}}
    retail = {"pageName": "Retail Page", **page_properties(url), "name": "Retail Page"}
    visitor.expect_calls(
        FS("setIdentity", identity, source),
        FS("trackEvent", {"name": "Early", "properties": BY_REFERENCE}, source),
        FS("setProperties", {"type": "page", "properties": retail}, source),
    )
    assert visitor.console == []


def test_rudderstack(visitor, shop, runtime):
    early = """
      rudderanalytics.load("write-key", "https://data.example");
      rudderanalytics.identify("user-1", { name: "John", email: "john@xyz.com" });
      rudderanalytics.track("Early", values);
    """
    url = shop("/", VALUES + early, tag("rudderstack", org=ORG, runtime=runtime))
    visitor.tab.goto(url)
    wait_until(visitor.tab, READY)
    visitor.tab.evaluate("rudderanalytics.page('homepage')")
    homepage = {**rudder_page(page_properties(url)), "name": "homepage"}
    visitor.expect_calls(
        FS.identify("user-1", {"name": "John", "email": "john@xyz.com"}),
        FS.event("Early", AS_JSON),
        FS.event("Viewed a Page", homepage),
    )
    assert visitor.tab.evaluate("rudderanalytics.getUserId()") == "user-1"
    assert visitor.console == []


@pytest.mark.parametrize("destination", ["segment-classic", "segment-actions", "rudderstack"])
def test_odd_arguments(visitor, shop, destination, runtime):
    script = """
      window.api = window.rudderanalytics || window.analytics;
      window.attack = (...methods) => provoke(api, methods, [shapes.property]);
      api.track("Before");
      window.thrown = attack("track");
      api.track("Early");
    """
    url = shop("/", script, "<script src='/odd.js'></script>", tag(destination, org=ORG, runtime=runtime))
    visitor.tab.goto(url)
    wait_until(visitor.tab, f"{READY} && arrived.at(-1) === 'Early'")
    assert visitor.tab.evaluate("thrown.concat(attack('identify', 'track', 'page'))") == []
    visitor.tab.evaluate("api.track('Live')")
    wait_until(visitor.tab, "arrived.at(-1) === 'Live'")
    wait_until(visitor.tab, "fsbridge.status === 'ready'")
    assert visitor.tab.evaluate("[arrived[0], fsbridge.dropped]") == ["Before", 0]


# Pages that are left


def test_left_before_the_interpreter_is_there(visitor, shop, runtime):
    with_tag = tag(org=ORG, runtime=runtime)
    late = "addEventListener('pagehide', () => analytics.track(document.title + ' hidden'));"
    call = "analytics.track(document.title, { when: new Date(5) }); location.href = "
    shop("/third", "analytics.track('Third')", with_tag)
    shop("/second", f"{late} {call} '/third'", with_tag, title="Second")
    visitor.tab.goto(shop("/first", f"{late} {call} '/second'", with_tag, title="First"), wait="none")
    wait_until(visitor.tab, f"{READY} && location.pathname === '/third'")
    when = {"when": datetime.fromtimestamp(0.005, UTC)}
    visitor.expect_calls(
        FS.event("First", when, "segment"),
        FS.event("First hidden", {}, "segment"),
        FS.event("Second", when, "segment"),
        FS.event("Second hidden", {}, "segment"),
        FS.event("Third", {}, "segment"),
    )
    left_over = "Object.keys(localStorage).filter((key) => key.startsWith('fsbridge:'))"
    assert visitor.tab.evaluate(f"[fsbridge.dropped, {left_over}]") == [0, []]


def test_left_before_fullstory_is_there(visitor, shop, runtime):
    with_tag = tag(org=ORG, runtime=runtime)
    shop("/next", "analytics.track('Next')", with_tag)
    visitor.hold()
    visitor.tab.goto(shop("/", "analytics.identify('user-1'); analytics.track('Early')", with_tag), wait="interactive")
    wait_until(visitor.tab, READY)
    assert visitor.held
    visitor.tab.evaluate("analytics.track('Late'); location.href = '/next'")
    visitor.release()
    wait_until(visitor.tab, f"{READY} && location.pathname === '/next'")
    visitor.expect_calls(
        FS.identify("user-1", {}, "segment"),
        FS.event("Early", {}, "segment"),
        FS.event("Late", {}, "segment"),
        FS.event("Next", {}, "segment"),
    )


def test_left_by_a_link_when_live(visitor, shop, runtime):
    script = """
      const link = document.createElement("a");
      link.href = "/next";
      link.textContent = "go";
      link.onclick = () => analytics.track("Clicked");
      document.body.append(link);
      addEventListener("pagehide", () => analytics.track("Hidden"));
    """
    shop("/next", "document.title = 'Next'")
    visitor.tab.goto(shop("/", script, tag(org=ORG, runtime=runtime)))
    wait_until(visitor.tab, f"{READY} && !!FS._api")
    visitor.tab.evaluate("document.querySelector('a').click()")
    wait_until(visitor.tab, "document.title === 'Next'")
    visitor.expect_calls(FS.event("Clicked", {}, "segment"), FS.event("Hidden", {}, "segment"))


RESTORED = "addEventListener('pageshow', (event) => (window.restored = event.persisted));"


def test_back_from_the_cache_to_a_page_that_was_live(visitor, shop, runtime):
    shop("/next", "analytics.track('Next')", tag(org=ORG, runtime=runtime))
    visitor.tab.goto(shop("/", RESTORED + "analytics.track('First')", tag(org=ORG, runtime=runtime)))
    wait_until(visitor.tab, f"{READY} && !!FS._api")
    visitor.tab.goto(visitor.tab.evaluate("location.origin") + "/next")
    wait_until(visitor.tab, f"{READY} && !!FS._api")
    visitor.tab.go(-1)
    wait_until(visitor.tab, "window.restored")
    visitor.tab.evaluate("analytics.track('Again')")
    visitor.expect_calls(*[FS.event(name, {}, "segment") for name in ("First", "Next", "Again")])


def test_back_from_the_cache_to_a_page_that_was_not(visitor, shop, runtime):
    # The next page has no tag. Whether Firefox keeps the first one or loads it again, each call arrives once.
    script = """
      sessionStorage.visit = Number(sessionStorage.visit || 0) + 1;
      analytics.track("Visit " + sessionStorage.visit);
    """
    next_page = shop("/next", "document.title = 'Next'")
    visitor.hold()
    visitor.tab.goto(shop("/", script, tag(org=ORG, runtime=runtime)), wait="interactive")
    visitor.tab.goto(next_page)
    visitor.release()
    visitor.tab.go(-1)
    wait_until(visitor.tab, f"{READY} && !!FS._api")
    visitor.tab.evaluate("analytics.track('Again')")
    visits = range(1, 1 + int(visitor.tab.evaluate("sessionStorage.visit")))
    visitor.expect_calls(
        *[FS.event(f"Visit {visit}", {}, "segment") for visit in visits], FS.event("Again", {}, "segment")
    )


def test_an_interpreter_that_is_not_there(visitor, shop, runtime):
    script = """
      fsbridge.ready.catch((error) => (window.refused = error.message));
      analytics.track("Early").then(() => (window.settled = true));
    """
    broken = tag(org=ORG, runtime=runtime).replace(" data-", ' data-base="/nowhere/" data-', 1)
    shop("/next", "analytics.track('Next')", tag(org=ORG, runtime=runtime))
    visitor.tab.goto(shop("/", script, broken))
    wait_until(visitor.tab, "window.refused && window.settled")
    assert visitor.tab.evaluate("fsbridge.status") == "failed"
    visitor.tab.evaluate("analytics.track('Late'); location.href = '/next'")
    wait_until(visitor.tab, f"{READY} && location.pathname === '/next'")
    visitor.expect_calls(*[FS.event(name, {}, "segment") for name in ("Early", "Late", "Next")])
