"""The mapping language, against recordings of Segment's own mapping kit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fsbridge.mapping import liquid
from fsbridge.mapping.directives import resolve, resolve_batch
from fsbridge.mapping.errors import AggregateError, MappingError, ValidationError
from fsbridge.mapping.validation import validate
from fsbridge.runtime.cpython import JsError

from .recordings import identifier, recordings
from .tagged import decode, differences, show

CLASSES: dict[str, tuple[type[Exception], ...]] = {
    "ValidationError": (ValidationError,),
    "AggregateError": (AggregateError,),
    "Error": (MappingError,),
    "TypeError": (TypeError, MappingError, JsError),
    # liquidjs's own
    "ParseError": (MappingError,),
    "RenderError": (MappingError,),
    "TokenizationError": (MappingError,),
}


@pytest.mark.parametrize("recording", recordings("mapping-kit"), ids=identifier)
def test_mapping(recording: dict[str, Any]) -> None:
    if "liquid" in recording["tags"] and not liquid.available():
        pytest.skip(liquid.MISSING)
    expected = recording["expect"]
    run = _call(recording)
    if not isinstance(expected, dict) or "name" not in expected or not ("error" in expected or "errors" in expected):
        assert not differences(decode(expected), run()), show(decode(recording["mapping"]))
        return
    with pytest.raises(CLASSES[expected["name"]]) as raised:
        run()
    # What a mistake in a template is called is the parser's own affair.
    of_parser = expected["name"] in ("ParseError", "TokenizationError") and "disabled" not in expected["error"]
    if not expected.get("engine") and not of_parser:
        assert getattr(raised.value, "errors", None) == expected.get("errors", [expected.get("error")])


def _call(recording: dict[str, Any]) -> Callable[[], Any]:
    mapping = decode(recording["mapping"])
    given = [decode(recording["payload"])] if "payload" in recording else []
    function = recording.get("function")
    if function == "validate":
        return lambda: validate(mapping) or {"valid": True}
    return lambda: (resolve_batch if function == "transformBatch" else resolve)(mapping, *given)
