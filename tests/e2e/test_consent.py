"""Nothing starts before the visitor agrees, and the page calls ``load``; all stops when they don't agree any more."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from fsbridge.testing import FS, FullStory
from tests.e2e.conftest import ShopSite

from .beside import Vendors, segment_snippet
from .shop import ORG, RUDDER_SNIPPET, SEGMENT_SNIPPET, Console, html_page, tag, wait_until

RUNTIMES = ("micropython", "pyodide")
READY = "fsbridge.status === 'ready'"

# Notes each write to a storage area or a cookie, also those that are undone at once.
WATCH = """
  window.writes = [];
  const note = (what) => { if (!window.quiet) writes.push(what); };
  for (const name of ["setItem", "removeItem", "clear"]) {
    const own = Storage.prototype[name];
    Storage.prototype[name] = function (key, ...rest) {
      if (name === "setItem") note(key);
      return own.call(this, key, ...rest);
    };
  }
  const cookie = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  Object.defineProperty(Document.prototype, "cookie", {
    ...cookie, set(line) { note(line); cookie.set.call(this, line); },
  });
  const beacon = navigator.sendBeacon;
  navigator.sendBeacon = (...given) => { note("beacon"); return beacon.apply(navigator, given); };
"""

LEFT = """() => ({
  local: Object.keys(localStorage), session: Object.keys(sessionStorage), cookie: document.cookie,
})"""
ELSEWHERE = """async () => [
  (await indexedDB.databases()).length, (await caches.keys()).length,
  (await navigator.serviceWorker.getRegistrations()).length,
]"""
NOTHING = {"local": [], "session": [], "cookie": ""}


class Shop:
    """A page with the tag, and all that it asks for."""

    def __init__(self, page: Page, site: ShopSite, fullstory: FullStory) -> None:
        self.page, self.site, self.fullstory = page, site, fullstory
        self.console = Console(page)
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url.split("?")[0]))
        page.add_init_script(WATCH)

    def open(
        self, *parts: str, path: str = "/", until: str = "document.readyState === 'complete'", title: str = "Shop"
    ) -> Page:
        self.requests.clear()
        self.page.goto(self.site.page(path, html_page(*parts, title=title)))
        wait_until(self.page, until)
        return self.page

    def do(self, script: str) -> Any:
        return self.page.evaluate(f"() => {{ {script} }}")

    def expect_nothing(self, path: str = "/") -> None:
        """Nothing was asked for but the page and the tag, nothing was stored, nobody was harmed; and it stays so."""
        self.page.wait_for_timeout(200)
        origin = self.site.origin
        assert self.requests[0] == origin + path
        assert [url.replace("-consent", "") for url in self.requests[1:]] == [origin + "/fsbridge/fsbridge.js"]
        assert self.page.evaluate("writes") == []
        assert self.page.evaluate(LEFT) == NOTHING
        assert self.page.evaluate(ELSEWHERE) == [0, 0, 0]
        assert self.page.evaluate("fsbridge.status") == "waiting"
        assert self.page.evaluate("document.querySelectorAll('link, iframe').length") == 0
        assert self.fullstory.operations == []
        assert self.console.thrown == []

    def expect(self, *names: str) -> None:
        self.fullstory.expect_calls(*[FS.event(name, {}, "segment") for name in names])
        assert self.console.thrown == []

    def operations(self, *names: str) -> Any:
        """The operations of these names that FullStory has got, in order."""
        return [each.operation for each in self.fullstory.operations if each.operation in names]


@pytest.fixture
def shop(page: Page, site: ShopSite, fullstory: FullStory) -> Shop:
    return Shop(page, site, fullstory)


def waiting(consent: Any = "wait", **data: Any) -> Any:
    return tag(org=ORG, consent=consent, **data)


# fsbridge.consent()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_nothing_before_consent_and_then_all_that_waited(shop: Shop, runtime: str) -> None:
    shop.open(waiting(runtime=runtime), "window.calls = [analytics.track('Early'), analytics.track('Second')]")
    shop.do("analytics.track('Third')")
    shop.expect_nothing()
    shop.do("fsbridge.consent(true); window.calls.push(analytics.track('Fourth'))")
    wait_until(shop.page, READY)
    shop.do("analytics.track('Live')")
    shop.expect("Early", "Second", "Third", "Fourth", "Live")
    assert shop.page.evaluate("Promise.all(calls).then(() => fsbridge.dropped)") == 0


@pytest.mark.parametrize("destination", ["segment-actions", "rudderstack"])
def test_the_other_destinations_wait_too(shop: Shop, destination: str) -> None:
    name = "analytics" if destination == "segment-actions" else "rudderanalytics"
    load = "" if name == "analytics" else "rudderanalytics.load('key', 'https://data.example');"
    shop.open(tag(destination, org=ORG, consent="wait"), f"{load} {name}.track('Early')")
    shop.expect_nothing()
    shop.do("fsbridge.consent(true)")
    shop.fullstory.wait_for_event("Early")


def test_a_no_drops_what_waits_and_counts_it(shop: Shop) -> None:
    shop.open(
        waiting(),
        """
        window.settled = 0;
        for (const name of ["One", "Two"]) analytics.track(name).then(() => settled++);
        analytics.addSourceMiddleware(({ payload, next }) => { payload.obj.event += "!"; next(payload); });
        """,
    )
    shop.do(
        "fsbridge.consent(false); "
        "for (const call of [analytics.track('Three'), analytics.page()]) call.then(() => settled++)"
    )
    wait_until(shop.page, "settled === 4")
    assert shop.page.evaluate("fsbridge.dropped") == 4
    shop.expect_nothing()
    # What sets the page up isn't about the visitor, and stays.
    shop.do("fsbridge.consent(true); analytics.track('Late')")
    shop.expect("Late!")
    assert shop.page.evaluate("fsbridge.dropped") == 4


def test_what_waits_is_bounded(shop: Shop) -> None:
    shop.open(waiting(queue_calls="3"), "for (let n = 1; n < 6; n++) analytics.track(`Call ${n}`)")
    assert shop.page.evaluate("fsbridge.dropped") == 2
    shop.do("fsbridge.consent(true)")
    shop.expect("Call 3", "Call 4", "Call 5")


STORED = {
    "segment-classic": ("ajs_", "analytics.identify('u1', { a: 1 }); analytics.group('g1', { b: 2 })"),
    "rudderstack": (
        "rl_",
        "rudderanalytics.load('key', 'https://data.example'); rudderanalytics.identify('u1', { a: 1 }); "
        "rudderanalytics.group('g1', { b: 2 })",
    ),
}


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("destination", STORED)
def test_a_no_stops_all_and_a_yes_restarts_it(shop: Shop, destination: str, runtime: str) -> None:
    prefix, calls = STORED[destination]
    api = "analytics" if prefix == "ajs_" else "rudderanalytics"
    script = tag(destination, org=ORG, runtime=runtime, consent="wait")
    shop.open("localStorage.mine = 1; document.cookie = 'mine=1'", script, calls)
    shop.do("fsbridge.consent(true)")
    wait_until(shop.page, READY)
    shop.do(f"{api}.track('Before')")
    shop.fullstory.wait_for_event("Before")
    assert prefix in str(shop.page.evaluate(LEFT))
    shop.do(f"""
      fsbridge.consent(false);
      {api}.track("Refused");
      {api}.identify("u2");
      analytics = window.analytics || {{ user: () => ({{ id() {{}} }}) }};
      analytics.user().id("u3");
      window.writes.length = 0;
    """)
    assert shop.page.evaluate("[fsbridge.status, fsbridge.dropped]") == ["waiting", 2]
    assert shop.page.evaluate(LEFT) == {"local": ["mine"], "session": [], "cookie": "mine=1"}
    shop.do(f"{api}.track('Refused, too'); {api}.page()")
    shop.page.wait_for_timeout(200)
    assert shop.page.evaluate(LEFT) == {"local": ["mine"], "session": [], "cookie": "mine=1"}
    assert shop.page.evaluate("writes") == []
    assert shop.operations("shutdown", "restart") == ["shutdown"]
    shop.do(f"fsbridge.consent(true); {api}.track('After')")
    shop.fullstory.wait_for_event("After")
    assert [each.name for each in shop.fullstory.events] == ["Before", "After"]
    assert shop.operations("shutdown", "restart") == ["shutdown", "restart"]
    assert shop.page.evaluate("[fsbridge.status, fsbridge.dropped]") == ["ready", 4]
    assert shop.console.thrown == []


def test_a_no_without_data_consent_stops_too(shop: Shop) -> None:
    shop.open(tag(org=ORG), "analytics.track('Before')", until=READY)
    shop.expect("Before")
    shop.do("fsbridge.consent(false); analytics.track('Refused')")
    assert shop.operations("shutdown") == ["shutdown"]
    assert shop.page.evaluate("[fsbridge.status, fsbridge.dropped]") == ["waiting", 1]
    assert shop.page.evaluate(LEFT) == NOTHING


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_no_while_fs_js_is_on_its_way(shop: Shop, runtime: str) -> None:
    with shop.fullstory.delayed():
        shop.open(waiting(runtime=runtime), "analytics.track('Before')")
        shop.do("fsbridge.consent(true)")
        wait_until(shop.page, "fsbridge.status === 'queueing'")
        shop.do("fsbridge.consent(false); analytics.track('Refused')")
    wait_until(shop.page, "Boolean(FS._api)")
    assert shop.fullstory.events == []
    init = [each.options for each in shop.fullstory.operations if each.operation == "init"]
    assert init[-1] == {"env": {"captureOnStartup": False}}
    assert shop.operations("shutdown") == ["shutdown"]
    shop.do("fsbridge.consent(true); analytics.track('After')")
    shop.fullstory.wait_for_event("After")
    assert shop.operations("shutdown", "start", "restart", "trackEvent")[:-1] == ["shutdown", "start", "restart"]


def test_a_change_of_mind_while_fs_js_is_on_its_way(shop: Shop) -> None:
    with shop.fullstory.delayed():
        shop.open(waiting(), "analytics.track('Before')")
        shop.do("fsbridge.consent(true)")
        wait_until(shop.page, "fsbridge.status === 'queueing'")
        shop.do("fsbridge.consent(false); analytics.track('Refused'); fsbridge.consent(true); analytics.track('After')")
    shop.expect("After")
    init = [each.options for each in shop.fullstory.operations if each.operation == "init"]
    assert {"env": {"captureOnStartup": False}} not in init
    assert shop.operations("shutdown") == []


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_no_while_the_interpreter_is_on_its_way(shop: Shop, runtime: str) -> None:
    held = []
    shop.page.context.route("**/*.wasm", lambda route: held.append(route))
    shop.open(waiting(runtime=runtime), "analytics.track('Before')")
    shop.do("fsbridge.consent(true); fsbridge.consent(true)")
    while not held:
        shop.page.wait_for_timeout(20)
    shop.do("fsbridge.consent(false); analytics.track('Refused')")
    for route in held:
        route.fallback()
    shop.page.context.unroute("**/*.wasm")
    shop.page.wait_for_timeout(500)
    assert shop.page.evaluate("[fsbridge.status, fsbridge.dropped]") == ["waiting", 2]
    assert shop.page.evaluate(LEFT) == NOTHING
    assert "_fs_org" not in shop.page.evaluate("Object.keys(window)")
    shop.do("fsbridge.consent(true); analytics.track('After')")
    shop.expect("After")


def test_flapping_harms_nobody(shop: Shop) -> None:
    shop.open(
        waiting(), "for (let n = 0; n < 25; n++) { fsbridge.consent(n % 2 === 0); analytics.track(`Call ${n}`); }"
    )
    shop.expect(*[f"Call {n}" for n in (24,)])
    assert shop.page.evaluate("fsbridge.dropped") == 24
    shop.do("for (let n = 0; n < 24; n++) { fsbridge.consent(n % 2 === 1); analytics.track(`Live ${n}`); }")
    shop.fullstory.wait_for_event("Live 23")
    assert [each.name for each in shop.fullstory.events] == ["Call 24", *[f"Live {n}" for n in range(1, 24, 2)]]
    assert shop.console.thrown == []


def test_before_the_document_is_there(shop: Shop) -> None:
    shop.open(
        "<head>",
        waiting(),
        "fsbridge.consent(true); analytics.track('One')",
        "<body><p>Shop",
        "analytics.track('Two')",
    )
    shop.expect("One", "Two")


# Leaving the page


def test_leaving_before_consent_leaves_nothing(shop: Shop) -> None:
    leaving = "addEventListener('pagehide', () => analytics.track('pagehide'))"
    shop.open(waiting(), leaving, "analytics.track('Early')")
    shop.open("<p>bare", path="/bare")
    assert shop.page.evaluate(LEFT) == NOTHING
    shop.open(waiting(), path="/next")
    shop.do("fsbridge.consent(true); analytics.track('Next')")
    shop.expect("Next")


def test_a_yes_while_the_page_is_left(shop: Shop) -> None:
    leaving = "addEventListener('pagehide', () => { fsbridge.consent(true); analytics.track('pagehide'); })"
    shop.open(waiting(), leaving, "analytics.track('Early')")
    shop.open(waiting(), path="/next")
    shop.do("fsbridge.consent(true); analytics.track('Next')")
    shop.expect("Early", "pagehide", "Next")


def test_a_no_while_the_page_is_left(shop: Shop) -> None:
    shop.page.context.route("**/*.wasm", lambda route: None)
    leaving = "addEventListener('pagehide', () => { fsbridge.consent(false); analytics.track('pagehide'); })"
    shop.open(waiting(), leaving, "analytics.track('Early'); fsbridge.consent(true)")
    wait_until(shop.page, "sessionStorage.length === 1")
    shop.open("<p>bare", path="/bare")
    assert shop.page.evaluate(LEFT) == NOTHING


def test_what_an_earlier_page_left_goes_with_a_no(shop: Shop) -> None:
    shop.page.context.route("**/*.wasm", lambda route: None)
    shop.open(tag(org=ORG), "analytics.track('Early')")
    shop.open(waiting(), path="/next")
    assert len(shop.page.evaluate("Object.keys(localStorage)")) == 1
    shop.do("fsbridge.consent(false)")
    assert shop.page.evaluate(LEFT) == NOTHING


# Global Privacy Control

GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { configurable: true, get: () => %s })"


def test_global_privacy_control_outranks_all(shop: Shop) -> None:
    shop.open(
        GPC % "true", tag(org=ORG, gpc=""), "analytics.track('Early'); fsbridge.consent(true); analytics.track('E')"
    )
    assert shop.page.evaluate("fsbridge.dropped") == 2
    shop.expect_nothing()


@pytest.mark.parametrize("destination", STORED)
def test_global_privacy_control_removes_what_earlier_pages_stored(shop: Shop, destination: str) -> None:
    prefix, calls = STORED[destination]
    shop.open(STAYS, tag(destination, org=ORG), calls, until=READY)
    assert prefix in str(shop.page.evaluate(LEFT))
    shop.open(GPC % "true", tag(destination, org=ORG, gpc=""), path="/next")
    wait_until(shop.page, f"JSON.stringify(({LEFT})()) === '{json.dumps(MINE, separators=(',', ':'))}'")
    assert shop.console.thrown == shop.console.written == []


@pytest.mark.parametrize("data", [{"beside": ""}, {"runtime": "pyodide"}, {"diagnostics": "", "report": ""}])
def test_nothing_before_consent_whatever_else_is_asked_for(shop: Shop, data: Any) -> None:
    """Nor with the inspector, which the page's address asks for."""
    shop.open(waiting(**data))
    shop.requests.clear()
    shop.page.goto(shop.site.origin + "/?fsbridge-inspect")
    shop.expect_nothing()


