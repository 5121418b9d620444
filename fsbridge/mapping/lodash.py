"""lodash's camelCase, which Segment's FullStory (Actions) and its cloud mode use."""

from __future__ import annotations

from ..runtime import lower, upper
from .names import rule

_LATIN = (
    "AAAAAA.CEEEEIIIIDNOOOOO.OUUUUY..aaaaaa.ceeeeiiiidnooooo.ouuuuy.yAaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi"
    "..JjKkkLlLlLlLlLlNnNnNn.NnOoOoOo..RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs"
)
"""The letter without its accents for each of U+00C0 to U+017F; a dot where it is no single letter."""

_LIGATURES = {pair[0]: pair[1:] for pair in "ÆAe æae ÞTh þth ßss ĲIJ ĳij ŒOe œoe ŉn".split()}


def _plain_letters(name: str) -> list[str]:
    """``name`` as a list of characters, without accents, combining marks and apostrophes."""
    result: list[str] = []
    for char in name:
        if "\xc0" <= char <= "\u017f":
            letter = _LATIN[ord(char) - 0xC0]
            result.extend(letter if letter != "." else _LIGATURES.get(char, char))
        elif not _is_mark(char) and char != "'" and char != "\u2019":
            result.append(char)
    return result


def _is_mark(char: str) -> bool:
    return "\u0300" <= char <= "\u036f" or "\ufe20" <= char <= "\ufe2f" or "\u20d0" <= char <= "\u20ff"


def _class(char: str) -> str:
    """A character's part in the splitting of words: Upper, Lower, Digit, Space or sign, Picture, or Other letter."""
    if "a" <= char <= "z":
        return "L"
    if "A" <= char <= "Z":
        return "U"
    if "0" <= char <= "9":
        return "D"
    if char < "\xc0" or "\u2000" <= char <= "\u206f" or char in "\xd7\xf7\u1680\u180e\u3000\ufeff":
        return "S"
    if "\u2700" <= char <= "\u27bf" or char > "\uffff":
        return "P"
    return "S" if "\ud800" <= char <= "\udfff" else "O"


def camel_case(name: str) -> str:
    """``name`` as lodash's camelCase has it: accents dropped, digits apart from letters, emoji words of their own."""
    chars = _plain_letters(name)
    classes = "".join([_class(char) for char in chars])
    words: list[str] = []
    index = 0
    while index < len(chars):
        kind = classes[index]
        if kind == "S":
            index += 1
            continue
        if kind == "D":
            end = _end_of_number(chars, classes, index)
        elif kind == "P":
            end = _end_of_picture(chars, index)
        else:
            end = _end_of_word(classes, index)
        word = "".join(chars[index:end])
        if words:
            head = len(word) if kind == "P" else 1
            words.append(upper(lower(word)[:head]) + lower(word)[head:])
        else:
            words.append(lower(word))
        index = end
    return "".join(words)


def _run(classes: str, index: int, wanted: str) -> int:
    while index < len(classes) and classes[index] in wanted:
        index += 1
    return index


def _end_of_word(classes: str, start: int) -> int:
    """The end of the word of letters at ``start``: humps end words; a run of capitals leaves its last to the next."""
    body = start + 1 if classes[start] == "U" else start
    small = _run(classes, body, "L")
    if small > body and classes[small : small + 1] in ("", "S", "U"):
        return small
    end = _run(classes, start, "UO")
    if end > start and classes[end : end + 1] in ("", "S"):
        return end
    for split in range(end - 1, start, -1):
        if classes[split] == "U" and classes[split + 1 : split + 2] in ("L", "O"):
            return split
    end = _run(classes, body, "LO")
    if end > body:
        return end
    return _run(classes, start, "U")


_ORDINALS = {"1": "st", "2": "nd", "3": "rd"}


def _end_of_number(chars: list[str], classes: str, start: int) -> int:
    """The end of the number at ``start``, together with its "st", "nd", "rd" or "th" where that stands alone."""
    end = _run(classes, start, "D")
    ending = "".join(chars[end : end + 2])
    following = "".join(chars[end + 2 : end + 3])
    ordinal = _ORDINALS.get(chars[end - 1], "th")
    if ending == ordinal.upper() and not ("A" <= following <= "Z" or "0" <= following <= "9"):
        return end + 2
    if ending == ordinal and not ("a" <= following <= "z" or "0" <= following <= "9"):
        return end + 2
    return end


def _end_of_picture(chars: list[str], start: int) -> int:
    """The end of the emoji at ``start``: a flag is two characters; variant, skin tone and joined emoji belong to it."""
    index = _end_of_symbol(chars, start)
    while chars[index : index + 1] == ["\u200d"] and index + 1 < len(chars):
        index = _end_of_symbol(chars, index + 1)
    return index


def _end_of_symbol(chars: list[str], index: int) -> int:
    both_regional = [char for char in chars[index : index + 2] if "\U0001f1e6" <= char <= "\U0001f1ff"]
    index += 2 if len(both_regional) == 2 else 1
    if index < len(chars) and chars[index] in "\ufe0e\ufe0f":
        index += 1
    if index < len(chars) and "\U0001f3fb" <= chars[index] <= "\U0001f3ff":
        index += 1
    return index


actions = rule(camel_case)
"""The name as Segment's FullStory (Actions) sends it: lodash's camelCase, no accents, digits apart from letters."""
