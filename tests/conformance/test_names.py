"""The camel-casings, against recordings of the vendors' own."""

from __future__ import annotations

from typing import Any

import pytest

from fsbridge.mapping import cloud_names, names

from .recordings import identifier, recordings
from .tagged import decode, differences

FUNCTIONS = {
    "camelcase-classic": names.classic,
    "camelcase-rudder": names.rudder,
    "camelcase-lodash": names.actions,
}


@pytest.mark.parametrize(
    "recording",
    [*recordings("names-segment"), *recordings("names-rudder"), *recordings("names-cloud")],
    ids=identifier,
)
def test_name(recording: dict[str, Any]) -> None:
    given = decode(recording.get("input"))
    if recording["function"] == "normalizePropertyNames":
        options = recording.get("options", {})
        actual = cloud_names.normalize(given, options.get("camelCase", False), options.get("typeSuffix", False))
    elif "throws" in recording:
        with pytest.raises((TypeError, AttributeError)):
            FUNCTIONS[recording["function"]](given)
        return
    else:
        actual = FUNCTIONS[recording["function"]](given)
    assert not differences(decode(recording["output"]), actual), recording
