"""A mapping applied at once: to one message, or to a batch of anything, as Segment's mapping kit does it."""

from __future__ import annotations

from ..runtime import UNDEFINED, make_array, raw_items, tag, type_of
from .directives import compile
from .errors import MappingError
from .paths import as_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def resolve(mapping: Any, message: Any = UNDEFINED) -> Any:
    """The payload that ``mapping`` describes for ``message``. Raises MappingError for mistakes in either."""
    message = as_message(message)
    return compile(mapping)(message)


def resolve_batch(mapping: Any, messages: Any = UNDEFINED) -> Any:
    """An array of the payloads for an array of messages, which may be anything. Raises MappingError likewise."""
    if messages is UNDEFINED:
        messages = make_array()
    if type_of(messages) != "array":
        raise MappingError("data must be an array, got " + tag(messages))
    evaluate = compile(mapping, of_objects=False)
    return make_array([evaluate(message) for message in raw_items(messages)])
