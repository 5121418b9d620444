"""The directives that few mappings have, imported when one does: texts changed, objects and arrays built anew."""

from __future__ import annotations

from ..runtime import (
    NULL,
    UNDEFINED,
    copy,
    from_json,
    is_nullish,
    keys,
    lower,
    make_array,
    make_object,
    raw_get,
    raw_items,
    tag,
    text,
    to_json,
    truthy,
    type_of,
    upper,
)
from . import liquid
from .errors import MappingError, failing
from .paths import as_message, constant, steps_of, value_at
from .text import join_pairs, length, split_pairs
from .validation import MAX_REPLACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .paths import Evaluate

    Compile = Callable[[Any], Evaluate]
    """Compiles a mapping: `directives.compile_part` and `directives.compile`."""


def _missing(options: Any, directive: str, *names: str) -> str:
    """The vendor's complaint about the first required option that is missing or falsy; empty when none is."""
    for name in names:
        if not truthy(raw_get(options, name)):
            return '%s requires a "%s" key' % (directive, name)
    return ""


def _case(options: Any, compile_part: Compile, compile: Compile) -> Evaluate:
    if tag(options) != "object":
        return failing('@case requires an object with a "operator" key')
    missing = _missing(options, "@case", "operator")
    if missing:
        return failing(missing)
    operator = raw_get(options, "operator")
    if not truthy(raw_get(options, "value")):
        return constant(UNDEFINED)
    subject = compile_part(raw_get(options, "value"))

    def change(message: Any) -> Any:
        value = subject(message)
        if not isinstance(value, str):
            return value
        if operator == "lower":
            return lower(value)
        if operator == "upper":
            return upper(value)
        raise MappingError('operator key should have a value of "lower" or "upper"')

    return change


def _option(options: Any, name: str, default: Any) -> Any:
    value = raw_get(options, name)
    return default if is_nullish(value) else value


def _replace(options: Any, compile_part: Compile, compile: Compile) -> Evaluate:
    if tag(options) != "object":
        return failing('@replace requires an object with a "pattern" key')
    missing = _missing(options, "@replace", "pattern")
    if missing:
        return failing(missing)
    if not truthy(raw_get(options, "value")):
        return constant(UNDEFINED)
    subject = compile_part(raw_get(options, "value"))
    pattern, replacement = raw_get(options, "pattern"), _option(options, "replacement", "")
    ignore_case, everywhere = _option(options, "ignorecase", False), _option(options, "global", True)
    pairs = [(pattern, replacement)]
    if truthy(raw_get(options, "pattern2")):
        pairs.append((raw_get(options, "pattern2"), _option(options, "replacement2", "")))
    well_typed = isinstance(ignore_case, bool) and isinstance(everywhere, bool) and _are_texts(pairs[0])

    def change(message: Any) -> Any:
        value = subject(message)
        if type_of(value) in ("boolean", "number"):
            value = text(value)
        if not well_typed or not isinstance(value, str):
            return ""
        for pair in pairs:
            if _are_texts(pair):
                value = _replaced(value, pair[0], pair[1], ignore_case, everywhere)
        return value

    return change


def _are_texts(pair: tuple[Any, Any]) -> bool:
    return isinstance(pair[0], str) and isinstance(pair[1], str)


def _replaced(value: str, pattern: str, replacement: str, ignore_case: bool, everywhere: bool) -> str:
    for name, given in (("pattern", pattern), ("replacement", replacement)):
        if length(given) > MAX_REPLACE:
            raise MappingError('@replace requires a "%s" less than %d characters' % (name, MAX_REPLACE))
    value, pattern, replacement = split_pairs(value), split_pairs(pattern), split_pairs(replacement)
    searched = "".join([_folded(char) for char in value]) if ignore_case else value
    wanted = "".join([_folded(char) for char in pattern]) if ignore_case else pattern
    result = []
    done = 0
    found = searched.find(wanted)
    while found >= 0:
        end = found + len(wanted)
        result.append(value[done:found] + _expanded(replacement, value, found, end))
        done = end
        found = searched.find(wanted, done) if everywhere else -1
    return join_pairs("".join(result) + value[done:])


def _folded(char: str) -> str:
    """The one character that stands for ``char`` and its other cases in a JavaScript regular expression."""
    capital = upper(char)
    return char if len(capital) != 1 or capital < "\x80" <= char else capital


def _expanded(replacement: str, value: str, start: int, end: int) -> str:
    """``replacement`` with JavaScript's ``$$``, ``$&``, ``$``` and ``$'`` filled in."""
    parts = replacement.split("$")
    result = parts[0]
    index = 1
    while index < len(parts):
        part = parts[index]
        mark = part[:1]
        if mark == "" and index + 1 < len(parts):
            index += 1
            result += "$" + parts[index]
        elif mark == "&":
            result += value[start:end] + part[1:]
        elif mark == "`":
            result += value[:start] + part[1:]
        elif mark == "'":
            result += value[end:] + part[1:]
        else:
            result += "$" + part
        index += 1
    return result