def test_global_privacy_control_that_is_not_on_or_not_asked_for(shop: Shop) -> None:
    shop.open(GPC % "false", tag(org=ORG, gpc=""), "analytics.track('One')")
    shop.expect("One")
    shop.fullstory.clear()
    shop.open(GPC % "true", tag(org=ORG), "analytics.track('Two')")
    shop.expect("Two")
    shop.fullstory.clear()
    shop.open(GPC % "true", tag(org=ORG, gpc="false"), "analytics.track('Three')")
    shop.expect("Three")


# FullStory's own consent


def test_fullstorys_own_consent_is_there(shop: Shop) -> None:
    shop.open(waiting(), "analytics.track('Early')")
    shop.do("fsbridge.consent(true)")
    wait_until(shop.page, READY)
    shop.do("FS.consent(true); FS('setIdentity', { consent: false })")
    shop.fullstory.wait_for_event("Early")
    consent = [each.options for each in shop.fullstory.operations if each.operation == "setIdentity"]
    assert consent == [{"consent": True}, {"consent": False}]


# Consent platforms: stand-ins that behave as each documents. ``start`` is what the page has from the beginning,
# ``arrive`` the platform's script (nothing is known of the visitor), then what the visitor decides there.

TCF_STUB = """
  const queue = [];
  window.__tcfapi = (...args) => { queue.push(args); };
"""
TCF = """
  const listeners = [];
  let data = { eventStatus: "cmpuishown", gdprApplies: true, purpose: { consents: {} } };
  const tell = (listener, id) => listener({ ...data, listenerId: id }, true);
  const api = (command, version, listener) => {
    if (command === "addEventListener") tell(listener, listeners.push(listener));
  };
  const waiting = typeof queue === "undefined" ? [] : queue;
  window.__tcfapi = api;
  waiting.forEach((args) => api(...args));
  window.decide = (consents, more) => {
    data = { eventStatus: "useractioncomplete", gdprApplies: true, purpose: { consents }, ...more };
    listeners.forEach(tell);
  };
"""
GTAG = "window.dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments); }"
ONETRUST = """
  let closed = false;
  window.OneTrust = { IsAlertBoxClosed: () => closed };
  const groups = (active) => {
    window.OnetrustActiveGroups = window.OptanonActiveGroups = `,${active.join()},`;
    dispatchEvent(new CustomEvent("OneTrustGroupsUpdated", { detail: active }));
    window.OptanonWrapper?.();
  };
  window.decide = (active) => { closed = true; groups(active); };
  groups(["C0001"]);
"""
COOKIEBOT = """
  window.Cookiebot = {
    consent: { necessary: true, preferences: false, statistics: false, marketing: false },
    hasResponse: false, consented: false, declined: false,
  };
  window.decide = (statistics) => {
    Object.assign(Cookiebot, { hasResponse: true, consented: statistics, declined: !statistics });
    Cookiebot.consent.statistics = statistics;
    dispatchEvent(new Event("CookiebotOnConsentReady"));
    dispatchEvent(new Event(statistics ? "CookiebotOnAccept" : "CookiebotOnDecline"));
  };
"""
USERCENTRICS_2 = """
  let status = false;
  window.UC_UI = {
    isInitialized: () => true,
    getServicesBaseInfo: () => [
      { id: "H1Vl5NidjWX", name: "Usercentrics Consent Management Platform", consent: { status: true } },
      { id: "Bk-FullStory", name: "FullStory", consent: { status, history: [] } },
    ],
  };
  window.decide = (given) => {
    status = given;
    const detail = { source: "FIRST_LAYER", type: given ? "ACCEPT_ALL" : "DENY_ALL" };
    dispatchEvent(new CustomEvent("UC_UI_CMP_EVENT", { detail }));
  };
  dispatchEvent(new Event("UC_UI_INITIALIZED"));
"""
USERCENTRICS_2_EVENT = """
  window.decide = (given, type = "explicit") => {
    const action = given ? "onAcceptAllServices" : "onDenyAllServices";
    const detail = { event: "consent_status", action, type, FullStory: given, ucCategory: { essential: true } };
    dispatchEvent(new CustomEvent("ucEvent", { detail }));
  };
  decide(false, "implicit");
"""
USERCENTRICS_3 = """
  let consent = { given: false, type: "IMPLICIT" };
  const details = () => ({
    consent: { status: "ALL_DENIED", serviceIds: ["a", "b"] },
    services: {
      a: { name: "Usercentrics Consent Management Platform", consent: { given: true, type: "IMPLICIT" } },
      b: { name: "FullStory", consent },
    },
  });
  window.__ucCmp = { isInitialized: async () => true, getConsentDetails: async () => details() };
  window.decide = (given) => {
    consent = { given, type: "EXPLICIT" };
    dispatchEvent(new CustomEvent("UC_UI_CMP_EVENT", { detail: { source: "FIRST_LAYER", type: "SAVE" } }));
    dispatchEvent(new CustomEvent("UC_CONSENT", { detail: details() }));
  };
  dispatchEvent(new Event("UC_UI_INITIALIZED"));
"""


