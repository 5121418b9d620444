"""What an HTTP engine is given and what it answers. There are `curl.Blocking`, `curl.Multi` and `notebook.Notebook`.

``exchange`` and ``pause`` are coroutines, so that what is built on them is written once; those of engines that block
never suspend: see `finished`.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, NamedTuple, Protocol, TypeVar

MAX_ANSWER = 8 << 20
"""Bytes of an answer's body."""

Result = TypeVar("Result")


class Call(NamedTuple):
    """One request: ``headers`` are lines such as "Name: value", ``timeout`` is in seconds, for all of it."""

    method: str
    url: str
    headers: list[str]
    body: bytes | None
    timeout: float


class Answer(NamedTuple):
    """What came back: ``redirect`` is where a redirect leads, ``retry_after`` the seconds that were asked for, or 0,
    ``reason`` the phrase beside the status.
    """

    status: int
    content: bytes
    content_type: str = ""
    redirect: str = ""
    retry_after: float = 0
    reason: str = ""


class NoAnswer(Exception):
    """There was none. The text says why, without address and credentials."""


class Engine(Protocol):
    """How requests are made."""

    async def exchange(self, call: Call) -> Answer:
        """The answer to a request. Raises NoAnswer."""

    async def pause(self, seconds: float) -> bool:
        """Wait; whether it is worth going on then, because nobody has closed the engine."""

    def close(self) -> None:
        """Close the connections, and end all pauses. From any thread."""


def finished(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that never suspends, because its engine does all in place."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    coroutine.close()
    raise RuntimeError("it had to wait for something")
