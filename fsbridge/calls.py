"""A call on FullStory: what a destination asks for and the FullStory side performs."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Call:
    """``FS.<method>(*args)``, or ``FS(*args)`` when ``method`` is empty. ``args`` are port values."""

    def __init__(self, method: str, args: "list[Any]") -> None:
        self.method = method
        self.args = args

    @property
    def name(self) -> str:
        """As a developer writes it: "FS" or "FS.identify"."""
        return "FS." + self.method if self.method else "FS"

    def __repr__(self) -> str:
        return "%s(%s)" % (self.name, ", ".join([repr(arg) for arg in self.args]))
