"""Tagged JSON, the recordings' notation for what JSON can't hold: to and from CPython port values, and comparison.

Tags: ``{"$date": iso}``, ``{"$undefined": true}``, ``{"$number": "NaN" | "Infinity" | "-Infinity" | "-0"}``,
``{"$bigint": digits}``, ``{"$function": true}``, ``{"$error": message}``, at any depth.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fsbridge.runtime import NULL, UNDEFINED, type_of
from fsbridge.runtime.cpython import BigInt, Date, Function, JsError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}


class Like:
    """Stands in an expectation for every value that passes ``test``; ``meaning`` is shown when one doesn't."""

    def __init__(self, meaning: str, test: Callable[[Any], bool]) -> None:
        self.meaning = meaning
        self.test = test

    def __repr__(self) -> str:
        return f"<{self.meaning}>"


def decode(tagged: Any, stand_ins: Mapping[str, Any] | None = None) -> Any:
    """The port value that ``tagged`` stands for.

    ``stand_ins`` gives the meaning of further tags, such as ``{"$anonymousId": "id-1"}``: a value (a `Like`, too), or a
    function of the tag's content. Objects with an unknown ``$`` key are plain objects.
    """
    if isinstance(tagged, list):
        return [decode(item, stand_ins) for item in tagged]
    if not isinstance(tagged, dict):
        return tagged
    if len(tagged) == 1:
        ((tag, content),) = tagged.items()
        if tag == "$undefined":
            return UNDEFINED
        if tag == "$date":
            return Date(_milliseconds(content))
        if tag == "$number":
            return _NUMBERS[content]
        if tag == "$bigint":
            return BigInt(content)
        if tag == "$function":
            return Function(lambda args: UNDEFINED)
        if tag == "$error":
            return JsError(content)
        if stand_ins and tag in stand_ins:
            meaning = stand_ins[tag]
            return meaning(content) if callable(meaning) else meaning
    return {key: decode(value, stand_ins) for key, value in tagged.items()}


def _milliseconds(iso: str) -> float:
    if iso == "Invalid Date":
        return math.nan
    moment = datetime.fromisoformat(iso)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) / timedelta(milliseconds=1)


def encode(value: Any) -> Any:
    """``value`` as tagged JSON, ready for ``json.dumps``."""
    kind = type_of(value)
    if kind == "undefined":
        return {"$undefined": True}
    if kind == "number":
        return _encode_number(value)
    if kind == "bigint":
        return {"$bigint": str(int(value))}
    if kind == "date":
        return {"$date": value.iso() or "Invalid Date"}
    if kind == "function":
        return {"$function": True}
    if kind == "array":
        return [encode(item) for item in value]
    if isinstance(value, JsError):
        return {"$error": str(value)}
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if kind == "object":
        return {"$object": repr(value)}
    return value


def _encode_number(value: float) -> Any:
    if value != value:
        return {"$number": "NaN"}
    if math.isinf(value):
        return {"$number": "Infinity" if value > 0 else "-Infinity"}
    if value == 0 and math.copysign(1, value) < 0:
        return {"$number": "-0"}
    return value


def differences(expected: Any, actual: Any, where: str = "") -> list[str]:
    """What tells ``actual`` from ``expected``, a line each, naming the place; empty when they are equal.

    Both are port values. The order of keys is free, an ``undefined`` property equals an absent one, numbers compare as
    JavaScript's (1 is 1.0, NaN is NaN, -0 is not 0) and every other kind only with its own.
    """
    if isinstance(expected, Like):
        return [] if expected.test(actual) else [_line(where, expected, actual)]
    kind = type_of(expected)
    if kind != type_of(actual) or isinstance(expected, JsError) != isinstance(actual, JsError):
        return [_line(where, expected, actual)]
    if kind == "array":
        if len(expected) != len(actual):
            return [_line(where, expected, actual)]
        return [
            line
            for index, (left, right) in enumerate(zip(expected, actual, strict=True))
            for line in differences(left, right, f"{where}[{index}]")
        ]
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            line
            for key in [*expected, *(key for key in actual if key not in expected)]
            for line in differences(expected.get(key, UNDEFINED), actual.get(key, UNDEFINED), f"{where}.{key}")
        ]
    return [] if _equal(kind, expected, actual) else [_line(where, expected, actual)]


def _equal(kind: str, expected: Any, actual: Any) -> bool:
    if kind in ("undefined", "function") or expected is NULL:
        return True
    if kind == "number":
        if expected != expected or actual != actual:
            return bool(expected != expected and actual != actual)
        return bool(expected == actual) and math.copysign(1, expected) == math.copysign(1, actual)
    if isinstance(expected, JsError):
        return str(expected) == str(actual)
    return bool(expected == actual)


def _line(where: str, expected: Any, actual: Any) -> str:
    return f"{where or 'value'}: expected {show(expected)}, got {show(actual)}"


def show(value: Any, limit: int = 400) -> str:
    """``value`` as one line of tagged JSON, cut at ``limit`` characters."""
    line = repr(value) if isinstance(value, Like) else json.dumps(encode(value), ensure_ascii=False, default=repr)
    return line if len(line) <= limit else line[:limit] + "…"
