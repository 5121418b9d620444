"""The destinations by name. Only the one that a page uses is imported."""

from ..settings import SettingsError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = ("segment-classic", "segment-actions", "rudderstack")


def find(name: str) -> "Any":
    """The class of a destination. Raises SettingsError for an unknown name."""
    if name == "segment-classic":
        from .segment_classic import SegmentClassic

        return SegmentClassic
    if name == "segment-actions":
        from .segment_actions import SegmentActions

        return SegmentActions
    if name == "rudderstack":
        from .rudderstack import RudderStack

        return RudderStack
    near = nearest(name or "", list(NAMES))
    hint = "; did you mean %r?" % near if near else "."
    raise SettingsError("unknown destination %r%s Known: %s." % (name, hint, ", ".join(NAMES)))
