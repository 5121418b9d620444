"""The directive @liquid: templates in Shopify's language, where Python's liquid library can be had.

That is on CPython with the extra ``fullstory-bridge[liquid]``; in a browser such mappings are refused.
"""

from fsbridge.runtime import ON_CPYTHON

from .errors import MappingError
from .text import length

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MISSING = "needs the liquid template library, which works on CPython only (pip install fullstory-bridge[liquid])"

_LONGEST = 1000


def available() -> bool:
    """Whether templates can be rendered here."""
    if not ON_CPYTHON:
        return False
    from importlib.util import find_spec

    return find_spec("liquid") is not None


def renderer(template: "Any") -> "Callable[[Any], str]":
    """A function from a message to the text of ``template`` for it, which raises MappingError for every mistake."""
    if not available():
        return _failing("@liquid " + MISSING)
    if not isinstance(template, str):
        return _failing("liquid template value must be a string")
    if length(template) > _LONGEST:
        return _failing("liquid template values are limited to %d characters" % _LONGEST)
    from .liquid_engine import render

    return lambda message: render(template, message)


def _failing(message: str) -> "Callable[[Any], str]":
    def fail(_: "Any") -> str:
        raise MappingError(message)

    return fail
