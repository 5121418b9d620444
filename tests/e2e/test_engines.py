"""The tag in all three engines, on both interpreters: what FullStory gets, also when pages are left early."""

import math
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fsbridge.testing import FS, UNDEFINED, Call
from tools.serve import Response, Site, address, server

from .shop import ORG, html_page, rudder_page, tag, wait_until
from .visitor import WATCH, Visitor

POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' https://edge.fullstory.com"
ODD = Path(__file__).with_name("odd.js").read_text(encoding="utf-8")
READY = "window.fsbridge && ['ready', 'queueing'].includes(fsbridge.status)"

Shop = Callable[..., str]

pytestmark = pytest.mark.parametrize("runtime", ["micropython", "pyodide"])


class ShopSite(Site):
    """A site that knows its ``url``, and keeps files whose names end with ``held`` on their way until ``release()``."""

    url = ""
    held: str | None = None

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(headers)
        self.asked = threading.Event()
        self._free = threading.Event()

    def release(self) -> None:
        """What was held arrives."""
        self._free.set()

    def get(self, url: str, accepts: str = "") -> Response:
        if self.held and url.endswith(self.held):
            self.asked.set()
            self._free.wait()
        return super().get(url, accepts)


@pytest.fixture
def site(web: Path) -> Iterator[ShopSite]:
    """A shop under a strict Content Security Policy."""
    site = ShopSite({"Content-Security-Policy": POLICY})
    site.mount("/fsbridge/", web)
    site.put("/odd.js", ODD)
    site.put("/watch.js", WATCH)
    running = server(site)
    site.url = address(running).rstrip("/")
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield site
    running.shutdown()
    running.server_close()


@pytest.fixture
def shop(site: ShopSite) -> Shop:
    """``shop(path, script, tag)`` puts a page on the site and returns its address."""

    def put(path: str, script: str, *parts: str, title: str = "Shop") -> str:
        site.put(f"{path}.js", script)
        site.put(
            path,
            html_page(
                "<script src='/watch.js'></script>", *parts, f"<body><script src='{path}.js'></script>", title=title
            ),
        )
        return site.url + path

    return put


def page_properties(url: str, title: str = "Shop", referrer: str = "", search: str = "") -> dict[str, str]:
    path = "/" + url.partition("//")[2].partition("/")[2]
    return {"path": path, "referrer": referrer, "search": search, "title": title, "url": url + search}


# What arrives

