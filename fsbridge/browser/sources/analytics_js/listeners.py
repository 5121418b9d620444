"""Who listens to the events of analytics.js: ``on``, ``once``, ``off`` and ``emit``."""

from __future__ import annotations

from ....runtime import UNDEFINED, call, same, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....contracts import Report, Value


class Listeners:
    """The page's functions by event; one that throws is reported, and the others are still called."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._by_event: dict[str, list[tuple[Value, bool]]] = {}

    def add(self, event: Value, listener: Value, once: bool = False) -> None:
        """Call ``listener`` with what is emitted for ``event``; with ``once`` the next time only. Else than text and a
        function is ignored.
        """
        if type_of(event) == "string" and type_of(listener) == "function":
            self._by_event.setdefault(event, []).append((listener, once))

    def remove(self, event: Value, listener: Value) -> None:
        """As with the vendor, what ``once`` has added stays."""
        if type_of(event) == "string" and event in self._by_event:
            self._by_event[event] = [
                entry for entry in self._by_event[event] if entry[1] or not same(entry[0], listener)
            ]

    def hears(self, event: str) -> bool:
        """Whether anybody listens."""
        return bool(self._by_event.get(event))

    def emit(self, event: Value, values: tuple[Value, ...] = ()) -> Value:
        """Call who listens to the event with these values; returns undefined."""
        if type_of(event) != "string":
            return UNDEFINED
        for entry in list(self._by_event.get(event, ())):
            listener, once = entry
            if once:
                self._by_event[event] = [other for other in self._by_event[event] if other is not entry]
            try:
                call(listener, *values)
            except Exception as error:
                self._report("a listener of %r failed: %s" % (event, error))
        return UNDEFINED
