"""The source analytics.js beyond its recordings: what a page sees of the API, on the simulated page."""

from __future__ import annotations

import gc
import re
import weakref
from typing import Any

import pytest

from fsbridge import destinations
from fsbridge.browser.bridge import Bridge
from fsbridge.browser.expose import expose
from fsbridge.browser.page import Page
from fsbridge.browser.sources.analytics_js.api import AnalyticsJs
from fsbridge.runtime import NULL, UNDEFINED, call, invoke, make_array, raw_get
from fsbridge.runtime.cpython import Function, JsError, Promise
from fsbridge.testing.simulated import Element, SimulatedWindow


class Site:
    """A page with ``analytics`` on it, exposed as Python code exposes it: ``site.track("E")`` is the page's call."""

    def __init__(self, url: str = "https://shop.example/cart?size=9", **page: Any) -> None:
        self.window = SimulatedWindow(url, title="Cart", **page)
        self.load_bridge()

    def load_bridge(self) -> None:
        page = Page(self.window)
        self.bridge = Bridge(page, destinations.make("segment-classic", {"org": "o-1"}))
        expose(page, self.bridge)
        self.analytics = self.window.analytics

    def __getattr__(self, method: str) -> Any:
        return lambda *args: invoke(self.analytics, method, *args)

    def user_(self, method: str, *args: Any) -> Any:
        return invoke(self.user(), method, *args)

    def heard(self, event: str) -> list[Any]:
        """What ``on(event)`` hears from now on."""
        calls: list[Any] = []
        self.on(event, Function(lambda args: calls.append(args)))
        return calls

    @property
    def events(self) -> list[str]:
        return [entry["args"][0] for entry in self.window.calls if entry["call"] == "FS.event"]

    @property
    def said(self) -> list[str]:
        """What we wrote to the console, but for the remark that FS is there already."""
        lines = [text.removeprefix("[fsbridge] ") for _, text in self.window.console.lines]
        return [line for line in lines if "already been defined" not in line]


@pytest.fixture
def site() -> Site:
    return Site()


def noting(answer: Any = UNDEFINED) -> tuple[Function, list[Any]]:
    """A function of the page, and the arguments of its calls."""
    calls: list[Any] = []

    def body(args: Any) -> Any:
        calls.append(args)
        return answer

    return Function(body), calls


def throwing(message: str = "oops") -> Function:
    def body(args: Any) -> Any:
        raise JsError(message)

    return Function(body)


# The lists of methods


def test_every_supported_method_is_there_and_no_unsupported_one() -> None:
    assert [name for name in AnalyticsJs.methods if not hasattr(AnalyticsJs, "_do_" + name)] == []
    assert [name for name in AnalyticsJs.unsupported if hasattr(AnalyticsJs, "_do_" + name)] == []


def test_an_unsupported_method_does_nothing_and_says_so_once_in_debug_mode(site: Site) -> None:
    assert site.normalize({}) is UNDEFINED
    assert site.said == []
    site.debug()
    site.normalize({})
    site.normalize({})
    site.noConflict()
    assert site.said == ["analytics.normalize does nothing here", "analytics.noConflict does nothing here"]


# Promises, callbacks and when they come


def test_a_promise_resolves_to_a_context_with_the_event(site: Site) -> None:
    promise = site.track("E", {"a": 1})
    assert promise.state == "fulfilled"
    assert raw_get(promise.value, "event")["event"] == "E"
    assert raw_get(promise.value, "event")["properties"] == {"a": 1}
    assert invoke(promise.value, "logs") == []


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("track", ["E"]),
        ("page", ["Home"]),
        ("screen", ["Home"]),
        ("identify", ["u1"]),
        ("group", ["g1"]),
        ("alias", ["u2"]),
    ],
)
def test_a_callback_gets_the_context_after_the_timeout(site: Site, method: str, args: list[Any]) -> None:
    callback, calls = noting()
    promise = getattr(site, method)(*args, callback)
    site.window.settle(299)
    assert calls == []
    assert promise.state == "pending"
    site.window.settle(1)
    assert [raw_get(got, "event")["type"] for [got] in calls] == [method]
    assert promise.state == "fulfilled"