VALUES = """
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


def test_segment_classic(visitor: Visitor, shop: Shop, runtime: str) -> None:
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


def test_only_with_consent(visitor: Visitor, shop: Shop, runtime: str) -> None:
    asked = "performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /fs/.test(name)).length"
    stored = "[...Object.keys(localStorage), ...Object.keys(sessionStorage), document.cookie].join()"
    url = shop("/consent", "analytics.track('Early')", tag(org=ORG, runtime=runtime, consent="wait"))
    visitor.tab.goto(url)
    visitor.tab.wait_for_timeout(300)
    assert visitor.tab.evaluate(asked) == 1
    assert visitor.tab.evaluate("fsbridge.status") == "waiting"
    assert visitor.tab.evaluate(stored) == ""
    visitor.tab.evaluate("fsbridge.consent(true)")
    wait_until(visitor.tab, "fsbridge.status === 'ready'")
    visitor.wait_for_event("Early")
    visitor.tab.evaluate("fsbridge.consent(false), analytics.track('Refused')")
    assert visitor.tab.evaluate("fsbridge.status + fsbridge.dropped") == "waiting1"
    assert "ajs_" not in visitor.tab.evaluate(stored)
    assert "fsbridge:" not in visitor.tab.evaluate(stored)
    visitor.tab.evaluate("fsbridge.consent(true), analytics.track('Again')")
    visitor.wait_for_event("Again")
    assert [
        each.operation for each in visitor.operations if each.operation in ("shutdown", "restart", "trackEvent")
    ] == [
        "trackEvent",
        "shutdown",
        "restart",
        "trackEvent",
    ]
    assert visitor.console == []


def test_segment_actions(visitor: Visitor, shop: Shop, runtime: str) -> None:
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


def test_rudderstack(visitor: Visitor, shop: Shop, runtime: str) -> None:
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
def test_odd_arguments(visitor: Visitor, shop: Shop, destination: str, runtime: str) -> None:
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


def test_left_before_the_interpreter_is_there(visitor: Visitor, shop: Shop, runtime: str) -> None:
    with_tag = tag(org=ORG, runtime=runtime)
    # WebKit says nothing to a page that it hides before it has loaded.
    late = """addEventListener("pagehide", () => {
      analytics.track(document.title + " hidden");
      localStorage.setItem(document.title, "hidden");
    });"""
    call = "analytics.track(document.title, { when: new Date(5) }); location.href = "
    shop("/third", "analytics.track('Third')", with_tag)
    shop("/second", f"{late} {call} '/third'", with_tag, title="Second")
    visitor.tab.goto(shop("/first", f"{late} {call} '/second'", with_tag, title="First"), wait="none")
    wait_until(visitor.tab, f"{READY} && location.pathname === '/third'")
    when = {"when": datetime.fromtimestamp(0.005, UTC)}
    expected = []
    for title in ("First", "Second"):
        expected.append(FS.event(title, when, "segment"))
        if visitor.tab.evaluate(f"localStorage.getItem('{title}')"):
            expected.append(FS.event(f"{title} hidden", {}, "segment"))
    visitor.expect_calls(*expected, FS.event("Third", {}, "segment"))
    left_over = "Object.keys(localStorage).filter((key) => key.startsWith('fsbridge:'))"
    assert visitor.tab.evaluate(f"[fsbridge.dropped, {left_over}]") == [0, []]


def test_left_before_fullstory_is_there(visitor: Visitor, shop: Shop, runtime: str) -> None:
    with_tag = tag(org=ORG, runtime=runtime)
    shop("/next", "analytics.track('Next')", with_tag)
    visitor.edge.hold()
    visitor.tab.goto(shop("/", "analytics.identify('user-1'); analytics.track('Early')", with_tag), wait="interactive")
    wait_until(visitor.tab, READY)
    visitor.edge.wait_for_request()
    visitor.tab.evaluate("(analytics.track('Late'), (location.href = '/next'))")
    visitor.edge.release()
    wait_until(visitor.tab, f"{READY} && location.pathname === '/next'")
    visitor.expect_calls(
        FS.identify("user-1", {}, "segment"),
        FS.event("Early", {}, "segment"),
        FS.event("Late", {}, "segment"),
        FS.event("Next", {}, "segment"),
    )


def test_left_by_a_link_when_live(visitor: Visitor, shop: Shop, runtime: str) -> None:
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


# Whether a browser keeps a page or loads it again, each call arrives once.
VISIT = """
  sessionStorage.visit = Number(sessionStorage.visit || 0) + 1;
  analytics.track("Visit " + sessionStorage.visit);
  addEventListener("pageshow", (event) => (window.shown = [event.persisted]));
