"""The conditions of Segment's destination filters: parsed FQL, nested arrays such as ``["=", path, {value}]``.

An operand is a path into the message (``"properties.price"``), a literal (``{"value": 100}``) or, where an operator
takes it, another array.
"""

from __future__ import annotations

from ....mapping.text import split_pairs
from ....runtime import NULL, UNDEFINED, is_nullish, lower, raw_get, raw_items, same, to_json, truthy, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ....contracts import Message, Value

    Operator = Callable[[Value, Message], Value]

OBJECTS = ("object", "array", "date", "null")
"""The kinds of value whose JavaScript ``typeof`` is "object"."""


class BadRule(Exception):
    """A filter that can't be applied."""


def at(value: Value, path: str) -> Value:
    """What is at a dotted path; UNDEFINED behind anything falsy."""
    for key in path.split("."):
        value = raw_get(value, key) if truthy(value) else UNDEFINED
    return value


def evaluate(node: Value, message: Message) -> Value:
    """The value of a condition: mostly a boolean; of "lowercase", "typeof", "length" what they say. Raises BadRule."""
    if type_of(node) != "array":
        return _operand(node, message) is True
    operator = raw_get(node, 0)
    if type_of(operator) != "string" or operator not in _OPERATORS:
        raise BadRule("unknown operator in a condition: %s" % operator)
    return _OPERATORS[operator](node, message)


def _operand(node: Value, message: Message) -> Value:
    kind = type_of(node)
    if kind == "string":
        return at(message, node)
    if kind == "object":
        return raw_get(node, "value")
    if is_nullish(node):
        raise BadRule("an operand is missing in a condition")
    return node if kind == "array" else message  # a bare number or boolean is no path, and so means the whole message


def _operands(node: Value, message: Message) -> tuple[Value, Value]:
    return _operand(raw_get(node, 1), message), _operand(raw_get(node, 2), message)


_FUNCTIONS = {"lowercase": 2, "length": 2, "typeof": 2, "contains": 3, "match": 3}
"""What may be compared: operator → length of its array."""


def _compared(node: Value, message: Message) -> list[Value]:
    """Both operands of a comparison, functions evaluated."""
    result = []
    for value in _operands(node, message):
        if type_of(value) == "array":
            function = raw_get(value, 0)
            if type_of(function) == "string" and _FUNCTIONS.get(function) == raw_get(value, "length"):
                value = evaluate(value, message)
        result.append(value)
    return result


def _and(node: Value, message: Message) -> Value:
    for part in raw_items(node)[1:]:
        if not truthy(evaluate(part, message)):
            return False
    return True


def _or(node: Value, message: Message) -> Value:
    for part in raw_items(node)[1:]:
        if truthy(evaluate(part, message)):
            return True
    return False


def _not(node: Value, message: Message) -> Value:
    return not truthy(evaluate(raw_get(node, 1), message))


def _equal(node: Value, message: Message) -> Value:
    left, right = _compared(node, message)
    if type_of(left) in OBJECTS and type_of(right) in OBJECTS:
        left, right = to_json(left), to_json(right)
    return same(left, right)


def _number_test(test: Callable[[float, float], bool]) -> Operator:
    def operator(node: Value, message: Message) -> Value:
        left, right = _compared(node, message)
        return type_of(left) == "number" and type_of(right) == "number" and test(left, right)

    return operator


def _in(node: Value, message: Message) -> Value:
    value, among = _operands(node, message)
    if type_of(among) != "array":
        raise BadRule('"in" needs a list')
    for item in raw_items(among):
        if same(_operand(item, message), value):
            return True
    return False


def _contains(node: Value, message: Message) -> Value:
    value, part = _operands(node, message)
    return type_of(value) == "string" and type_of(part) == "string" and part in value


def _match(node: Value, message: Message) -> Value:
    value, pattern = _operands(node, message)
    return type_of(value) == "string" and type_of(pattern) == "string" and glob(pattern, value)


