"""The camel-casings, against recordings of the vendors' own."""

from __future__ import annotations

from typing import Any

import pytest

from fsbridge.cloud import names as cloud_names

from . import pure
from .recordings import identifier, recordings
from .tagged import decode, differences

RECORDINGS = [*recordings("names-segment"), *recordings("names-rudder"), *recordings("names-cloud")]
CASINGS = [recording for recording in RECORDINGS if recording["function"] in pure.CASINGS]
OTHERS = [recording for recording in RECORDINGS if recording["function"] not in pure.CASINGS]


@pytest.mark.parametrize("recording", CASINGS, ids=identifier)
def test_casing(recording: dict[str, Any]) -> None:
    problems = compare(recording, pure.name(decode(recording)))
    assert not problems, "\n".join(problems)


def compare(recording: dict[str, Any], outcome: dict[str, Any]) -> list[str]:
    """What tells the outcome from the recorded one, a line each."""
    if "throws" in recording:
        wrong = {"TypeError", "AttributeError", "JsError"}.isdisjoint(outcome.get("error", ()))
        return [f"expected an exception, got {outcome}"] if wrong else []
    return differences({"value": decode(recording["output"])}, outcome)


@pytest.mark.parametrize("recording", OTHERS, ids=identifier)
def test_property_names(recording: dict[str, Any]) -> None:
    options = recording.get("options", {})
    given = decode(recording["input"])
    actual = cloud_names.normalize(given, options.get("camelCase", False), options.get("typeSuffix", False))
    assert not differences(decode(recording["output"]), actual), recording