"""


def visits(tab: Any) -> list[Call]:
    return [
        FS.event(f"Visit {visit}", {}, "segment") for visit in range(1, 1 + int(tab.evaluate("sessionStorage.visit")))
    ]


def test_back_from_the_cache_to_a_page_that_was_live(visitor: Visitor, shop: Shop, runtime: str) -> None:
    next_page = shop("/next", "analytics.track('Next')", tag(org=ORG, runtime=runtime))
    visitor.tab.goto(shop("/", VISIT, tag(org=ORG, runtime=runtime)))
    wait_until(visitor.tab, f"{READY} && !!FS._api && window.shown")
    expected = [FS.event("Visit 1", {}, "segment")]
    for _ in range(5):  # a browser in need of memory keeps no page
        visitor.tab.goto(next_page)
        wait_until(visitor.tab, f"{READY} && !!FS._api")
        visitor.tab.go(-1)
        wait_until(visitor.tab, f"location.pathname === '/' && {READY} && !!FS._api && window.shown")
        expected.append(FS.event("Next", {}, "segment"))
        if visitor.tab.evaluate("shown[0]"):
            break
        expected.append(visits(visitor.tab)[-1])
        if visitor.engine == "chromium":  # which keeps no page that DevTools look at
            break
    else:
        pytest.fail("no page was kept")
    visitor.tab.evaluate("analytics.track('Again')")
    visitor.expect_calls(*expected, FS.event("Again", {}, "segment"))


@pytest.mark.parametrize("file", ["wasm", "snapshot"])
def test_back_from_the_cache_to_a_page_that_was_not(
    visitor: Visitor, site: ShopSite, shop: Shop, runtime: str, file: str
) -> None:
    # WebKit gives up what is on its way when a page is left. The next page has no tag.
    next_page = shop("/next", "document.title = 'Next'")
    site.held = file
    visitor.tab.goto(shop("/", VISIT, tag(org=ORG, runtime=runtime)), wait="interactive")
    assert site.asked.wait(120)
    visitor.tab.goto(next_page)
    site.release()
    visitor.tab.go(-1)
    wait_until(visitor.tab, f"{READY} && !!FS._api")
    visitor.tab.evaluate("analytics.track('Again')")
    visitor.expect_calls(*visits(visitor.tab), FS.event("Again", {}, "segment"))


# The page finds its tab's last page not hidden yet, and is left while it waits for that. As it is come back to, what it
# has made comes back late, as from a next page that is hidden after this one is shown.
HURRIED = """
  sessionStorage["fsbridge:tab"] = "t+";
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    const key = Object.keys(localStorage).find((key) => key.startsWith("fsbridge:left:"));
    if (!key) return; // it was not left that early
    const text = localStorage[key];
    delete localStorage[key];
    sessionStorage["fsbridge:tab"] = "t+";
    setTimeout(() => {
      localStorage[`fsbridge:left:${Date.now()}-t-later`] = text;
      sessionStorage["fsbridge:tab"] = "t";
    }, 150);
  });
"""
LEAVING = """
  addEventListener("pageshow", ({ persisted }) => persisted && analytics.track("Second"));
  analytics.track(sessionStorage.again ? "Second" : "First"); // a page that isn't kept is loaded again
  const { report } = fsbridge;
  const waiting = setInterval(() => {
    if (fsbridge.report === report) return; // Python isn't there yet
    clearInterval(waiting);
    if (!sessionStorage.again) location.href = "/next";
    sessionStorage.again = "yes";
  });