def platform(consent: Any, arrive: Any, yes: Any, no: Any, **more: Any) -> Any:
    return pytest.param(
        {"consent": consent, "arrive": arrive, "yes": yes, "no": no, **more}, id=more.get("name", consent)
    )


PLATFORMS = [
    platform(
        "tcf 1 8",
        TCF,
        "decide({ 1: true, 8: true, 9: false })",
        "decide({ 1: true, 8: false })",
        start=TCF_STUB,
        name="tcf behind its stub",
    ),
    platform("tcf 1 8", TCF, "decide({ 1: true, 8: true })", "decide({})", name="tcf without a stub"),
    platform(
        "tcf 1",
        TCF,
        "decide({}, { eventStatus: 'tcloaded', gdprApplies: false })",
        "decide({ 1: false }, { eventStatus: 'tcloaded' })",
        name="tcf where it does not apply",
    ),
    platform(
        "google analytics_storage",
        "gtag('js', new Date())",
        "gtag('consent', 'update', { ad_storage: 'denied', analytics_storage: 'granted' })",
        "gtag('consent', 'update', { analytics_storage: 'denied' })",
        start=GTAG
        + "gtag('consent', 'default', { ad_storage: 'granted', analytics_storage: 'denied', wait_for_update: 500 })",
    ),
    platform(
        "google ad_storage analytics_storage",
        GTAG
        + "gtag('consent', 'default', { analytics_storage: 'denied', ad_storage: 'denied' }); dataLayer.push({ a: 1 })",
        "gtag('consent', 'update', { analytics_storage: 'granted' });"
        "gtag('consent', 'update', { ad_storage: 'granted' })",
        "gtag('consent', 'update', { ad_storage: 'denied' })",
        name="google, late",
    ),
    platform("onetrust C0002", ONETRUST, "decide(['C0001', 'C0002'])", "decide(['C0001'])"),
    platform("cookiebot statistics", COOKIEBOT, "decide(true)", "decide(false)"),
    platform("usercentrics FullStory", USERCENTRICS_2, "decide(true)", "decide(false)", name="usercentrics 2"),
    platform(
        "usercentrics FullStory", USERCENTRICS_2_EVENT, "decide(true)", "decide(false)", name="usercentrics' event"
    ),
    platform("usercentrics FullStory", USERCENTRICS_3, "decide(true)", "decide(false)", name="usercentrics 3"),
    platform(
        "event my-consent",
        "window.decide = (detail) => document.dispatchEvent(new CustomEvent('my-consent', { detail })); decide('yes')",
        "decide({ granted: true })",
        "decide(false)",
    ),
]


