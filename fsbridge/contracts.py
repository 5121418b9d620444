"""A call on FullStory: what a destination asks for and the FullStory side performs."""

from .runtime import get

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

    @property
    def of_page(self) -> bool:
        """Whether it sets page properties, which mean nothing on another page."""
        if self.method == "setVars":
            return bool(self.args and self.args[0] == "page")
        is_setting = not self.method and len(self.args) > 1 and self.args[0] in ("setProperties", "setPropertiesAsync")
        return is_setting and get(self.args[1], "type") == "page"

    def __repr__(self) -> str:
        return "%s(%s)" % (self.name, ", ".join([repr(arg) for arg in self.args]))
