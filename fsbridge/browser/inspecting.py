"""What the inspector (web/inspector) is told: messages that are delivered, FullStory's calls, how things stand."""

from __future__ import annotations

from ..runtime import call, make_array
from .report import facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..contracts import Value
    from .bridge import Bridge


def inspect(bridge: Bridge, heard: Any) -> Value:
    """Have ``heard(message, calls)`` called from now on; gives `fsbridge.browser.report.facts` as JavaScript has it.

    A call is an array of the method, which is empty for FS itself, and the arguments.
    """

    def tell(message: Value, calls: Any) -> None:
        call(heard, message, make_array([make_array([each.method] + list(each.args)) for each in calls]))

    bridge.inspector = tell
    return make_array([make_array(list(pair)) for pair in facts(bridge)])