@pytest.mark.parametrize("case", PLATFORMS)
def test_a_platform_that_comes_after_us(shop: Shop, case: Any) -> None:
    shop.open(case.get("start", ""), waiting(case["consent"]), "analytics.track('Early')")
    shop.do("analytics.track('Second')")
    shop.page.add_script_tag(content=case["arrive"])
    shop.page.wait_for_timeout(600)
    shop.expect_nothing()
    shop.do(case["yes"])
    wait_until(shop.page, READY)
    shop.expect("Early", "Second")
    assert shop.page.evaluate("fsbridge.dropped") == 0
    shop.do(case["no"])
    wait_until(shop.page, "fsbridge.status === 'waiting'")
    shop.do("analytics.track('Refused')")
    assert shop.operations("shutdown") == ["shutdown"]
    assert shop.page.evaluate("[fsbridge.status, fsbridge.dropped]") == ["waiting", 1]
    shop.do(case["yes"])
    wait_until(shop.page, READY)
    shop.do("analytics.track('Again')")
    shop.fullstory.wait_for_event("Again")
    assert [each.name for each in shop.fullstory.events] == ["Early", "Second", "Again"]
    assert shop.console.thrown == []


@pytest.mark.parametrize("case", PLATFORMS)
def test_a_visitor_who_has_decided_before(shop: Shop, case: Any) -> None:
    start, decided = case.get("start", ""), f"{case['arrive']}; {case['yes']}"
    shop.open(f"{start}; {decided}", waiting(case["consent"]), "analytics.track('Early')")
    if "event" not in case["consent"] and case["arrive"] != USERCENTRICS_2_EVENT:  # an event is gone when it is
        shop.expect("Early")


