"""What somebody may have meant by a name that isn't known."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def closest(word: str, words: Iterable[str], plain: Callable[[str], str]) -> str:
    """What of ``words`` a typist most likely meant by ``word``, or empty when none is close.

    ``plain`` makes of a word what counts.
    """
    best, fewest = "", max(3, len(word) // 2) + 1
    for candidate in words:
        edits = _distance(plain(word), plain(candidate))
        if edits < fewest:
            best, fewest = candidate, edits
    return best


def _distance(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for i, char in enumerate(left):
        previous, row[0] = row[0], i + 1
        for j, other in enumerate(right):
            previous, row[j + 1] = row[j + 1], min(row[j + 1] + 1, row[j] + 1, previous + (char != other))
    return row[-1]
