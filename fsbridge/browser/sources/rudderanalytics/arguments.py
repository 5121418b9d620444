"""The argument overloads of rudderanalytics, resolved as RudderStack's SDK does.

All functions take the call's arguments, already copied (`values.taken`), as a list of five port values.
"""

from __future__ import annotations

from ....runtime import NULL, UNDEFINED, is_nullish, is_plain, make_object, raw_get, raw_put, to_json, truthy, type_of
from .values import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....contracts import Value
    from .loading import Taken


def _until_callback(args: Taken, start: int) -> tuple[Taken, Value]:
    """``args`` with everything from the first function on, at ``start`` or after it, UNDEFINED; and that function."""
    for index in range(start, len(args)):
        if type_of(args[index]) == "function":
            return args[:index] + [UNDEFINED] * (len(args) - index), args[index]
    return args, UNDEFINED


def track(args: Taken) -> tuple[Value, Value, Value, Value]:
    """``(event, properties, options, callback)``."""
    (event, properties, options, _), callback = _until_callback(args[:4], 1)
    return event, make_object() if is_nullish(properties) else properties, options, callback


def subject(args: Taken) -> tuple[Value, Value, Value, Value]:
    """``(id, traits, options, callback)`` of identify and group. The id is text; NULL: keep the one that is known."""
    (id_, traits, options, _), callback = _until_callback(args[:4], 1)
    if is_plain(id_) or id_ is NULL:
        second = args[1]
        options = UNDEFINED if type_of(second) == "function" else second
        traits, id_ = id_, NULL
    return as_text(id_), (traits if is_plain(traits) else UNDEFINED), options, callback


def alias(args: Taken) -> tuple[Value, Value, Value, Value]:
    """``(to, from, options, callback)``."""
    (to, from_, options, _), callback = _until_callback(args[:4], 1)
    if is_plain(from_) or from_ is NULL:
        from_, options = UNDEFINED, from_
    return as_text(to), as_text(from_), options, callback


def page(args: Taken) -> tuple[Value, Value, Value, Value, Value]:
    """``(category, name, properties, options, callback)``; the properties hold name and category, too."""
    (category, name, properties, options, _), callback = _until_callback(args, 0)
    first, second, third = args[:3]
    if is_plain(first):
        category, name, properties = UNDEFINED, UNDEFINED, first
        options = UNDEFINED if type_of(second) == "function" else second
    elif is_plain(second):
        name, properties = UNDEFINED, second
        options = UNDEFINED if type_of(third) == "function" else third
    if type_of(first) == "string" and type_of(second) != "string":
        category, name = UNDEFINED, first
    own = make_object()
    for key, value in (("name", name), ("category", category)):
        if type_of(value) != "string":
            value = raw_get(properties, key)
        if truthy(value):
            raw_put(own, key, value)
    return category, name, merged(properties if is_plain(properties) else make_object(), own), options, callback


def as_text(value: Value) -> Value:
    """An id as text: whatever isn't text becomes its JSON."""
    if type_of(value) == "string" or is_nullish(value):
        return value
    try:
        return to_json(value)
    except Exception:  # no JSON for it
        return NULL