def test_timeout_sets_how_long_callbacks_wait(site: Site) -> None:
    callback, calls = noting()
    assert site.timeout(50) is UNDEFINED
    site.track("E", callback)
    site.window.settle(49)
    assert calls == []
    site.window.settle(1)
    assert len(calls) == 1


def test_a_callback_that_throws_harms_nobody(site: Site) -> None:
    promise = site.track("E", throwing())
    site.window.settle()
    assert promise.state == "fulfilled"
    assert site.said == ["the callback of analytics.track failed: oops"]


def test_a_callback_follows_also_for_a_dropped_message(site: Site) -> None:
    callback, calls = noting()
    site.addSourceMiddleware(Function(lambda args: UNDEFINED))
    site.track("E", callback)
    site.window.settle()
    assert site.events == []
    assert [raw_get(got, "event")["event"] for [got] in calls] == ["E"]


def test_a_promise_waits_for_slow_middleware(site: Site) -> None:
    gate = Promise()

    def middleware(args: Any) -> Any:
        payload = raw_get(args[0], "payload")
        raw_get(payload, "obj")["event"] = "Renamed"
        return gate.then(Function(lambda _: call(raw_get(args[0], "next"), payload)))

    site.addSourceMiddleware(Function(middleware))
    promise = site.track("E")
    assert promise.state == "pending"
    gate.settle("fulfilled", UNDEFINED)
    assert raw_get(promise.value, "event")["event"] == "Renamed"
    assert site.events == ["Renamed"]


def test_what_a_skipped_middleware_does_later_is_nothing_to_later_messages(site: Site) -> None:
    gates: list[Promise] = []
    nexts: list[Any] = []

    def middleware(args: Any) -> Any:
        payload = raw_get(args[0], "payload")
        gates.append(Promise())
        nexts.append(lambda: call(raw_get(args[0], "next"), payload))
        return gates[-1]

    site.addSourceMiddleware(Function(middleware))
    site.track("First")
    site.track("Second")
    site.window.settle(10_000)
    assert site.said == ["a middleware took longer than 10 seconds and is skipped"]
    assert site.events == ["First"]
    nexts[0]()
    gates[0].settle("fulfilled", UNDEFINED)  # at last, while it is the second's turn
    assert site.events == ["First"]
    nexts[1]()
    gates[1].settle("fulfilled", UNDEFINED)
    assert site.events == ["First", "Second"]


def test_a_call_without_an_event_name_is_rejected(site: Site) -> None:
    assert site.track().state == "rejected"
    assert str(site.track({"event": 1}).value) == "Event missing"


# Events


def test_events_and_what_listeners_get(site: Site) -> None:
    names = ["track", "page", "screen", "identify", "group", "alias", "reset"]
    heard = {name: site.heard(name) for name in names}
    site.track("E", {"a": 1}, {"context": {"ip": "1.1.1.1"}})
    site.page("Docs", "Index", {"lang": "en"})
    site.screen("Home")
    site.identify("u1", {"plan": "pro"})
    site.identify("u1", {"age": 5})
    site.group("g1", {"size": 3})
    site.alias("u2", "u1")
    site.alias("u3")
    site.reset()

    page = {"path": "/cart", "referrer": "", "search": "?size=9", "title": "Cart", "url": site.window.location.href}
    index = {**page, "lang": "en", "category": "Docs", "name": "Index"}
    assert heard == {
        "track": [["E", {"a": 1}, UNDEFINED]],
        "page": [["Docs", "Index", index, UNDEFINED]],
        "screen": [[NULL, "Home", {}, UNDEFINED]],
        "identify": [["u1", {"plan": "pro"}, UNDEFINED], ["u1", {"plan": "pro", "age": 5}, UNDEFINED]],
        "group": [["g1", {"size": 3}, UNDEFINED]],
        "alias": [["u2", "u1", UNDEFINED], ["u3", NULL, UNDEFINED]],
        "reset": [[]],
    }