def _array_path(options: Any, compile_part: Compile, compile: Compile) -> Evaluate:
    if type_of(options) != "array":
        return failing("@arrayPath expected array, got " + tag(options))
    path, shape = raw_get(options, 0), raw_get(options, 1)
    root = value_at(steps_of(path)) if isinstance(path, str) else compile_part(path)
    if tag(shape) != "object" or not keys(shape):
        return root
    item_value = compile_part(shape)

    def collect(message: Any) -> Any:
        value = root(message)
        kind = tag(value)
        if kind not in ("object", "array"):
            return value
        return make_array([item_value(item) for item in (raw_items(value) if kind == "array" else [value])])

    return collect


def _flatten(options: Any, compile_part: Compile, compile: Compile) -> Evaluate:
    if tag(options) != "object":
        return failing('@flatten requires an object with a "separator" key')
    missing = _missing(options, "@flatten", "separator")
    if missing:
        return failing(missing)
    separator, subject = compile_part(raw_get(options, "separator")), compile_part(raw_get(options, "value"))
    kinds = ("object",) if truthy(raw_get(options, "omitArrays")) else ("object", "array")

    def flatten(message: Any) -> Any:
        between = separator(message)
        if not isinstance(between, str):
            raise MappingError("@flatten requires a string separator")
        pairs: list[tuple[str, Any]] = []
        _flatten_into(pairs, subject(message), "", between, kinds)
        return make_object(pairs)

    return flatten


def _flatten_into(pairs: list[tuple[str, Any]], value: Any, name: str, separator: str, kinds: tuple[str, ...]) -> None:
    if tag(value) not in kinds:
        pairs.append((name, value))
        return
    for key in keys(value):
        _flatten_into(pairs, raw_get(value, key), name + separator + key if name else key, separator, kinds)


def _json(options: Any, compile_part: Compile, compile: Compile) -> Evaluate:
    if tag(options) != "object":
        return failing('@json requires an object with a "value" key')
    missing = _missing(options, "@json", "mode", "value")
    if missing:
        return failing(missing)
    mode, subject = raw_get(options, "mode"), compile_part(raw_get(options, "value"))

    def convert(message: Any) -> Any:
        value = subject(message)
        if mode == "encode":
            return to_json(value)
        if mode != "decode":
            return UNDEFINED
        try:
            return from_json(value) if isinstance(value, str) else value
        except ValueError:
            return value

    return convert


def _merge(options: Any, compile_part: Compile, compile: Compile) -> Evaluate:
    if tag(options) != "object":
        return failing('@merge requires an object with an "objects" key and a "direction" key')
    missing = _missing(options, "@merge", "direction")
    if missing:
        return failing(missing)
    direction, objects = compile_part(raw_get(options, "direction")), raw_get(options, "objects")
    mistake = _missing(options, "@merge", "objects")
    if not mistake and type_of(objects) != "array":
        mistake = "@merge: expected opts.array, got " + _typeof(objects)
    if mistake:
        fail = failing(mistake)
        return lambda message: (direction(message), fail(message))  # a mistake in the direction shows first
    sources = [compile_part(item) for item in raw_items(objects)]

    def merge(message: Any) -> Any:
        leftwards = direction(message) == "left"
        values = [source(message) for source in sources]
        return copy(*(reversed(values) if leftwards else values))

    return merge


def _typeof(value: Any) -> str:
    kind = type_of(value)
    return "object" if kind in ("null", "array", "date") else kind


def _transform(options: Any, compile_part: Compile, compile: Compile) -> Evaluate:
    if tag(options) != "object":
        return failing('@transform requires an object with an "apply" key and a "mapping" key')
    missing = _missing(options, "@transform", "mapping", "apply")
    if missing:
        return failing(missing)
    if tag(raw_get(options, "apply")) != "object":
        return failing('@transform "apply" key should be an object')
    mapping = compile_part(raw_get(options, "mapping"))
    try:
        apply = compile(raw_get(options, "apply"))
    except (MappingError, TypeError):  # the mistake shows only when the directive is reached
        return lambda message: compile(raw_get(options, "apply"))(as_message(message))
    return lambda message: mapping(_without_undefined(apply(as_message(message))))


def _without_undefined(value: Any) -> Any:
    """A copy of ``value`` without properties that are undefined, deeply."""
    kind = tag(value)
    if kind == "array":
        return make_array([_without_undefined(item) for item in raw_items(value)])
    if kind != "object":
        return value
    pairs = [(key, raw_get(value, key)) for key in keys(value)]
    return make_object([(key, _without_undefined(item)) for key, item in pairs if item is not UNDEFINED])


def _exclude_when_null(options: Any, compile_part: Compile, compile: Compile) -> Evaluate:
    subject = compile_part(options)

    def exclude(message: Any) -> Any:
        value = subject(message)
        return UNDEFINED if value is NULL else _without_nulls(value)

    return exclude


def _without_nulls(value: Any) -> Any:
    """A copy of an object where properties that are null are undefined, deeply, but not inside arrays."""
    if tag(value) != "object":
        return value
    pairs = [(key, raw_get(value, key)) for key in keys(value)]
    return make_object([(key, UNDEFINED if item is NULL else _without_nulls(item)) for key, item in pairs])


DIRECTIVES: dict[str, Callable[[Any, Compile, Compile], Evaluate]] = {
    "@case": _case,
    "@replace": _replace,
    "@arrayPath": _array_path,
    "@flatten": _flatten,
    "@json": _json,
    "@merge": _merge,
    "@transform": _transform,
    "@excludeWhenNull": _exclude_when_null,
    "@liquid": lambda options, compile_part, compile: liquid.renderer(options),
}
