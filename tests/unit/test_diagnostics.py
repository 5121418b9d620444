"""Diagnostics: what FullStory would not take is said once, before it is sent, and only in debug mode."""

import subprocess
import sys
from typing import Any

import pytest

from fsbridge import connect
from fsbridge.browser.diagnostics import Diagnostics
from fsbridge.contracts import Call
from fsbridge.runtime import NULL, UNDEFINED
from fsbridge.runtime.cpython import BigInt, Date
from fsbridge.testing.simulated import SimulatedWindow


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> Any:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def diagnostics(clock: Clock, warnings: list[str]) -> Diagnostics:
    return Diagnostics(clock, warnings.append)


def event(name: str, properties: Any = None) -> Any:
    return Call("event", [name, properties or {}, "segment"])


def page(**properties: Any) -> Any:
    return Call("", ["setProperties", {"type": "page", "properties": properties}, "segment-browser-actions"])


def identify(uid: Any, **properties: Any) -> Any:
    return Call("", ["setIdentity", {"uid": uid, "properties": properties}, "segment-browser-actions"])


CYCLE: dict[str, Any] = {}
CYCLE["self"] = CYCLE


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (event(""), ['event "": its name has 0 characters']),
        (event("e" * 251), ["its name has 251 characters"]),
        (event(UNDEFINED), ['event "undefined": its name is undefined']),
        (event("e" * 250), []),
        (event("E", {"2nd": 1}), ['event "E": property "2nd" is rejected']),
        (event("E", {"größe": 1}), ['property "größe"']),
        (event("E", {"": 1}), ['property ""']),
        (event("E", {"p" * 513: 1}), ["no longer than 512"]),
        (event("E", {"p" * 512: 1, "a-b_C9": 2}), []),
        (event("E", {"address": {"post code": 1}}), ['property "address.post code"']),
        (event("E", {"text": "x" * 512 * 1024, "n": 1}), ['513 KB, most of it in property "text"']),
        (event("E", {"text": "é" * 256 * 1024}), ["513 KB"]),
        (event("E", {"text": "x" * 500 * 1024}), []),
        (event("E", CYCLE), ["has a cycle or a BigInt"]),
        (event("E", {"n": BigInt(5)}), ["has a cycle or a BigInt"]),
        (event("E", {"items": [{"sku": 1}]}), ['event "E": property "items" is an array of objects']),
        (event("E", {"cart": {"items": [1, {"sku": 1}]}}), ['property "cart.items"']),
        (event("Order Completed", {"products": [{"sku": 1}]}), []),
        (event("E", {"items": [1, "x", [2]], "at": Date(0), "none": NULL, "gone": UNDEFINED}), []),
        (Call("setUserVars", [{"displayName": 5, "email": "a@b.example"}, "s"]), ["user properties: displayName is"]),
        (page(pageName=["Home"]), ["page properties: pageName is FullStory's own"]),
        (identify(5), ['identity "5": FullStory rejects a uid']),
        (identify(""), ["rejects a uid"]),
        (Call("identify", ["u1"]), []),
        (Call("identify", ["anonymous-1", {"plan": "x"}]), ['identity "anonymous-1" is the visitor\'s anonymous id']),
        (Call("restart", []), []),
    ],
)
def test_a_call_that_fullstory_would_not_take_whole(
    diagnostics: Diagnostics, warnings: list[str], call: Any, expected: Any
) -> None:
    diagnostics.check(call, "anonymous-1")
    assert len(warnings) == len(expected), warnings
    assert all(part in warning for part, warning in zip(expected, warnings, strict=True)), warnings


def test_each_kind_is_said_once(diagnostics: Diagnostics, warnings: list[str]) -> None:
    for index in range(3):
        diagnostics.check(event(f"Event {index}", {"bad name": 1, "items": [{}]}))
    assert len(warnings) == 2
    assert all('event "Event 0"' in warning for warning in warnings)


def test_another_identity_starts_a_new_session(diagnostics: Diagnostics, warnings: list[str]) -> None:
    diagnostics.check(identify("u1"))
    diagnostics.check(identify("u1"))
    assert warnings == []
    diagnostics.check(identify("u2"))
    assert warnings == ['identity "u2": the visitor was "u1" before; FullStory starts a new session']