def test_a_listener_hears_of_a_call_after_its_callback(site: Site) -> None:
    order: list[str] = []
    site.on("track", Function(lambda args: order.append("listener")))
    site.track("E", Function(lambda args: order.append("callback")))
    assert order == []
    site.window.settle()
    assert order == ["callback", "listener"]


def test_initialize_is_heard_also_by_listeners_added_right_after_load(site: Site) -> None:
    site.load("key", {"obfuscate": True})
    heard = site.heard("initialize")
    assert heard == []
    site.window.settle()
    assert heard == [[{"writeKey": "key"}, {"retryQueue": True, "obfuscate": True}]]


def test_once_off_and_emit(site: Site) -> None:
    always, heard = noting()
    once, heard_once = noting()
    assert site.on("own", always) is site.analytics
    site.once("own", once)
    site.emit("own", 1, "two")
    site.emit("own", 3)
    assert heard == [[1, "two"], [3]]
    assert heard_once == [[1, "two"]]
    site.off("own")
    site.emit("own", 4)
    assert heard[-1] == [4], "off needs the function"
    site.off("own", always)
    site.emit("own", 5)
    assert heard[-1] == [4]


def test_a_listener_that_throws_does_not_stop_the_others(site: Site) -> None:
    site.on("track", throwing())
    heard = site.heard("track")
    site.track("E")
    assert len(heard) == 1
    assert site.events == ["E"]


# What the object tells about itself


def test_methods_that_chain(site: Site) -> None:
    nothing = Function(lambda args: UNDEFINED)
    for result in (
        site.on("x", nothing),
        site.once("x", nothing),
        site.off("x", nothing),
        site.emit("x"),
        site.debug(),
    ):
        assert result is site.analytics


def test_properties_of_the_object(site: Site) -> None:
    assert raw_get(site.analytics, "initialized") is UNDEFINED
    site.load("key", {"integrations": {"All": True}})
    known = {name: raw_get(site.analytics, name) for name in ("initialized", "integrations", "plugins", "options")}
    assert known == {
        "initialized": True,
        "integrations": {"All": True},
        "plugins": {},
        "options": {"integrations": {"All": True}},
    }
    assert raw_get(site.analytics, "settings") == {"writeKey": "key", "timeout": 300}
    assert re.match(r"\d+\.\d+\.\d+", raw_get(site.analytics, "VERSION"))


def test_pageview_initialize_and_use_of_older_pages(site: Site) -> None:
    heard = site.heard("page")
    assert site.pageview("/old").value is site.analytics
    assert heard[0][2]["path"] == "/old"
    assert site.initialize({}).value is site.init().value is site.analytics
    factory, calls = noting()
    assert site.use(factory) is site.analytics
    assert calls == [[site.analytics]]


def test_ready(site: Site) -> None:
    callback, calls = noting()
    assert site.ready(callback).state == "fulfilled"
    assert calls == []
    site.window.settle()
    assert calls == [[[]]]


# user() and group()


def test_user_before_anybody_is_known(site: Site) -> None:
    assert site.user_("id") is NULL
    assert site.user_("traits") == {}
    made = site.user_("anonymousId")
    assert re.fullmatch(r"[0-9a-f-]{36}", made)
    assert site.user_("anonymousId") == made == site.window.cookies.values["ajs_anonymous_id"]


def test_user_sets_and_gets(site: Site) -> None:
    assert site.setAnonymousId("a1") == "a1"
    site.user_("identify", "u1", {"plan": "pro"})
    site.user_("identify", "u1")
    assert (site.user_("id"), site.user_("traits"), site.user_("anonymousId")) == ("u1", {"plan": "pro"}, "a1")
    assert site.user_("traits", {"other": 1}) == {"other": 1}
    assert site.user_("id", "u2") == "u2"
    assert site.user_("anonymousId") != "a1"
    assert site.user_("identify", "u3") is UNDEFINED
    assert site.user_("traits") == {}, "another user starts afresh"
    assert site.user_("save") is True
    assert site.user_("load") is site.user()
    assert site.events == []


