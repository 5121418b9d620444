"""Calls that a page made before we were live: what sets the page up counts for all of them, the rest keeps order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fsbridge import destinations
from fsbridge.browser.bridge import MESSAGE, Bridge
from fsbridge.browser.expose import expose
from fsbridge.browser.page import Page
from fsbridge.runtime import NULL, UNDEFINED, call, make_promise, raw_get, resolved, truthy
from fsbridge.runtime.cpython import Function, JsError
from fsbridge.testing.simulated import SimulatedWindow


def bridge_on(page: Page, **given: Any) -> Bridge:
    return Bridge(page, destinations.make("segment-classic", {"org": "o-1", **given}))


def replayed(window: SimulatedWindow, *calls: tuple[Any, ...], carried: bool = False) -> list[str]:
    """The events that reach FullStory when these calls, ``(method, *args)`` each, waited for us."""
    page = Page(window)
    bridge = bridge_on(page)
    moment = page.moment()
    moment.carried = carried
    bridge.replay([(method, list(args), moment) for method, *args in calls])
    window.settle(60_000)
    return events(window)


def events(window: SimulatedWindow) -> list[str]:
    return [entry["args"][0] for entry in window.calls if entry["call"] in ("FS.event", "FS.identify")]


def dropping(event: str, wait: Callable[[], Any] = lambda: UNDEFINED) -> Function:
    """A source middleware that lets this event go no further."""

    def body(args: Any) -> Any:
        payload, go_on = raw_get(args[0], "payload"), raw_get(args[0], "next")
        if raw_get(raw_get(payload, "obj"), "event") != event:
            call(go_on, payload)
        return wait()

    return Function(body)


def later(window: SimulatedWindow, delay: int) -> Callable[[], Any]:
    def wait() -> Any:
        promise, resolve, _ = make_promise()
        window.setTimeout(Function(lambda args: resolve(UNDEFINED)), delay)
        return promise

    return wait


def throwing(args: Any) -> Any:
    raise JsError("oops")


@pytest.fixture
def window() -> SimulatedWindow:
    return SimulatedWindow("https://shop.example/cart?size=9", title="Cart")


def test_a_source_middleware_sees_the_calls_before_it(window: SimulatedWindow) -> None:
    calls = [("track", "Secret"), ("track", "A"), ("addSourceMiddleware", dropping("Secret")), ("track", "B")]
    assert replayed(window, *calls) == ["A", "B"]


def test_a_slow_source_middleware_does_too(window: SimulatedWindow) -> None:
    slow = dropping("Secret", later(window, 2000))
    assert replayed(window, ("track", "Secret"), ("track", "A"), ("addSourceMiddleware", slow)) == ["A"]


def test_a_throwing_one_keeps_no_other_from_its_work(window: SimulatedWindow) -> None:
    middleware = [("addSourceMiddleware", Function(throwing)), ("addSourceMiddleware", dropping("Secret"))]
    assert replayed(window, ("track", "Secret"), ("track", "A"), *middleware) == ["A"]


@pytest.mark.parametrize("name", ["FullStory", "fullstory", "*"])
def test_a_destination_middleware_sees_the_calls_before_it(window: SimulatedWindow, name: str) -> None:
    def body(args: Any) -> Any:
        secret = raw_get(raw_get(raw_get(args[0], "payload"), "obj"), "event") == "Secret"
        return call(raw_get(args[0], "next"), NULL if secret else raw_get(args[0], "payload"))

    calls = [("track", "Secret"), ("track", "A"), ("addDestinationMiddleware", name, Function(body))]
    assert replayed(window, *calls) == ["A"]


def test_a_plugin_sees_the_calls_before_it(window: SimulatedWindow) -> None:
    def track(args: Any) -> Any:
        if raw_get(raw_get(args[0], "event"), "event") == "Secret":
            raise JsError("not this one")
        return args[0]

    plugin = {"name": "p", "type": "before", "track": Function(track)}
    assert replayed(window, ("track", "Secret"), ("track", "A"), ("register", plugin)) == ["A"]


def test_what_a_function_given_to_use_adds_counts_too(window: SimulatedWindow) -> None:
    page = Page(window)
    bridge = bridge_on(page)
    expose(page, bridge)

    def use(args: Any) -> Any:
        return call(raw_get(args[0], "addSourceMiddleware"), dropping("Secret"))

    moment = page.moment()
    bridge.replay([("track", ["Secret"], moment), ("track", ["A"], moment), ("use", [Function(use)], moment)])
    assert events(window) == ["A"]


@pytest.mark.parametrize("method", ["on", "once"])
def test_a_listener_hears_the_calls_before_it(window: SimulatedWindow, method: str) -> None:
    heard: list[Any] = []

    def hear(args: list[Any]) -> Any:
        heard.append(args[0])
        return UNDEFINED

    listener = Function(hear)
    replayed(window, ("track", "A"), ("track", "B"), (method, "track", listener))
    assert heard == (["A", "B"] if method == "on" else ["A"])


def test_an_anonymous_id_counts_for_the_calls_before_it(window: SimulatedWindow) -> None:
    replayed(window, ("identify", {"plan": "x"}), ("setAnonymousId", "mine"))
    assert window.calls[-1]["args"][-2]["segmentAnonymousId_str"] == "mine"


def test_what_the_address_asks_for_passes_middleware_and_comes_first() -> None:
    window = SimulatedWindow("https://shop.example/?ajs_event=Secret")
    assert replayed(window, ("track", "A"), ("load", "k"), ("addSourceMiddleware", dropping("Secret"))) == ["A"]
    window = SimulatedWindow("https://shop.example/?ajs_event=Landed")
    assert replayed(window, ("track", "A"), ("load", "k"), ("addSourceMiddleware", dropping("Secret"))) == [
        "Landed",
        "A",
    ]


def test_the_options_of_load_count_for_the_calls_before_it(window: SimulatedWindow) -> None:
    assert replayed(window, ("track", "A"), ("load", "k", {"integrations": {"All": False}}), ("track", "B")) == []


def test_the_initial_page_view_stands_where_load_does(window: SimulatedWindow) -> None:
    page = Page(window)
    bridge = bridge_on(page, trackAllPages=True, trackPagesWithEvents=False)
    calls: list[tuple[str, list[Any]]] = [
        ("track", ["A"]),
        ("load", ["k", {"initialPageview": True}]),
        ("track", ["B"]),
    ]
    bridge.replay([(method, args, page.moment()) for method, args in calls])
    assert [entry["args"][0] for entry in window.calls] == ["A", "page", "B"]


def test_the_rest_keeps_the_order_of_the_page(window: SimulatedWindow) -> None:
    calls = [("track", "A"), ("identify", "u1"), ("page",), ("track", "B"), ("on", "x", UNDEFINED), ("track", "C")]
    assert replayed(window, *calls) == ["A", "u1", "B", "C"]


@pytest.mark.parametrize("disabled", [False, True])
def test_a_page_that_makes_up_its_mind(window: SimulatedWindow, disabled: bool) -> None:
    disable = Function(lambda args: resolved(disabled))
    calls = [
        ("track", "Secret"),
        ("track", "A"),
        ("load", "k", {"disable": disable}),
        ("addSourceMiddleware", dropping("Secret")),
    ]
    assert replayed(window, *calls) == ([] if disabled else ["A"])


def test_what_comes_from_an_earlier_page_passes_the_middleware_of_this_one(window: SimulatedWindow) -> None:
    secret = {"type": "track", "event": "Secret", "properties": {}, "messageId": "m1", "integrations": {}}
    calls = [(MESSAGE, secret), ("track", "Secret"), ("track", "A"), ("addSourceMiddleware", dropping("Secret"))]
    assert replayed(window, *calls, carried=True) == ["A"]


def test_what_a_vendors_snippet_buffered(window: SimulatedWindow) -> None:
    buffer: Any = [["track", "Secret"], ["track", "A"], ["addSourceMiddleware", dropping("Secret")]]
    window.analytics = buffer
    page = Page(window)
    expose(page, bridge_on(page))
    assert events(window) == ["A"]


# A page in our way


class Frozen(dict[str, Any]):
    """An object of the page that takes no property."""

    def __setitem__(self, key: str, value: Any) -> None:
        raise JsError(f"Cannot assign to read only property '{key}'")


def test_a_frozen_analytics_costs_no_call(window: SimulatedWindow) -> None:
    page = Page(window)
    bridge = bridge_on(page)
    bridge.source.appear_as(Frozen())
    moment = page.moment()
    bridge.replay([("track", ["A"], moment), ("load", ["k", {"globalAnalyticsKey": "mine"}], moment)])
    assert events(window) == ["A"]


def test_a_key_that_the_page_keeps_to_itself_costs_no_call(window: SimulatedWindow) -> None:
    class Own(SimulatedWindow):
        def __setattr__(self, name: str, value: Any) -> None:
            if name == "mine":
                raise JsError("read-only")
            super().__setattr__(name, value)

    window = Own("https://shop.example/")
    assert replayed(window, ("track", "A"), ("load", "k", {"globalAnalyticsKey": "mine"})) == ["A"]


class Unreadable(dict[str, Any]):
    """An object of the page that throws when it is read."""

    def __getitem__(self, key: str) -> Any:
        raise JsError("unreadable")

    def __contains__(self, key: object) -> bool:
        raise JsError("unreadable")


@pytest.mark.parametrize(
    "bad",
    [
        ("load", "k", {"user": Unreadable()}),
        ("load", Unreadable(), {}),
        ("identify", "u1", Unreadable()),
        ("track", "X", {}, Unreadable()),
        ("register", Unreadable()),
        ("use", Function(throwing)),
        ("on", Unreadable(), Unreadable()),
        ("addDestinationMiddleware", Unreadable(), Unreadable()),
    ],
    ids=lambda call_: call_[0],
)
def test_a_call_that_fails_costs_no_other(window: SimulatedWindow, bad: tuple[Any, ...]) -> None:
    assert [event for event in replayed(window, ("track", "A"), bad, ("track", "B")) if event in "AB"] == ["A", "B"]


@pytest.mark.parametrize("options", [UNDEFINED, NULL, "", "text", 7, True, [], Function(throwing)])
def test_load_with_anything_for_options_starts(window: SimulatedWindow, options: Any) -> None:
    assert replayed(window, ("track", "A"), ("load", "k", options)) == ["A"]


OPTIONS = (
    "integrations integrations.FullStory user user.persist user.disable user.cookie user.cookie.key user.localStorage "
    "user.localStorage.key user.storage user.storage.stores group group.cookie.key cookie cookie.maxage cookie.domain "
    "cookie.path cookie.sameSite cookie.secure storage storage.stores disableClientPersistence disable "
    "updateCDNSettings useQueryString useQueryString.aid initialPageview globalAnalyticsKey plan plan.track "
    "plan.track.A disableAutoISOConversion"
).split()


@pytest.mark.parametrize("value", [UNDEFINED, NULL, "", 0, -1.5, "text", [], [NULL], {}, False, True], ids=repr)
@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_of_load_of_another_type_stops_nothing(window: SimulatedWindow, name: str, value: Any) -> None:
    options = value
    for key in reversed(name.split(".")):
        options = {key: options}
    made = replayed(window, ("track", "A"), ("load", "k", options), ("track", "B"), ("identify", "u1"))
    disabled = (name == "integrations.FullStory" and not truthy(value)) or (name == "disable" and value is True)
    assert [event for event in made if event in ("A", "B")] == ([] if disabled else ["A", "B"])
    assert not [line for _, line in window.console.lines if "analytics." in line]


def test_persist_that_is_there_but_undefined_keeps_the_visitor_in_memory(window: SimulatedWindow) -> None:
    replayed(window, ("load", "k", {"user": {"persist": UNDEFINED}}), ("identify", "u1"))
    assert "ajs_user_id" not in window.localStorage.entries
