"""What each argument of an analytics.js call means: the overloads of track, page, identify, group and alias.

Options that a call doesn't give are UNDEFINED.
"""

from __future__ import annotations

from ....runtime import NULL, UNDEFINED, is_nullish, is_plain, make_object, raw_get, raw_items, tag, text, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ....contracts import Args, Value


class Missing(ValueError):
    """A call without what it can't do without; the page sees a rejected promise, as with the vendor."""


def _function(values: list[Value]) -> Value:
    for value in values:
        if value is not UNDEFINED and type_of(value) == "function":
            return value
    return UNDEFINED


_NOTHING = [UNDEFINED] * 5


def _padded(args: Args, length: int) -> list[Value]:
    return (raw_items(args) + _NOTHING)[:length]


def track(args: Args) -> tuple[Value, Value, Value, Value]:
    """``(event, properties, options, callback)`` of a track call. Raises Missing without an event name."""
    event, properties, options, callback = values = _padded(args, 4)
    if options is UNDEFINED and callback is UNDEFINED and isinstance(event, str) and event and is_plain(properties):
        return event, properties, UNDEFINED, UNDEFINED  # as most calls are
    kind = tag(properties)
    is_function = kind.endswith("function")
    if isinstance(event, str):
        data = properties if kind == "object" else make_object()
        chosen = options
    else:
        given = event if tag(event) == "object" else UNDEFINED
        event, data = raw_get(given, "event"), raw_get(given, "properties")
        if is_nullish(data):
            data = make_object()
        chosen = options if is_function else properties
    if not isinstance(event, str) or event == "":
        raise Missing("Event missing")
    if chosen is not UNDEFINED and type_of(chosen) == "function":
        chosen = UNDEFINED
    return event, data, _unless_nullish(chosen), _function(values[1 if is_function else 2 :])


def _unless_nullish(options: Value) -> Value:
    """Options as a call gives them; UNDEFINED for none."""
    return UNDEFINED if options is NULL else options


def page(args: Args) -> tuple[Value, Value, Value, Value, Value]:
    """``(category, name, properties, options, callback)`` of a page or screen call; absent strings are NULL."""
    values = _padded(args, 5)
    strings = [value for value in values if type_of(value) == "string"]
    category = name = NULL
    if len(strings) == 1:
        name = strings[0]
    elif len(strings) == 2:
        if type_of(values[0]) == "string":
            category = values[0]
        if type_of(values[1]) == "string":
            name = values[1]
    plain = [value for value in values if is_plain(value)]
    properties = options = UNDEFINED
    if len(plain) == 1:
        if not is_plain(values[2]) and is_plain(values[3]):
            options = plain[0]
        else:
            properties = plain[0]
    elif len(plain) == 2:
        properties, options = plain
    if properties is UNDEFINED:
        properties = make_object()
    return category, name, properties, options, _function(values)


def user(args: Args, current_id: Callable[[], Value]) -> tuple[Value, Value, Value, Value]:
    """``(id, traits, options, callback)`` of identify or group; ``current_id()`` gives the id when none is named."""
    expected = ["id", "traits", "options", "callback"]
    found = {}
    for value in raw_items(args):
        current = expected.pop(0) if expected else None
        if current == "id":
            if type_of(value) in ("string", "number"):
                found["id"] = text(value)
                continue
            if is_nullish(value):
                continue
            # Not an id: the argument counts as what comes next, and a wrong-typed one swallows the traits.
            current = expected.pop(0)
        if current in ("traits", "options") and (is_nullish(value) or is_plain(value)):
            found[current] = value
        if type_of(value) == "function":
            found["callback"] = value
            break
    traits, options = found.get("traits", UNDEFINED), found.get("options", UNDEFINED)
    return (
        found["id"] if "id" in found else current_id(),
        make_object() if is_nullish(traits) else traits,
        _unless_nullish(options),
        found.get("callback", UNDEFINED),
    )


def alias(args: Args) -> tuple[Value, Value, Value, Value]:
    """``(to, from, options, callback)`` of an alias call; an absent ``from`` is NULL."""
    values = _padded(args, 4)
    for index in (0, 1):
        if type_of(values[index]) == "number":
            values[index] = text(values[index])
    strings = [value for value in values if type_of(value) == "string"]
    plain = [value for value in values if is_plain(value)]
    return (
        strings[0] if strings else values[0],
        strings[1] if len(strings) > 1 else NULL,
        plain[0] if plain else UNDEFINED,
        _function(values),
    )
