"""Property names as Segment's cloud mode sends them: reduced to what FullStory takes, with type suffixes."""

from functools import lru_cache

from ..mapping.lodash import camel_case
from ..runtime import date_ms, keys, make_object, raw_get, raw_items, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SINGLE = ("str", "bool", "real", "int", "date", "obj")
_INHERITED = "constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf".split()
"""Names that the vendor's table of suffixes inherits from JavaScript's Object count as suffixes, too."""

SUFFIXES = _SINGLE + tuple([suffix + "s" for suffix in _SINGLE]) + tuple(_INHERITED)

_LEVELS = 5
"""Deeper objects stay as they are."""

_MAX_KEPT = 4096
"""Names, which messages carry again and again; long ones aren't worth the memory."""


def normalize(value: "Any", in_camel_case: bool = False, with_suffixes: bool = False) -> "Any":
    """A new object with the properties of ``value`` under names that FullStory takes: ASCII letters, digits, ``_``.

    ``in_camel_case`` applies lodash's camelCase to what stands before a type suffix; ``with_suffixes`` adds the suffix
    that the value suggests where there is none: text is ``_str``, numbers are ``_real``, arrays of them ``_reals``.
    Nested objects are treated alike, and so are arrays of mixed kinds, which become objects with the indices as names.
    Of equal names the last wins.
    """
    return _level(value, in_camel_case, with_suffixes, 1)


def _level(value: "Any", in_camel_case: bool, with_suffixes: bool, level: int) -> "Any":
    pairs = []
    for key in keys(value):
        item = raw_get(value, key)
        kept = "str" if isinstance(item, str) else _suffix_for(item)
        name = (_name if len(key) <= 100 else _made)(key, in_camel_case, kept if with_suffixes else "")
        if not kept and level < _LEVELS and type_of(item) in ("object", "array", "date"):
            item = _level(item, in_camel_case, with_suffixes, level + 1)
        pairs.append((name, item))
    return make_object(pairs)


def _made(key: str, in_camel_case: bool, suffix: str) -> str:
    name = _camel(key) if in_camel_case else key
    name = "".join([char for char in name if _is_allowed(char)])
    return name + "_" + suffix if suffix and not _has_suffix(name) else name


_name = lru_cache(_MAX_KEPT)(_made)


def _is_allowed(char: str) -> bool:
    return "a" <= char <= "z" or "A" <= char <= "Z" or "0" <= char <= "9" or char == "_"


def _has_suffix(name: str) -> bool:
    return "_" in name and name.rsplit("_", 1)[1] in SUFFIXES


def _camel(name: str) -> str:
    if not _has_suffix(name):
        return camel_case(name)
    stem, suffix = name.rsplit("_", 1)
    return camel_case(stem) + "_" + suffix


def _suffix_for(value: "Any") -> str:
    """The suffix that ``value`` suggests; empty for objects, mixed arrays, and what FullStory has no type for."""
    kind = type_of(value)
    if kind != "array":
        return _single(value, kind)
    singles = [_single(item, type_of(item)) for item in raw_items(value)]
    for suffix in ("str", "bool", "real", "date"):
        if all(single == suffix for single in singles):
            return suffix + "s"
    return "objs" if all(type_of(item) in ("object", "array", "date") for item in raw_items(value)) else ""


_SUFFIX_OF = {"string": "str", "boolean": "bool", "number": "real"}


def _single(value: "Any", kind: str) -> str:
    if kind == "date":
        milliseconds = date_ms(value)
        return "date" if milliseconds == milliseconds else ""
    return _SUFFIX_OF.get(kind, "")
