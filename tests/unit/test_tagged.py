"""The comparison that decides about every recording."""

from __future__ import annotations

import math

import pytest

from fsbridge.runtime import UNDEFINED
from fsbridge.runtime.cpython import BigInt, Date, Function, JsError
from tests.conformance.tagged import Like, decode, differences, encode

TAGGED = {
    "date": {"$date": "2024-02-29T12:00:00.000Z"},
    "invalid": {"$date": "Invalid Date"},
    "numbers": [{"$number": "NaN"}, {"$number": "-0"}, {"$number": "-Infinity"}, 0, 1.5],
    "big": {"$bigint": "12345678901234567890"},
    "nested": {"u": {"$undefined": True}, "f": {"$function": True}, "e": {"$error": "boom"}, "n": None},
    "plain": {"$key": 1, "other": 2},
}


def test_decoding_and_encoding_are_inverse() -> None:
    assert encode(decode(TAGGED)) == TAGGED
    assert differences(decode(TAGGED), decode(TAGGED)) == []


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1, 1.0),
        (math.nan, math.nan),
        ({"a": UNDEFINED}, {}),
        ({}, {"a": UNDEFINED}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (Function(lambda args: 1), Function(lambda args: 2)),
        (Like("a text", lambda value: isinstance(value, str)), "x"),
    ],
)
def test_equal(expected: object, actual: object) -> None:
    assert differences(expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1, True),
        (1, "1"),
        (0, -0.0),
        (1, BigInt(1)),
        (None, UNDEFINED),
        ({"a": None}, {}),
        ([1], [1, UNDEFINED]),
        (Date(1), Date(2)),
        (Date(1), "1970-01-01T00:00:00.001Z"),
        (JsError("a"), JsError("b")),
        ({}, JsError("")),
        ({}, []),
        (Like("a text", lambda value: isinstance(value, str)), 1),
    ],
)
def test_different(expected: object, actual: object) -> None:
    assert len(differences(expected, actual)) == 1
    assert len(differences({"x": [expected]}, {"x": [actual]})) == 1


def test_a_difference_names_its_place() -> None:
    assert differences({"a": [{"b": 1}]}, {"a": [{"b": "1"}]}) == ['.a[0].b: expected 1, got "1"']
    assert decode({"id": {"$anonymousId": True}}, {"$anonymousId": "a-1"}) == {"id": "a-1"}
