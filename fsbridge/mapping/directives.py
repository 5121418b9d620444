"""Segment's mapping language: directives such as ``{"@path": "$.event"}`` that build a payload from a message.

    mapping = compile(settings_mapping)     # once
    payload = mapping(message)              # per message

`compile` turns the mapping into Python functions, so that applying it touches nothing of the message but what its paths
name. A value found by a path is handed on as it is. The semantics are those of Segment's mapping kit, oddities
included: a path whose way is cut short by a falsy value gives that value, and a template is rendered twice.
"""

from ..runtime import (
    NULL,
    UNDEFINED,
    copy,
    from_json,
    is_nullish,
    is_plain,
    keys,
    lower,
    make_array,
    make_object,
    raw_get,
    raw_has,
    raw_items,
    record,
    tag,
    text,
    to_json,
    to_number,
    trim,
    truthy,
    type_of,
    upper,
)
from . import liquid
from .errors import MappingError
from .paths import follow, mapping_steps
from .text import join_pairs, length, split_pairs
from .validation import MAX_REPLACE, validate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Evaluate = Callable[[Any], Any]

_ROOT = "__segment_internal_directive"


def compile(mapping: "Any", trusted: bool = False) -> "Evaluate":
    """A function from a message, an object, to the payload that ``mapping`` describes for it.

    Raises a `MappingError` for mistakes that show without a message, unless it is ``trusted``; the function raises one
    for those that don't.
    """
    root = _root(mapping)
    if not trusted:
        validate(root)
    evaluate = _compile(root, True, True)
    _failures.clear()
    if "__proto__" in keys(root) or any([name.startswith("@") for name in keys(root)]):
        return lambda message: _handed_on(evaluate(message))
    return evaluate


def mistakes(mapping: "Any") -> "list[str]":
    """What in a mapping that `compile` accepts fails for every message that comes to it, a text each."""
    _compile(_root(mapping), True)
    found = list(_failures)
    _failures.clear()
    return found


def as_message(value: "Any") -> "Any":
    """``value``, or an empty object for undefined. Raises MappingError for what is no object."""
    if is_plain(value):
        return value
    sort = tag(value)
    if sort == "undefined":
        return make_object()
    if sort != "object":
        raise MappingError("data must be an object, got " + sort)
    return value


def resolve(mapping: "Any", message: "Any" = UNDEFINED) -> "Any":
    """The payload that ``mapping`` describes for ``message``; `compile` and apply at once."""
    message = as_message(message)
    return compile(mapping)(message)


def resolve_batch(mapping: "Any", messages: "Any" = UNDEFINED) -> "Any":
    """An array of the payloads for an array of messages, which may be anything."""
    if messages is UNDEFINED:
        messages = make_array()
    if type_of(messages) != "array":
        raise MappingError("data must be an array, got " + tag(messages))
    root = _root(mapping)
    validate(root)
    evaluate = _compile(root, True)
    _failures.clear()
    return make_array([_handed_on(evaluate(message)) for message in raw_items(messages)])


def _handed_on(value: "Any") -> "Any":
    """``value`` as part of a payload.

    JSON text can make a property ``__proto__``; the vendor's copying makes it the object's prototype, and so does this.
    """
    return copy(value) if raw_has(value, "__proto__") else value


def _root(mapping: "Any") -> "Any":
    """The mapping proper: one whole directive can stand for all fields, which then become its ``mapping``."""
    if is_nullish(mapping):
        raise TypeError("a mapping must be an object")
    if not raw_has(mapping, _ROOT):
        return copy(mapping)
    directive = raw_get(mapping, _ROOT)
    if is_nullish(directive):
        raise TypeError("the root mapping must be an object")
    names = keys(directive)
    if len(names) > 1:
        raise MappingError("The root mapping must only have a single directive object")
    options = raw_get(directive, names[0]) if names else UNDEFINED
    if type_of(options) not in ("object", "array", "date"):
        raise MappingError("The root directive must be an object")
    if type_of(options) == "object":
        fields = make_object([(key, raw_get(mapping, key)) for key in keys(mapping) if key != _ROOT])
        options = copy(options, make_object([("mapping", fields)]))
    return make_object([(names[0], options)])