"""


def test_back_from_the_cache_to_a_page_that_was_beginning(
    visitor: Visitor, site: ShopSite, shop: Shop, runtime: str
) -> None:
    shop("/next", "document.title = 'Next'")
    site.put("/hurried.js", HURRIED)
    page = shop("/", LEAVING, "<script src='/hurried.js'></script>", tag(org=ORG, runtime=runtime))
    visitor.tab.goto(page, wait="none")
    wait_until(visitor.tab, "document.title === 'Next'")
    visitor.tab.wait_for_timeout(500)  # longer than a page waits for the last one
    visitor.tab.go(-1)
    visitor.expect_calls(FS.event("First", {}, "segment"), FS.event("Second", {}, "segment"))


def test_back_from_the_cache_to_a_page_with_an_earlier_sessionStorage(
    visitor: Visitor, shop: Shop, runtime: str
) -> None:
    # Firefox shows a page that it has kept what sessionStorage had when that was left; it goes on as the same tab's.
    working = shop("/working", "", tag(org=ORG, runtime=runtime))
    broken = tag(org=ORG, runtime=runtime).replace(" data-", ' data-base="/nowhere/" data-', 1)
    one, other = shop("/one", "", broken), shop("/other", "", broken)
    visitor.tab.goto(one)
    visitor.tab.evaluate("analytics.track('First')")
    visitor.tab.goto(working)
    visitor.wait_for_event("First")
    wait_until(visitor.tab, "fsbridge.status === 'ready'")
    visitor.tab.goto(other)
    visitor.tab.evaluate("analytics.track('Second')")
    visitor.tab.go(-2)
    wait_until(visitor.tab, "location.pathname === '/one' && !!window.analytics")
    visitor.tab.evaluate("analytics.track('Third')")
    visitor.tab.goto(working)
    visitor.expect_calls(*[FS.event(name, {}, "segment") for name in ("First", "Second", "Third")])


def test_a_window_that_closes_itself(visitor: Visitor, shop: Shop, runtime: str) -> None:
    # In WebKit its localStorage is null from then on, though it hears pagehide.
    broken = tag(org=ORG, runtime=runtime).replace(" data-", ' data-base="/nowhere/" data-', 1)
    closing = """
      analytics.track("Early");
      addEventListener("pagehide", () => analytics.track("Hidden"));
      fsbridge.ready.catch(() => setTimeout(() => close(), 100));
    """
    shop("/popup", closing, broken)
    visitor.tab.goto(shop("/", "", tag(org=ORG, runtime=runtime)))
    wait_until(visitor.tab, f"{READY} && !!FS._api")
    visitor.tab.evaluate("void open('/popup', 'popup', 'width=300,height=300')")
    visitor.wait_for_event("Early")
    visitor.expect_calls(*[FS.event(name, {}, "segment") for name in ("Early", "Hidden")])


def test_an_interpreter_that_is_not_there(visitor: Visitor, shop: Shop, runtime: str) -> None:
    script = """
      fsbridge.ready.catch((error) => (window.refused = error.message));
      analytics.track("Early").then(() => (window.settled = true));
    """
    broken = tag(org=ORG, runtime=runtime).replace(" data-", ' data-base="/nowhere/" data-', 1)
    shop("/next", "analytics.track('Next')", tag(org=ORG, runtime=runtime))
    visitor.tab.goto(shop("/", script, broken))
    wait_until(visitor.tab, "window.refused && window.settled")
    assert visitor.tab.evaluate("fsbridge.status") == "failed"
    visitor.tab.evaluate("(analytics.track('Late'), (location.href = '/next'))")
    wait_until(visitor.tab, f"{READY} && location.pathname === '/next'")
    visitor.expect_calls(*[FS.event(name, {}, "segment") for name in ("Early", "Late", "Next")])


# What is denied, blocked or missing


def test_storage_denied(visitor: Visitor, shop: Shop, site: ShopSite, runtime: str) -> None:
    # In a sandbox without an origin reading localStorage, sessionStorage or document.cookie throws.
    site.headers = {"Content-Security-Policy": "sandbox allow-scripts", "Access-Control-Allow-Origin": "*"}
    script = """
      const isDenied = (area) => { try { return !window[area]; } catch { return true; } };
      window.denied = ["localStorage", "sessionStorage"].filter(isDenied);
      analytics.identify("user-1");
      analytics.track("Early");
    """
    visitor.tab.goto(shop("/", script, tag(org=ORG, runtime=runtime)))
    wait_until(visitor.tab, f"{READY} && !!FS._api")
    assert visitor.tab.evaluate("denied") == ["localStorage", "sessionStorage"]
    visitor.tab.evaluate("analytics.track('Live')")
    calls = FS.identify("user-1", {}, "segment"), FS.event("Early", {}, "segment"), FS.event("Live", {}, "segment")
    visitor.expect_calls(*calls)
    assert visitor.console == []


def test_fullstory_blocked(visitor: Visitor, shop: Shop, runtime: str) -> None:
    visitor.edge.blocked = True
    visitor.tab.goto(shop("/", "analytics.track('Early')", tag(org=ORG, runtime=runtime)))
    wait_until(visitor.tab, "window.fsbridge && fsbridge.status === 'blocked'")
    assert "FullStory is blocked" in "".join(visitor.console)
    assert visitor.tab.evaluate("typeof analytics.track('Late')") == "object"
    assert not [text for text in visitor.console if not text.startswith("[fsbridge]")]


def test_left_by_a_form_when_live(visitor: Visitor, shop: Shop, runtime: str) -> None:
    script = """
      const form = document.createElement("form");
      form.action = "/next";
      form.onsubmit = () => analytics.track("Submitted");
      document.body.append(form);
    """
    shop("/next", "document.title = 'Next'")
    visitor.tab.goto(shop("/", script, tag(org=ORG, runtime=runtime)))
    wait_until(visitor.tab, f"{READY} && !!FS._api")
    visitor.tab.evaluate("document.querySelector('form').requestSubmit()")
    wait_until(visitor.tab, "document.title === 'Next'")
    visitor.expect_calls(FS.event("Submitted", {}, "segment"))


# What the interpreters need (Promise, JSON and the like are older than anything that runs the tag's syntax).
NEEDED = {
    "micropython": ["WebAssembly", "TextDecoder", "TextEncoder", "fetch"],
    "pyodide": ["WebAssembly", "TextDecoder", "fetch", "WebAssembly.instantiateStreaming"],
}
# What is used where it is there.
USED = ["WebAssembly.Tag", "WebAssembly.Exception", "navigator.locks", "WebAssembly.instantiateStreaming"]


def without(name: str) -> str:
    owner, _, last = name.rpartition(".")
    owner = owner or "window"
    return f"""
      {{
        let owner = {owner};
        while (owner && !Object.hasOwn(owner, "{last}")) owner = Object.getPrototypeOf(owner);
        if (owner) delete owner["{last}"];
      }}
    """


def lacking(site: ShopSite, shop: Shop, name: str, runtime: str) -> str:
    site.put("/lacking.js", f"{without(name)} window.isGone = !window.{name.replace('.', '?.')};")
    script = "fsbridge.ready.catch(() => {}); analytics.track('Early'); window.goesOn = true"
    return shop("/", script, "<script src='/lacking.js'></script>", tag(org=ORG, runtime=runtime))


@pytest.mark.parametrize("index", range(4))
def test_a_browser_that_is_too_old(visitor: Visitor, site: ShopSite, shop: Shop, runtime: str, index: int) -> None:
    visitor.tab.goto(lacking(site, shop, NEEDED[runtime][index], runtime))
    wait_until(visitor.tab, "fsbridge.status === 'failed'")
    assert visitor.tab.evaluate("[isGone, goesOn, typeof analytics.track('Late')]") == [True, True, "object"]
    complaints = visitor.console
    assert complaints
    of_others = [text for text in complaints if not text.startswith("[fsbridge]")]
    if runtime == "pyodide" and NEEDED[runtime][index] == "WebAssembly":
        of_others = [text for text in of_others if "ReferenceError" not in text]  # of Pyodide's own module
    assert of_others == []


@pytest.mark.parametrize("name", USED)
def test_what_a_browser_may_lack(visitor: Visitor, site: ShopSite, shop: Shop, runtime: str, name: str) -> None:
    if name in NEEDED[runtime]:
        return
    visitor.tab.goto(lacking(site, shop, name, runtime))
    wait_until(visitor.tab, f"{READY} && !!FS._api")
    assert visitor.tab.evaluate("isGone")
    visitor.tab.evaluate("analytics.track('Live')")
    visitor.expect_calls(FS.event("Early", {}, "segment"), FS.event("Live", {}, "segment"))
