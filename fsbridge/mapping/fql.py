"""FQL, Segment's subscription language: which messages trigger an action.

    trigger = parse('type = "track" and properties.price > 100')
    trigger.matches(message)

The vendor's parser is lenient in its own way, and subscriptions in use rely on it. So this one follows it token by
token: what it doesn't understand it skips; the last ``and`` or ``or`` of a group counts for the whole group; ``!``
negates only the two functions; text in single quotes keeps its quotes.
"""

from __future__ import annotations

from ..messages import TYPES
from ..runtime import NULL, UNDEFINED, is_nullish, raw_get, text, to_number, type_of
from .paths import follow, fql_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Token = tuple[str, str]
    Condition = Callable[[Any], bool]
    Test = Callable[[Any], bool]
    Typed = tuple[Condition | None, list[str] | None]  # a condition with the types of message that it can hold for
    Conditions = list[Typed]


class FqlError(ValueError):
    """A subscription that can't be parsed."""


class Trigger:
    """A parsed subscription; ``text`` is its FQL, ``types`` the types of message that it can match (None: any)."""

    def __init__(self, source: str, condition: Condition, types: list[str] | None = None) -> None:
        self.text = source
        self.types = types
        self._condition = condition

    def matches(self, message: Any) -> bool:
        """Whether ``message`` triggers the subscription.

        Raises TypeError where the vendor's code breaks, too: on a null message and on an empty pair of parentheses.
        """
        if message is UNDEFINED:
            return False
        if message is NULL:
            raise TypeError("the message is null")
        return self._condition(message)


def parse(source: str) -> Trigger:
    """The trigger that ``source`` describes. Raises FqlError where the vendor finds none."""
    for type_ in TYPES:
        if source == 'type = "%s"' % type_:  # as most are: a page needn't wait for the parser
            return Trigger(source, _condition("type", "type", "=", type_), [type_])
    condition, types = _parse(_Tokens(_join_paths(_Lexer(source).tokens())))
    if condition is None:
        raise FqlError("no condition found")
    return Trigger(source, condition, types)


# Tokens are pairs of type and value. The types: ident, dot, operator, conditional, string, number, null, brackleft,
# brackright, parenleft, parenright, comma, eos.

_END = ("eos", "eos")
_SIGNS = {
    ".": "dot",
    "[": "brackleft",
    "]": "brackright",
    ",": "comma",
    "(": "parenleft",
    ")": "parenright",
}


def _is_letter(char: str) -> bool:
    return "a" <= char <= "z" or "A" <= char <= "Z"


def _is_digit(char: str) -> bool:
    return "0" <= char <= "9"


def _is_part_of_name(char: str) -> bool:
    return char != "" and (_is_letter(char) or _is_digit(char) or char in "_-\\")


def _ends(char: str) -> bool:
    """Whether a name or sign before ``char`` ends there; no character is the end of the text."""
    return char == "" or char in " \t\n,])"


class _Lexer:
    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0

    def peek(self) -> str:
        return self.source[self.position : self.position + 1]

    def next(self) -> str:
        char = self.peek()
        self.position += len(char)
        return char

    def tokens(self) -> list[Token]:
        result = []
        while True:
            char = self.next()
            if char == "":
                result.append(_END)
                return result
            if char not in " \t\n":
                result.append(self.token(char))

    def token(self, char: str) -> Token:
        upcoming = self.peek()
        if char == "!" and (upcoming == "(" or _is_letter(upcoming)):
            return "operator", "!"
        if char == "=":
            return "operator", "="
        if char == "!":
            if self.accept("="):
                return "operator", "!="
            raise FqlError("expected '=' after '!' at character %d" % self.position)
        if char in "<>":
            return "operator", char + "=" if self.accept("=") else char
        if _is_letter(char) or char in "\\_":
            return self.word(char)
        if _is_digit(char) or char in "-+":
            return self.number(char)
        if char in "\"'":
            return self.string(char)
        if char in _SIGNS:
            return _SIGNS[char], char
        raise FqlError("invalid character %r at character %d" % (char, self.position))

    def accept(self, wanted: str) -> bool:
        """Take ``wanted`` if it comes next and a name or sign ends there."""
        start = self.position
        for _ in wanted:
            char = self.next()
            if char == "":
                return False  # what was read stays read, as the vendor has it
            if _ends(char):
                break
        if self.source[start : self.position] == wanted and _ends(self.peek()):
            return True
        self.position = start
        return False

    def word(self, first: str) -> Token:
        if first == "a" and self.accept("nd"):
            return "conditional", "and"
        if first == "o" and self.accept("r"):
            return "conditional", "or"
        if first == "n" and self.accept("ull"):
            return "null", "null"
        name = ""
        char = first
        while True:
            if char == "\\":
                char = self.next()
                if char == "":
                    raise FqlError("nothing to escape at the end")
            name += char
            if char > "\uffff" or not _is_part_of_name(self.peek()):
                break
            char = self.next()
        if char > "\uffff" or not (_ends(self.peek()) or self.peek() in ".(=!"):
            raise FqlError("unexpected %r after %r at character %d" % (self.peek(), name, self.position))
        return "ident", name

    def number(self, first: str) -> Token:
        digits = first
        decimal = False
        while _is_digit(self.peek()) or self.peek() == ".":
            char = self.next()
            digits += char
            if char == ".":
                if decimal or _ends(self.peek()):
                    raise FqlError("malformed number %r at character %d" % (digits, self.position))
                decimal = True
        return "number", digits

    def string(self, quote: str) -> Token:
        end = self.source.find(quote, self.position)
        if end < 0:
            raise FqlError("unterminated string at character %d" % self.position)
        value = self.source[self.position : end]
        self.position = end
        self.accept(quote)
        return "string", quote + value + quote