def test_user_logout_and_reset(site: Site) -> None:
    site.identify("u1", {"plan": "pro"})
    site.user_("logout")
    assert (site.user_("id"), site.user_("traits")) == (NULL, {})
    site.identify("u1", {"plan": "pro"})
    site.user_("reset")
    assert site.window.localStorage.entries.keys() == set()
    assert (site.user_("id"), site.user_("traits")) == (NULL, {})


def test_methods_of_user_work_on_their_own(site: Site) -> None:
    site.identify("u1")
    assert call(raw_get(site.user(), "id")) == "u1"


def test_group(site: Site) -> None:
    assert invoke(site.group(), "id") is NULL
    site.group("g1", {"size": 3})
    assert invoke(site.group(), "id") == "g1"
    assert invoke(site.group(), "traits") == {"size": 3}
    assert invoke(site.group(), "anonymousId") == site.user_("anonymousId")
    site.reset()
    assert invoke(site.group(), "id") is NULL


# Options of load


def test_disable_keeps_the_api_and_sends_nothing() -> None:
    site = Site("https://shop.example/?ajs_uid=q1")
    site.load("key", {"disable": True, "initialPageview": True})
    callback, calls = noting()
    assert raw_get(site.track("E", callback).value, "event") is UNDEFINED
    site.identify("u1")
    site.window.settle()
    assert (site.user_("id"), len(calls), site.window.calls) == ("u1", 1, [])
    assert (site.window.cookies.values, site.window.localStorage.entries) == ({}, {})


@pytest.mark.parametrize(("disable", "events"), [("yes", ["E"]), (1, ["E"]), (False, ["E"]), (True, [])])
def test_disable_means_true_itself(site: Site, disable: Any, events: list[str]) -> None:
    site.load("key", {"disable": disable})
    site.track("E")
    assert site.events == events


@pytest.mark.parametrize(("answer", "events"), [(True, []), (1, []), (False, ["E"]), (UNDEFINED, ["E"])])
def test_disable_as_a_function_of_the_settings(site: Site, answer: Any, events: list[str]) -> None:
    disable, calls = noting(answer)
    site.load({"writeKey": "key", "cdnSettings": {"integrations": {"x": {}}}}, {"disable": disable})
    site.track("E")
    assert site.events == events
    assert calls == [[{"integrations": {"x": {}}}]]


@pytest.mark.parametrize(("outcome", "events"), [(False, ["E", "F"]), (True, [])])
def test_disable_as_a_promise_holds_the_calls(site: Site, outcome: bool, events: list[str]) -> None:
    promise = Promise()
    site.load("key", {"disable": Function(lambda args: promise)})
    first = site.track("E")
    site.identify("u1")
    assert site.window.calls == []
    assert first.state == "pending"
    promise.settle("fulfilled", outcome)
    site.track("F")
    assert site.events == events
    assert raw_get(first.value, "event")["event"] == "E"


def test_a_disable_that_throws_disables(site: Site) -> None:
    site.load("key", {"disable": throwing()})
    site.track("E")
    assert site.events == []


def test_update_cdn_settings(site: Site) -> None:
    update, calls = noting({"integrations": {}})
    site.load("key", {"updateCDNSettings": update})
    assert calls == [[{"integrations": {}}]]


def test_initial_pageview(site: Site) -> None:
    types: list[str] = []

    def note(args: list[Any]) -> Any:
        types.append(raw_get(args[0], "event")["type"])
        return args[0]

    hook = Function(note)
    watching = {"name": "watching", "type": "before", "page": hook, "track": hook}
    site.load({"writeKey": "key", "plugins": [watching]}, {"initialPageview": True})
    site.track("E")
    assert types == ["page", "track"]


