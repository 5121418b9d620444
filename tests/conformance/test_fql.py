"""The subscription language, against recordings of the vendor's own parser."""

from __future__ import annotations

from typing import Any

import pytest

from fsbridge.mapping.fql import FqlError, parse

from .recordings import identifier, recordings
from .tagged import decode


@pytest.mark.parametrize("recording", recordings("fql"), ids=identifier)
def test_subscription(recording: dict[str, Any]) -> None:
    expected = recording["expect"]
    subscribe = decode(recording["subscribe"])
    if isinstance(expected, bool):
        assert parse(subscribe).matches(decode(recording["event"])) is expected
    elif expected["phase"] == "parse":
        # The engine's own texts only say that the vendor's parser ran into nothing; ours say what is wrong.
        with pytest.raises(FqlError) as raised:
            parse(subscribe)
        assert expected.get("engine") or str(raised.value) == expected["error"]
    else:
        trigger = parse(subscribe)
        with pytest.raises(TypeError):
            trigger.matches(decode(recording["event"]))
