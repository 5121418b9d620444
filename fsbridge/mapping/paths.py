"""Paths into a message, such as ``properties.items[0].name``: two splitting rules and one way to follow the steps."""

from ..runtime import raw_get, truthy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def follow(value: "Any", steps: "list[str]") -> "Any":
    """The value at ``steps`` under ``value``. A falsy value on the way ends the walk and is the result itself."""
    for step in steps:
        if not truthy(value):
            return value
        value = raw_get(value, step)
    return value


def mapping_steps(path: str) -> "list[str]":
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


def fql_steps(path: str) -> "list[str]":
    """The steps of a path in FQL: what dots and square brackets leave over."""
    return [step for step in path.replace("[", ".").replace("]", ".").split(".") if step]