def test_query_string_options() -> None:
    url = "https://shop.example/?ajs_uid=u1&ajs_aid=a1&ajs_event=Opened&ajs_prop_x=1"
    site = Site(url)
    site.load("key")
    assert (site.user_("id"), site.user_("anonymousId"), site.events) == ("u1", "a1", ["Opened"])

    site = Site(url)
    site.load("key", {"useQueryString": False})
    assert (site.user_("id"), site.events) == (NULL, [])
    assert site.queryString("?ajs_uid=u2").state == "fulfilled"
    assert site.user_("id") is NULL, "switched off altogether"

    site = Site(url)
    never = {"test": Function(lambda args: False)}
    site.load("key", {"useQueryString": {"uid": never}})
    assert (site.user_("id"), site.user_("anonymousId")) == (NULL, "a1")


def test_query_string_by_hand(site: Site) -> None:
    site.queryString("?ajs_uid=u2&ajs_trait_plan=pro&ajs_event=Opened")
    assert (site.user_("id"), site.user_("traits"), site.events) == ("u2", {"plan": "pro"}, ["Opened"])


def test_global_analytics_key(site: Site) -> None:
    site.load("key", {"globalAnalyticsKey": "segment"})
    assert site.window.segment is site.analytics


def test_user_and_group_options(site: Site) -> None:
    site.load(
        "key", {"user": {"cookie": {"key": "uid"}, "localStorage": {"key": "traits"}}, "group": {"disable": True}}
    )
    site.identify("u1", {"a": 1})
    site.group("g1")
    assert site.window.cookies.values["uid"] == "u1"
    assert site.window.localStorage.entries["traits"] == '{"a":1}'
    assert invoke(site.group(), "id") is NULL


def test_cookie_options(site: Site) -> None:
    cookie = {"maxage": 7, "domain": "shop.example", "path": "/cart", "sameSite": "None", "secure": True}
    site.load("key", {"cookie": cookie})
    site.setAnonymousId("a1")
    assert site.window.cookies.attributes["ajs_anonymous_id"] == {
        "max-age": "604800",
        "domain": "shop.example",
        "path": "/cart",
        "samesite": "None",
        "secure": "",
    }


def test_cookie_options_that_are_empty_leave_the_attribute_out(site: Site) -> None:
    site.load("key", {"cookie": {"maxage": UNDEFINED, "domain": NULL, "sameSite": "", "path": UNDEFINED}})
    site.setAnonymousId("a1")
    assert site.window.cookies.attributes["ajs_anonymous_id"] == {}


def test_unknown_stores_mean_the_usual_ones(site: Site) -> None:
    site.load("key", {"storage": {"stores": ["cookie", "sessionStorage"]}})
    site.identify("u1")
    assert site.window.localStorage.entries["ajs_user_id"] == '"u1"'


def test_a_cookie_with_percent_signs_of_its_own(site: Site) -> None:
    site.window.cookies.values["ajs_user_id"] = "100%25-%C3%BC-5%"
    assert site.user_("id") == "100%-ü-5%"


def test_an_unreadable_cookie_is_as_good_as_none(site: Site) -> None:
    site.window.cookies.values["ajs_user_id"] = "%FF"
    assert site.user_("id") is NULL


def test_options_without_meaning_here_are_accepted(site: Site) -> None:
    site.load("key", {"retryQueue": False, "obfuscate": True, "plan": NULL})
    site.track("E")
    assert site.events == ["E"]
    assert site.said == []


def test_only_the_first_load_counts(site: Site) -> None:
    site.load("key")
    site.load("key", {"disable": True})
    site.track("E")
    assert site.events == ["E"]


def test_a_load_after_other_calls_still_counts(site: Site) -> None:
    site.track("E")
    site.load("key", {"storage": {"stores": ["cookie"]}, "initialPageview": True})
    site.identify("u1")
    assert "ajs_user_id" not in {key for key, value in site.window.localStorage.entries.items() if value != "null"}
    assert site.window.cookies.values["ajs_user_id"] == "u1"


def test_a_load_after_other_calls_may_disable(site: Site) -> None:
    site.track("E")
    site.load("key", {"disable": True})
    site.track("F")
    assert site.events == ["E"]


def test_a_disabled_user_is_identified_without_anything(site: Site) -> None:
    site.load("key", {"user": {"disable": True}, "group": {"disable": True}})
    assert raw_get(site.identify("u1", {"a": 1}).value, "event")["traits"] == {}
    assert raw_get(site.group("g1", {"a": 1}).value, "event")["traits"] == {}


