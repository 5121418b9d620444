"""What JavaScript counts as a character of a text: UTF-16 units, two of them beyond the basic plane."""

from __future__ import annotations


def length(text: str) -> int:
    """``text.length``: characters beyond the basic plane count twice."""
    return len(text) + sum([char > "\uffff" for char in text])


def split_pairs(text: str) -> str:
    """``text`` as JavaScript's characters: those beyond the basic plane as the two surrogates that they are there."""
    if not any([char > "\uffff" for char in text]):
        return text
    return "".join([_surrogates(ord(char) - 0x10000) if char > "\uffff" else char for char in text])


def _surrogates(offset: int) -> str:
    return chr(0xD800 + (offset >> 10)) + chr(0xDC00 + (offset & 0x3FF))


def join_pairs(text: str) -> str:
    """The reverse of `split_pairs`; half a pair stays what it is."""
    result: list[str] = []
    for char in text:
        if "\udc00" <= char <= "\udfff" and result and "\ud800" <= result[-1] <= "\udbff":
            result[-1] = chr(0x10000 + ((ord(result[-1]) - 0xD800) << 10) + ord(char) - 0xDC00)
        else:
            result.append(char)
    return "".join(result)
