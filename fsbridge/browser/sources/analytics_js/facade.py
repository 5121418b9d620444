"""The payload that middleware gets: Segment's facade around a message, with ``obj`` and the accessors scripts use."""

from __future__ import annotations

from ....runtime import (
    UNDEFINED,
    is_plain,
    keys,
    make_array,
    make_method,
    make_object,
    raw_get,
    raw_items,
    raw_put,
    type_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....contracts import Args, Message, Value

_FIELDS = (
    "type",
    "event",
    "userId",
    "anonymousId",
    "messageId",
    "timestamp",
    "category",
    "name",
    "groupId",
    "previousId",
)
_OBJECTS = ("traits", "properties", "integrations", "context", "options")


class Facades:
    """Makes payloads; their methods exist once, for all of them."""

    def __init__(self) -> None:
        self._methods: list[tuple[str, Value]] = []  # on first use: hardly any page has middleware

    def _make_methods(self) -> None:
        for name in _FIELDS:
            self._methods.append((name, make_method(self._field(name), name)))
        for name in _OBJECTS:
            self._methods.append((name, make_method(self._object("context" if name == "options" else name), name)))
        self._methods.append(("field", make_method(self._named, "field")))
        self._methods.append(("proxy", make_method(self._path, "proxy")))
        self._methods.append(("json", make_method(self._whole, "json")))
        self._methods.append(("rawEvent", make_method(self._whole, "rawEvent")))

    def make(self, message: Message) -> Value:
        """A payload whose ``obj`` is ``message`` itself."""
        if not self._methods:
            self._make_methods()
        payload = make_object(self._methods)
        raw_put(payload, "obj", message)
        return payload

    def clone(self, value: Value) -> Value:
        """A deep copy of plain objects and arrays; everything else stays the value it is."""
        if is_plain(value):
            return make_object([(key, self.clone(raw_get(value, key))) for key in keys(value)])
        if type_of(value) == "array":
            return make_array([self.clone(item) for item in raw_items(value)])
        return value

    def _field(self, name: str) -> Value:
        return lambda this, args: self.clone(raw_get(raw_get(this, "obj"), name))

    def _object(self, name: str) -> Value:
        def body(this: Value, args: Args) -> Value:
            value = self.clone(raw_get(raw_get(this, "obj"), name))
            return make_object() if value is UNDEFINED else value

        return body

    def _named(self, this: Value, args: Args) -> Value:
        return self.clone(raw_get(raw_get(this, "obj"), raw_get(args, 0)))

    def _path(self, this: Value, args: Args) -> Value:
        value = raw_get(this, "obj")
        for part in raw_get(args, 0).split("."):
            value = raw_get(value, part)
        return self.clone(value)

    def _whole(self, this: Value, args: Args) -> Value:
        return self.clone(raw_get(this, "obj"))