# Plugins


def plugin(type_: str, body: Any = None, **more: Any) -> dict[str, Any]:
    return {"name": type_ + " plugin", "type": type_, "track": Function(body or (lambda args: args[0])), **more}


def test_a_plugin_is_loaded_with_the_object(site: Site) -> None:
    load, calls = noting()
    promise = site.register(plugin("enrichment", load=load))
    assert raw_get(promise.value, "event")["event"] == "system"
    assert [args[1] for args in calls] == [site.analytics]


def test_a_plugin_changes_the_event_through_its_context(site: Site) -> None:
    def body(args: Any) -> Any:
        invoke(args[0], "updateEvent", "event", "Renamed")
        invoke(args[0], "updateEvent", "properties.deep.x", 1)
        invoke(args[0], "updateEvent", "integrations.FullStory", {"on": True})
        return args[0]

    site.register(plugin("before", body))
    event = raw_get(site.track("E").value, "event")
    assert (event["event"], event["properties"]) == ("Renamed", {"deep": {"x": 1}})
    site.track("E", {}, {"integrations": {"FullStory": False}})
    assert site.events == ["Renamed"], "what is off stays off"


def test_before_plugins_run_before_enrichments(site: Site) -> None:
    order: list[str] = []

    def noting(type_: str) -> Any:
        def note(args: list[Any]) -> Any:
            order.append(type_)
            return args[0]

        return plugin(type_, note)

    for type_ in ("enrichment", "before"):
        site.register(noting(type_))
    site.track("E")
    assert order == ["before", "enrichment"]


@pytest.mark.parametrize("body", [lambda args: UNDEFINED, lambda args: invoke(args[0], "cancel"), throwing().body])
def test_a_before_plugin_drops_by_failing(site: Site, body: Any) -> None:
    site.register(plugin("before", body))
    site.track("E")
    site.identify("u1")
    assert [entry["call"] for entry in site.window.calls] == ["FS.identify"]


@pytest.mark.parametrize("body", [lambda args: UNDEFINED, lambda args: invoke(args[0], "cancel"), throwing().body])
def test_an_enrichment_can_not_drop(site: Site, body: Any) -> None:
    site.register(plugin("enrichment", body))
    site.track("E")
    assert site.events == ["E"]


def test_a_plugin_may_answer_with_a_promise(site: Site) -> None:
    promise = Promise()
    site.register(plugin("before", lambda args: promise.then(Function(lambda _: args[0]))))
    site.track("E")
    site.page("Home")
    assert site.window.calls == []
    promise.settle("fulfilled", UNDEFINED)
    assert site.events == ["E"]


def test_a_plugin_that_takes_too_long_is_skipped(site: Site) -> None:
    site.register(plugin("before", lambda args: Promise()))
    site.track("E")
    site.window.settle()
    assert site.events == ["E"]


def test_the_pages_own_destinations_get_messages_after_ours(site: Site) -> None:
    order: list[str] = []
    site.register(plugin("after", lambda args: order.append("after")))
    site.register(plugin("destination", lambda args: order.extend(["destination", *site.events])))
    site.track("E")
    assert order == ["destination", "E", "after"]
    site.track("F", {}, {"integrations": {"destination plugin": False}})
    assert order == ["destination", "E", "after", "after"]


def test_plugins_leave_with_deregister(site: Site) -> None:
    unload, unloaded = noting()
    site.register(plugin("before", lambda args: UNDEFINED, unload=unload))
    assert site.deregister("before plugin", "unknown").state == "fulfilled"
    site.track("E")
    assert site.events == ["E"]
    assert len(unloaded) == 1


def test_plugins_in_the_settings_of_load(site: Site) -> None:
    site.load({"writeKey": "key", "plugins": [plugin("before", lambda args: UNDEFINED)]})
    site.track("E")
    assert site.events == []


# Tracked links


def shop_link(**attributes: str) -> Element:
    return Element("a", **{"href": "/next", **attributes})


