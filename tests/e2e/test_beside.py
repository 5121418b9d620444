"""Beside a vendor's SDK: both it and FullStory get everything, whichever comes first."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from fsbridge.testing import FS, FullStory
from tests.e2e.conftest import ShopSite

from .beside import (
    CUSTOM,
    RUDDER_LOAD,
    RUDDER_SNIPPET,
    SEGMENT_SETTINGS,
    Vendors,
    consent_tools,
    destination,
    modules,
    rudder_config,
    segment_snippet,
    segment_snippet_4,
    with_actions,
)
from .shop import ORG, Console, html_page, tag, wait_for, wait_until

pytestmark = pytest.mark.parametrize("runtime", ["micropython", "pyodide"])

CALLS = "analytics.page('Home'); analytics.page('P'); analytics.identify('u1', { plan: 'free' });"
CALLS += "analytics.track('Order Completed', { price: 1 });"
SENT = ["Home", "P", "identify", "Order Completed", "Late"]
IS_READY = "window.fsbridge && fsbridge.status === 'ready'"


@pytest.fixture
def console(page: Page) -> Console:
    return Console(page)


@pytest.fixture
def infos(page: Page) -> Any:
    """What a page was told on the console without being warned."""
    told = []
    page.on("console", lambda message: told.append(message.text) if message.type == "info" else None)
    return told


@pytest.fixture(params=["new", "older"])
def segment(request: pytest.FixtureRequest, page: Page) -> Any:
    return Vendors(page, older=request.param == "older")


@pytest.fixture
def rudder(page: Page) -> Any:
    return Vendors(page)


def classic(runtime: str, **data: Any) -> Any:
    return tag("segment-classic", org=ORG, runtime=runtime, track_named_pages="true", **data)


def reached(fullstory: FullStory, *events: Any) -> Any:
    """What FullStory got as events, once the last of these has come."""
    fullstory.wait_for_event(events[-1])
    return [call.args[0] for call in fullstory.calls if call.name == "FS.event"]


def both_got_all(page: Page, fullstory: FullStory, vendors: Any, late: Any = "analytics.track('Late')") -> None:
    wait_until(page, IS_READY)
    page.wait_for_timeout(500)
    page.evaluate(f"() => {{ {late} }}")
    fullstory.wait_for_event("Late")
    vendors.wait_for("Late")
    events = [call for call in fullstory.calls if call.name in ("FS.event", "FS.identify")]
    assert events == [
        FS.event("Viewed Home Page", events[0].args[1], "segment"),
        FS.event("Viewed P Page", events[1].args[1], "segment"),
        FS.identify("u1", {"plan": "free"}, "segment"),
        FS.event("Order Completed", {"price": 1}, "segment"),
        FS.event("Late", {}, "segment"),
    ]
    assert vendors.names() == SENT


@pytest.mark.parametrize("order", ["above", "below"])
@pytest.mark.parametrize("snippet", [segment_snippet, segment_snippet_4], ids=["5", "4"])
def test_the_tag_and_segments_snippet(
    page: Page,
    site: ShopSite,
    fullstory: FullStory,
    console: Console,
    segment: Any,
    order: Any,
    snippet: Callable[[], str],
    runtime: str,
) -> None:
    parts = [classic(runtime), snippet() + CALLS]
    page.goto(site.page("/", html_page(*(parts if order == "above" else parts[::-1]))))
    both_got_all(page, fullstory, segment)
    assert console.thrown == console.written == []


@pytest.mark.parametrize("order", ["above", "below"])
def test_the_tag_and_rudderstacks_snippet(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, rudder: Any, order: Any, runtime: str
) -> None:
    calls = CALLS.replace("analytics.", "rudderanalytics.")
    ours = tag("rudderstack", org=ORG, runtime=runtime, destination_id="custom-1")
    parts = [ours, RUDDER_SNIPPET + RUDDER_LOAD + calls]
    page.goto(site.page("/", html_page(*(parts if order == "above" else parts[::-1]))))
    wait_until(page, IS_READY)
    page.evaluate("() => { rudderanalytics.track('Late') }")
    fullstory.wait_for_event("Late")
    wait_for(page, lambda: "Late" in rudder.names())
    assert [call.args[0] for call in fullstory.calls] == [
        "Viewed a Page",
        "Viewed a Page",
        "u1",
        "Order Completed",
        "Late",
    ]
    assert fullstory.calls[2] == FS.identify("u1", {"plan": "free"})
    assert rudder.names() == SENT
    assert console.thrown == console.written == []


@pytest.mark.parametrize("attached", [False, True])
@pytest.mark.parametrize("order", ["above", "below"])
def test_an_instance_in_a_module(
    page: Page,
    site: ShopSite,
    fullstory: FullStory,
    console: Console,
    segment: Any,
    order: Any,
    attached: Any,
    runtime: str,
) -> None:
    """Segment's SDK shows each instance to its inspector: nobody has to attach it; and it does no harm."""
    attach = "fsbridge.attach(own);" if attached else ""
    own = f"""
      const own = AnalyticsNext.AnalyticsBrowser.load({{ writeKey: "key", cdnURL: "https://cdn.example" }});
      {attach if order == "above" else ""}
      {CALLS.replace("analytics.", "own.")}
      window.later = () => own.track("Late");
    """
    module = f"<script src='https://cdn.example/sdk/index.js'></script><script>{own}</script>"
    parts = [classic(runtime), module, attach.replace("own", "window.own || {}")]
    if order == "below":
        parts = [module.replace("const own =", "window.own ="), classic(runtime), attach]
    page.goto(site.page("/", html_page(*parts)))
    both_got_all(page, fullstory, segment, "later()")
    assert console.thrown == console.written == []


