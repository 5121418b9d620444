"""Who listens to the events of analytics.js: ``on``, ``once``, ``off`` and ``emit``."""

from ....runtime import call, kind, same


class Listeners:
    """The page's functions by event; one that throws is reported, and the others are still called."""

    def __init__(self, report):
        self.report = report
        self._by_event = {}

    def add(self, event, listener, once=False):
        if kind(event) == "string" and kind(listener) == "function":
            self._by_event.setdefault(event, []).append((listener, once))

    def remove(self, event, listener):
        """As with the vendor, what ``once`` has added stays."""
        if kind(event) == "string" and event in self._by_event:
            self._by_event[event] = [
                entry for entry in self._by_event[event] if entry[1] or not same(entry[0], listener)
            ]

    def hears(self, event):
        """Whether anybody listens."""
        return bool(self._by_event.get(event))

    def emit(self, event, values=()):
        if kind(event) != "string":
            return
        for entry in list(self._by_event.get(event, ())):
            listener, once = entry
            if once:
                self._by_event[event] = [other for other in self._by_event[event] if other is not entry]
            try:
                call(listener, *values)
            except Exception as error:
                self.report("a listener of %r failed: %s" % (event, error))
