"""What makes a mapping valid: the rules of Segment's mapping kit, with its texts.

Arrays are taken as they are: what stands in them isn't looked at, and fails, if at all, when the mapping is applied.
"""

from __future__ import annotations

from ..runtime import UNDEFINED, keys, lower, raw_get, raw_items, tag, to_json
from . import liquid
from .errors import AggregateError, MappingError, ValidationError
from .text import length

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Place = list[str]
    Check = Callable[[Any, Place], None]

MAX_REPLACE = 10
"""The longest pattern and the longest replacement of @replace, in UTF-16 units."""

_JSON_TYPES = ("object", "array", "boolean", "string", "number", "null")


def validate(mapping: Any) -> None:
    """Raise ValidationError or AggregateError when ``mapping`` has mistakes that show without a message."""
    _mapping(mapping, [])


def _mapping(value: Any, place: Place) -> None:
    kind = _type(value)
    if kind == "directive":
        _directive(value, place)
    elif kind == "object":
        _object(value, place)


def _wrong(place: Place, what: str) -> ValidationError:
    return ValidationError("/" + "/".join(place) + " " + what + ".")


def _wrong_type(place: Place, wanted: str, kind: str) -> ValidationError:
    return _wrong(place, "should be %s but it is %s %s" % (wanted, "an" if kind[0] in "aeiou" else "a", kind))


def _type(value: Any) -> str:
    kind = tag(value)
    if kind == "object" and any([key.startswith("@") for key in keys(value)]):
        return "directive"
    return kind


def _directive(value: Any, place: Place) -> None:
    names = keys(value)
    directives = [name for name in names if name.startswith("@")]
    others = [name for name in names if not name.startswith("@") and name != "_metadata"]
    if len(directives) > 1 or others:
        count = len(directives) if len(directives) > 1 else len(names)
        raise _wrong(place, "should only have one @-prefixed key but it has %d keys" % count)
    name = directives[0]
    if name not in DIRECTIVES:
        raise _wrong(place, "has an invalid directive: " + name)
    DIRECTIVES[name](raw_get(value, name), place + [name])


def _object(value: Any, place: Place) -> None:
    kind = _type(value)
    if kind != "object":
        raise _wrong_type(place, "an object", kind)
    errors = []
    for key in keys(value):
        try:
            _mapping(raw_get(value, key), place + [key])
        except MappingError as error:
            errors.extend(error.errors)
    if errors:
        raise AggregateError(errors)


def _array(value: Any, place: Place) -> None:
    kind = tag(value)
    if kind != "array":
        raise _wrong_type(place, "an array", kind)


def _string(value: Any, place: Place) -> None:
    kind = _type(value)
    if kind != "string":
        raise _wrong_type(place, "a string", kind)


def _boolean(value: Any, place: Place) -> None:
    kind = _type(value)
    if kind != "boolean":
        raise _wrong_type(place, "a boolean", kind)


def _string_of_length(least: int) -> Check:
    def check(value: Any, place: Place) -> None:
        _string(value, place)
        if length(value) < least:
            raise _wrong(place, "should be a string of length %d or greater" % least)
        if length(value) > MAX_REPLACE:
            raise _wrong(place, "should be a string of length %d or less" % MAX_REPLACE)

    return check


def _one_of(*allowed: str) -> Check:
    def check(value: Any, place: Place) -> None:
        _string(value, place)
        if lower(value) not in allowed:
            raise _wrong(place, "should be one of %s but it is %s" % (", ".join(allowed), to_json(value)))

    return check


def _directive_or_json(value: Any, place: Place) -> None:
    kind = _type(value)
    if kind == "directive":
        _directive(value, place)
    elif kind not in _JSON_TYPES:
        raise _wrong_type(place, "a mapping directive or a JSON value", kind)


def _directive_or_string(value: Any, place: Place) -> None:
    kind = _type(value)
    if kind == "directive":
        _directive(value, place)
    elif kind != "string":
        raise _wrong_type(place, "a string or a mapping directive", kind)


def _directive_or_object(value: Any, place: Place) -> None:
    kind = _type(value)
    if kind == "directive":
        _directive(value, place)
    elif kind == "object":
        _object(value, place)
    else:
        raise _wrong_type(place, "a object or a mapping directive", kind)


def _fields(*fields: tuple[str, bool, Check]) -> Check:
    """An object with these fields: name, whether it is required, what it has to be."""

    def check(value: Any, place: Place) -> None:
        _object(value, place)
        errors = []
        for name, required, each in fields:
            field = raw_get(value, name)
            try:
                if field is not UNDEFINED:
                    each(field, place + [name])
                elif required:
                    raise _wrong(place, 'should have field "%s" but it doesn\'t' % name)
            except MappingError as error:
                errors.extend(error.errors)
        if errors:
            raise AggregateError(errors)

    return check


def _array_path(value: Any, place: Place) -> None:
    _array(value, place)
    _directive_or_string(raw_get(value, 0), place)
    _mapping(raw_get(value, 1), place)


_merge_fields = _fields(("direction", False, _one_of("left", "right")), ("objects", True, _array))


def _merge(value: Any, place: Place) -> None:
    _merge_fields(value, place)
    for item in raw_items(raw_get(value, "objects")):
        _directive_or_object(item, [])  # the vendor forgets the place, too


def _liquid(value: Any, place: Place) -> None:
    _string(value, place)
    if not liquid.available():
        raise _wrong(place, liquid.MISSING)


DIRECTIVES: dict[str, Check] = {
    "@if": _fields(
        ("exists", False, _directive_or_json), ("then", False, _directive_or_json), ("else", False, _directive_or_json)
    ),
    "@case": _fields(("operator", False, _string), ("value", False, _directive_or_string)),
    "@replace": _fields(
        ("pattern", True, _string_of_length(1)),
        ("replacement", False, _string_of_length(0)),
        ("value", True, _directive_or_string),
        ("ignorecase", False, _boolean),
        ("global", False, _boolean),
    ),
    "@arrayPath": _array_path,
    "@path": _directive_or_string,
    "@json": _fields(("value", True, _directive_or_json), ("mode", True, _one_of("encode", "decode"))),
    "@flatten": _fields(("separator", False, _string), ("value", True, _directive_or_json)),
    "@merge": _merge,
    "@template": _directive_or_string,
    "@literal": _directive_or_json,
    "@transform": _fields(("apply", True, _directive_or_object), ("mapping", True, _directive_or_object)),
    "@excludeWhenNull": _directive_or_json,
    "@liquid": _liquid,
}
