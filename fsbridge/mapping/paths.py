"""Paths into a message, such as ``properties.items[0].name``: two splitting rules and one way to follow the steps."""

from __future__ import annotations

from ..runtime import is_plain, make_object, raw_get, tag, truthy
from .errors import MappingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Evaluate = Callable[[Any], Any]
    """Gives the value of a part of a mapping for a message."""


def as_message(value: Any) -> Any:
    """``value``, or an empty object for undefined. Raises MappingError for what is no object."""
    if is_plain(value):
        return value
    kind = tag(value)
    if kind == "undefined":
        return make_object()
    if kind != "object":
        raise MappingError("data must be an object, got " + kind)
    return value


def follow(value: Any, steps: list[str]) -> Any:
    """The value at ``steps`` under ``value``. A falsy value on the way ends the walk and is the result itself."""
    for step in steps:
        if not truthy(value):
            return value
        value = raw_get(value, step)
    return value


def mapping_steps(path: str) -> list[str]:
    """The steps of a mapping's path.

    Dots separate; so do ``[`` before a quote or digit and ``]`` after one, and quotes themselves are dropped:
    ``a['b c'][0]`` is a, b c, 0. The path "" or "." is the message itself.
    """
    if not any([char in path for char in "[]'\""]):
        return [step for step in path.split(".") if step]
    steps = [""]
    previous = ""
    closing = False
    for index, char in enumerate(path):
        closing = char == "]" and (closing or _opens(previous))
        if char == "." or closing or (char == "[" and _opens(path[index + 1 : index + 2])):
            steps.append("")
        else:
            steps[-1] += char
        previous = char
    return [step.replace("'", "").replace('"', "") for step in steps if step]


def _opens(char: str) -> bool:
    return char != "" and char in "\"'0123456789"


def fql_steps(path: str) -> list[str]:
    """The steps of a path in FQL: what dots and square brackets leave over."""
    return [step for step in path.replace("[", ".").replace("]", ".").split(".") if step]


def steps_of(path: str) -> list[str]:
    """The names that a path such as "$.properties.total" goes by."""
    return mapping_steps(path.replace("$.", "", 1))


def value_at(steps: list[str]) -> Evaluate:
    """What gives the value at the end of these steps."""
    if len(steps) == 1:
        step = steps[0]
        return lambda message: raw_get(message, step) if truthy(message) else message
    return lambda message: follow(message, steps)


def constant(value: Any) -> Evaluate:
    """What gives ``value`` for every message."""
    return lambda message: value
