"""``fsbridge.report()``: how things stand, as a short table for the console."""

import sys

from ..version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .bridge import Bridge

_RUNTIMES = {"micropython": "MicroPython", "cpython": "Pyodide"}
_STATUSES = {
    "queueing": "queueing: fs.js is not there yet, calls wait in FullStory's queue",
    "ready": "ready: FullStory gets each call at once",
    "blocked": "blocked: fs.js did not load",
}


def table(bridge: "Bridge", dropped: "Any") -> str:
    """A line for each fact: what was asked for, how FullStory is, and what became of the calls."""
    rows = [
        ("fsbridge", VERSION),
        ("runtime", _RUNTIMES[sys.implementation.name]),
        ("destination", bridge.destination.name),
    ]
    for name, value in bridge.describe():
        rows.append((name, _STATUSES.get(value, value) if name == "status" else value))
    rows.append(("dropped", dropped))
    return "\n".join(["%-22s%s" % row for row in rows])
