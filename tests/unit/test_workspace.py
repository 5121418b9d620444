"""What a Segment workspace says about events. The expectations are what the vendor's code does with the same rules."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsbridge import destinations
from fsbridge.browser.bridge import Bridge
from fsbridge.browser.page import Page
from fsbridge.browser.sources.analytics_js.conditions import BadRule, evaluate, glob
from fsbridge.browser.sources.analytics_js.filters import Filters
from fsbridge.runtime import UNDEFINED, make_array
from fsbridge.runtime.cpython import BigInt, Date, Function
from fsbridge.testing.simulated import SimulatedWindow

MESSAGE: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "userId": None,
    "properties": {
        "price": 10,
        "sku": "A-1",
        "list": ["a", "b"],
        "at": Date(0),
        "ok": True,
        "none": None,
        "o": {"x": 1},
    },
}


def deliver(cdn: Any, *calls: list[Any], destination: str = "segment-classic", options: Any = UNDEFINED) -> list[Any]:
    """The first two arguments of each call that FullStory gets."""
    window = SimulatedWindow("https://shop.example/")
    bridge = Bridge(Page(window), destinations.make(destination, {"org": "o-1"}))
    first = "wk" if cdn is None else {"writeKey": "wk", "cdnSettings": cdn}
    for method, *args in [["load", first, options], *calls]:
        bridge.call(method, make_array(args))
    window.settle()
    return [call["args"][:2] for call in window.calls]


def names(cdn: Any, *events: str | list[Any], **how: Any) -> list[str]:
    """The names of the events that arrive."""
    calls = deliver(cdn, *(["track", event] if isinstance(event, str) else event for event in events), **how)
    return [args[1]["name"] if args[0] == "trackEvent" else args[0] for args in calls]


def plan(**events: Any) -> Any:
    return {"plan": {"track": events}}


def rule(ir: Any, *transformers: Any, name: Any = "FullStory") -> Any:
    matcher = {"type": "all"} if ir is None else {"type": "fql", "ir": json.dumps(ir)}
    result = {"matchers": [matcher], "transformers": [list(transformers)]}
    return result if name is UNDEFINED else result | {"destinationName": name}


def routing(*rules: Any) -> Any:
    return {"middlewareSettings": {"routingRules": list(rules)}}


DROP = {"type": "drop"}
OFF, ON = {"enabled": False, "integrations": {}}, {"enabled": True, "integrations": {}}
DESTINATIONS = pytest.mark.parametrize("destination", ["segment-classic", "segment-actions"])


# The tracking plan


@DESTINATIONS
def test_plan_blocks_events(destination: str) -> None:
    assert names(plan(Off=OFF, On=ON), "Off", "On", "Else", destination=destination) == ["On", "Else"]
    assert names(plan(__default=OFF, On=ON), "On", "Else", destination=destination) == ["On"]
    assert names(plan(__default=OFF, On={"enabled": None}), "On", destination=destination) == []


@DESTINATIONS
def test_plan_of_the_load_options_counts_without_another(destination: str) -> None:
    options = plan(Off=OFF)
    assert names(None, "Off", "On", destination=destination, options=options) == ["On"]
    assert names({}, "Off", "On", destination=destination, options=options) == ["On"]
    assert names(plan(On=OFF), "Off", "On", destination=destination, options=options) == ["Off"]


@DESTINATIONS
def test_plan_names_destinations(destination: str) -> None:
    name = "FullStory" if destination == "segment-classic" else "Fullstory (Actions)"
    settings = plan(
        Not={"enabled": True, "integrations": {name: False}},
        Cloud={"enabled": True, "integrations": {"All": False}},
        Only={"enabled": True, "integrations": {"All": False, name: True}},
    )
    assert names(settings, "Not", "Cloud", "Only", destination=destination) == ["Only"]


def test_a_call_overrules_the_plan_with_actions_only() -> None:
    own = {"integrations": {"FullStory": True, "Fullstory (Actions)": True}}
    assert names(plan(Off=OFF), ["track", "Off", {}, own]) == []
    assert names(plan(Off=OFF), ["track", "Off", {}, own], destination="segment-actions") == ["Off"]


def test_classic_loses_an_event_planned_without_integrations() -> None:
    assert names(plan(Bare={"enabled": True}), "Bare", "Else") == ["Else"]
    assert names(plan(Bare={"enabled": True}), "Bare", destination="segment-actions") == ["Bare"]


@DESTINATIONS
def test_plan_comes_before_middleware(destination: str) -> None:
    def middleware(args: Any) -> Any:
        seen.append(args[0]["payload"]["obj"]["integrations"])
        args[0]["payload"]["obj"]["event"] = "Off"
        return args[0]["next"].body([args[0]["payload"]])

    seen: list[Any] = []
    add = ["addSourceMiddleware", Function(middleware)]
    arrived = names(plan(Off=OFF), add, ["track", "Off"], ["track", "On"], destination=destination)
    assert seen == [{"All": False, "Segment.io": True}, {}]
    assert arrived == ([] if destination == "segment-classic" else ["Off"])  # Classic looks again


def test_a_destination_turned_off_loses_its_actions_by_name() -> None:
    seen: list[Any] = []
    middleware = Function(lambda args: seen.append(args[0]["payload"]["obj"]["integrations"]))
    name = "Fullstory (Actions)"
    settings = plan(E={"enabled": True, "integrations": {name: False}})
    deliver(settings, ["addSourceMiddleware", middleware], ["track", "E"], destination="segment-actions")
    actions = ("trackEventV2", "identifyUserV2", "viewedPageV2")
    assert seen == [{name: False} | {f"{name} {action}": False for action in actions}]


# Which rules apply


def test_rules_are_for_the_destination_they_name() -> None:
    secret = ["=", "event", {"value": "Secret"}]
    assert names(routing(rule(secret, DROP)), "Secret", "Open") == ["Open"]
    assert names(routing(rule(secret, DROP, name="Amplitude")), "Secret") == ["Secret"]
    assert names(routing(rule(secret, DROP, name=None)), "Secret") == ["Secret"]


def test_rules_for_all_need_one_that_names_the_destination() -> None:
    for_all = rule(None, DROP, name=UNDEFINED)
    assert names(routing(for_all), "E") == ["E"]
    assert names(routing(for_all, rule(["=", "event", {"value": "x"}])), "E") == []


def test_filters_change_a_copy() -> None:
    properties = {"a": {"b": 1, "c": 2}}
    drop = {"type": "drop_properties", "config": {"drop": {"properties.a": ["b"]}}}
    calls = deliver(routing(rule(None, drop)), ["track", "E", properties])
    assert calls == [["E", {"a": {"c": 2}}]]
    assert properties == {"a": {"b": 1, "c": 2}}


def test_filters_come_before_destination_middleware() -> None:
    seen: list[Any] = []

    def middleware(args: Any) -> Any:
        seen.append(args[0]["payload"]["obj"]["event"])
        return args[0]["next"].body([args[0]["payload"]])

    changed = {"type": "map_properties", "config": {"map": {"event": {"set": "New"}}}}
    add = ["addDestinationMiddleware", "FullStory", Function(middleware)]
    assert names(routing(rule(None, changed)), add, ["track", "Old"]) == ["New"]
    assert seen == ["New"]


@pytest.mark.parametrize(
    "broken",
    [
        rule(["nonsense", "event"], DROP),
        rule(["and", ["in", "event", {"value": 1}]]),
        rule(None, {"type": "nonsense"}),
        rule(None, {"type": "drop_properties"}),
        rule(None, {"type": "sample_event", "config": {}}),
        {"destinationName": "FullStory", "matchers": [{"type": "fql", "ir": "{"}], "transformers": [[]]},
        {"destinationName": "FullStory", "matchers": [{"type": "all"}]},
        {"destinationName": "FullStory"},
    ],
)
def test_a_broken_rule_holds_messages_back(broken: Any) -> None:
    assert names(routing(broken), "E") == []


# Transformers


def transformed(kind: str, config: Any, **message: Any) -> Any:
    return Filters([rule(None, {"type": kind, "config": config})]).apply(message)


def test_drop_properties() -> None:
    config = {"drop": {"": ["userId"], "properties": ["a", "nope"], "properties.list": ["x"], "properties.a": ["b"]}}
    message = {"userId": "u", "properties": {"a": 1, "b": 2, "list": [{"x": 1, "y": 2}, None, "x"]}}
    assert transformed("drop_properties", config, **message) == {"properties": {"b": 2, "list": [{"y": 2}, None, "x"]}}


def test_allow_properties() -> None:
    config = {"allow": {"properties": ["b", "o"], "properties.o": [], "traits": ["a"]}}
    message = {"properties": {"a": 1, "b": 2, "o": {"x": 1}}}
    assert transformed("allow_properties", config, **message) == {"properties": {"b": 2, "o": {}}}


@pytest.mark.parametrize(
    ("rules", "properties"),
    [
        ({"properties.b": {"copy": "properties.a"}}, {"a": 1, "b": 1}),
        ({"properties.b": {"move": "properties.a"}}, {"b": 1}),
        ({"properties.b": {"copy": "properties.nope"}}, {"a": 1}),
        ({"properties.b": {"set": None}}, {"a": 1, "b": None}),
        ({"properties.a": {"to_string": True}}, {"a": "1"}),
        ({"properties.b": {"to_string": True}}, {"a": 1, "b": "undefined"}),
        ({"properties.b": {"set": {}, "to_string": True}}, {"a": 1, "b": {}}),
        ({"properties.b": {"set": None, "to_string": True}}, {"a": 1, "b": "null"}),
        ({"properties.b.c": {"set": 1}}, {"a": 1}),  # no parent
        ({"properties.a.c": {"set": 1}}, {"a": 1}),
        ({"properties.__proto__": {"set": 1}}, {"a": 1}),
        # Each from the message as it was before.
        ({"properties.a": {"set": 2}, "properties.b": {"copy": "properties.a"}}, {"a": 2, "b": 1}),
    ],
)
def test_map_properties(rules: Any, properties: Any) -> None:
    assert transformed("map_properties", {"map": rules}, properties={"a": 1}) == {"properties": properties}


def test_map_properties_as_json_has_them() -> None:
    config = {"map": {"properties.b": {"copy": "properties.a"}, "traits": {"move": "properties.zero"}}}
    message = {"properties": {"a": Date(0), "zero": 0}}
    expected = {"properties": {"a": Date(0), "b": "1970-01-01T00:00:00.000Z", "zero": 0}, "traits": 0}
    assert transformed("map_properties", config, **message) == expected  # what is falsy isn't moved away


def test_map_properties_makes_what_a_move_took_away() -> None:
    config = {"map": {"traits": {"move": "properties"}, "properties.0.a": {"set": 1}}}
    message = {"properties": {"0": {"b": 1}}}
    assert transformed("map_properties", config, **message) == {"traits": {"0": {"b": 1}}, "properties": [{"a": 1}]}


def test_map_properties_fails_on_a_big_int() -> None:
    assert names(routing(rule(None, {"type": "map_properties", "config": {"map": {}}})), ["track", "E", {"n": 1}]) == [
        "E"
    ]
    big = ["track", "E", {"n": BigInt(1)}]
    assert names(routing(rule(None, {"type": "map_properties", "config": {"map": {}}})), big) == []


@pytest.mark.parametrize(
    ("sample", "kept"),
    [
        ({"percent": 0}, False),
        ({"percent": -1, "path": "userId"}, False),
        ({"percent": 1}, True),
        ({"percent": 2}, True),
        ({}, False),
        ({"path": "userId"}, False),
        ({"percent": 0.01, "path": "userId"}, True),  # the vendor's samples by path have everybody
        ({"percent": "0.01", "path": "nope"}, True),
    ],
)
def test_sample_event(sample: Any, kept: bool) -> None:
    assert (transformed("sample_event", {"sample": sample}, userId="u1") is not None) is kept


def test_sample_event_by_chance() -> None:
    kept = sum(transformed("sample_event", {"sample": {"percent": 0.25}}, a=1) is not None for _ in range(2000))
    assert 350 < kept < 650


def test_hash_properties_does_nothing_in_the_browser() -> None:
    assert transformed("hash_properties", {}, a=1) == {"a": 1}


# Conditions


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        (["and", ["=", "type", {"value": "track"}], [">", "properties.price", {"value": 9}]], True),
        (["and"], True),
        (["or"], False),
        (["or", ["=", "type", {"value": "page"}], ["<=", "properties.price", {"value": 10}]], True),
        (["!", ["=", "type", {"value": "page"}]], True),
        ("properties.ok", True),
        ("properties.price", False),
        ({"value": True}, True),
        (["=", "properties.price", {"value": "10"}], False),
        (["!=", "properties.nope", {"value": None}], True),
        (["=", "userId", {"value": None}], True),
        (["=", "properties.list", {"value": ["a", "b"]}], True),
        (["=", "properties.o", {"value": {"x": 1}}], True),
        (["=", "properties.at", {"value": "1970-01-01T00:00:00.000Z"}], False),
        (["=", ["lowercase", "event"], {"value": "order completed"}], True),
        (["=", ["lowercase", "properties.price"], {"value": None}], True),
        (["=", ["typeof", "properties.none"], {"value": "object"}], True),
        (["=", ["typeof", "properties.list"], {"value": "object"}], True),
        (["=", ["typeof", "properties.at"], {"value": "object"}], True),
        (["=", ["typeof", "properties.nope"], {"value": "undefined"}], True),
        (["=", ["length", "properties.list"], {"value": 2}], True),
        (["=", ["length", "properties.none"], {"value": 0}], True),
        ([">=", ["length", "properties.o"], {"value": 0}], False),
        (["=", "properties.list.length", {"value": 2}], True),
        (["=", "properties.list.1", {"value": "b"}], True),
        (["=", ["match", "event", {"value": "Order*"}], {"value": True}], True),
        (["<", "event", {"value": "Z"}], False),
        (["contains", "event", {"value": "Comp"}], True),
        (["contains", ["lowercase", "event"], {"value": "comp"}], False),  # functions count in comparisons only
        (["contains", "properties.list", {"value": "a"}], False),
        (["in", "event", [{"value": "x"}, {"value": "Order Completed"}]], True),
        (["in", "properties.price", [{"value": "10"}, "event"]], False),
        (["match", "properties.sku", {"value": "[A-C]-?"}], True),
        (["length", "event"], 15),
        (["lowercase", "properties.sku"], "a-1"),
    ],
)
def test_conditions(condition: Any, value: Any) -> None:
    assert evaluate(condition, MESSAGE) == value


@pytest.mark.parametrize("condition", [["="], ["=", "event"], ["in", "event", "event"], ["Xor", "event"], [None], []])
def test_broken_conditions(condition: Any) -> None:
    with pytest.raises(BadRule):
        evaluate(condition, MESSAGE)


@pytest.mark.parametrize(
    ("pattern", "fitting", "unfitting"),
    [
        ("", [""], ["a"]),
        ("*", ["", "abc"], []),
        ("a*b*c", ["abc", "a--b--c", "abcbc"], ["ab", "xabc", "abcx"]),
        ("*a", ["a", "aa", "ba"], ["ab"]),
        ("?", ["a"], ["", "ab", "😀"]),
        ("??", ["ab", "😀"], ["a"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "a"]),
        ("[^a-c]", ["d", "-"], ["b", ""]),
        ("[a*]b", ["ab", "*b"], ["xb"]),
        (r"\*", ["*"], ["a"]),
        (r"[\]]", ["]"], ["\\", "a"]),
        ("Äpfel*", ["Äpfel", "Äpfelmus"], ["äpfel"]),
        *((broken, [], ["", "a", "]", "-", "[]", broken]) for broken in ("[]", "[a", "[-a]", "[a-", "a\\")),
    ],
)
def test_glob(pattern: str, fitting: list[str], unfitting: list[str]) -> None:
    assert [text for text in fitting + unfitting if glob(pattern, text)] == fitting


@given(text=st.text(), parts=st.lists(st.text(alphabet="ab*?"), max_size=4))
def test_glob_finds_text_between_stars(text: str, parts: list[str]) -> None:
    literal = [part.replace("*", "\\*").replace("?", "\\?") for part in parts]
    assert glob("*" + "*".join(literal) + "*", text + text.join(parts) + text)
