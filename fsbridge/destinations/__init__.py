"""The destinations by name. Only the one that a page uses is imported."""

from __future__ import annotations

from ..settings import ORG, SettingsError, check, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ..contracts import Destination, Report

    Made = TypeVar("Made", bound=Destination)

NAMES = ("segment-classic", "segment-actions", "rudderstack")


def find(name: str) -> type[Destination]:
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
    if name == "segment-cloud":
        raise SettingsError(
            "segment-cloud works on servers only, which can keep an API key. In pages: segment-actions."
        )
    raise unknown("destination", name, NAMES)


def make(name: str, given: dict[str, Any], strict: bool = False, on_problem: Report | None = None) -> Destination:
    """The destination of this name with these settings: see `configured`."""
    return configured(find(name), given, strict, on_problem)


def configured(kind: type[Made], given: dict[str, Any], strict: bool = False, on_problem: Report | None = None) -> Made:
    """A destination of the class ``kind`` with these settings, under the vendor's names.

    The org id may have any vendor's name for it. Raises SettingsError for the first wrong setting; with ``strict`` also
    for what `Destination.problems` finds; with ``on_problem`` only as `fsbridge.settings.check` says.
    """
    given = dict(given)
    for name in ORG:  # any of them may stand for another
        if name != kind.org and name in given:
            given[kind.org] = given.pop(name)
    destination = kind(check(kind.name, kind.settings, given, kind.ignored, on_problem))
    found = destination.problems() if strict else []
    if found:
        raise SettingsError("\n".join(["%s: %s" % (kind.name, problem) for problem in found]))
    return destination
