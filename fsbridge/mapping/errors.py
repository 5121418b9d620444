"""What is wrong with a mapping, in the words of Segment's own mapping kit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class MappingError(ValueError):
    """A mapping that can't be applied to a message. ``errors`` lists what is wrong, a text each."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.errors = [message]


class ValidationError(MappingError):
    """One mistake in a mapping; the text starts with its place, such as ``/properties/name``."""


class AggregateError(MappingError):
    """All mistakes in the fields of a mapping."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


failures: list[str] = []
"""What fails for every message in the mapping that is being compiled, a text each."""


def failing(message: str) -> Callable[[Any], Any]:
    """What raises a MappingError with this text for every message; `failures` has it, too."""
    failures.append(message)

    def fail(_: Any) -> Any:
        raise MappingError(message)

    return fail