@pytest.mark.parametrize("case", PLATFORMS)
def test_a_platform_where_the_visitor_says_no_and_then_yes(shop: Shop, case: Any) -> None:
    shop.open(case.get("start", ""), waiting(case["consent"]), case["arrive"], "analytics.track('Early')")
    shop.do(case["no"])
    wait_until(shop.page, "fsbridge.dropped === 1")
    shop.do("analytics.track('Refused')")
    shop.expect_nothing()
    shop.do(case["yes"])
    wait_until(shop.page, READY)
    shop.do("analytics.track('Late')")
    shop.expect("Late")
    assert shop.page.evaluate("fsbridge.dropped") == 2


@pytest.mark.parametrize("case", PLATFORMS)
def test_a_platform_beside_segments_sdk(shop: Shop, case: Any) -> None:
    """The SDK goes on without us before the yes and after a no; it gets everything, we what is agreed to."""
    vendors = Vendors(shop.page)
    snippet = segment_snippet() + "analytics.track('Early')"
    shop.open(case.get("start", ""), waiting(case["consent"], beside=""), snippet)
    shop.page.add_script_tag(content=case["arrive"])
    vendors.wait_for("Early")
    shop.page.wait_for_timeout(600)
    ours = [url for url in shop.requests if "fsbridge" in url or "fullstory" in url]
    assert [url.replace("-consent", "") for url in ours] == [shop.site.origin + "/fsbridge/fsbridge.js"]
    assert [name for name in shop.page.evaluate("writes") if name.startswith(("fsbridge", "fs_", "_fs"))] == []
    shop.do(case["yes"])
    shop.expect("Early")
    shop.do(case["no"])
    wait_until(shop.page, "fsbridge.status === 'waiting'")
    shop.do("analytics.track('Refused')")
    vendors.wait_for("Refused")
    shop.do(case["yes"])
    wait_until(shop.page, READY)
    shop.do("analytics.track('Again')")
    shop.fullstory.wait_for_event("Again")
    assert [each.name for each in shop.fullstory.events] == ["Early", "Again"]
    assert shop.operations("shutdown", "restart") == ["shutdown", "restart"]
    vendors.wait_for("Again")
    assert vendors.names() == ["Early", "Refused", "Again"]
    assert shop.console.thrown == []


