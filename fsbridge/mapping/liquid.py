"""The directive @liquid: templates in Shopify's language, where an engine for it has been installed.

`fsbridge.cloud.liquid` has one, for CPython with the extra ``liquid``; in a browser such mappings are refused.
"""

from __future__ import annotations

from .errors import MappingError
from .text import length

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MISSING = "needs the liquid template library, which works on CPython only: the extra liquid brings it"

_MAX_LENGTH = 1000

_engine: list[Callable[[str, Any], str]] = []


def install(engine: Callable[[str, Any], str]) -> None:
    """Let ``engine(template, message)`` render templates; it raises MappingError for every mistake."""
    _engine[:] = [engine]


def available() -> bool:
    """Whether templates can be rendered here."""
    return bool(_engine)


def renderer(template: Any) -> Callable[[Any], str]:
    """A function from a message to the text of ``template`` for it, which raises MappingError for every mistake."""
    if not available():
        return _failing("@liquid " + MISSING)
    if not isinstance(template, str):
        return _failing("liquid template value must be a string")
    if length(template) > _MAX_LENGTH:
        return _failing("liquid template values are limited to %d characters" % _MAX_LENGTH)
    render = _engine[0]
    return lambda message: render(template, message)


def _failing(message: str) -> Callable[[Any], str]:
    def fail(_: Any) -> str:
        raise MappingError(message)

    return fail
