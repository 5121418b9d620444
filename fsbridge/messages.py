"""Messages: the types that there are, and the rule by which a message's ``integrations`` let a destination have it."""

from .runtime import UNDEFINED, get, is_nullish, truthy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TYPES = ("identify", "track", "page", "screen", "group", "alias")
"""All types of messages, as the Segment spec names them."""


def allows(integrations: "Any", name: str, alternative: str = "") -> bool:
    """Whether ``integrations`` of a message lets a destination have it.

    The destination's own name counts most, then its alternative name; without either, ``All`` unless strictly false.
    """
    for own in (name, alternative):
        verdict = get(integrations, own) if own else UNDEFINED
        if not is_nullish(verdict):
            return truthy(verdict)
    return get(integrations, "All") is not False
