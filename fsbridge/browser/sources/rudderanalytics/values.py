"""What RudderStack's SDK does to values: taking them in, merging them deeply, passing them through JSON."""

from __future__ import annotations

import json

from ....runtime import (
    UNDEFINED,
    copy,
    is_nullish,
    is_plain,
    keys,
    make_array,
    make_object,
    raw_delete,
    raw_get,
    raw_has,
    raw_items,
    raw_keys,
    raw_put,
    raw_tags,
    same,
    to_json,
    type_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....contracts import Value

CIRCULAR = "[Circular Reference]"
_TAKEN_AS_THEY_ARE = ("", "string", "number", "boolean", "null", "undefined", "date", "symbol")
_UNSAFE = ("__proto__", "constructor", "prototype")


def _has_json(value: Value) -> bool:
    """Whether an object of the page's own making (an element, a window) can be written as JSON at all."""
    try:
        to_json(value)
    except Exception:
        return False
    return True


def taken(value: Value, ancestors: tuple[Value, ...] = ()) -> Value:
    """A deep copy of plain objects and arrays, with text in place of BigInts and of cycles. The rest stays as it is."""
    if isinstance(value, str) or value is UNDEFINED:
        return value
    kind = type_of(value)
    if kind == "bigint":
        return "[BigInt]"
    plain = kind == "object" and is_plain(value)
    if not plain and kind != "array":
        return value if kind != "object" or _has_json(value) else CIRCULAR
    if any([same(value, ancestor) for ancestor in ancestors]):
        return CIRCULAR
    ancestors = ancestors + (value,)
    if not plain:
        return make_array([taken(item, ancestors) for item in raw_items(value)])
    result = copy(value)
    tags = raw_tags(result)
    others = [index for index, each in enumerate(tags) if each not in _TAKEN_AS_THEY_ARE]
    if others:
        names = raw_keys(result)
        for name in [names[index] for index in others] if len(names) == len(tags) else names:
            item = raw_get(result, name)
            if type_of(item) in ("object", "array", "bigint"):
                raw_put(result, name, taken(item, ancestors))
    return result


def merged(left: Value, right: Value) -> Value:
    """A new object with the properties of both, ``right`` winning: objects merge deeply, arrays index by index.

    An array or object inside an array merges into a plain object, whatever it was: so it is with RudderStack.
    """
    result = make_object()
    left_keys = [] if is_nullish(left) else keys(left)
    for key in left_keys:
        old = raw_get(left, key)
        raw_put(result, key, _chosen(old, raw_get(right, key)) if raw_has(right, key) else old)
    for key in keys(right):
        if not raw_has(result, key):
            raw_put(result, key, raw_get(right, key))
    return result


def _chosen(old: Value, new: Value) -> Value:
    if is_plain(old) and is_plain(new):
        return merged(old, new)
    if type_of(old) != "array" or type_of(new) != "array":
        return new
    result = raw_items(old)
    for index, item in enumerate(raw_items(new)):
        before = result[index] if index < len(result) else None
        if type_of(item) in ("object", "array", "date"):
            item = merged(before if index < len(result) else make_object(), item)
        if index < len(result):
            result[index] = item
        else:
            result.append(item)
    return make_array(result)


def plain_data(value: Value) -> dict[str, Any]:
    """A port object as a Python dict, by way of JSON; empty where there is none."""
    if not is_plain(value):
        return {}
    try:
        data: dict[str, Any] = json.loads(to_json(taken(value)))
    except Exception:  # a getter or toJSON of the page's
        return {}
    return data


def plain_config(config: dict[str, Any]) -> dict[str, Any]:
    """Settings as plain data: a tag's are port values, lists and all. What isn't given is left out."""
    return {key: _plain(value) for key, value in config.items() if not is_nullish(value)}


def _plain(value: Value) -> Any:
    if isinstance(value, (dict, list)) or type_of(value) not in ("array", "object"):
        return value
    return json.loads(to_json(value))


def without_nullish(value: Value) -> Value:
    """The object without null and undefined, at any depth of objects."""
    result = copy(value)
    for key in keys(result):
        item = raw_get(result, key)
        if is_nullish(item):
            raw_delete(result, key)
        elif is_plain(item):
            raw_put(result, key, without_nullish(item))
    return result


def without_none(data: dict[str, Any]) -> dict[str, Any]:
    """The same for plain data."""
    return {
        key: without_none(value) if isinstance(value, dict) else value
        for key, value in data.items()
        if value is not None
    }


def is_unsafe(value: Value) -> bool:
    """Whether a key anywhere in ``value`` could reach an object's prototype."""
    if type_of(value) == "array":
        return any([is_unsafe(item) for item in raw_items(value)])
    if not is_plain(value):
        return False
    return any([key in _UNSAFE or is_unsafe(raw_get(value, key)) for key in keys(value)])