def _compile(mapping: "Any", to_payload: bool = False, of_object: bool = False) -> "Evaluate":
    """A function from a message to the value of ``mapping``.

    ``to_payload``: what is built here is part of the payload itself, where undefined fields are left out; as input of a
    directive they would count. ``of_object``: the message is an object.
    """
    if type_of(mapping) == "array":
        elements = [_compile(item, to_payload, of_object) for item in raw_items(mapping)]
        return lambda message: make_array([element(message) for element in elements])
    if tag(mapping) != "object":
        return lambda message: mapping
    names = keys(mapping)
    directives = [name for name in names if name.startswith("@")]
    if directives and not [name for name in names if not name.startswith("@") and name != "_metadata"]:
        return _directive(directives[0], raw_get(mapping, directives[0]))
    fields = []
    for name in names:
        field = raw_get(mapping, name)
        step = _step(field) if of_object else ""
        fields.append((name, step, _constant(UNDEFINED) if step else _compile(field, to_payload, of_object)))

    def build_input(message: "Any") -> "Any":
        return make_object([(name, evaluate(message)) for name, _, evaluate in fields])

    def build(message: "Any") -> "Any":
        values = {}  # MicroPython forgets their order, which counts for input only
        for name, step, evaluate in fields:
            value = raw_get(message, step) if step else evaluate(message)
            if isinstance(value, str):
                values[name] = value
            elif value is not UNDEFINED:
                values[name] = _handed_on(value)
        return make_object(values.items()) if "__proto__" in values else record(**values)

    return build if to_payload else build_input


def _step(field: "Any") -> str:
    """The one step of a field that is a path such as ``{"@path": "$.event"}``, the commonest of all."""
    path = raw_get(field, "@path") if tag(field) == "object" and keys(field) == ["@path"] else UNDEFINED
    steps = _steps(path) if isinstance(path, str) else ()
    return steps[0] if len(steps) == 1 else ""


def _directive(name: str, options: "Any") -> "Evaluate":
    if name not in _DIRECTIVES:
        return _failing(name + " is not a valid directive, got undefined")
    return _DIRECTIVES[name](options)


_failures: "list[str]" = []  # of the mapping that is being compiled


def _failing(message: str) -> "Evaluate":
    _failures.append(message)

    def fail(_: "Any") -> "Any":
        raise MappingError(message)

    return fail


def _constant(value: "Any") -> "Evaluate":
    return lambda message: value


def _missing(options: "Any", directive: str, *names: str) -> str:
    """The vendor's complaint about the first required option that is missing or falsy; empty when none is."""
    for name in names:
        if not truthy(raw_get(options, name)):
            return '%s requires a "%s" key' % (directive, name)
    return ""


def _if(options: "Any") -> "Evaluate":
    if tag(options) != "object":
        return _failing('@if requires an object with an "exists" key')
    exists, blank, otherwise = raw_get(options, "exists"), raw_get(options, "blank"), raw_get(options, "else")
    if not truthy(exists) and not truthy(blank):
        return _failing('@if requires an "exists" key or a "blank" key')
    subject = _compile(blank if exists is UNDEFINED else exists)
    holds = _is_filled if exists is UNDEFINED else _is_there
    then_value = _compile(raw_get(options, "then"))
    else_value = _compile(otherwise if truthy(otherwise) else UNDEFINED)
    return lambda message: then_value(message) if holds(subject(message)) else else_value(message)


def _is_there(value: "Any") -> bool:
    return not is_nullish(value)


def _is_filled(value: "Any") -> bool:
    """JavaScript's ``value != null && value != ""``."""
    if is_nullish(value):
        return False
    if type_of(value) in ("number", "boolean", "bigint"):
        return to_number(value) != 0
    return text(value) != ""


def _case(options: "Any") -> "Evaluate":
    if tag(options) != "object":
        return _failing('@case requires an object with a "operator" key')
    missing = _missing(options, "@case", "operator")
    if missing:
        return _failing(missing)
    operator = raw_get(options, "operator")
    if not truthy(raw_get(options, "value")):
        return _constant(UNDEFINED)
    subject = _compile(raw_get(options, "value"))

    def change(message: "Any") -> "Any":
        value = subject(message)
        if not isinstance(value, str):
            return value
        if operator == "lower":
            return lower(value)
        if operator == "upper":
            return upper(value)
        raise MappingError('operator key should have a value of "lower" or "upper"')

    return change