@pytest.mark.parametrize("consent", ["wait", *sorted({case.values[0]["consent"] for case in PLATFORMS})])
def test_a_platform_that_never_comes(shop: Shop, consent: Any) -> None:
    shop.open(waiting(consent), "analytics.track('Early')")
    shop.expect_nothing()


def test_googles_defaults(shop: Shop) -> None:
    """A default that grants is consent when it is for everybody, after the time that it gives for an update."""
    default = "gtag('consent', 'default', { analytics_storage: '%s'%s });"
    granted, region = default % ("granted", ""), default % ("denied", ", region: ['ES']")
    for script in (
        granted + region,
        region + granted,
        default % ("granted", ", region: ['US']"),
        default % ("granted", ", wait_for_update: 20") + "gtag('consent', 'update', { analytics_storage: 'denied' });",
        default % ("denied", "") + granted,
    ):
        shop.open(GTAG + script, waiting("google analytics_storage"), "analytics.track('Early')")
        shop.expect_nothing()
    shop.open(
        GTAG + default % ("granted", ", wait_for_update: 20"),
        waiting("google analytics_storage"),
        "analytics.track('E')",
    )
    shop.expect("E")


def test_tag_manager_wraps_the_data_layer(shop: Shop) -> None:
    wrap = "const { push } = dataLayer; dataLayer.push = (...args) => push.apply(dataLayer, args)"
    shop.open(waiting("google analytics_storage"), GTAG, wrap, "analytics.track('Early')")
    shop.do("dataLayer.push(null, 5, { event: 'x' }, ['consent'], ['consent', 'update', null])")
    shop.expect_nothing()
    shop.do("(function () { dataLayer.push(arguments) })('consent', 'update', { analytics_storage: 'granted' })")
    shop.expect("Early")


@pytest.mark.parametrize(
    "consent", ["", "yes", "Wait", "onetrust", "tcf", "event ", "constructor C1", "cookiebot:statistics"]
)
def test_a_wrong_data_consent_starts_nothing(shop: Shop, consent: Any) -> None:
    shop.open(waiting(consent), "window.called = analytics.track('Early')", until="fsbridge.status === 'failed'")
    others = "others with fsbridge-consent.js"
    if consent == "constructor C1":
        others = "tcf PURPOSES, google TYPES, onetrust GROUPS, cookiebot CATEGORIES, usercentrics SERVICE"
    accepted = f"wait, event NAME, {others}"
    assert shop.console.written == [f'[fsbridge] data-consent is "{consent}"; accepted: {accepted}']
    shop.do("fsbridge.consent(true); analytics.track('Late')")
    shop.page.evaluate("called")
    shop.page.wait_for_timeout(200)
    assert len(shop.requests) == 2  # the page and the tag
    shop.open("<p>bare", path="/bare")
    assert shop.page.evaluate(LEFT) == NOTHING


def test_a_platform_that_throws_harms_nobody(shop: Shop) -> None:
    broken = "window.Cookiebot = { get consent() { throw new Error('broken') } }"
    shop.open(broken, waiting("cookiebot statistics"), "analytics.track('Early')")
    shop.expect_nothing()
    shop.do("delete window.Cookiebot;" + COOKIEBOT + "decide(true)")
    shop.expect("Early")


# load() decides

SNIPPETS = {"segment-classic": (SEGMENT_SNIPPET, "analytics"), "rudderstack": (RUDDER_SNIPPET, "rudderanalytics")}
LOAD = "%s.load('key', 'https://data.example')"


