"""Subscriptions: whatever somebody types, and whatever message comes along."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsbridge.mapping.fql import FqlError, parse

WORDS = st.sampled_from(
    'type event properties.x traits.a.b = != >= and or ( ) ! 5 null , "a" "a*" contains(event, match(event,'.split()
)
SOURCES = st.text(max_size=30) | st.lists(WORDS, max_size=10).map(" ".join)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
MESSAGES = st.dictionaries(
    st.sampled_from(["type", "event", "properties", "traits"]),
    VALUES | st.dictionaries(st.sampled_from(["x", "a"]), VALUES),
)


@given(source=SOURCES, message=MESSAGES)
def test_a_subscription_is_refused_or_answers(source: str, message: dict[str, Any]) -> None:
    try:
        trigger = parse(source)
    except FqlError:
        return
    try:
        assert trigger.matches(message) in (True, False)
    except TypeError:
        assert "(" in source or "." in source


@given(name=st.text(alphabet=st.characters(exclude_characters='"')))
def test_quoted_text_is_compared_as_it_is(name: str) -> None:
    trigger = parse(f'type = "track" and event = "{name}"')
    assert trigger.matches({"type": "track", "event": name})
    assert not trigger.matches({"type": "track", "event": name + "x"})


@given(limit=st.integers(-1000, 1000), value=st.integers(-1000, 1000))
def test_numbers(limit: int, value: int) -> None:
    assert parse(f"properties.x >= {limit}").matches({"properties": {"x": value}}) is (value >= limit)


def test_the_text_is_kept_and_mistakes_are_named() -> None:
    assert parse("type = 'x'").text == "type = 'x'"
    with pytest.raises(FqlError, match="unterminated string at character 8"):
        parse('type = "track')


@pytest.mark.parametrize(
    ("source", "types"),
    [
        ('type = "track"', ["track"]),
        ('type = "track" and event = "E"', ["track"]),
        ('type = "track" or type = "page"', ["track", "page"]),
        ('type = "track" or event = "E"', None),
        ('event = "E" and type = "track"', None),
        ('type != "track"', None),
        ('(type = "track" or type = "page") and event = "E"', ["track", "page"]),
        ('() and type = "track"', None),
    ],
)
def test_the_types_that_a_trigger_is_about(source: str, types: list[str] | None) -> None:
    assert parse(source).types == types