def test_a_click_is_tracked_and_then_followed(site: Site) -> None:
    link = shop_link()
    assert site.trackLink(link, "Clicked", {"a": 1}).value is site.analytics
    click = link.fire("click")
    assert click.defaultPrevented
    assert site.events == ["Clicked"]
    assert site.window.location.href != "/next"
    site.window.settle(0)
    assert site.window.location.href == "/next"


def test_event_and_properties_as_functions_of_the_link(site: Site) -> None:
    link = shop_link(id="l1")
    name = Function(lambda args: "Clicked " + args[0].getAttribute("id"))
    properties = Function(lambda args: {"href": args[0].getAttribute("href")})
    site.trackClick(link, name, properties)
    link.fire("click")
    assert [entry["args"][:2] for entry in site.window.calls] == [["Clicked l1", {"href": "/next"}]]


def test_options_of_a_tracked_link(site: Site) -> None:
    heard: list[Any] = []
    site.addSourceMiddleware(Function(lambda args: heard.append(raw_get(raw_get(args[0], "payload"), "obj"))))
    link = shop_link()
    site.trackLink(link, "Clicked", NULL, {"context": {"ip": "1.1.1.1"}})
    link.fire("click")
    assert heard[0]["context"]["ip"] == "1.1.1.1"


@pytest.mark.parametrize("keys", [{"ctrlKey": True}, {"metaKey": True}, {"shiftKey": True}, {"button": 1}])
def test_a_click_that_opens_a_new_tab_is_left_to_the_browser(site: Site, keys: dict[str, Any]) -> None:
    link = shop_link()
    site.trackLink(link, "Clicked")
    click = link.fire("click", **keys)
    site.window.settle()
    assert site.events == ["Clicked"]
    assert not click.defaultPrevented
    assert site.window.location.href != "/next"


def test_the_alt_key_and_other_listeners_change_nothing(site: Site) -> None:
    link = shop_link()
    link.addEventListener("click", Function(lambda args: args[0].preventDefault()))
    site.trackLink(link, "Clicked")
    link.fire("click", altKey=True, button=0)
    site.window.settle()
    assert site.window.location.href == "/next"


def test_target_blank_is_left_to_the_browser(site: Site) -> None:
    link = shop_link()
    link.target = "_blank"
    site.trackLink(link, "Clicked")
    assert not link.fire("click").defaultPrevented
    assert site.events == ["Clicked"]


def test_an_element_without_address_is_only_tracked(site: Site) -> None:
    button = Element("button")
    site.trackLink(button, "Clicked")
    assert not button.fire("click").defaultPrevented
    assert site.events == ["Clicked"]


@pytest.mark.parametrize("name", ["xlink:href", "http://www.w3.org/1999/xlink:href"])
def test_links_in_svg(site: Site, name: str) -> None:
    link = Element("a", **{name: "/svg"})
    site.trackLink(link, "Clicked")
    link.fire("click")
    site.window.settle()
    assert site.window.location.href == "/svg"


def test_a_link_inside_the_element(site: Site) -> None:
    card = Element("div")
    card.appendChild(Element("p")).appendChild(shop_link(href="/inside"))
    site.trackLink(card, "Clicked")
    card.fire("click")
    site.window.settle()
    assert site.window.location.href == "/inside"


class NodeList(list[Any]):
    """As in a browser: indices, ``length`` and ``forEach``, and no array."""


def test_several_links_at_once(site: Site) -> None:
    first, second, third = links = [shop_link(), shop_link(), shop_link()]
    jquery = {"toArray": Function(lambda args: [third])}
    site.trackLink([first], "Array")
    site.trackLink(NodeList([second]), "NodeList")
    site.trackLink(jquery, "jQuery")
    for link in links:
        link.fire("click")
    assert site.events == ["Array", "NodeList", "jQuery"]


def test_a_link_tracked_twice(site: Site) -> None:
    link = shop_link()
    site.trackLink(link, "One")
    site.trackLink(link, "Two")
    link.fire("click")
    site.window.settle()
    assert site.events == ["One", "Two"]
    assert site.window.location.href == "/next"