@pytest.mark.parametrize("place", ["before", "after", "in the body", "later in the body"])
@pytest.mark.parametrize("destination", SNIPPETS)
def test_with_a_vendors_snippet_nothing_starts_before_load(shop: Shop, destination: str, place: str) -> None:
    snippet, api = SNIPPETS[destination]
    script = tag(destination, org=ORG, replace="")
    snippet = snippet % "sdk.track('Snippet');"
    paragraphs = "<p>" + "Lorem ipsum " * 5000
    parts = {
        "before": [snippet, script],
        "after": [script, snippet],
        "in the body": [script, "<body><p>Shop", snippet],
        "later in the body": [script, "<body>", paragraphs, snippet],
    }[place]
    shop.open(*parts, f"{api}.track('Early')")
    shop.page.wait_for_timeout(500)
    assert shop.page.evaluate("fsbridge.status") == "waiting"
    assert not [url for url in shop.requests if "fullstory.com" in url and "body" not in place]
    assert shop.page.evaluate(
        "[writes, 'FS' in window, Boolean(document.querySelector('script[src*=fs]:not([src*=bridge])'))]"
    ) == [
        [],
        False,
        False,
    ]
    if "body" not in place:
        shop.expect_nothing()
    shop.do(LOAD % api)
    shop.fullstory.wait_for_event("Early")
    assert [each.name for each in shop.fullstory.events] == ["Snippet", "Early"]


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("destination", SNIPPETS)
def test_a_snippet_that_has_called_load_starts(shop: Shop, destination: str, place: str) -> None:
    snippet = SNIPPETS[destination][0]
    parts = [
        snippet % "sdk.load('key', 'https://data.example'); sdk.track('Snippet');",
        tag(destination, org=ORG, replace=""),
    ]
    shop.open(*(parts if place == "before" else parts[::-1]))
    shop.fullstory.wait_for_event("Snippet")


def test_load_without_options_is_a_load(shop: Shop) -> None:
    shop.open(SEGMENT_SNIPPET % "sdk.load('key'); sdk.track('Snippet');", tag(org=ORG, replace=""))
    shop.expect("Snippet")


@pytest.mark.parametrize("destination", SNIPPETS)
def test_data_load_page_waits_for_the_page(shop: Shop, destination: str) -> None:
    api = SNIPPETS[destination][1]
    shop.open(tag(destination, org=ORG, load="page"), f"{api}.track('Early')")
    shop.expect_nothing()
    shop.do(LOAD % api)
    shop.fullstory.wait_for_event("Early")


def test_load_and_consent_are_both_waited_for(shop: Shop) -> None:
    shop.open(waiting(load="page"), "analytics.track('Early')")
    shop.do("fsbridge.consent(true)")
    shop.expect_nothing()
    shop.open(waiting(load="page"), "analytics.track('Early')")
    shop.do("analytics.load('key')")
    shop.expect_nothing()
    shop.do("fsbridge.consent(true)")
    shop.expect("Early")


def test_load_while_the_visitor_says_no_counts_later(shop: Shop) -> None:
    shop.open(waiting(load="page"))
    shop.do(
        "fsbridge.consent(false); analytics.load('key', { user: { persist: false } }); "
        "fsbridge.consent(true); analytics.track('E')"
    )
    shop.expect("E")
    assert "ajs_anonymous_id" not in shop.page.evaluate("Object.keys(localStorage)")


def test_a_page_without_a_snippet_starts_by_itself(shop: Shop) -> None:
    shop.open(tag(org=ORG), until=READY)
    assert shop.page.evaluate("fsbridge.dropped") == 0


def test_an_array_that_is_no_snippet_starts_by_itself(shop: Shop) -> None:
    shop.open("window.analytics = [['track', 'Early']]", tag(org=ORG))
    shop.expect("Early")


def test_a_wrong_data_load_waits_and_is_said(shop: Shop) -> None:
    shop.open(tag(org=ORG, load="soon"), "analytics.track('Early')")
    shop.expect_nothing()
    shop.do("analytics.load('key')")
    shop.expect("Early")
    assert shop.console.written == ['[fsbridge] data-load is "soon"; accepted: page']


# Before Python is there

STAYS = "localStorage.mine = 1; document.cookie = 'mine=1'"
MINE = {"local": ["mine"], "session": [], "cookie": "mine=1"}
HAS_SECOND_PARTS = """['second.wasm', 'second.snapshot'].every(
  (file) => performance.getEntriesByType("resource").some(({ name }) => name.endsWith(file)))"""


@pytest.mark.parametrize("origin", ["https://shop.example", "https://www.shop.example"])
@pytest.mark.parametrize("destination", STORED)
def test_a_no_before_python_removes_what_earlier_pages_stored(shop: Shop, destination: str, origin: str) -> None:
    shop.site.origin = origin
    prefix, calls = STORED[destination]
    shop.open(STAYS, tag(destination, org=ORG, consent="wait"), calls)
    shop.do("fsbridge.consent(true)")
    wait_until(shop.page, READY)
    wait_until(shop.page, HAS_SECOND_PARTS)
    assert prefix in str(shop.page.evaluate(LEFT))
    shop.open(tag(destination, org=ORG, consent="wait"), "fsbridge.consent(false)", path="/next")
    wait_until(shop.page, f"JSON.stringify(({LEFT})()) === '{json.dumps(MINE, separators=(',', ':'))}'")
    asked = shop.requests[shop.requests.index(f"{origin}/next") :]
    assert asked == [f"{origin}/next", f"{origin}/fsbridge/fsbridge.js"]
    assert shop.console.thrown == shop.console.written == []


