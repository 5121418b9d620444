"""Names in camel case as RudderStack's integration makes them."""

from __future__ import annotations

from ..runtime import lower, upper
from .names import rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SMALL = "abcdefghijklmnopqrstuvwxyz"


def _is_small(char: str) -> bool:
    return "a" <= char <= "z" or ("\xdf" <= char <= "\xff" and char != "\xf7")


def _is_capital(char: str) -> bool:
    return "A" <= char <= "Z" or ("\xc0" <= char <= "\xde" and char != "\xd7")


def _is_digit(char: str) -> bool:
    return "0" <= char <= "9"


def _run(chars: list[str], index: int, test: Callable[[str], bool]) -> int:
    while index < len(chars) and test(chars[index]):
        index += 1
    return index


def _rudder(name: str) -> str:
    if not name.strip(_SMALL):  # one word, as most names are
        return name
    chars = list(name)
    words: list[str] = []
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


rudder = rule(_rudder)
"""The name as RudderStack sends it: words of Latin letters and of digits; all else is dropped, so that a name without
either becomes empty."""