@pytest.mark.parametrize(
    ("call", "most", "spacing", "spoken"),
    [
        (event("E"), 60, 500, "60 calls of trackEvent in a minute"),
        (event("E"), 40, 1, "40 calls of trackEvent in a second"),
        (identify("u1"), 30, 500, "30 calls of setIdentity in a minute"),
        (Call("setVars", ["page", {}]), 10, 1, "10 calls of setProperties in a second"),
    ],
)
def test_call_rates_over_sliding_windows(
    diagnostics: Diagnostics, warnings: list[str], clock: Clock, call: Any, most: int, spacing: Any, spoken: str
) -> None:
    for _ in range(most):
        diagnostics.check(call)
        clock.now += spacing
    assert warnings == []
    diagnostics.check(call)
    assert len(warnings) == 1
    assert spoken in warnings[0]


def test_calls_at_the_limit_are_fine_for_ever(diagnostics: Diagnostics, warnings: list[str], clock: Clock) -> None:
    for _ in range(500):
        diagnostics.check(event("E"))
        clock.now += 1000
    assert warnings == []


def test_page_names_and_properties_are_counted(diagnostics: Diagnostics, warnings: list[str], clock: Clock) -> None:
    def look(url: str = "https://shop.example/", **properties: Any) -> None:
        clock.now += 60_000
        diagnostics.check(page(**properties), UNDEFINED, url)

    for index in range(1000):
        look(pageName=f"Page {index}")
    look(pageName="Page 7", **dict[str, Any]({f"p{index}": 1 for index in range(50)}))
    look("https://shop.example/?q=1#top", p0=2)
    assert warnings == []
    look(pageName="Page 1000")
    look(p50=1)
    look("https://shop.example/next", p50=1)
    assert [warning[: warning.index(" is one")] for warning in warnings] == [
        'page properties: pageName "Page 1000"',
        'page properties: "p50"',
    ]
    for index in range(60, 520):
        look(f"https://shop.example/{index}", **{f"p{index}": 1})
    assert 'page properties: "p509" is one more than the 500' in warnings[2]


def test_memory_is_bounded(diagnostics: Diagnostics, clock: Clock) -> None:
    for index in range(3000):
        clock.now += 1
        diagnostics.check(
            page(**{"pageName": f"{index}" * 300, f"p{index}": 1}), f"a{index}", f"https://x.example/{index}"
        )
    remembered = [value for value in vars(diagnostics).values() if isinstance(value, (set, list))]
    assert max(map(len, remembered)) == 1000
    assert max(len(text) for values in remembered for text in values) == 512


def said(window: SimulatedWindow) -> Any:
    """What the console was told, but that a simulated page has an FS already."""
    return [text for level, text in window.console.lines if level == "warn" and "already been defined" not in text]


def test_connect_with_diagnostics_warns_and_sends_all_the_same() -> None:
    window = SimulatedWindow()
    analytics = connect("rudderstack", org="o-1", window=window, diagnostics=True)
    analytics.track("E" * 300, {"items": [{"sku": 1}]})
    assert [call["call"] for call in window.calls] == ["FS.event"]
    assert len(said(window)) == 2
    assert said(window)[0].startswith('[fsbridge] event "EEE')


def test_debug_of_the_source_switches_it() -> None:
    window = SimulatedWindow()
    analytics = connect("segment-actions", org="o-1", window=window)
    analytics.track("Quiet", {"bad name": 1})
    assert said(window) == []
    analytics.debug()
    analytics.track("Loud", {"bad name": 1})
    assert ['event "Loud": property "bad name"' in text for text in said(window)] == [True]
    analytics.debug(False)
    analytics.track("E" * 300)
    assert len(said(window)) == 1


def test_it_is_not_even_imported_when_off() -> None:
    program = """
import sys
from fsbridge import connect
from fsbridge.testing.simulated import SimulatedWindow
analytics = connect("segment-classic", org="o-1", window=SimulatedWindow())
analytics.track("E", {"bad name": 1})
print("fsbridge.browser.diagnostics" in sys.modules)
analytics.debug()
analytics.track("E", {"bad name": 1})
print("fsbridge.browser.diagnostics" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