def _option(options: "Any", name: str, default: "Any") -> "Any":
    value = raw_get(options, name)
    return default if is_nullish(value) else value


def _replace(options: "Any") -> "Evaluate":
    if tag(options) != "object":
        return _failing('@replace requires an object with a "pattern" key')
    missing = _missing(options, "@replace", "pattern")
    if missing:
        return _failing(missing)
    if not truthy(raw_get(options, "value")):
        return _constant(UNDEFINED)
    subject = _compile(raw_get(options, "value"))
    pattern, replacement = raw_get(options, "pattern"), _option(options, "replacement", "")
    ignore_case, everywhere = _option(options, "ignorecase", False), _option(options, "global", True)
    pairs = [(pattern, replacement)]
    if truthy(raw_get(options, "pattern2")):
        pairs.append((raw_get(options, "pattern2"), _option(options, "replacement2", "")))
    well_typed = isinstance(ignore_case, bool) and isinstance(everywhere, bool) and _are_texts(pairs[0])

    def change(message: "Any") -> "Any":
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


def _are_texts(pair: "tuple[Any, Any]") -> bool:
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


def _steps(path: str) -> "list[str]":
    return mapping_steps(path.replace("$.", "", 1))


def _array_path(options: "Any") -> "Evaluate":
    if type_of(options) != "array":
        return _failing("@arrayPath expected array, got " + tag(options))
    path, shape = raw_get(options, 0), raw_get(options, 1)
    root = _at(_steps(path)) if isinstance(path, str) else _compile(path)
    if tag(shape) != "object" or not keys(shape):
        return root
    item_value = _compile(shape)

    def collect(message: "Any") -> "Any":
        value = root(message)
        sort = tag(value)
        if sort not in ("object", "array"):
            return value
        return make_array([item_value(item) for item in (raw_items(value) if sort == "array" else [value])])

    return collect


def _at(steps: "list[str]") -> "Evaluate":
    if len(steps) == 1:
        step = steps[0]
        return lambda message: raw_get(message, step) if truthy(message) else message
    return lambda message: follow(message, steps)


def _needs_text(name: str, value: "Any") -> str:
    if not isinstance(value, str):
        raise MappingError(name + ": expected string, got " + tag(value))
    return value


def _path(options: "Any") -> "Evaluate":
    if isinstance(options, str):
        return _at(_steps(options))
    path = _compile(options)
    return lambda message: follow(message, _steps(_needs_text("@path", path(message))))


def _template(options: "Any") -> "Evaluate":
    if isinstance(options, str) and "{{" not in options:
        return _constant(options)
    template = _compile(options)
    return lambda message: _rendered(_needs_text("@template", template(message)), message)


def _rendered(template: str, message: "Any") -> str:
    return _filled(_filled(template, message, 3), message, 2)


def _filled(template: str, message: "Any", braces: int) -> str:
    """``template`` with what stands between that many braces replaced by the value at that path."""
    opening, closing = "{" * braces, "}" * braces
    result = []
    done = 0
    start = template.find(opening)
    while start >= 0:
        inside = start + braces
        end = template.find("}", inside)
        if end > inside and template[end : end + braces] == closing:
            value = follow(message, mapping_steps(trim(template[inside:end])))
            result.append(template[done:start] + ("" if is_nullish(value) else text(value)))
            done = end + braces
            start = template.find(opening, done)
        else:
            start = template.find(opening, start + 1)
    return "".join(result) + template[done:]


def _flatten(options: "Any") -> "Evaluate":
    if tag(options) != "object":
        return _failing('@flatten requires an object with a "separator" key')
    missing = _missing(options, "@flatten", "separator")
    if missing:
        return _failing(missing)
    separator, subject = _compile(raw_get(options, "separator")), _compile(raw_get(options, "value"))
    kinds = ("object",) if truthy(raw_get(options, "omitArrays")) else ("object", "array")

    def flatten(message: "Any") -> "Any":
        between = separator(message)
        if not isinstance(between, str):
            raise MappingError("@flatten requires a string separator")
        pairs: "list[tuple[str, Any]]" = []
        _flatten_into(pairs, subject(message), "", between, kinds)
        return make_object(pairs)

    return flatten


