"""What the plugin makes of the operations that reach fs.js."""

import math
from datetime import UTC, datetime

import pytest

from fsbridge.runtime.cpython import BigInt
from fsbridge.testing import FS, UNDEFINED, Operation
from fsbridge.testing.calls import as_written
from fsbridge.testing.values import decode, same, show


def user(properties, source=UNDEFINED, page="1"):
    return Operation("setProperties", {"type": "user", "properties": properties}, source, 1, page=page)


def test_the_two_halves_of_an_identify_are_put_together():
    assert as_written([user({"uid": "u"}, "segment"), user({"plan": "free"}, "segment")]) == [
        FS.identify("u", {"plan": "free"}, "segment")
    ]


@pytest.mark.parametrize(
    "second",
    [
        user({"plan": "free"}, "segment", page="2"),
        user({"plan": "free"}, "other"),
        Operation("setProperties", {"type": "user", "properties": {"plan": "free"}}, "segment", 2, page="1"),
    ],
)
def test_what_does_not_belong_together_stays_apart(second):
    calls = as_written([user({"uid": "u"}, "segment"), second])
    assert len(calls) == 2
    assert calls[0] == FS.identify("u", source="segment")


def test_setup_and_questions_are_no_calls():
    assert as_written([Operation("init", {}), Operation("observe", {}), Operation("getSession", UNDEFINED)]) == []


def test_odd_operations_are_shown_as_they_came():
    assert as_written([Operation("trackEvent", None, UNDEFINED, 1)]) == [FS.event(UNDEFINED)]
    assert as_written([Operation("shout", "loud", "me")]) == [FS("shout", "loud", "me")]


def test_calls_read_like_javascript():
    assert repr(FS.event("A", source="segment")) == 'FS.event("A", undefined, "segment")'
    assert repr(FS.identify(False)) == "FS.anonymize()"
    assert repr(FS("restart")) == 'FS("restart")'
    assert show({"a-b": [1.0, -0.0, math.inf, None, UNDEFINED, BigInt(5)], "c": datetime(2026, 1, 2, tzinfo=UTC)}) == (
        '{"a-b": [1, -0, Infinity, null, undefined, 5n], c: new Date("2026-01-02T00:00:00.000Z")}'
    )


def test_tags_come_back_as_values():
    assert decode({"$date": "2026-01-02T00:00:00.000Z"}) == datetime(2026, 1, 2, tzinfo=UTC)
    assert decode({"$object": {"$date": "not a tag"}}) == {"$date": "not a tag"}
    assert decode([{"$undefined": True}, {"a": {"$number": "Infinity"}}]) == [UNDEFINED, {"a": math.inf}]


def test_same_is_javascript_minded():
    assert same({"a": 1, "b": UNDEFINED}, {"a": 1.0})
    assert same([math.nan], (math.nan,))
    assert not same(True, 1)
    assert not same(None, UNDEFINED)
    assert not same({"a": None}, {})
