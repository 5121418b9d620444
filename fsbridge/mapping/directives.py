"""Segment's mapping language: directives such as ``{"@path": "$.event"}`` that build a payload from a message.

    mapping = compile(settings_mapping)     # once
    payload = mapping(message)              # per message

`compile` turns the mapping into Python functions, so that applying it touches nothing of the message but what its paths
name. A value found by a path is handed on as it is. The semantics are those of Segment's mapping kit, oddities
included: a path whose way is cut short by a falsy value gives that value, and a template is rendered twice.
"""

from __future__ import annotations

from ..runtime import (
    UNDEFINED,
    copy,
    is_nullish,
    keys,
    make_array,
    make_object,
    raw_get,
    raw_has,
    raw_items,
    record,
    tag,
    text,
    to_number,
    trim,
    truthy,
    type_of,
)
from .errors import MappingError, failing, failures
from .paths import constant, follow, mapping_steps, steps_of, value_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .paths import Evaluate as Evaluate

_ROOT = "__segment_internal_directive"


def compile(mapping: Any, trusted: bool = False, of_objects: bool = True) -> Evaluate:
    """A function from a message, an object unless ``of_objects`` is False, to the payload that ``mapping`` describes.

    Raises a `MappingError` for mistakes that show without a message, unless it is ``trusted``; the function raises one
    for those that don't.
    """
    root = _root(mapping)
    if not trusted:
        _validate(root)
    evaluate = compile_part(root, True, of_objects)
    failures.clear()
    if "__proto__" in keys(root) or any([name.startswith("@") for name in keys(root)]):
        return lambda message: _handed_on(evaluate(message))
    return evaluate


def _validate(root: Any) -> None:
    """Raise for mistakes that show without a message: plain values, paths and choices of such have none."""
    if not _are_simple(root):
        from .validation import validate  # late: few mappings have more

        validate(root)


def _are_simple(fields: Any) -> bool:
    return all([not name.startswith("@") and _is_simple(raw_get(fields, name)) for name in keys(fields)])


def _is_simple(field: Any) -> bool:
    kind = tag(field)
    if kind != "object":
        return kind in _SIMPLE
    names = keys(field)
    options = raw_get(field, names[0]) if len(names) == 1 else UNDEFINED
    if names == ["@path"]:
        return isinstance(options, str)
    return names == ["@if"] and tag(options) == "object" and _are_simple(options)


_SIMPLE = ("string", "number", "boolean", "null", "array")


def mistakes(mapping: Any) -> list[str]:
    """What in a mapping that `compile` accepts fails for every message that comes to it, a text each."""
    compile_part(_root(mapping), True)
    found = list(failures)
    failures.clear()
    return found


def _handed_on(value: Any) -> Any:
    """``value`` as part of a payload.

    JSON text can make a property ``__proto__``; the vendor's copying makes it the object's prototype, and so does this.
    """
    return copy(value) if raw_has(value, "__proto__") else value


def _root(mapping: Any) -> Any:
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


def compile_part(mapping: Any, to_payload: bool = False, of_object: bool = False) -> Evaluate:
    """A function from a message to the value of ``mapping``.

    ``to_payload``: what is built here is part of the payload itself, where undefined fields are left out; as input of a
    directive they would count. ``of_object``: the message is an object.
    """
    if type_of(mapping) == "array":
        elements = [compile_part(item, to_payload, of_object) for item in raw_items(mapping)]
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
        fields.append((name, step, constant(UNDEFINED) if step else compile_part(field, to_payload, of_object)))

    def build_input(message: Any) -> Any:
        return make_object([(name, evaluate(message)) for name, _, evaluate in fields])

    def build(message: Any) -> Any:
        values = {}  # MicroPython forgets their order, which counts for input only
        for name, step, evaluate in fields:
            value = raw_get(message, step) if step else evaluate(message)
            if isinstance(value, str):
                values[name] = value
            elif value is not UNDEFINED:
                values[name] = _handed_on(value)
        return make_object(values.items()) if "__proto__" in values else record(**values)

    return build if to_payload else build_input


def _step(field: Any) -> str:
    """The one step of a field that is a path such as ``{"@path": "$.event"}``, the commonest of all."""
    path = raw_get(field, "@path") if tag(field) == "object" and keys(field) == ["@path"] else UNDEFINED
    steps = steps_of(path) if isinstance(path, str) else ()
    return steps[0] if len(steps) == 1 else ""


def _directive(name: str, options: Any) -> Evaluate:
    if name in _DIRECTIVES:
        return _DIRECTIVES[name](options)
    from .transformations import DIRECTIVES  # late: most mappings need none

    if name not in DIRECTIVES:
        return failing(name + " is not a valid directive, got undefined")
    return DIRECTIVES[name](options, compile_part, compile)


def _if(options: Any) -> Evaluate:
    if tag(options) != "object":
        return failing('@if requires an object with an "exists" key')
    exists, blank, otherwise = raw_get(options, "exists"), raw_get(options, "blank"), raw_get(options, "else")
    if not truthy(exists) and not truthy(blank):
        return failing('@if requires an "exists" key or a "blank" key')
    subject = compile_part(blank if exists is UNDEFINED else exists)
    holds = _is_filled if exists is UNDEFINED else _is_there
    then_value = compile_part(raw_get(options, "then"))
    else_value = compile_part(otherwise if truthy(otherwise) else UNDEFINED)
    return lambda message: then_value(message) if holds(subject(message)) else else_value(message)


def _is_there(value: Any) -> bool:
    return not is_nullish(value)


def _is_filled(value: Any) -> bool:
    """JavaScript's ``value != null && value != ""``."""
    if is_nullish(value):
        return False
    if type_of(value) in ("number", "boolean", "bigint"):
        return to_number(value) != 0
    return text(value) != ""


def _needs_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise MappingError(name + ": expected string, got " + tag(value))
    return value


def _path(options: Any) -> Evaluate:
    if isinstance(options, str):
        return value_at(steps_of(options))
    path = compile_part(options)
    return lambda message: follow(message, steps_of(_needs_text("@path", path(message))))


def _template(options: Any) -> Evaluate:
    if isinstance(options, str) and "{{" not in options:
        return constant(options)
    template = compile_part(options)
    return lambda message: _rendered(_needs_text("@template", template(message)), message)


def _rendered(template: str, message: Any) -> str:
    return _filled(_filled(template, message, 3), message, 2)


def _filled(template: str, message: Any, braces: int) -> str:
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


_DIRECTIVES: dict[str, Callable[[Any], Evaluate]] = {
    "@if": _if,
    "@path": _path,
    "@template": _template,
    "@literal": compile_part,
}