def _flatten_into(
    pairs: "list[tuple[str, Any]]", value: "Any", name: str, separator: str, kinds: "tuple[str, ...]"
) -> None:
    if tag(value) not in kinds:
        pairs.append((name, value))
        return
    for key in keys(value):
        _flatten_into(pairs, raw_get(value, key), name + separator + key if name else key, separator, kinds)


def _json(options: "Any") -> "Evaluate":
    if tag(options) != "object":
        return _failing('@json requires an object with a "value" key')
    missing = _missing(options, "@json", "mode", "value")
    if missing:
        return _failing(missing)
    mode, subject = raw_get(options, "mode"), _compile(raw_get(options, "value"))

    def convert(message: "Any") -> "Any":
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


def _merge(options: "Any") -> "Evaluate":
    if tag(options) != "object":
        return _failing('@merge requires an object with an "objects" key and a "direction" key')
    missing = _missing(options, "@merge", "direction")
    if missing:
        return _failing(missing)
    direction, objects = _compile(raw_get(options, "direction")), raw_get(options, "objects")
    mistake = _missing(options, "@merge", "objects")
    if not mistake and type_of(objects) != "array":
        mistake = "@merge: expected opts.array, got " + _typeof(objects)
    if mistake:
        fail = _failing(mistake)
        return lambda message: (direction(message), fail(message))  # a mistake in the direction shows first
    sources = [_compile(item) for item in raw_items(objects)]

    def merge(message: "Any") -> "Any":
        leftwards = direction(message) == "left"
        values = [source(message) for source in sources]
        return copy(*(reversed(values) if leftwards else values))

    return merge


def _typeof(value: "Any") -> str:
    sort = type_of(value)
    return "object" if sort in ("null", "array", "date") else sort


def _transform(options: "Any") -> "Evaluate":
    if tag(options) != "object":
        return _failing('@transform requires an object with an "apply" key and a "mapping" key')
    missing = _missing(options, "@transform", "mapping", "apply")
    if missing:
        return _failing(missing)
    if tag(raw_get(options, "apply")) != "object":
        return _failing('@transform "apply" key should be an object')
    mapping = _compile(raw_get(options, "mapping"))
    try:
        apply = compile(raw_get(options, "apply"))
    except (MappingError, TypeError):  # the mistake shows only when the directive is reached
        return lambda message: resolve(raw_get(options, "apply"), message)
    return lambda message: mapping(_without_undefined(apply(as_message(message))))


def _without_undefined(value: "Any") -> "Any":
    """A copy of ``value`` without properties that are undefined, deeply."""
    sort = tag(value)
    if sort == "array":
        return make_array([_without_undefined(item) for item in raw_items(value)])
    if sort != "object":
        return value
    pairs = [(key, raw_get(value, key)) for key in keys(value)]
    return make_object([(key, _without_undefined(item)) for key, item in pairs if item is not UNDEFINED])


def _exclude_when_null(options: "Any") -> "Evaluate":
    subject = _compile(options)

    def exclude(message: "Any") -> "Any":
        value = subject(message)
        return UNDEFINED if value is NULL else _without_nulls(value)

    return exclude


def _without_nulls(value: "Any") -> "Any":
    """A copy of an object where properties that are null are undefined, deeply, but not inside arrays."""
    if tag(value) != "object":
        return value
    pairs = [(key, raw_get(value, key)) for key in keys(value)]
    return make_object([(key, UNDEFINED if item is NULL else _without_nulls(item)) for key, item in pairs])


_DIRECTIVES: "dict[str, Callable[[Any], Evaluate]]" = {
    "@if": _if,
    "@case": _case,
    "@replace": _replace,
    "@arrayPath": _array_path,
    "@path": _path,
    "@template": _template,
    "@literal": _compile,
    "@flatten": _flatten,
    "@json": _json,
    "@merge": _merge,
    "@transform": _transform,
    "@excludeWhenNull": _exclude_when_null,
    "@liquid": liquid.renderer,
}