def identities_and_events(fullstory: FullStory) -> Any:
    return [call.args[0] for call in fullstory.calls if call.name in ("FS.event", "FS.identify")]


@pytest.mark.parametrize("vendor", ["segment", "rudder"])
def test_a_snippet_that_comes_seconds_later(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, vendor: str, runtime: str
) -> None:
    """What FullStory has by then reaches the vendor, too, and FullStory not again."""
    vendors = Vendors(page)
    ours, snippet, name = classic(runtime), segment_snippet(), "analytics"
    if vendor == "rudder":
        ours = tag("rudderstack", org=ORG, runtime=runtime, destination_id="custom-1")
        snippet, name = RUDDER_SNIPPET + RUDDER_LOAD, "rudderanalytics"
    early = f"{name}.identify('u1', {{ plan: 'free' }}); {name}.track('Early', {{ n: 1 }}, {{ context: {{ a: 1 }} }})"
    page.goto(site.page("/", html_page(ours, early)))
    wait_until(page, IS_READY)
    page.evaluate(f"() => {{ window.held = {name}.track; {name}.track('Live'); {name}.track('Bare', null) }}")
    fullstory.wait_for_event("Bare")
    page.evaluate(
        "text => { const s = document.createElement('script'); s.text = text; document.head.append(s) }", snippet
    )
    page.evaluate(f"() => {{ {name}.track('After'); held('Held') }}")
    fullstory.wait_for_event("Held")
    vendors.wait_for("Held")
    assert vendors.names() == ["identify", "Early", "Live", "Bare", "After", "Held"]
    assert identities_and_events(fullstory) == ["u1", "Early", "Live", "Bare", "After", "Held"]
    assert vendors.got[1]["context"]["a"] == 1
    assert vendors.got[1]["properties"]["n"] == 1
    assert console.thrown == console.written == []


