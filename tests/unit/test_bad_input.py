"""Whatever a page passes in, for every method: nothing is raised, and the calls before and after arrive."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsbridge import destinations
from fsbridge.browser.bridge import Bridge
from fsbridge.browser.page import Page
from fsbridge.runtime import NULL, UNDEFINED
from fsbridge.runtime.cpython import BigInt, Date, Function, Host, JsError
from fsbridge.testing.simulated import SimulatedWindow

ORG = "o-1ABC-na1"
DESTINATIONS = ["segment-classic", "segment-actions", "rudderstack"]
# Methods whose very meaning may be to hold messages back.
HOLDING = set("load consent addSourceMiddleware addDestinationMiddleware addIntegrationMiddleware register".split())


class Thrower(Host):
    """An object whose properties throw when they are read."""

    @property
    def event(self) -> Any:
        raise JsError("getter")

    properties = traits = context = integrations = anonymousId = userId = event


def cycle() -> Any:
    value: dict[str, Any] = {"a": 1}
    value["self"] = value
    return value


def throws(args: Any) -> Any:
    raise JsError("callback")


SCALARS = st.one_of(
    st.sampled_from(
        [UNDEFINED, NULL, True, False, "", " ", "\ud800", "2020-01-02", 0, -0.0, math.nan, math.inf, 2**60]
    ),
    st.sampled_from(
        [BigInt(5), Date(math.nan), Date(0), JsError("boom"), Function(throws), Function(lambda args: UNDEFINED)]
    ),
    st.text(max_size=8),
    st.floats(),
)
KEYS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        "name email id length event properties traits context integrations All anonymousId userId messageId "
        "timestamp page url __proto__ constructor displayName pageName".split()
    ),
)
VALUES = st.recursive(
    st.one_of(SCALARS, st.builds(cycle), st.builds(Thrower)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=6,
)


@pytest.mark.parametrize("source", ["analytics.js", "rudderanalytics"])
@pytest.mark.parametrize("destination", DESTINATIONS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_nothing_is_raised_and_nothing_lost(destination: str, source: str, data: st.DataObject) -> None:
    window = SimulatedWindow("https://shop.example/")
    bridge = Bridge(Page(window), destinations.make(destination, {"org": ORG}), source)
    methods = [name for name in bridge.source.methods + bridge.source.unsupported if name not in HOLDING]
    bridge.call("track", ["Before"])
    for method, args in data.draw(
        st.lists(st.tuples(st.sampled_from(methods), st.lists(VALUES, max_size=4)), max_size=4)
    ):
        bridge.call(method, args)
    bridge.call("track", ["After"])
    window.settle()
    arrived = [_event(call) for call in window.calls]
    assert arrived[0] == "Before"
    assert "After" in arrived


def _event(call: dict[str, Any]) -> Any:
    if call["args"] and call["args"][0] == "trackEvent":
        return call["args"][1]["name"]
    return call["args"][0] if call["call"] == "FS.event" else None