def test_a_no_before_python_leaves_an_sdk_its_identity(shop: Shop) -> None:
    """Whether the vendor's snippet is above the tag or below it, and also where another vendor's is on the page."""
    stored = "localStorage.ajs_user_id = '\"u1\"'; localStorage.rl_user_id = 'u2'; document.cookie = 'ajs_user_id=u1'"
    kept = {"local": ["ajs_user_id", "rl_user_id"], "session": [], "cookie": "ajs_user_id=u1"}
    ours, snippet = tag(org=ORG, consent="cookiebot statistics"), SEGMENT_SNIPPET % ""
    no = COOKIEBOT + "decide(false)"
    for parts in ([snippet, ours], [ours, snippet], [tag(org=ORG, consent="cookiebot statistics", beside="")]):
        shop.open(stored, no, *parts, until="document.readyState === 'complete' && fsbridge.dropped === 0")
        shop.do("fsbridge.consent(false)")
        shop.page.wait_for_timeout(300)
        left = shop.page.evaluate(LEFT)
        assert {**left, "local": sorted(left["local"])} == kept
    shop.open(stored, no, ours, until=f"({LEFT})().cookie === ''")
    assert shop.page.evaluate(LEFT) == {"local": ["rl_user_id"], "session": [], "cookie": ""}


# Google's tag manager: its templates tell it directly, and google_tag_data has what they say

TAG_MANAGER = """
  const listeners = [];
  window.google_tag_data = {
    ics: { entries: {}, addListener: (consentTypes, listener) => { listeners.push(listener); } },
  };
  window.setDefault = (type, value) => { google_tag_data.ics.entries[type] = { region: "", default: value }; };
  window.decide = (value, type = "analytics_storage") => {
    google_tag_data.ics.entries[type] = { ...google_tag_data.ics.entries[type], update: value };
    for (const listener of listeners) listener();
  };
  setDefault("ad_storage", true);
  setDefault("analytics_storage", %s);
"""


@pytest.mark.parametrize("standard", ["false", "true"])
@pytest.mark.parametrize("place", ["above", "below", "later"])
def test_a_template_of_googles_tag_manager(shop: Shop, place: str, standard: str) -> None:
    """What it sets by default is before its wait for an update is over, so only an update counts."""
    manager = TAG_MANAGER % standard
    ours = waiting("google analytics_storage ad_storage")
    shop.open(*{"above": [manager, ours], "below": [ours, manager], "later": [ours]}[place], "analytics.track('Early')")
    if place == "later":
        shop.page.add_script_tag(content=manager)
    shop.page.wait_for_timeout(300)
    shop.expect_nothing()
    shop.do("decide(true)")
    shop.expect("Early")
    shop.do("decide(false)")
    wait_until(shop.page, "fsbridge.status === 'waiting'")
    assert shop.operations("shutdown") == ["shutdown"]
    shop.do("decide(true, 'ad_storage'); decide(true); analytics.track('Again')")
    wait_until(shop.page, READY)
    assert shop.console.thrown == []


def test_a_template_that_updates_to_denied_is_a_refusal(shop: Shop) -> None:
    shop.open(TAG_MANAGER % "true", waiting("google analytics_storage"), "analytics.track('Early')")
    shop.do("decide(false)")
    wait_until(shop.page, "fsbridge.dropped === 1")
    shop.expect_nothing()


def test_gtag_beside_the_tag_manager_agrees_with_it(shop: Shop) -> None:
    """Google's tag manager reads the dataLayer, too: both say the same, and nothing is done twice."""
    manager = TAG_MANAGER % "false" + GTAG + "gtag('consent', 'default', { analytics_storage: 'denied' });"
    shop.open(manager, waiting("google analytics_storage"), "analytics.track('Early')")
    shop.do("gtag('consent', 'update', { analytics_storage: 'granted' }); decide(true)")
    shop.expect("Early")
    shop.do("gtag('consent', 'update', { analytics_storage: 'denied' }); decide(false)")
    wait_until(shop.page, "fsbridge.status === 'waiting'")
    shop.page.wait_for_timeout(100)
    assert shop.operations("shutdown", "restart") == ["shutdown"]


# Segment's snippets before 4.1 note nothing when they have loaded the SDK

OLD_SNIPPET = SEGMENT_SNIPPET.replace(
    "sdk._loadOptions = options;",
    "var script = document.createElement('script'); "
    "script.src = 'https://cdn.example/analytics.js/v1/' + key + '/analytics.min.js'; document.head.append(script);",
).replace('sdk._writeKey = "key";', 'sdk.SNIPPET_VERSION = "4.0.0";')


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("loaded", [True, False])
def test_a_snippet_of_segments_from_before_4_1(shop: Shop, loaded: bool, place: str) -> None:
    assert "_loadOptions" not in OLD_SNIPPET
    snippet = OLD_SNIPPET % ("sdk.load('key'); sdk.track('Snippet');" if loaded else "sdk.track('Snippet');")
    ours = tag(org=ORG, replace="")
    shop.open(*([snippet, ours] if place == "before" else [ours, snippet]))
    if not loaded:
        shop.expect_nothing()
        shop.do("analytics.load('key')")
    shop.expect("Snippet")


def test_anothers_sdk_is_no_load_of_rudderstacks(shop: Shop) -> None:
    segments = '<script async src="https://cdn.example/analytics.js/v1/key/analytics.min.js"></script>'
    shop.open(segments, RUDDER_SNIPPET % "", tag("rudderstack", org=ORG, replace=""), "rudderanalytics.track('Early')")
    shop.page.wait_for_timeout(300)
    assert shop.page.evaluate("fsbridge.status") == "waiting"
    assert shop.fullstory.operations == []
