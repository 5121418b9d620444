"""What cloud mode's benchmark concludes, and the stand-in's reading of chunks, which FullStory's own client sends."""

from typing import Any

import pytest

from tests.benchmarks.cloud.sending import Look, growth
from tests.standin import unchunked


def looks(memory: Any) -> Any:
    return [Look(lines / 1000, lines, memory(lines)) for lines in range(0, 10_001, 500)]


def test_the_start_is_no_growth() -> None:
    assert growth(looks(lambda lines: 40 if lines >= 2000 else 20)) == 1


def test_memory_that_keeps_growing_is_seen() -> None:
    assert growth(looks(lambda lines: 40 + lines / 1000)) > 1.05


@pytest.mark.parametrize("cut", range(1, 20))
def test_chunks_that_are_not_all_there(cut: Any) -> None:
    assert unchunked(bytearray(b"head" + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"[:-cut]), 4)[1] == -1


def test_chunks() -> None:
    body = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert unchunked(bytearray(b"head" + body + b"POST"), 4) == (b"abcde", len(body))
