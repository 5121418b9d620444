"""Messages: the types that there are, and the rules by which ``integrations`` let a destination have them."""

from __future__ import annotations

from .runtime import UNDEFINED, is_nullish, raw_get, truthy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .runtime import Value

TYPES = ("identify", "track", "page", "screen", "group", "alias")
"""All types of messages, as the Segment spec names them."""


def allows(integrations: Value, name: str, alternative: str = "") -> bool:
    """Whether ``integrations`` of a message lets a destination have it.

    The destination's own name counts most, then its alternative name; without either, ``All`` unless strictly false.
    """
    for own in (name, alternative):
        verdict = raw_get(integrations, own) if own else UNDEFINED
        if not is_nullish(verdict):
            return truthy(verdict)
    return raw_get(integrations, "All") is not False


def installs(integrations: Value, name: str) -> bool:
    """Whether ``integrations`` in the options of ``analytics.load`` let a destination be set up at all."""
    own = raw_get(integrations, name)
    return own is not False and not (own is UNDEFINED and raw_get(integrations, "All") is False)