def _lowercase(node: Value, message: Message) -> Value:
    value = _operand(raw_get(node, 1), message)
    return lower(value) if type_of(value) == "string" else NULL


def _typeof(node: Value, message: Message) -> Value:
    kind = type_of(_operand(raw_get(node, 1), message))
    return "object" if kind in OBJECTS else kind


def _length(node: Value, message: Message) -> Value:
    value = _operand(raw_get(node, 1), message)
    if value is NULL:
        return 0
    return raw_get(value, "length") if type_of(value) in ("string", "array") else float("nan")


_OPERATORS = {
    "and": _and,
    "or": _or,
    "!": _not,
    "=": _equal,
    "!=": lambda node, message: not _equal(node, message),
    "<": _number_test(lambda left, right: left < right),
    "<=": _number_test(lambda left, right: left <= right),
    ">": _number_test(lambda left, right: left > right),
    ">=": _number_test(lambda left, right: left >= right),
    "in": _in,
    "contains": _contains,
    "match": _match,
    "lowercase": _lowercase,
    "typeof": _typeof,
    "length": _length,
}


def glob(pattern: str, value: str) -> bool:
    r"""Whether all of ``value`` fits: ``*`` any text, ``?`` any UTF-16 unit, ``[a-z]``, ``[^a-z]``, ``\`` escapes.

    A malformed pattern fits nothing.
    """
    pattern, value = split_pairs(pattern), split_pairs(value)
    while pattern:
        rest = pattern.lstrip("*")
        star = rest != pattern
        end = _chunk_end(rest)
        chunk, pattern = rest[:end], rest[end:]
        if star and not chunk:
            return True
        # Behind a star the chunk may start anywhere; the last chunk has to reach the end.
        for start in range(len(value) + 1 if star else 1):
            left = _after_chunk(chunk, value[start:])
            if left is not None and (pattern or not left):
                break
        else:
            return False
        value = left
    return not value


def _chunk_end(pattern: str) -> int:
    """Where the first star outside brackets is, else the end."""
    bracket, index = False, 0
    while index < len(pattern):
        char = pattern[index]
        if char == "*" and not bracket:
            return index
        if char in "[]":
            bracket = char == "["
        index += 2 if char == "\\" else 1
    return len(pattern)


def _after_chunk(chunk: str, value: str) -> str | None:
    """What remains of ``value`` behind the chunk; None if it doesn't start with it, or the chunk is malformed."""
    while chunk:
        if not value:
            return None
        char, value = value[0], value[1:]
        if chunk[0] == "[":
            found, chunk = _bracket(chunk[1:], char)
            if not found:
                return None
        else:
            if chunk[0] == "\\":
                chunk = chunk[1:]
                if not chunk:
                    return None
            elif chunk[0] == "?":
                char = "?"
            if chunk[0] != char:
                return None
            chunk = chunk[1:]
    return value


def _bracket(chunk: str, char: str) -> tuple[bool, str]:
    """Whether ``char`` fits the set that ``chunk`` starts with (none fits a malformed one), and what follows it."""
    wanted = chunk[:1] != "^"
    if not wanted:
        chunk = chunk[1:]
    found = False
    first = True
    while first or chunk[:1] != "]":
        first = False
        low, chunk = _bound(chunk)
        high = low
        if chunk[:1] == "-":
            high, chunk = _bound(chunk[1:])
        if not low or not high:
            return False, ""
        if low <= char <= high:
            found = True
    return found is wanted, chunk[1:]


def _bound(chunk: str) -> tuple[str, str]:
    """A character of a set and what follows it, which can't be nothing; an empty one if malformed."""
    if chunk[:1] in ("", "-", "]"):
        return "", ""
    if chunk[0] == "\\":
        chunk = chunk[1:]
    return (chunk[0], chunk[1:]) if len(chunk) > 1 else ("", "")
