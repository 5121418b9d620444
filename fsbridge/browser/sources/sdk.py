"""Beside a vendor's SDK: its messages are finished, and identity, context and storage are its own business."""

from ...contracts import Source
from ...runtime import UNDEFINED, resolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...contracts import Args, Moment, Performing, Value


class Sdk(Source):
    """No API: pages call the vendor's. What the SDK hands over comes by `Bridge.begin` and `MESSAGE`."""

    api = "sdk"
    global_name = "a vendor's SDK"

    def __init__(self, page: "Any", destination: "Any", *functions: "Any") -> None:
        pass

    def call(self, method: str, args: "Args", moment: "Moment | None" = None) -> "Value":
        return resolved(UNDEFINED)

    def replay(self, calls: "list[tuple[str, Args, Moment]]", perform: "Performing") -> "list[Value]":
        return [perform(method, args, moment) for method, args, moment in calls]
