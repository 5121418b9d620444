"""The mapping language, against recordings of Segment's own mapping kit."""

from __future__ import annotations

from typing import Any

import pytest

from fsbridge.cloud import liquid as liquid_on_cpython
from fsbridge.mapping import liquid

from . import pure
from .recordings import identifier, recordings
from .tagged import decode, differences

liquid_on_cpython.install()

CLASSES: dict[str, set[str]] = {
    "ValidationError": {"ValidationError"},
    "AggregateError": {"AggregateError"},
    "Error": {"MappingError"},
    "TypeError": {"TypeError", "MappingError", "JsError"},
    # liquidjs's own
    "ParseError": {"MappingError"},
    "RenderError": {"MappingError"},
    "TokenizationError": {"MappingError"},
}


@pytest.mark.parametrize("recording", recordings("mapping-kit"), ids=identifier)
def test_mapping(recording: dict[str, Any]) -> None:
    if "liquid" in recording["tags"] and not liquid.available():
        pytest.skip(liquid.MISSING)
    problems = compare(recording, pure.mapping(decode(recording)))
    assert not problems, "\n".join(problems)


def compare(recording: dict[str, Any], outcome: dict[str, Any]) -> list[str]:
    """What tells the outcome from the recorded one, a line each."""
    expected = recording["expect"]
    if not isinstance(expected, dict) or "name" not in expected or not ("error" in expected or "errors" in expected):
        return differences({"value": decode(expected)}, outcome)
    if CLASSES[expected["name"]].isdisjoint(outcome.get("error", ())):
        return [f"expected {expected}, got {outcome}"]
    # What a mistake in a template is called is the parser's own affair.
    of_parser = expected["name"] in ("ParseError", "TokenizationError") and "disabled" not in expected["error"]
    if expected.get("engine") or of_parser:
        return []
    return differences(expected.get("errors", [expected.get("error")]), outcome["errors"], "errors")