def _join_paths(tokens: list[Token]) -> list[Token]:
    """Names with dots between them as one name."""
    result: list[Token] = []
    index = 0
    while index < len(tokens):
        if (
            tokens[index][0] == "dot"
            and result
            and result[-1][0] == "ident"
            and index + 1 < len(tokens)
            and tokens[index + 1][0] == "ident"
        ):
            result[-1] = ("ident", result[-1][1] + "." + tokens[index + 1][1])
            index += 2
        else:
            result.append(tokens[index])
            index += 1
    return result


class _Tokens:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0

    def next(self) -> Token | None:
        """The next token, or None after the last."""
        if self.position == len(self.tokens):
            return None
        self.position += 1
        return self.tokens[self.position - 1]

    def need(self, what: str) -> Token:
        """The next token; FqlError with the text ``what`` when there is none."""
        token = self.next()
        if token is None:
            raise FqlError(what)
        return token


FIELDS = ("type", "event", "name", "userId")
BAGS = ("properties", "traits", "context")
FUNCTIONS = ("contains", "match")
_INHERITED = (
    "constructor __defineGetter__ __defineSetter__ hasOwnProperty __lookupGetter__ __lookupSetter__ isPrototypeOf "
    "propertyIsEnumerable toString valueOf __proto__ toLocaleString"
).split()
"""Names that the vendor's table of fields inherits from JavaScript's Object: conditions on them are skipped."""


def _parse(tokens: _Tokens) -> Typed:
    """The condition of a group of tokens, None for a group without any; and the types it is about, None for any."""
    conditions: Conditions = []
    operator = "and"
    token = tokens.next()
    while token is not None and token[0] != "eos":
        kind, value = token
        if kind == "ident":
            start = value.split(".", 1)[0]
            if start in FIELDS or start in BAGS or start in _INHERITED:
                _comparison(start, value, tokens, conditions)
            if value in FUNCTIONS:
                _function(value, False, tokens, conditions)
        elif token == ("operator", "!"):
            upcoming = tokens.tokens[tokens.position]
            if upcoming[0] == "ident" and upcoming[1] in FUNCTIONS:
                tokens.next()
                _function(upcoming[1], True, tokens, conditions)
        elif kind == "parenleft":
            conditions.append(_parse(_Tokens(_group(tokens))))
        elif kind == "conditional":
            operator = value
        token = tokens.next()
    if not conditions:
        return None, None
    if len(conditions) == 1:
        return conditions[0]
    each = [condition for condition, _ in conditions]
    types = [types for _, types in conditions]
    if operator == "and":
        return _all(each), types[0]  # the first decides, before another might fail
    return _any(each), None if None in types else [type_ for some in types for type_ in some or ()]


def _group(tokens: _Tokens) -> list[Token]:
    """The tokens up to the closing parenthesis."""
    result = []
    token = tokens.need("a closing parenthesis is missing")
    while token[0] != "parenright":
        result.append(token)
        token = tokens.need("a closing parenthesis is missing")
    result.append(_END)
    return result


def _all(conditions: list[Condition | None]) -> Condition:
    def condition(message: Any) -> bool:
        for each in conditions:
            if not _holds(each, message):
                return False
        return True

    return condition


def _any(conditions: list[Condition | None]) -> Condition:
    def condition(message: Any) -> bool:
        for each in conditions:
            if _holds(each, message):
                return True
        return False

    return condition


def _holds(condition: Condition | None, message: Any) -> bool:
    if condition is None:
        raise TypeError("an empty pair of parentheses")
    return condition(message)


