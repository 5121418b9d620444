"""JavaScript's values in a test: decoded from the stand-in's JSON, compared, and shown as a developer writes them."""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ..runtime.cpython import UNDEFINED, BigInt, Date, Function, JsError


def decode(value: Any) -> Any:
    """A value from the stand-in: plain Python, and what Python has no word for as in `fsbridge.runtime.cpython`.

    A Date becomes an aware datetime in UTC (`Date` when invalid or beyond Python's years), undefined `UNDEFINED`,
    a BigInt `BigInt` (an int), a function `Function`, an Error `JsError`.
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, content),) = value.items()
        if tag in _TAGS:
            return _TAGS[tag](content)
    return {key: decode(item) for key, item in value.items()}


def _date(text: str) -> Any:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return Date(math.nan)


_TAGS: dict[str, Callable[[Any], Any]] = {
    "$undefined": lambda content: UNDEFINED,
    "$number": lambda content: float(content.replace("Infinity", "inf")),
    "$bigint": BigInt,
    "$date": _date,
    "$error": JsError,
    "$function": lambda content: Function(lambda arguments: UNDEFINED),
    "$circular": lambda content: "[Circular]",
    "$object": lambda content: {key: decode(item) for key, item in content.items()},
}


def same(left: Any, right: Any) -> bool:
    """Whether two values are alike: deeply, NaN equal to itself, an undefined property equal to an absent one.

    Unlike Python's ``==``, True is not 1.
    """
    if isinstance(left, dict) and isinstance(right, dict):
        left = {key: value for key, value in left.items() if value is not UNDEFINED}
        right = {key: value for key, value in right.items() if value is not UNDEFINED}
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    if isinstance(left, JsError) and isinstance(right, JsError):
        return str(left) == str(right)
    if isinstance(left, Function) or isinstance(right, Function):
        return isinstance(left, Function) and isinstance(right, Function)
    return bool(left == right)


def show(value: Any) -> str:
    """``value`` as JavaScript source."""
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(show, value)) + "]"
    if isinstance(value, BigInt):
        return f"{int(value)}n"
    if isinstance(value, datetime):
        # As toISOString gives it, milliseconds always there.
        text = value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f'new Date("{text}")'
    if isinstance(value, Date):
        return "new Date(NaN)"
    if isinstance(value, JsError):
        return f"new Error({json.dumps(str(value))})"
    if isinstance(value, Function):
        return "function () {…}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value)) if value or math.copysign(1, value) > 0 else "-0"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_$][\w$]*", name, re.ASCII) else json.dumps(name, ensure_ascii=False)
