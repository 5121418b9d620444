"""The camel-casings, against recordings of the vendors' own."""

from __future__ import annotations

from typing import Any

import pytest

from fsbridge.cloud import names as cloud_names

from . import pure
from .recordings import identifier, recordings
from .tagged import decode, differences

CLOUD_FUNCTIONS = {"camelcase-lodash": "lodash", "normalizePropertyNames": "normalizePropertyNames"}
"""What the functions of names-cloud are called here: its camel-casing is lodash's own, without suffix rules."""

CLOUD = [{**recording, "function": CLOUD_FUNCTIONS[recording["function"]]} for recording in recordings("names-cloud")]
CASINGS = [
    recording
    for recording in [*recordings("names-segment"), *recordings("names-rudder"), *CLOUD]
    if recording["function"] in pure.CASINGS
]
OTHERS = [recording for recording in CLOUD if recording["function"] not in pure.CASINGS]


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
    if "throws" in recording:
        with pytest.raises((TypeError, AttributeError)):
            cloud_names.normalize(decode(recording["input"]), False, False)
        return
    options = recording.get("options") or {}
    given = decode(recording["input"])
    actual = cloud_names.normalize(given, options.get("camelCase", False), options.get("typeSuffix", False))
    assert not differences(decode(recording["output"]), actual), recording
