"""Liquid templates as Segment renders them, with Python's liquid library. CPython only.

Segment uses liquidjs, without loops and without the filters that work on lists. Numbers are JavaScript's, therefore
``{{ 3 | divided_by: 2 }}`` is 1.5, and an unknown filter hands its value on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from liquid import Environment, is_undefined
from liquid.exceptions import FilterArgumentError, LiquidError, LiquidSyntaxError
from liquid.tag import Tag

from ..mapping.errors import MappingError
from ..runtime import UNDEFINED, keys, make_object, text, to_json, to_number, type_of

_DISABLED_TAGS = ("case", "for", "include", "layout", "render", "tablerow")
_DISABLED_FILTERS = (
    "array_to_sentence_string concat find find_exp find_index find_index_exp group_by group_by_exp has has_exp map "
    "newline_to_br reject reject_exp reverse sort sort_natural uniq where_exp type"
).split()


def render(template: str, message: Any) -> str:
    """The text of ``template`` for ``message``. Raises MappingError for every mistake."""
    try:
        rendered: str = _parsed(template).render(_value(message))
    except LiquidError as error:
        where = _position(template, error.token.start_index) if error.token else ""
        raise MappingError(f"{error.message}{where}") from error
    except (ArithmeticError, ValueError) as error:
        raise MappingError(str(error)) from error
    return rendered


def _position(template: str, index: int) -> str:
    """Where the tag or output around ``index`` starts, in liquidjs's words."""
    start = max(template.rfind("{{", 0, index + 1), template.rfind("{%", 0, index + 1), 0)
    return f", line:{template.count(chr(10), 0, start) + 1}, col:{start - template.rfind(chr(10), 0, start)}"


@lru_cache(maxsize=500)
def _parsed(template: str) -> Any:
    return _engine().from_string(template)


@cache
def _engine() -> Environment:
    engine = Environment(strict_filters=False)
    for name in _DISABLED_TAGS:
        engine.tags[name] = _disabled_tag(engine, name)
    for name in _DISABLED_FILTERS:
        engine.filters[name] = _disabled_filter(name)
    engine.filters["json"] = engine.filters["jsonify"] = lambda value, *_: to_json(value)
    part_of = engine.filters["slice"]
    engine.filters["slice"] = lambda value, *where: (
        "" if value is None or is_undefined(value) else part_of(value, *where)
    )
    for name, function in _ARITHMETIC.items():
        engine.filters[name] = _arithmetic(function)
    return engine


def _disabled_tag(engine: Any, name: str) -> Any:
    class Disabled(Tag):
        block = False

        def parse(self, stream: Any) -> Any:
            raise LiquidSyntaxError(f'tag "{name}" is disabled', token=stream.current)

    return Disabled(engine)


def _disabled_filter(name: str) -> Callable[..., Any]:
    def disabled(value: Any, *args: Any, **options: Any) -> Any:
        raise FilterArgumentError(f'filter "{name}" is disabled', token=None)

    return disabled


def _divided(dividend: float, divisor: float, whole: float = 0) -> float:
    if divisor == 0:
        return dividend * math.inf
    return dividend // divisor if whole else dividend / divisor


def _rounded(value: float, digits: float = 0) -> float:
    return (value * 10**digits + 0.5) // 1 / 10**digits


def _remainder(value: float, divisor: float) -> float:
    return math.fmod(value, divisor) if divisor else math.nan


_ARITHMETIC: dict[str, Callable[..., float]] = {
    "abs": abs,
    "at_least": max,
    "at_most": min,
    "ceil": lambda value: -(-value // 1),
    "divided_by": _divided,
    "floor": lambda value: value // 1,
    "minus": lambda left, right: left - right,
    "modulo": _remainder,
    "plus": lambda left, right: left + right,
    "round": _rounded,
    "times": lambda left, right: left * right,
}


def _arithmetic(function: Callable[..., float]) -> Callable[..., _Number]:
    def apply(*values: Any) -> _Number:
        numbers = [to_number(UNDEFINED if value is None else value) for value in values]
        return _Number(function(*[number if number == number else 0 for number in numbers]))

    return apply


class _Number(float):
    """A number that prints as JavaScript's."""

    def __str__(self) -> str:
        return text(float(self))


class _Object(dict[str, Any]):
    """An object that prints as JavaScript's."""

    def __str__(self) -> str:
        return text(make_object())


def _value(value: Any) -> Any:
    """A port value as the library knows values."""
    kind = type_of(value)
    if kind == "array":
        return [_value(item) for item in value]
    if kind == "object" and isinstance(value, dict):
        return _Object([(key, _value(value[key])) for key in keys(value)])
    if kind == "number":
        return value if isinstance(value, int) else _Number(value)
    if kind == "date":
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value.ms) if value.iso() else None
    return value if kind in ("string", "boolean", "bigint") else None
