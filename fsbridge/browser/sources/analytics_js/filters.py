"""Segment's destination filters: rules that drop, thin out or change a message on its way to one destination."""

from __future__ import annotations

import random

from ....runtime import (
    NULL,
    UNDEFINED,
    from_json,
    is_nullish,
    is_plain,
    keys,
    make_array,
    make_object,
    put,
    raw_delete,
    raw_get,
    raw_has,
    raw_items,
    text,
    to_json,
    to_number,
    truthy,
    type_of,
)
from .conditions import OBJECTS, BadRule, at, evaluate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ....contracts import Message, Value


class Filters:
    """The routing rules of one destination, as the vendor's settings document has them.

    A rule has ``matchers`` and ``transformers``: lists of equal length, each matcher with its own list of transformers.
    """

    def __init__(self, rules: list[Value]) -> None:
        self._rules = rules
        self._parsed: dict[str, Value] = {}  # by the text of a matcher's rule

    def apply(self, message: Message) -> Message | None:
        """The message as the rules leave it, changed in place; None if one drops it. Raises for a malformed rule."""
        for rule in self._rules:
            transformers = raw_get(rule, "transformers")
            for index, matcher in enumerate(_list(raw_get(rule, "matchers"))):
                if self._matches(matcher, message) and not _transform(message, raw_get(transformers, index)):
                    return None
        return message

    def _matches(self, matcher: Value, message: Message) -> bool:
        kind = raw_get(matcher, "type")
        if kind == "all":
            return True
        if kind != "fql":
            raise BadRule("unknown type of matcher: %s" % text(kind))
        ir = raw_get(matcher, "ir")
        if not truthy(ir):
            return False
        ir = text(ir)
        if ir not in self._parsed:
            self._parsed[ir] = from_json(ir)
        return evaluate(self._parsed[ir], message) is True


def _list(value: Value) -> list[Value]:
    if type_of(value) != "array":
        raise BadRule("a list is missing")
    return raw_items(value)


def _transform(message: Message, transformers: Value) -> bool:
    """Apply one matcher's transformers; False if one drops the message."""
    for transformer in _list(transformers):
        kind, config = raw_get(transformer, "type"), raw_get(transformer, "config")
        if kind == "drop":
            return False
        if kind == "drop_properties":
            _visit(message, raw_get(config, "drop"), _drop)
        elif kind == "allow_properties":
            _visit(message, raw_get(config, "allow"), _allow)
        elif kind == "map_properties":
            _map(message, raw_get(config, "map"))
        elif kind == "sample_event":
            if not _sampled(raw_get(config, "sample")):
                return False
        elif kind != "hash_properties":  # which happens on Segment's servers only
            raise BadRule("unknown type of transformer: %s" % text(kind))
    return True


def _visit(message: Message, places: Value, change: Callable[[Value, list[Value]], None]) -> None:
    """``change(object, names)`` for what is at each path in ``places`` ("" is the message), in arrays for each item."""
    if not is_plain(places):
        raise BadRule("properties are missing")
    for path in keys(places):
        target = at(message, path) if path else message
        for item in raw_items(target) if type_of(target) == "array" else (target,):
            if type_of(item) in OBJECTS and item is not NULL:
                change(item, _list(raw_get(places, path)))


def _drop(target: Value, names: list[Value]) -> None:
    for name in names:
        raw_delete(target, text(name))


def _allow(target: Value, names: list[Value]) -> None:
    for key in keys(target):
        if key not in names:
            raw_delete(target, key)


def _map(message: Message, rules: Value) -> None:
    """``rules``: path → ``{copy: path}``, ``{move: path}`` or ``{set: value}``, each with ``to_string`` or without.

    Values come from the message as it was before, and as JSON has it. A path whose parent is no object stays alone.
    """
    before = from_json(to_json(message))
    for path in keys(rules):
        rule = raw_get(rules, path)
        parent = at(before, path.rpartition(".")[0]) if "." in path else message
        if type_of(parent) not in OBJECTS:
            continue
        source, moved = raw_get(rule, "copy"), raw_get(rule, "move")
        if truthy(source) or truthy(moved):
            value = at(before, source if truthy(source) else moved)
            if value is not UNDEFINED:
                _set(message, path, value)
            if not truthy(source):
                _unset(message, moved)
        elif raw_has(rule, "set"):
            _set(message, path, raw_get(rule, "set"))
        if truthy(raw_get(rule, "to_string")):
            value = at(message, path)
            if value is NULL or type_of(value) not in OBJECTS + ("string",):
                _set(message, path, "undefined" if value is UNDEFINED else to_json(value))


def _set(message: Message, path: str, value: Value) -> None:
    """Set what is at ``path``, making objects, or arrays before a number, where something else is in the way."""
    names = path.split(".")
    for index, name in enumerate(names):
        if name in ("__proto__", "constructor", "prototype"):
            return
        if message is NULL:
            raise BadRule("%s: null is in the way" % path)
        if index == len(names) - 1:
            put(message, name, value)
            return
        inner = raw_get(message, name)
        if type_of(inner) not in OBJECTS:
            number = to_number(names[index + 1])
            inner = make_array() if number * 0 == 0 else make_object()
            put(message, name, inner)
        message = inner


def _unset(message: Message, path: str) -> None:
    """Delete what is at ``path``, unless it is falsy: the vendor takes that for absent."""
    if truthy(at(message, path)):
        parent, dot, name = path.rpartition(".")
        target = at(message, parent) if dot else message
        if type_of(target) not in OBJECTS:
            raise BadRule("%s can't be deleted" % path)
        raw_delete(target, name)


def _sampled(sample: Value) -> bool:
    """Whether a message is in the sample, by chance."""
    if is_nullish(sample):
        raise BadRule("a sample is missing")
    percent = to_number(raw_get(sample, "percent"))  # 0 to 1, whatever its name
    if percent <= 0 or percent >= 1:
        return percent >= 1
    # With a path the vendor means to decide by a hash of the value there, but its arithmetic comes to 0 for any value.
    return percent > 0 if truthy(raw_get(sample, "path")) else random.random() <= percent
