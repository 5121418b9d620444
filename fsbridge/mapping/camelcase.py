"""The npm package camelcase 3.0.0, which Segment's Classic integration uses."""

from __future__ import annotations

from ..runtime import lower, trim, upper
from .names import rule

_SEPARATORS = "_.- "


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
    result: list[str] = []
    waiting = ""
    for char in name:
        if char in _SEPARATORS:
            waiting += char
            continue
        if waiting and result:
            if "a" <= char <= "z" or "0" <= char <= "9":
                char = char.upper()
            else:
                # "_" counts as a letter, too: the last one swallows the separators before it.
                result.append(waiting[max(waiting.rfind("_"), 0) :])
        waiting = ""
        result.append(char)
    return "".join(result)


classic = rule(_classic)
"""The name as Segment's Classic integration sends it: the npm package camelcase 3.0.0, ``Order_ID`` → ``orderId``."""
