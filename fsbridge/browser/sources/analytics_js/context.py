"""What callbacks, promises and plugins of analytics.js get: Segment's context around a message."""

from __future__ import annotations

from ....runtime import (
    UNDEFINED,
    is_nullish,
    make_array,
    make_method,
    make_object,
    raw_assign,
    raw_get,
    record,
    text,
    type_of,
)
from .message import put_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....contracts import Args, Message, Value


def is_promise(value: Value) -> bool:
    """Whether this is something to wait for."""
    return type_of(value) == "object" and type_of(raw_get(value, "then")) == "function"


class Cancelled(Exception):
    """A plugin gave the message up; the page sees a JavaScript exception."""


class Contexts:
    """Makes contexts; their methods exist once, for all of them."""

    def __init__(self) -> None:
        bodies = (("updateEvent", _update), ("cancel", _cancel), ("log", _nothing), ("logs", _no_logs))
        self._methods = make_object([(name, make_method(body, name)) for name, body in bodies])

    def make(self, message: Message) -> Value:
        """A context whose ``event`` is ``message`` itself."""
        return raw_assign(record(event=message), self._methods)

    def system(self) -> Value:
        """The context of what is about no message, such as loading a plugin."""
        return self.make(make_object((("type", "track"), ("event", "system"))))


def _update(this: Value, args: Args) -> Value:
    """``updateEvent(path, value)``; an integration that is off stays off."""
    event, path = raw_get(this, "event"), text(raw_get(args, 0))
    parts = path.split(".")
    off = parts[0] == "integrations" and len(parts) > 1 and raw_get(raw_get(event, "integrations"), parts[1]) is False
    if not off:
        put_path(event, path, raw_get(args, 1))
    return event


def _cancel(this: Value, args: Args) -> None:
    error = raw_get(args, 0)
    raise Cancelled("Context Cancel" if is_nullish(error) else text(error))


def _nothing(this: Value, args: Args) -> Value:
    return UNDEFINED


def _no_logs(this: Value, args: Args) -> Value:
    return make_array()