def _comparison(start: str, name: str, tokens: _Tokens, conditions: Conditions) -> None:
    operator = tokens.need("Operator token is missing")[1]
    kind, value = tokens.need("Value token is missing")
    if start in _INHERITED:
        return
    if start in ("type", "event"):
        wanted = text(_value(kind, value))
        types = [wanted] if start == "type" and operator == "=" else None
        conditions.append((_condition(start, name, operator, wanted), types))
        return
    if value == "null" and operator in ("=", "!="):
        operator = "exists" if operator == "!=" else "not_exists"
    elif start != "name" and operator == "=" and value in ("true", "false"):
        operator = "is_" + value
    elif start in BAGS and kind == "number" and operator in ("=", "!="):
        operator = "number_equals" if operator == "=" else "number_not_equals"
    expected = _value(kind, value)
    condition = _condition(start, name, operator, expected if start in BAGS else text(expected))
    conditions.append((condition, None))


def _function(function: str, negated: bool, tokens: _Tokens, conditions: Conditions) -> None:
    tokens.next()
    name = tokens.need("%s() is missing a 1st argument" % function)[1]
    tokens.next()
    kind, value = tokens.need("%s() is missing a 2nd argument" % function)
    tokens.next()
    expected = text(_value(kind, value))
    if function == "contains":
        operator = "contains"
    elif value.endswith('*"'):
        operator = "starts_with"
        expected = expected[:-1]
    else:
        operator = "ends_with"
        expected = expected[1:]
    if negated:
        operator = "not_" + operator
    if name in FIELDS[1:]:
        conditions.append((_condition(name, name, operator, expected), None))
    for bag in BAGS:
        if name.startswith(bag):
            conditions.append((_condition(bag, name, operator, expected), None))


def _value(kind: str, value: str) -> Any:
    if kind == "string":
        return value[1:-1] if value[0] == '"' else value
    if kind == "number":
        return to_number(value)
    if kind == "ident" and value in ("true", "false"):
        return value == "true"
    return value


def _condition(start: str, name: str, operator: str, expected: Any) -> Condition:
    """A function from the message to whether the condition holds."""
    test = _test(operator, expected)
    if start not in BAGS:
        return lambda message: test(raw_get(message, start))
    path = name[len(start) + 1 :] if name.startswith(start + ".") else name
    steps = fql_steps(path)
    if path and not steps:
        return _no_path
    if not path:
        return lambda message: test(UNDEFINED)
    return lambda message: test(follow(raw_get(message, start), steps))


def _no_path(message: Any) -> bool:
    raise TypeError("a path of nothing but dots and brackets")


def _test(operator: str, expected: Any) -> Test:
    """A function from a value to whether ``operator`` holds between it and ``expected``."""
    if operator == "exists":
        return lambda actual: not is_nullish(actual)
    if operator == "not_exists":
        return is_nullish
    if operator == "is_true":
        return lambda actual: actual is True
    if operator == "is_false":
        return lambda actual: actual is False
    wanted = text(expected)
    if operator == "=":
        return lambda actual: isinstance(actual, str) and actual == wanted
    if operator == "!=":
        return lambda actual: not isinstance(actual, str) or actual != wanted
    if operator in _TEXT_TESTS:
        return _text_test(_TEXT_TESTS[operator], wanted, True)
    if operator.startswith("not_") and operator[4:] in _TEXT_TESTS:
        return _text_test(_TEXT_TESTS[operator[4:]], wanted, False)
    if operator in _NUMBER_TESTS:
        return _number_test(_NUMBER_TESTS[operator], to_number(expected))
    return lambda actual: False


_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda actual, wanted: wanted in actual,
    "starts_with": lambda actual, wanted: actual.startswith(wanted),
    "ends_with": lambda actual, wanted: actual.endswith(wanted),
}
_NUMBER_TESTS: dict[str, Callable[[float, float], bool]] = {
    "number_equals": lambda actual, wanted: actual == wanted,
    "number_not_equals": lambda actual, wanted: actual != wanted,
    "<": lambda actual, wanted: actual < wanted,
    "<=": lambda actual, wanted: actual <= wanted,
    ">": lambda actual, wanted: actual > wanted,
    ">=": lambda actual, wanted: actual >= wanted,
}


def _text_test(compare: Callable[[str, str], bool], wanted: str, outcome: bool) -> Test:
    return lambda actual: isinstance(actual, str) and compare(actual, wanted) is outcome


def _number_test(compare: Callable[[float, float], bool], wanted: float) -> Test:
    return lambda actual: type_of(actual) == "number" and compare(actual, wanted)
