"""The subscription language, against recordings of the vendor's own parser."""

from __future__ import annotations

from typing import Any

import pytest

from . import pure
from .recordings import identifier, recordings
from .tagged import decode, differences


@pytest.mark.parametrize("recording", recordings("fql"), ids=identifier)
def test_subscription(recording: dict[str, Any]) -> None:
    problems = compare(recording, pure.subscription(decode(recording)))
    assert not problems, "\n".join(problems)


def compare(recording: dict[str, Any], outcome: dict[str, Any]) -> list[str]:
    """What tells the outcome from the recorded one, a line each."""
    expected = recording["expect"]
    if isinstance(expected, bool):
        return differences({"value": expected}, outcome)
    if expected["phase"] != "parse":
        wrong = {"TypeError", "JsError"}.isdisjoint(outcome.get("error", ()))
        return [f"expected a TypeError, got {outcome}"] if wrong else []
    if "FqlError" not in outcome.get("error", ()):
        return [f"expected an FqlError, got {outcome}"]
    # The engine's own texts only say that the vendor's parser ran into nothing; ours say what is wrong.
    return [] if expected.get("engine") else differences([expected["error"]], outcome["errors"], "error")
