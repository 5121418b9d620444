"""Property names in camel case: the three ways of the vendors' integrations.

All leave FullStory's type suffixes alone: of ``order_total_real`` only ``order_total`` is camel-cased. They run for
every property of every call, so finished names are kept, up to a bound.
"""

from ..runtime import lower, trim, upper
from .lodash import camel_case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = Callable[[str], str]

SUFFIXES = ("str", "int", "date", "real", "bool", "strs", "ints", "dates", "reals", "bools")

_SEPARATORS = "_.- "
_KEPT_AT_MOST = 500


def _rule(camel_case: "Rule") -> "Rule":
    """``camel_case`` made to leave type suffixes alone and to remember names."""
    kept: "dict[str, str]" = {}

    def name_in_camel_case(name: str) -> str:
        result = kept.get(name)
        if result is None:
            stem, _, suffix = name.rpartition("_")
            if suffix in SUFFIXES and len(suffix) < len(name):
                result = camel_case(stem) + "_" + suffix
            else:
                result = camel_case(name)
            if len(kept) >= _KEPT_AT_MOST:
                kept.clear()
            kept[name] = result
        return result

    return name_in_camel_case


def _classic(name: str) -> str:
    name = trim(name)
    if len(name) < 2:
        return lower(name)
    if not any([char in _SEPARATORS for char in name]):
        if name == upper(name):
            return lower(name)
        # Beyond the basic plane JavaScript's first character is half a letter, which has no case.
        return name if name[0] > "\uffff" else lower(name[0]) + name[1:]
    return _join_words(lower(_split_humps(name)))


def _split_humps(name: str) -> str:
    """A dash before each capital (of A to Z) that follows a character without upper case."""
    result = []
    after_small = False
    for char in name:
        if after_small and "A" <= char <= "Z":
            result.append("-")
            after_small = False
        else:
            after_small = char > "\uffff" or lower(char) == char
        result.append(char)
    return "".join(result)


def _join_words(name: str) -> str:
    """Without separators: a letter of A to Z after them is capitalised, before other letters and signs they stay."""
    result: "list[str]" = []
    waiting = ""
    for char in name:
        if char in _SEPARATORS:
            waiting += char
            continue
        if waiting and result:
            if "a" <= char <= "z" or _is_digit(char):
                char = char.upper()
            else:
                # "_" counts as a letter, too: the last one swallows the separators before it.
                result.append(waiting[max(waiting.rfind("_"), 0) :])
        waiting = ""
        result.append(char)
    return "".join(result)


def _is_small(char: str) -> bool:
    return "a" <= char <= "z" or ("\xdf" <= char <= "\xff" and char != "\xf7")


def _is_capital(char: str) -> bool:
    return "A" <= char <= "Z" or ("\xc0" <= char <= "\xde" and char != "\xd7")


def _is_digit(char: str) -> bool:
    return "0" <= char <= "9"


def _run(chars: "list[str]", index: int, test: "Callable[[str], bool]") -> int:
    while index < len(chars) and test(chars[index]):
        index += 1
    return index


def _rudder(name: str) -> str:
    chars = list(name)
    words: "list[str]" = []
    index = 0
    while index < len(chars):
        start = index
        capitals = _run(chars, index, _is_capital)
        small = _run(chars, capitals, _is_small)
        if small > capitals:
            index = small if capitals - start < 2 else capitals - 1
        elif capitals > start:
            index = capitals
        else:
            index = _run(chars, index, _is_digit)
        if index == start:
            index += 1
            continue
        word = lower("".join(chars[start:index]))
        words.append(upper(word[0]) + word[1:] if words else word)
    return "".join(words)


classic = _rule(_classic)
"""The name as Segment's Classic integration sends it: the npm package camelcase 3.0.0, ``Order_ID`` → ``orderId``."""

rudder = _rule(_rudder)
"""The name as RudderStack sends it: words of Latin letters and of digits; all else is dropped, so that a name without
either becomes empty."""

actions = _rule(camel_case)
"""The name as Segment's FullStory (Actions) sends it: lodash's camelCase, no accents, digits apart from letters."""
