"""FullStory in a page: the queue that fs.js finds, blocked and late scripts, promises, an FS that was there before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsbridge.browser.fullstory import FullStory
from fsbridge.browser.fullstory.regions import region_of, regional
from fsbridge.browser.fullstory.snippet import MAX_WAITING
from fsbridge.browser.page import Page
from fsbridge.contracts import Call
from fsbridge.runtime import NULL, UNDEFINED, call, invoke, raw_get, raw_put
from fsbridge.runtime.cpython import Function, JsError, Promise
from fsbridge.testing.simulated import Element, SimulatedWindow
from tests.conformance.sdk import Sdk, SdkError


def open_page(**options: Any) -> tuple[SimulatedWindow, FullStory, list[str]]:
    """A page on which FullStory was just asked for; the list takes each new status."""
    window = SimulatedWindow(recording=False)
    seen: list[str] = []
    fullstory = FullStory(Page(window), {"orgId": "o-1ABC-na1", **options}, seen.append)
    fullstory.load()
    return window, fullstory, seen


def script(window: SimulatedWindow) -> Element:
    return window.document.head.children[0]


def operations(window: SimulatedWindow) -> list[Any]:
    """What waits for fs.js after the two "init"."""
    return [entry[:3] + entry[5:] for entry in window.FS.properties["q"][2:]]


def arrive(window: SimulatedWindow) -> list[list[Any]]:
    """fs.js runs: it takes the queue and all later calls."""
    got = list(window.FS.properties["q"])

    def take(args: list[Any]) -> str:
        got.append(args)
        return "done"

    raw_put(window.FS, "_api", Function(take))
    raw_put(window.FS, "q", [])
    script(window).fire("load")
    return got


def test_a_call_before_fsjs_waits_in_the_queue() -> None:
    window, fullstory, _ = open_page()
    properties = {"plan": "premium"}
    assert fullstory.perform(Call("", ["trackEvent", {"name": "E", "properties": properties}, "src"]))
    assert operations(window) == [["trackEvent", {"name": "E", "properties": properties}, "src", 2]]
    assert window.FS.properties["q"][2][1]["properties"] is properties


@pytest.mark.parametrize(
    ("method", "args", "expected"),
    [
        ("identify", ["u1", {"a": 1}, "s"], [["user", {"uid": "u1"}, "s"], ["user", {"a": 1}, "s"]]),
        ("identify", ["u1"], [["user", {"uid": "u1"}, UNDEFINED]]),
        ("anonymize", [], [["user", {"uid": False}, UNDEFINED]]),
        ("setUserVars", [{"a": 1}, "s"], [["user", {"a": 1}, "s"]]),
        ("setVars", ["page", {"a": 1}, "s"], [["page", {"a": 1}, "s"]]),
        ("identifyAccount", ["acme"], []),
        ("clearUserCookie", [], []),
    ],
)
def test_v1_methods_that_set_properties(method: str, args: list[Any], expected: list[Any]) -> None:
    window, fullstory, _ = open_page()
    assert fullstory.perform(Call(method, args))
    assert operations(window) == [
        ["setProperties", {"type": kind, "properties": properties}, source, 1] for kind, properties, source in expected
    ]


@pytest.mark.parametrize(
    ("method", "args", "expected"),
    [
        ("event", ["E", {"p": 1}, "s"], ["trackEvent", {"name": "E", "properties": {"p": 1}}, "s", 1]),
        ("shutdown", [], ["shutdown", UNDEFINED, UNDEFINED, 1]),
        ("restart", [], ["restart", UNDEFINED, UNDEFINED, 1]),
        ("log", ["warn", "m"], ["log", {"level": "warn", "msg": "m"}, UNDEFINED, 1]),
        ("consent", [], ["setIdentity", {"consent": True}, UNDEFINED, 1]),
        ("consent", [False], ["setIdentity", {"consent": False}, UNDEFINED, 1]),
    ],
)
def test_other_v1_methods(method: str, args: list[Any], expected: list[Any]) -> None:
    window, fullstory, _ = open_page()
    assert fullstory.perform(Call(method, args))
    assert operations(window) == [expected]


def test_fsjs_takes_over() -> None:
    window, fullstory, seen = open_page()
    fullstory.perform(Call("event", ["before", {}]))
    got = arrive(window)
    fullstory.perform(Call("event", ["after", {}]))
    assert [entry[0] for entry in got] == ["init", "init", "trackEvent", "trackEvent"]
    assert len(got[3]) == 6
    assert window.FS.properties["q"] == []
    assert call(window.FS, "getSession") == "done"
    assert seen == ["ready"]


def test_the_script_comes_first_and_names_org_and_namespace() -> None:
    window, _, _ = open_page(namespace="MyFS")
    tag = script(window)
    assert tag.src == "https://edge.fullstory.com/s/fs.js?org=o-1ABC-na1"
    assert tag.getAttribute("data-fs-namespace") == "MyFS"
    assert not hasattr(window, "FS")


def test_a_page_without_script_tags_gets_it_into_its_head() -> None:
    window = SimulatedWindow(recording=False)
    window.document.head.children.clear()
    FullStory(Page(window), {"orgId": "o-1"}).load()
    assert script(window).parentNode is window.document.head


def test_blocked() -> None:
    window, fullstory, seen = open_page()
    before = call(window.FS, "getSessionAsync", {"format": "url"})
    assert before.state == "pending"
    script(window).fire("error")
    assert seen == ["blocked"]
    after = call(window.FS, "trackEventAsync", {"name": "E"})
    for promise in (before, after):
        assert promise.state == "rejected"
        assert str(promise.value) == "Error loading edge.fullstory.com/s/fs.js"
    assert call(window.FS, "trackEvent", {"name": "E"}) is NULL
    assert not fullstory.perform(Call("event", ["E", {}]))
    assert window.FS.properties["q"] == []


def test_the_queue_has_a_bound() -> None:
    window, fullstory, _ = open_page()
    first = call(window.FS, "trackEventAsync", {"name": "0"})
    for number in range(1, MAX_WAITING + 50):
        fullstory.perform(Call("event", [str(number), {}]))
    queue = window.FS.properties["q"]
    assert len(queue) == MAX_WAITING
    assert [entry[0] for entry in queue[:3]] == ["init", "init", "trackEvent"]
    assert queue[-1][1]["name"] == str(MAX_WAITING + 49)
    assert first.state == "rejected"


@pytest.mark.parametrize("events", [[], ["load"]], ids=["swallowed", "answered with an empty script"])
def test_a_silent_blocker_is_noticed_in_the_end(events: list[str]) -> None:
    window, fullstory, seen = open_page()
    for event in events:
        script(window).fire(event)
    window.settle()
    assert seen[-1] == "blocked"
    assert window.FS.properties["q"] == []
    assert not fullstory.perform(Call("event", ["E", {}]))


def test_a_late_fsjs_still_gets_what_comes_after() -> None:
    window, fullstory, seen = open_page()
    window.settle()
    got = arrive(window)
    assert fullstory.perform(Call("event", ["E", {}]))
    assert [entry[0] for entry in got] == ["trackEvent"]
    assert seen == ["blocked", "ready"]


def test_what_a_blocked_fullstory_does_not_get_is_handed_back() -> None:
    lost: list[Any] = []
    window = SimulatedWindow(recording=False)
    fullstory = FullStory(Page(window), {"orgId": "o-1"}, on_lost=lambda *operation: lost.append(operation))
    fullstory.load()
    fullstory.perform(Call("event", ["Early", {}]))
    script(window).fire("error")
    fullstory.perform(Call("", ["trackEvent", {"name": "Late"}, "source"]))
    assert lost[2:] == [
        ("trackEvent", {"name": "Early", "properties": {}}, UNDEFINED, 1),
        ("trackEvent", {"name": "Late"}, "source", 2),
    ]


def test_a_punctual_fsjs_outlives_the_deadline() -> None:
    window, fullstory, seen = open_page()
    arrive(window)
    window.settle()
    assert seen == ["ready"]
    assert fullstory.status == "ready"


def test_promises_settle_as_fsjs_says() -> None:
    window, _, _ = open_page()
    good, bad = call(window.FS, "getSessionAsync"), call(window.FS, "observeAsync")
    invoke_settlers = [(entry[3], entry[4]) for entry in window.FS.properties["q"][2:]]
    call(invoke_settlers[0][0], "https://app.fullstory.com/x")
    call(invoke_settlers[1][1], JsError("no"))
    assert (good.state, good.value) == ("fulfilled", "https://app.fullstory.com/x")
    assert bad.state == "rejected"
    assert isinstance(good, Promise)


def test_an_fs_on_the_page_is_used_and_left_alone() -> None:
    window = SimulatedWindow()
    fs = window.FS
    fullstory = FullStory(Page(window), {"orgId": "o-1", "globals": [("_fs_org", "o-1")]})
    fullstory.load()
    assert fullstory.status == "ready"
    assert fullstory.perform(Call("identify", ["u1"]))
    assert window.FS is fs
    assert window.calls == [{"call": "FS.identify", "args": ["u1"]}]
    assert window._fs_org == "o-1"
    assert not hasattr(script(window), "src")


def throw(args: Any) -> Any:
    raise JsError("boom")


def test_perform_never_raises() -> None:
    window, fullstory, _ = open_page()
    assert not fullstory.perform(Call("getCurrentSessionURL", []))  # comes with fs.js
    raw_put(window.FS, "_api", Function(throw))
    assert fullstory.perform(Call("event", ["E", {}]))
    assert call(window.FS, "trackEvent", {}) is UNDEFINED
    window.FS = Function(throw)
    assert not fullstory.perform(Call("", ["trackEvent"]))
    setattr(window, "FS", "a text")  # noqa: B010
    assert not fullstory.perform(Call("", ["trackEvent"]))


def test_a_page_that_allows_no_script_tag() -> None:
    window = SimulatedWindow(recording=False)
    setattr(window.document, "createElement", throw)  # noqa: B010
    fullstory = FullStory(Page(window), {"orgId": "o-1"})
    fullstory.load()
    assert fullstory.status == "blocked"
    assert not fullstory.perform(Call("event", ["E"]))


def test_a_global_that_is_taken_by_nothing() -> None:
    window = SimulatedWindow(recording=False)
    window.FS = NULL
    fullstory = FullStory(Page(window), {"orgId": "o-1"})
    fullstory.load()
    assert fullstory.status == "blocked"
    assert "namespace conflict" in window.console.lines[0][1]


def test_a_global_that_is_taken_by_something_else() -> None:
    window = SimulatedWindow(recording=False)
    setattr(window, "FS", Element("div"))  # noqa: B010
    fullstory = FullStory(Page(window), {"orgId": "o-1"})
    fullstory.load()
    assert fullstory.status == "blocked"
    assert not fullstory.perform(Call("", ["trackEvent", {}]))


def test_dev_mode_performs_nothing() -> None:
    window, fullstory, _ = open_page(devMode=True)
    assert [entry[0] for entry in operations(window)] == ["trackEvent", "shutdown"]
    assert not fullstory.perform(Call("event", ["E", {}]))
    assert len(operations(window)) == 2


def test_the_sdk_in_dev_mode() -> None:
    window = SimulatedWindow(recording=False)
    sdk = Sdk(Page(window))
    sdk.init({"orgId": "o-1", "devMode": True})
    message = "FullStory is in dev mode and is not capturing: identify method not executed"
    assert sdk.method("identify", "u1") == message
    assert sdk.call("trackEvent", {"name": "E"}) is UNDEFINED
    assert window.console.lines[-2:] == [
        ("warn", f"[fsbridge] {message}"),
        ("warn", "[fsbridge] FullStory is in dev mode and is not capturing: trackEvent not executed"),
    ]


def test_the_sdk_takes_null_addresses_by_their_word() -> None:
    window = SimulatedWindow(recording=False)
    Sdk(Page(window)).init({"orgId": "o-1", "host": NULL, "script": NULL})
    assert script(window).src == "https://null?org=o-1"
    assert window.FS.properties["q"][0][1] == {"env": {"orgId": "o-1", "host": NULL, "script": NULL}}


def test_the_sdk_needs_an_org_but_not_with_an_fs_there() -> None:
    with pytest.raises(SdkError, match="orgId is a required"):
        Sdk(Page(SimulatedWindow(recording=False))).init({})
    sdk = Sdk(Page(SimulatedWindow()))
    sdk.init({})
    assert sdk.is_initialized


def test_only_real_functions_of_the_snippet_are_there() -> None:
    window, _, _ = open_page()
    assert raw_get(window.FS, "_v") == "2.1.0"
    assert raw_get(window.FS, "getCurrentSessionURL") is UNDEFINED
    assert invoke(window.FS, "identifyAccount", 1) is UNDEFINED


@pytest.mark.parametrize(
    ("org", "region"),
    [("o-1-eu1", "eu1"), ("o-1-na1", ""), ("o-eu1", ""), ("org-with-hyphen", ""), ("--x", "x"), ("o-1-", ""), ("", "")],
)
def test_region_of(org: str, region: str) -> None:
    assert region_of(org) == region


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("fullstory.com", "eu1.fullstory.com"),
        ("edge.fullstory.com/s/fs.js", "edge.eu1.fullstory.com/s/fs.js"),
        ("edge.na1.fullstory.com/s/fs.js", "edge.eu1.fullstory.com/s/fs.js"),
        ("fullstory.com.fullstory.com", "fullstory.com.eu1.fullstory.com"),
        ("notfullstory.com", "notfullstory.com"),
        ("fullstory.com.evil.com", "fullstory.com.evil.com"),
        (".fullstory.com", ".fullstory.com"),
        ("cdn.acme.com/fullstory.com/fs.js", "cdn.acme.com/fullstory.com/fs.js"),
    ],
)
def test_regional(address: str, expected: str) -> None:
    assert regional(address, "eu1") == expected


@given(
    st.lists(st.sampled_from(["fullstory", "com", "edge", "eu1", "na1", "x"]), max_size=6),
    st.sampled_from(["", "/s/fs.js"]),
)
def test_a_regional_address_stays_as_it_is(labels: list[str], path: str) -> None:
    once = regional(".".join(labels) + path, "eu1")
    assert regional(once, "eu1") == once


def test_what_the_page_wraps_around_a_method_is_called() -> None:
    window, fullstory, _ = open_page()
    fullstory.perform(Call("event", ["ours", {}]))
    seen: list[Any] = []
    window.FS.properties["event"] = Function(lambda args: seen.append(args))
    fullstory.perform(Call("event", ["wrapped", {}]))
    assert seen == [["wrapped", {}]]
    assert [entry[1]["name"] for entry in operations(window)] == ["ours"]