@pytest.mark.parametrize("way", ["found", "data-beside"])
def test_nothing_starts_before_the_page_loads_its_sdk(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, way: str, runtime: str
) -> None:
    vendors = Vendors(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    parts = [segment_snippet(False) + CALLS, classic(runtime)]
    if way == "data-beside":
        parts = [classic(runtime, beside=""), segment_snippet(False) + CALLS]
    page.goto(site.page("/", html_page(*parts)))
    page.wait_for_timeout(1000)
    assert page.evaluate("fsbridge.status") == "waiting"
    assert [url for url in asked if "fsbridge" in url] == ["https://shop.example/fsbridge/fsbridge.js"]
    assert not [url for url in asked if "fullstory" in url]
    page.evaluate("() => { analytics.load('key') }")
    both_got_all(page, fullstory, vendors)
    snapshots = [url for url in asked if url.endswith(".snapshot") and ".second." not in url]
    if runtime == "micropython":
        assert snapshots == ["https://shop.example/fsbridge/fsbridge/segment-classic-beside.snapshot"]
    assert console.thrown == console.written == []


def test_data_beside_without_an_sdk(page: Page, site: ShopSite, console: Console, runtime: str) -> None:
    page.goto(site.page("/", html_page(classic(runtime, beside=""))))
    page.wait_for_timeout(300)
    assert page.evaluate("[fsbridge.status, 'analytics' in window]") == ["waiting", False]
    assert console.thrown == console.written == []


@pytest.mark.parametrize("way", ["data-beside", "fsbridgeConfig"])
def test_not_beside(page: Page, site: ShopSite, fullstory: FullStory, console: Console, runtime: str, way: str) -> None:
    """False means false: the tag stands in at once. `load({ beside: false })` sets the same configuration."""
    config = "window.fsbridgeConfig = { beside: false, replace: false }"
    data = {"beside": "false", "replace": "false"} if way == "data-beside" else {}
    page.goto(
        site.page("/", html_page(*([] if data else [config]), classic(runtime, **data), "analytics.track('Here')"))
    )
    fullstory.wait_for_event("Here")
    assert console.thrown == console.written == []


def test_in_the_vendors_place(page: Page, site: ShopSite, fullstory: FullStory, console: Console, runtime: str) -> None:
    vendors = Vendors(page)
    page.goto(site.page("/", html_page(segment_snippet() + CALLS, classic(runtime, replace=""))))
    wait_until(page, IS_READY)
    wait_for(page, lambda: vendors.loaded)
    page.wait_for_timeout(500)
    page.evaluate("() => { analytics.track('Late') }")
    fullstory.wait_for_event("Late")
    assert vendors.names() == []
    assert console.thrown == console.written == []


@pytest.mark.parametrize(
    ("data", "lines"),
    [({}, 1), ({"beside": ""}, 0), ({"replace": ""}, 0), ({"beside": "false"}, 1), ({"replace": "false"}, 1)],
    ids=["unsaid", "beside", "replace", "not beside", "not replacing"],
)
def test_one_line_where_the_page_has_not_chosen(
    page: Page, site: ShopSite, fullstory: FullStory, infos: list[str], data: Any, lines: int, runtime: str
) -> None:
    Vendors(page)
    page.goto(site.page("/", html_page(segment_snippet() + CALLS, classic(runtime, **data))))
    wait_until(page, IS_READY)
    ours = [text for text in infos if text.startswith("[fsbridge]")]
    assert len(ours) == lines
    assert all("data-beside" in text and "data-replace" in text for text in ours)


def test_another_global(page: Page, site: ShopSite, fullstory: FullStory, console: Console, runtime: str) -> None:
    vendors = Vendors(page)
    snippet = segment_snippet(key="mine") + CALLS.replace("analytics.", "mine.")
    page.goto(site.page("/", html_page(snippet, classic(runtime, **{"global": "mine"}))))
    both_got_all(page, fullstory, vendors, "mine.track('Late')")
    assert page.evaluate("typeof analytics") == "undefined"
    assert console.thrown == console.written == []


FILTERED = """
const t = (name, integrations) => analytics.track(name, {}, { integrations });
t("No", { [NAME]: false }); t("All off", { All: false }); t("Only", { All: false, [NAME]: true });
t("Action off", { [`Fullstory (Actions) trackEventV2`]: false });
t("Action only", { All: false, [`Fullstory (Actions) trackEventV2`]: true });
analytics.track("Last");
"""


def test_integrations_name_us_as_they_name_the_vendors_own(
    page: Page, site: ShopSite, fullstory: FullStory, segment: Any, runtime: str
) -> None:
    calls = FILTERED.replace("NAME", "'Fullstory (Actions)'")
    ours = tag("segment-actions", org=ORG, runtime=runtime)
    page.goto(site.page("/", html_page(ours, segment_snippet() + calls)))
    wait_until(page, IS_READY)
    fullstory.wait_for_event("Last")
    assert [event.name for event in fullstory.events] == ["Only", "Action only", "Last"]


def test_middleware_tracking_plan_and_filters_as_for_the_vendors_own(
    page: Page, site: ShopSite, fullstory: FullStory, runtime: str
) -> None:
    rule = {
        "matchers": [{"ir": '["=", "event", {"value": "Filtered"}]', "type": "fql"}],
        "scope": "destinations",
        "target_type": "workspace::project::destination::config",
        "transformers": [[{"type": "drop"}]],
        "destinationName": "FullStory",
    }
    plan = {"track": {"__default": {"enabled": True}, "Planned": {"enabled": False, "integrations": {}}}}
    settings = {**SEGMENT_SETTINGS, "plan": plan, "middlewareSettings": {"routingRules": [rule]}}
    vendors = Vendors(page, settings=settings)
    calls = """
      analytics.addDestinationMiddleware("FullStory", ({ payload, next, integration }) => {
        if (payload.event() === "Held back") return next(null);
        payload.obj.properties.seen = integration;
        setTimeout(() => next(payload), 0);
        return new Promise((resolve) => setTimeout(resolve, 20));
      });
      for (const name of ["One", "Held back", "Filtered", "Planned", "Two"]) analytics.track(name, {});
    """
    page.goto(site.page("/", html_page(classic(runtime), segment_snippet() + calls)))
    wait_until(page, IS_READY)
    vendors.wait_for("Two")
    fullstory.expect_calls(*[FS.event(name, {"seen": "FullStory"}, "segment") for name in ("One", "Two")])
    assert vendors.names() == ["One", "Held back", "Filtered", "Planned", "Two"]
    assert [each["properties"] for each in vendors.got] == [{}] * 5


OWN = """
analytics.register({
  name: "FullStory", type: "destination", version: "1", isLoaded: () => true, load: async () => {},
});
"""


@pytest.mark.parametrize("order", ["above", "below"])
def test_the_vendors_own_destination_is_active_as_well(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, order: str, runtime: str
) -> None:
    vendors = Vendors(page)
    parts = [classic(runtime), segment_snippet() + OWN + CALLS]
    page.goto(site.page("/", html_page(*(parts if order == "above" else parts[::-1]))))
    wait_until(page, "window.fsbridge && fsbridge.status === 'doubled'")
    wait_for(page, lambda: len(vendors.got) == 4)
    assert page.evaluate("typeof FS") == "undefined"
    [line] = console.written
    assert 'data-when-doubled="send"' in line


def test_sending_all_the_same(page: Page, site: ShopSite, fullstory: FullStory, console: Console, runtime: str) -> None:
    vendors = Vendors(page)
    page.goto(site.page("/", html_page(classic(runtime, when_doubled="send"), segment_snippet() + OWN + CALLS)))
    both_got_all(page, fullstory, vendors)
    assert console.thrown == console.written == []


def test_rudderstacks_own_destination_is_active_as_well(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, runtime: str
) -> None:
    vendors = Vendors(page, config=rudder_config(destination("own", "Fullstory", fs_org=ORG)))
    ours = tag("rudderstack", org=ORG, runtime=runtime, destination_id=CUSTOM)
    calls = CALLS.replace("analytics.", "rudderanalytics.")
    page.goto(site.page("/", html_page(ours, RUDDER_SNIPPET + RUDDER_LOAD + calls)))
    wait_until(page, "window.fsbridge && fsbridge.status === 'doubled'")
    wait_for(page, lambda: len(vendors.got) == 4)
    assert fullstory.calls == []
    assert len([line for line in console.written if line.startswith("[fsbridge]")]) == 1


@pytest.mark.parametrize("vendor", ["segment", "older", "rudder"])
def test_the_session_is_in_the_context_of_the_sdks_messages(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, vendor: str, runtime: str
) -> None:
    vendors = Vendors(page, older=vendor == "older")
    ours, snippet, name = classic(runtime, session_url=""), segment_snippet(), "analytics"
    if vendor == "rudder":
        ours = tag("rudderstack", org=ORG, runtime=runtime, destination_id=CUSTOM, session_url="")
        snippet, name = RUDDER_SNIPPET + RUDDER_LOAD, "rudderanalytics"
    page.goto(site.page("/", html_page(ours, snippet + f"{name}.track('Early')")))
    wait_until(page, IS_READY)
    page.wait_for_timeout(300)
    page.evaluate(f"() => {{ {name}.track('Late') }}")
    vendors.wait_for("Late")
    url, id_ = page.evaluate("[FS('getSession'), FS('getSession', { format: 'id' })]")
    assert vendors.got[-1]["context"]["fullstory"] == {"sessionUrl": url, "sessionId": id_}
    assert console.thrown == console.written == []


@pytest.mark.parametrize("vendor", ["segment", "rudder"])
def test_a_tag_that_comes_after_an_sdk_that_has_begun(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, vendor: str, runtime: str
) -> None:
    vendors = Vendors(page)
    data = {"destination": "segment-classic", "org": ORG, "runtime": runtime}
    snippet, name, calls = segment_snippet(), "analytics", "analytics.track('Before');"
    if vendor == "rudder":
        data = {**data, "destination": "rudderstack", "destinationId": CUSTOM}
        snippet, name, calls = RUDDER_SNIPPET + RUDDER_LOAD, "rudderanalytics", "rudderanalytics.track('Before');"
    page.goto(site.page("/", html_page(snippet + calls)))
    vendors.wait_for("Before")
    add = """data => {
      const script = document.createElement("script");
      Object.assign(script.dataset, data);
      script.src = "/fsbridge/fsbridge.js";
      document.head.append(script);
    }"""
    page.evaluate(add, data)
    wait_until(page, IS_READY)
    page.evaluate(f"() => {{ {name}.track('Late') }}")
    fullstory.wait_for_event("Late")
    assert identities_and_events(fullstory) == ["Late"]
    [line] = console.written
    assert "put the tag above it" in line


def test_without_a_destination_id(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, runtime: str
) -> None:
    vendors = Vendors(page)
    calls = "rudderanalytics.track('One')"
    ours = tag("rudderstack", org=ORG, runtime=runtime)
    page.goto(site.page("/", html_page(ours, RUDDER_SNIPPET + RUDDER_LOAD + calls)))
    wait_until(page, "window.fsbridge && fsbridge.status === 'failed'")
    wait_for(page, lambda: vendors.names() == ["One"])
    assert "data-destination-id is missing" in console.written[0]


@pytest.mark.parametrize("blocked", ["no answer", "an error"])
def test_an_sdk_that_never_comes(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, blocked: str, runtime: str
) -> None:
    vendors = Vendors(page)
    if blocked == "no answer":
        vendors.hold()
    else:
        page.route("https://cdn.example/analytics.js/**", lambda route: route.abort())
    page.goto(
        site.page(
            "/",
            html_page(classic(runtime), segment_snippet() + CALLS),
        ),
        wait_until="commit",
    )
    page.wait_for_timeout(1500)
    page.evaluate("() => { analytics.track('Later') }")
    assert page.evaluate("fsbridge.status") == "waiting"
    assert console.thrown == []
    assert fullstory.calls == []
    if blocked == "no answer":
        vendors.release()
        fullstory.wait_for_event("Later")
        vendors.wait_for("Later")


@pytest.mark.parametrize("destination_", ["segment-classic", "segment-actions", "rudderstack"])
@pytest.mark.parametrize("source", ["analytics.js", "rudderanalytics"])
def test_each_sdk_feeds_each_destination(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, source: str, destination_: str, runtime: str
) -> None:
    vendors = Vendors(page)
    ours = tag(destination_, org=ORG, runtime=runtime, source=source, destination_id=CUSTOM)
    snippet, calls = segment_snippet(), CALLS
    if source == "rudderanalytics":
        snippet, calls = RUDDER_SNIPPET + RUDDER_LOAD, CALLS.replace("analytics.", "rudderanalytics.")
    page.goto(site.page("/", html_page(ours, snippet + calls)))
    wait_until(page, IS_READY)
    fullstory.wait_for_event("Order Completed", {"price": 1})
    wait_for(page, lambda: len(vendors.got) == 4)
    fullstory.wait_for_identity("u1")
    assert console.thrown == console.written == []


def subscription(action: str, type_: str, mapping: Any) -> Any:
    subscribe = f'type = "{type_}"'
    return {"name": action, "enabled": True, "subscribe": subscribe, "partnerAction": action, "mapping": mapping}


SUBSCRIPTIONS = [
    subscription("trackEvent", "track", {"name": {"@path": "$.event"}, "properties": {"@path": "$.properties"}}),
    subscription("viewedPage", "page", {"pageName": {"@path": "$.name"}, "properties": {"@path": "$.properties"}}),
    subscription(
        "identifyUser",
        "identify",
        {
            "userId": {"@path": "$.userId"},
            "anonymousId": {"@path": "$.anonymousId"},
            "traits": {"@path": "$.traits"},  # and no displayName, which the package on npm gives to nobody with an id
        },
    ),
]
RECORDER = """
window.got = [];
const note = (...call) => { got.push(JSON.stringify(call)) };
window.FS = (...args) => note("FS", args);
for (const method of ["event", "identify", "setUserVars", "setVars"]) FS[method] = (...args) => note(method, args);
"""
MANY = """
analytics.page("Shop", "Shoes", { n: 1 });
analytics.identify({ name: "Anonymous", email: "a@b.example", first_name: "x" });
analytics.identify("u1", { name: "Ann", plan: "free", nested: { a: [1, { b: null }] }, when: new Date(0) });
analytics.track("Order Completed", { price: 9.5, "odd key": 1, list: [{ b: 1 }], at: new Date(1e12), no: undefined });
analytics.track("Plain");
analytics.track("Off", {}, { integrations: { "Fullstory (Actions)": false } });
analytics.track("One", {}, { integrations: { "Fullstory (Actions) trackEvent": false } });
analytics.track("Only one", {}, { integrations: { All: false, "Fullstory (Actions) trackEvent": true } });
analytics.group("g1", { name: "Acme" }); analytics.alias("u2"); analytics.screen("S");
analytics.reset(); analytics.track("After");
analytics.addDestinationMiddleware("Fullstory (Actions)", ({ payload, next }) => {
  if (payload.obj.event === "Plain") return next(null);
  if (payload.obj.properties) payload.obj.properties.seen = true;
  next(payload);
});
"""


def test_call_by_call_what_the_vendors_own_destination_makes(
    page: Page, site: ShopSite, console: Console, runtime: str
) -> None:
    """Segment's own FullStory (Actions) and ours behind one SDK: each of its calls comes from us, too, in its order."""
    settings = {"orgId": ORG, "subscriptions": SUBSCRIPTIONS}
    vendors = Vendors(page, settings=with_actions(**settings))
    ours = tag("segment-actions", settings=settings, runtime=runtime, when_doubled="send")
    page.goto(site.page("/", html_page(RECORDER, segment_snippet() + MANY, ours)))
    wait_until(page, IS_READY)
    vendors.wait_for("After")
    wait_for(page, lambda: sum("After" in call for call in page.evaluate("got")) >= 2)
    got = page.evaluate("got")
    assert [got.count(call) for call in got] == [2] * len(got)
    made = [json.loads(call) for call in dict.fromkeys(got)]
    assert [args[0] for method, args in made if method == "event"] == ["Order Completed", "Only one", "After"]
    assert [method for method, _ in made].count("identify") == 1
    assert console.thrown == []


def test_the_vendors_own_actions_are_active_as_well(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, runtime: str
) -> None:
    settings = {"orgId": ORG, "subscriptions": SUBSCRIPTIONS}
    vendors = Vendors(page, settings=with_actions(**settings))
    ours = tag("segment-actions", settings=settings, runtime=runtime)
    page.goto(site.page("/", html_page(ours, segment_snippet() + CALLS)))
    wait_until(page, "window.fsbridge && fsbridge.status === 'doubled'")
    wait_for(page, lambda: len(vendors.got) == 4)
    fullstory.wait_for_event("Order Completed")
    assert identities_and_events(fullstory) == ["u1", "Order Completed"]
    assert len([line for line in console.written if line.startswith("[fsbridge]")]) == 1


@pytest.mark.parametrize("when", ["before it has begun", "later"])
def test_an_instance_under_another_global_that_is_replaced(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, when: str, runtime: str
) -> None:
    """Both have us; each message comes once."""
    vendors = Vendors(page)
    load = "AnalyticsNext.AnalyticsBrowser.load({ writeKey: 'key', cdnURL: 'https://cdn.example' })"
    first = f"<script src='https://cdn.example/sdk/index.js'></script><script>window.mine = {load};</script>"
    replaced = f"window.first = mine; mine = {load}; mine.track('Second');"
    parts = [first, "mine.track('First')", classic(runtime, **{"global": "mine"})]
    if when == "before it has begun":
        parts.append(replaced)
    page.goto(site.page("/", html_page(*parts)))
    wait_until(page, IS_READY)
    if when == "later":
        page.evaluate(f"() => {{ {replaced} }}")
    fullstory.wait_for_event("Second")
    page.evaluate("() => { first.track('Third'); mine.track('Fourth') }")
    fullstory.wait_for_event("Fourth")
    wait_for(page, lambda: {"Third", "Fourth"} <= set(vendors.names()))
    # analytics-next is late for an instance that had begun when we came: then it says so.
    assert sorted(set(identities_and_events(fullstory)) | {"First"}) == ["First", "Fourth", "Second", "Third"]
    assert len(identities_and_events(fullstory)) == len(set(identities_and_events(fullstory)))
    assert sorted(vendors.names()) == ["First", "Fourth", "Second", "Third"]
    assert console.thrown == []


STORED = """() => [...Object.keys(localStorage), ...Object.keys(sessionStorage), document.cookie].filter(
  (name) => name.startsWith("fsbridge"))"""


@pytest.mark.parametrize("order", ["above", "below"])
@pytest.mark.parametrize("way", ["found", "data-beside"])
def test_with_data_consent_too(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, way: str, order: str, runtime: str
) -> None:
    """The SDK goes on without us before consent; nothing of ours is asked for or stored; then all that waited comes."""
    vendors = Vendors(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    ours = classic(runtime, consent="wait", beside="" if way == "data-beside" else None)
    parts = [ours, segment_snippet() + CALLS]
    page.goto(site.page("/", html_page(*(parts if order == "above" else parts[::-1]))))
    wait_for(page, lambda: len(vendors.got) == 4)
    page.wait_for_timeout(300)
    assert page.evaluate("fsbridge.status") == "waiting"
    assert [url for url in asked if "fsbridge" in url] == ["https://shop.example/fsbridge/fsbridge.js"]
    assert not [url for url in asked if "fullstory" in url]
    assert page.evaluate(STORED) == []
    page.evaluate("() => fsbridge.consent(true)")
    both_got_all(page, fullstory, vendors)
    identity = page.evaluate("localStorage.ajs_anonymous_id")
    page.evaluate("() => { fsbridge.consent(false); analytics.track('Refused') }")
    vendors.wait_for("Refused")
    assert page.evaluate("[fsbridge.status, fsbridge.dropped]") == ["waiting", 1]
    assert page.evaluate("localStorage.ajs_anonymous_id") == identity
    assert page.evaluate(STORED) == []
    page.evaluate("() => { fsbridge.consent(true); analytics.track('Again') }")
    fullstory.wait_for_event("Again")
    assert [each.name for each in fullstory.events][-2:] == ["Late", "Again"]
    told = [each.operation for each in fullstory.operations if each.operation in ("shutdown", "restart")]
    assert told == ["shutdown", "restart"]
    assert console.thrown == console.written == []


def test_with_data_consent_rudderstacks_sdk_too(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, rudder: Any, runtime: str
) -> None:
    calls = CALLS.replace("analytics.", "rudderanalytics.")
    ours = tag("rudderstack", org=ORG, runtime=runtime, destination_id=CUSTOM, consent="wait")
    page.goto(site.page("/", html_page(ours, RUDDER_SNIPPET + RUDDER_LOAD + calls)))
    wait_for(page, lambda: len(rudder.got) == 4)
    page.wait_for_timeout(300)
    assert (fullstory.operations, page.evaluate(STORED)) == ([], [])
    page.evaluate("() => { fsbridge.consent(true); rudderanalytics.track('Late') }")
    fullstory.wait_for_event("Late")
    assert identities_and_events(fullstory) == ["Viewed a Page", "Viewed a Page", "u1", "Order Completed", "Late"]
    kept = page.evaluate("document.cookie")
    page.evaluate("() => fsbridge.consent(false)")
    assert "rl_anonymous_id" in kept
    assert "rl_anonymous_id" in page.evaluate("document.cookie")
    assert console.thrown == console.written == []


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("sdks", [True, False])
def test_both_consents_are_needed(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, ours: bool, sdks: bool, runtime: str
) -> None:
    """The SDK's, as its consent wrappers say it in ``integrations`` of load, and that of data-consent."""
    vendors = Vendors(page)
    load = f"analytics.load('key', {{ integrations: {{ FullStory: {str(sdks).lower()} }} }});"
    page.goto(site.page("/", html_page(classic(runtime, consent="wait"), segment_snippet(False) + CALLS + load)))
    wait_for(page, lambda: len(vendors.got) == 4)
    page.evaluate(f"() => fsbridge.consent({str(ours).lower()})")
    if ours and sdks:
        fullstory.wait_for_event("Order Completed")
    else:
        page.wait_for_timeout(1500)
        assert fullstory.operations == []
        assert page.evaluate("typeof FS") == "undefined"
    assert console.thrown == []


WRAPPER = """
let categories = { C1: true, C2: %s };
let tell;
window.agree = () => { categories = { C1: true, C2: true }; tell(categories); };
consentTools.createWrapper({
  shouldLoadSegment: (context) => context.load({ consentModel: "%s" }),
  getCategories: () => categories,
  registerOnConsentChanged: (changed) => { tell = changed; },
  integrationCategoryMappings: %s,
})(analytics);
analytics.load("key");
"""
MAPPINGS = '{ FullStory: ["C2"], Other: ["C1"] }'


@pytest.mark.parametrize("order", ["above", "below"])
@pytest.mark.parametrize("model", ["opt-in", "opt-out"])
@pytest.mark.parametrize("agreed", [True, False])
def test_segments_consent_wrapper(
    page: Page,
    site: ShopSite,
    fullstory: FullStory,
    console: Console,
    agreed: bool,
    model: str,
    order: str,
    runtime: str,
) -> None:
    """It means us by the vendor's name, which the workspace need not have: we don't start, or get nothing."""
    vendors = Vendors(page)
    wrapper = consent_tools() + WRAPPER % (str(agreed).lower(), model, MAPPINGS)
    parts = [classic(runtime), segment_snippet(False) + wrapper + "analytics.track('Early')"]
    page.goto(site.page("/", html_page(*(parts if order == "above" else parts[::-1]))))
    vendors.wait_for("Early")
    if agreed:
        fullstory.wait_for_event("Early")
    elif model == "opt-in":  # a later yes counts on the next page, as for the vendor's own
        wait_until(page, "fsbridge.status === 'waiting' && Boolean(fsbridge.inspect)")
        page.evaluate("() => { agree(); analytics.track('Late') }")
        vendors.wait_for("Late")
        assert page.evaluate("[fsbridge.status, typeof FS]") == ["waiting", "undefined"]
    else:
        wait_until(page, IS_READY)
        page.evaluate("() => { agree(); analytics.track('Late') }")
        fullstory.wait_for_event("Late")
        assert identities_and_events(fullstory) == ["Segment Consent Preference Updated", "Late"]
    assert console.thrown == []


@pytest.mark.parametrize(("agreed", "listed"), [(True, False), (False, False), (False, True)])
def test_segments_consent_wrapper_with_a_workspaces_categories(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, agreed: bool, listed: bool, runtime: str
) -> None:
    """With opt-in the wrapper takes a destination out before we see the settings: all categories count."""
    consents = {"allCategories": ["C1", "C2"], "hasUnmappedDestinations": False}
    settings = {**SEGMENT_SETTINGS, "consentSettings": consents}
    if listed:
        needed = {"consentSettings": {"categories": ["C2"]}}
        settings["integrations"] = {**SEGMENT_SETTINGS["integrations"], "FullStory": needed}
    vendors = Vendors(page, settings=settings)
    wrapper = consent_tools() + WRAPPER % (str(agreed).lower(), "opt-in", "undefined")
    calls = wrapper + "analytics.track('Early')"
    page.goto(site.page("/", html_page(classic(runtime), segment_snippet(False) + calls)))
    vendors.wait_for("Early")
    if agreed:
        fullstory.wait_for_event("Early")
    else:
        wait_until(page, "fsbridge.status === 'waiting' && Boolean(fsbridge.inspect)")
        assert page.evaluate("typeof FS") == "undefined"
    assert console.thrown == []


@pytest.mark.parametrize("consents", [["C1"], ["C1", "C2"]])
def test_the_consents_of_rudderstacks_sdk(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, consents: list[str], runtime: str
) -> None:
    """Our destination there needs one: nothing starts before the SDK has it, or without it."""
    vendors = Vendors(page)
    needed = {"provider": "custom", "consents": [{"consent": "C2"}], "resolutionStrategy": "and"}
    vendors.config["source"]["destinations"][0]["config"]["consentManagement"] = [needed]
    more = "preConsent: { enabled: true }, consentManagement: { enabled: true, provider: 'custom' }"
    ours = tag("rudderstack", org=ORG, runtime=runtime, destination_id=CUSTOM)
    load = RUDDER_LOAD.replace("{", "{ " + more + ", ", 1)
    page.goto(site.page("/", html_page(ours, RUDDER_SNIPPET + load + "rudderanalytics.track('Early')")))
    wait_for(page, lambda: vendors.loaded)
    wait_until(page, "!Array.isArray(rudderanalytics)")
    page.wait_for_timeout(500)
    assert page.evaluate("[fsbridge.status, typeof FS]") == ["waiting", "undefined"]
    given = json.dumps({"consentManagement": {"allowedConsentIds": consents}})
    page.evaluate(f"() => {{ rudderanalytics.consent({given}); rudderanalytics.track('Late') }}")
    vendors.wait_for("Late")
    if "C2" in consents:
        fullstory.wait_for_event("Late")
        assert identities_and_events(fullstory)[-2:] == ["Early", "Late"]
    else:
        page.wait_for_timeout(500)
        assert page.evaluate("[fsbridge.status, typeof FS]") == ["waiting", "undefined"]
    assert console.thrown == []


def test_reset_is_the_sdks(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, segment: Any, runtime: str
) -> None:
    """Who is nobody again for the SDK is so for us, too; FullStory isn't asked to forget, as by the vendor's own."""
    page.goto(site.page("/", html_page(classic(runtime), segment_snippet() + CALLS)))
    wait_until(page, IS_READY)
    page.evaluate(
        "async () => { await analytics.reset(); analytics.identify({ plan: 'new' }); analytics.track('Late') }"
    )
    fullstory.wait_for_event("Late")
    [anonymous] = [call for call in fullstory.calls if call.name == "FS.setUserVars"]
    assert anonymous.args[0]["plan"] == "new"
    assert "anonymize" not in json.dumps([call.name for call in fullstory.calls])
    wait_for(page, lambda: "Late" in segment.names())
    assert console.thrown == []


SILENT: dict[str, Any] = {
    "data-beside, and no SDK": [{"beside": ""}, ""],
    "data-beside above the snippet": [{"beside": ""}, "below"],
    "above the snippet": [{}, "below"],
    "below the snippet": [{}, "above"],
}


def told(page: Page, console: Console) -> Any:
    """What we have written once more than thirty seconds have passed, which begin when Python is there."""
    for _ in range(1200):
        ours = [line for line in console.written if line.startswith("[fsbridge]")]
        if ours:
            return ours
        page.wait_for_timeout(100)
        page.clock.fast_forward(5_000)
    return []


@pytest.mark.parametrize("case", SILENT)
@pytest.mark.parametrize("vendor", ["segment", "rudder"])
def test_it_is_said_in_each_case_that_no_sdk_has_come(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, vendor: str, case: str, runtime: str
) -> None:
    Vendors(page)
    page.route("https://cdn.example/**", lambda route: route.abort())
    data, snippet_is = SILENT[case]
    snippet, ours = segment_snippet() + CALLS, classic(runtime, **data)
    if vendor == "rudder":
        snippet = RUDDER_SNIPPET + RUDDER_LOAD
        ours = tag("rudderstack", org=ORG, runtime=runtime, destination_id=CUSTOM, **data)
    parts = [*([snippet] if snippet_is == "above" else []), ours, *([snippet] if snippet_is == "below" else [])]
    page.clock.install()
    page.goto(site.page("/", html_page(*parts)))
    said = "the vendor's SDK hasn't begun within 30 s: nothing reaches FullStory before"
    assert told(page, console) == [f"[fsbridge] {said}"]
    assert page.evaluate("fsbridge.status") == "waiting"
    assert (console.thrown, fullstory.operations) == ([], [])


@pytest.mark.parametrize("order", ["above", "below"])
def test_a_page_that_has_not_called_load_is_left_alone(
    page: Page, site: ShopSite, console: Console, order: str, runtime: str
) -> None:
    """It may wait for its visitor's consent for as long as it likes, and nothing of ours is asked for."""
    Vendors(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    parts = [classic(runtime), segment_snippet(False) + CALLS]
    page.clock.install()
    page.goto(site.page("/", html_page(*(parts if order == "above" else parts[::-1]))))
    for _ in range(20):
        page.clock.fast_forward(5_000)
        page.wait_for_timeout(20)
    assert [url for url in asked if "fsbridge" in url] == ["https://shop.example/fsbridge/fsbridge.js"]
    assert page.evaluate("fsbridge.status") == "waiting"
    assert console.thrown == console.written == []


@pytest.mark.parametrize("order", ["above", "below"])
def test_an_sdk_of_rudderstacks_that_takes_no_custom_integrations(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, order: str, runtime: str
) -> None:
    """It works on for the vendor, and it is said what it lacks."""
    vendors = Vendors(page)
    vendors.rudder = modules() / "rudderstack-older/dist/npm/modern/bundled/cjs/index.cjs"
    ours = tag("rudderstack", org=ORG, runtime=runtime, destination_id=CUSTOM)
    parts = [ours, RUDDER_SNIPPET + RUDDER_LOAD + "rudderanalytics.track('One')"]
    page.clock.install()
    page.goto(site.page("/", html_page(*(parts if order == "above" else parts[::-1]))))
    wait_for(page, lambda: vendors.loaded)
    [line] = told(page, console)
    assert "from version 3.23 on" in line
    page.clock.fast_forward(5_000)
    wait_for(page, lambda: vendors.names() == ["One"])
    assert (console.thrown, fullstory.operations) == ([], [])


@pytest.mark.parametrize("order", ["above", "below"])
def test_an_sdk_of_segments_that_tells_its_inspector_in_an_older_way(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, order: str, runtime: str
) -> None:
    vendors = Vendors(page)
    vendors.segment = modules() / "analytics-next-oldest/dist/umd"
    parts = [classic(runtime), segment_snippet() + CALLS]
    page.goto(site.page("/", html_page(*(parts if order == "above" else parts[::-1]))))
    wait_until(page, IS_READY)
    page.evaluate("() => { analytics.track('Late') }")
    fullstory.wait_for_event("Late")
    vendors.wait_for("Late")
    assert identities_and_events(fullstory)[-3:] == ["u1", "Order Completed", "Late"]
    assert vendors.names() == SENT
    assert console.thrown == []


@pytest.mark.parametrize("vendor", ["segment", "rudder"])
def test_a_load_that_switches_us_off(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, vendor: str, runtime: str
) -> None:
    """By the vendor's own name: FullStory isn't even loaded, and the status tells."""
    vendors = Vendors(page)
    off = "integrations: { FullStory: false }"
    ours, name = classic(runtime), "analytics"
    snippet = segment_snippet(False) + f"analytics.load('key', {{ {off} }});"
    if vendor == "rudder":
        ours, name = tag("rudderstack", org=ORG, runtime=runtime, destination_id=CUSTOM), "rudderanalytics"
        snippet = RUDDER_SNIPPET + RUDDER_LOAD.replace("{", "{ " + off.replace("FullStory", "Fullstory") + ", ")
    page.goto(site.page("/", html_page(ours, snippet + f"{name}.track('One')")))
    wait_for(page, lambda: vendors.names() == ["One"])
    wait_until(page, "fsbridge.status === 'waiting' && Boolean(fsbridge.inspect)")
    page.evaluate(f"() => {{ {name}.track('Two') }}")
    wait_for(page, lambda: vendors.names() == ["One", "Two"])
    assert page.evaluate("[fsbridge.status, typeof FS]") == ["waiting", "undefined"]
    assert (console.thrown, fullstory.operations) == ([], [])


MODULES = {
    "segment-classic": (
        "ajs_user_id",
        """<script type="module" src="https://cdn.example/sdk/index.js"></script><script type="module">
          AnalyticsNext.AnalyticsBrowser.load({ writeKey: "key", cdnURL: "https://cdn.example" });
        </script>""",
    ),
    "rudderstack": ("rl_user_id", '<script type="module" src="https://cdn.example/rudder/rsa.js"></script>'),
}


@pytest.mark.parametrize("destination_", MODULES)
def test_a_refusal_leaves_an_sdk_in_a_module_its_identity(
    page: Page, site: ShopSite, console: Console, destination_: str, runtime: str
) -> None:
    """Module scripts run when the document has been parsed. Without one the identity is an earlier page's of ours."""
    Vendors(page)
    key, module = MODULES[destination_]
    seed = f"localStorage['{key}'] = '\"u1\"'"
    ours = tag(destination_, org=ORG, runtime=runtime, consent="wait", destination_id=CUSTOM)
    page.goto(site.page("/", html_page(seed, ours, "fsbridge.consent(false)", module)))
    page.wait_for_timeout(500)
    assert page.evaluate(f"'{key}' in localStorage")
    page.goto(site.page("/", html_page(seed, ours, "fsbridge.consent(false)")))
    wait_until(page, f"!('{key}' in localStorage)")
    assert console.thrown == []


@pytest.mark.parametrize("vendor", ["segment", "rudder"])
def test_an_sdk_that_has_loaded_and_does_not_begin(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, vendor: str, runtime: str
) -> None:
    """After thirty seconds it is said; should it begin after all, everything arrives."""
    vendors = Vendors(page)
    held: list[Any] = []
    settings = "https://cdn.example/**/settings" if vendor == "segment" else "https://config.example/**"
    page.route(settings, lambda route: held.append(route))
    ours, snippet, name = classic(runtime), segment_snippet(), "analytics"
    if vendor == "rudder":
        ours = tag("rudderstack", org=ORG, runtime=runtime, destination_id=CUSTOM)
        snippet, name = RUDDER_SNIPPET + RUDDER_LOAD, "rudderanalytics"
    page.clock.install()
    page.goto(site.page("/", html_page(snippet + f"{name}.track('Early')", ours)))
    wait_for(page, lambda: held and vendors.loaded)
    said = "the vendor's SDK hasn't begun within 30 s: nothing reaches FullStory before"
    assert told(page, console) == [f"[fsbridge] {said}"]
    assert page.evaluate("fsbridge.status") == "waiting"
    assert fullstory.operations == []
    page.unroute(settings)
    for route in held:
        route.fallback()
    fullstory.wait_for_event("Early")
    wait_until(page, IS_READY)
    assert console.thrown == []
