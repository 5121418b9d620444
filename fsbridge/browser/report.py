"""``fsbridge.report()``: how things stand, as a short table for the console."""

from __future__ import annotations

import sys

from ..version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .bridge import Bridge

_RUNTIMES = {"micropython": "MicroPython", "cpython": "Pyodide"}
_STATUSES = {
    "waiting": "waiting: the vendor's SDK has not begun",
    "queueing": "queueing: fs.js is not there yet, calls wait in FullStory's queue",
    "ready": "ready: FullStory gets each call at once",
    "blocked": "blocked: fs.js did not load",
}


def table(bridge: Bridge, dropped: Any) -> str:
    """A line for each fact."""
    return "\n".join(["%-22s%s" % row for row in facts(bridge) + [("dropped", dropped)]])


def facts(bridge: Bridge) -> list[tuple[str, Any]]:
    """What was asked for, how FullStory is, and what became of the calls: names and values."""
    fullstory = bridge.fullstory
    return [
        ("fsbridge", VERSION),
        ("runtime", _RUNTIMES[sys.implementation.name]),
        ("destination", bridge.destination.name),
        ("source", bridge.source.api),
        ("status", _STATUSES.get(bridge.status, bridge.status)),
        ("org", fullstory.org if fullstory else "not known before load"),
        ("FullStory calls made", bridge.made),
        ("waiting for fs.js", fullstory.waiting if fullstory else 0),
        ("session", (fullstory.session("url") if fullstory else "") or "not known yet"),
    ]
