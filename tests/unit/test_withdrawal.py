"""A visitor who doesn't agree any more: what becomes of FullStory, of what waits, and of what is stored."""

from __future__ import annotations

from typing import Any

import pytest

from fsbridge import destinations
from fsbridge.browser.bridge import OPERATION, Bridge
from fsbridge.browser.page import Page
from fsbridge.runtime import make_promise, raw_get, raw_put
from fsbridge.runtime.cpython import Function
from fsbridge.testing.simulated import SimulatedWindow

LOAD = ("load", "key", "https://data.example")
CASES = {"segment-classic": (), "segment-actions": (), "rudderstack": (LOAD,)}


def running(window: SimulatedWindow, destination: str = "segment-classic", *calls: tuple[Any, ...]) -> Bridge:
    page = Page(window)
    bridge = Bridge(page, destinations.make(destination, {"org": "o-1ABC-na1"}))
    moment = page.moment()
    bridge.replay([(method, list(args), moment) for method, *args in calls])
    return bridge


def stored(window: SimulatedWindow) -> list[str]:
    areas = [window.localStorage, window.sessionStorage]
    return [*window.cookies.values, *[area.key(index) for area in areas for index in range(area.length)]]


def queue(window: SimulatedWindow) -> list[Any]:
    return [entry[:2] for entry in raw_get(window.FS, "q")]


@pytest.mark.parametrize("destination", CASES)
def test_all_that_the_source_stored_goes_and_nothing_else(destination: str) -> None:
    window = SimulatedWindow("https://shop.example/")
    window.localStorage.setItem("mine", "1")
    window.document.cookie = "mine=1"
    bridge = running(
        window, destination, *CASES[destination], ("identify", "u1", {"a": 1}), ("group", "g1"), ("track", "E")
    )
    window.settle()
    assert len(stored(window)) > 6
    bridge.consent(False)
    assert stored(window) == ["mine", "mine"]
    # What still comes, of links and handles for instance, reaches nobody and is stored nowhere.
    before = len(window.calls)
    for method, *args in (("track", "E"), ("identify", "u2"), ("page",), ("setAnonymousId", "a")):
        bridge.call(method, args)
    bridge.replay([(OPERATION, ["trackEvent", {"name": "E"}], Page(window).moment())])
    window.settle()
    assert window.calls[before:] == []
    assert stored(window) == ["mine", "mine"]


@pytest.mark.parametrize("destination", CASES)
def test_a_yes_begins_with_a_visitor_that_nobody_knows(destination: str) -> None:
    window = SimulatedWindow("https://shop.example/")
    bridge = running(window, destination, *CASES[destination], ("identify", "u1", {"a": 1}), ("track", "Before"))
    bridge.consent(False)
    assert bridge.consent(True) == "ready"
    bridge.call("track", ["After"])
    window.settle()
    names = [entry["call"] for entry in window.calls]
    assert "After" in str(window.calls[-1])
    assert names.count("FS") >= 2
    assert [entry["args"][0] for entry in window.calls if entry["args"][0] in ("shutdown", "restart")] == [
        "shutdown",
        "restart",
    ]
    assert stored(window)
    assert "u1" not in str([window.cookies.values, vars(window.localStorage)])


def test_a_no_before_fs_js_is_there_keeps_it_from_capturing_and_a_yes_lets_it() -> None:
    window = SimulatedWindow("https://shop.example/", recording=False)
    bridge = running(window, "segment-classic", ("track", "Before"))
    setting_up = queue(window)[:2]
    bridge.consent(False)
    held = ["init", {"env": {"captureOnStartup": False}}]
    assert [entry[0] for entry in queue(window)] == ["init", "init", "init", "shutdown"]
    assert queue(window)[2] == held
    bridge.consent(True)
    bridge.call("track", ["After"])
    assert queue(window)[:2] == setting_up
    assert [entry[0] for entry in queue(window)[2:]] == ["trackEvent"]


def test_fs_js_that_comes_meanwhile_is_started() -> None:
    window = SimulatedWindow("https://shop.example/", recording=False)
    bridge = running(window, "segment-classic", ("track", "Before"))
    bridge.consent(False)
    got: list[Any] = []
    raw_put(window.FS, "_api", Function(lambda args: got.append(args[0])))
    bridge.consent(True)
    assert got == ["start", "restart"]


def test_nothing_begins_while_the_visitor_says_no() -> None:
    window = SimulatedWindow("https://shop.example/")
    promise, decide, _ = make_promise()
    options = {"disable": Function(lambda args: promise)}
    bridge = running(window, "segment-classic", ("load", "key", options), ("track", "Before"))
    bridge.consent(False)
    decide(False)
    window.settle()
    assert window.calls == []
    assert stored(window) == []
    bridge.consent(True)
    bridge.call("track", ["After"])
    assert [entry["args"][0] for entry in window.calls] == ["After"]