@pytest.mark.parametrize("nothing", [UNDEFINED, NULL, ""])
def test_no_element_is_no_mistake(site: Site, nothing: Any) -> None:
    assert site.trackLink(nothing, "E").state == site.trackForm(nothing, "E").state == "fulfilled"


@pytest.mark.parametrize("wrong", ["#id", {"a": 1}, [1], 5])
def test_what_is_no_element_is_refused(site: Site, wrong: Any) -> None:
    assert site.trackLink(wrong, "E").state == site.trackForm(wrong, "E").state == "rejected"


def test_slow_middleware_holds_a_link_no_longer_than_the_timeout(site: Site) -> None:
    site.timeout(100)
    site.addSourceMiddleware(Function(lambda args: Promise()))
    link = shop_link()
    site.trackLink(link, "Clicked")
    link.fire("click")
    site.window.settle(99)
    assert site.window.location.href != "/next"
    site.window.settle(1)
    assert site.window.location.href == "/next"


def test_a_link_is_followed_when_tracking_fails(site: Site) -> None:
    link = shop_link()
    site.trackLink(link, UNDEFINED)
    link.fire("click")
    site.window.settle(0)
    assert site.window.location.href == "/next"
    assert site.events == []


def test_a_link_whose_function_throws_is_left_to_the_browser(site: Site) -> None:
    link = shop_link()
    site.trackLink(link, throwing())
    assert not link.fire("click").defaultPrevented
    assert site.events == []
    assert "failed: oops" in site.said[0]


def test_forms_and_callbacks_are_let_go(site: Site) -> None:
    forms = [Form() for _ in range(20)]
    callbacks = [Function(lambda args: UNDEFINED) for _ in range(20)]
    known = [weakref.ref(thing) for thing in (*forms, *callbacks)]
    site.trackForm(make_array(forms), "Sent")
    for form, callback in zip(forms, callbacks, strict=True):
        form.fire("submit")
        site.track("Called", {}, {}, callback)
        site.window.settle()
    del forms, form, callbacks, callback
    gc.collect()
    assert [each() for each in known] == [None] * 40


# Tracked forms


class Form(Element):
    def __init__(self) -> None:
        super().__init__("form")
        self.submitted = 0

    def submit(self) -> None:
        self.submitted += 1


def test_a_form_is_tracked_and_then_submitted(site: Site) -> None:
    form = Form()
    site.trackForm(form, "Signed Up", Function(lambda args: {"tag": args[0].tagName}))
    submit = form.fire("submit")
    assert submit.defaultPrevented
    assert form.submitted == 0
    assert [entry["args"][:2] for entry in site.window.calls] == [["Signed Up", {"tag": "FORM"}]]
    site.window.settle()
    assert form.submitted == 1


def test_several_forms_at_once(site: Site) -> None:
    forms = [Form(), Form()]
    site.trackSubmit(forms, "Sent")
    for form in forms:
        form.fire("submit")
    site.window.settle()
    assert site.events == ["Sent", "Sent"]
    assert [form.submitted for form in forms] == [1, 1]


@pytest.mark.parametrize("name", ["jQuery", "Zepto"])
def test_forms_of_a_page_with_jquery(site: Site, name: str) -> None:
    listeners: list[Any] = []
    wrapped = {"submit": Function(lambda args: listeners.append(args[0]))}
    setattr(site.window, name, Function(lambda args: wrapped))
    form = Form()
    site.trackForm({"toArray": Function(lambda args: [form])}, "Sent")
    assert form.listeners == {}
    prevent, prevented = noting()
    call(listeners[0], {"preventDefault": prevent})
    site.window.settle()
    assert (site.events, form.submitted, len(prevented)) == (["Sent"], 1, 1)


def test_a_form_is_submitted_when_a_function_throws(site: Site) -> None:
    form = Form()
    site.trackForm(form, "Sent", throwing())
    form.fire("submit")
    site.window.settle()
    assert form.submitted == 1
    assert site.events == []
