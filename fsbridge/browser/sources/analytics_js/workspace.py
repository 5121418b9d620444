"""What a Segment workspace says about events: its tracking plan, and the filters in front of its destinations.

The vendor's SDK finds both in the settings document that it fetches. Nothing is fetched here: a page hands the document
over itself, as ``analytics.load({writeKey, cdnSettings: {plan, middlewareSettings: {routingRules}}}, options)``.
"""

from __future__ import annotations

from ....runtime import UNDEFINED, copy, is_nullish, make_object, raw_get, raw_items, raw_put, text, truthy, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ....contracts import Message, Plugin, Report, Value
    from .filters import Filters


class Workspace:
    """The workspace behind ``cdn``, the settings document, for the ``plugins`` that messages go to.

    ``options`` are those of ``analytics.load``: their ``plan`` counts when the document has none. ``report(text)``
    takes what went wrong.
    """

    def __init__(self, cdn: Value, options: Value, plugins: Sequence[Plugin], report: Report) -> None:
        plan = raw_get(cdn, "plan")
        self._events = raw_get(plan if truthy(plan) else raw_get(options, "plan"), "track")
        self._plugins = plugins
        self._report = report
        self._filters: dict[str, Filters] = {}  # by the destination's name
        rules = raw_get(raw_get(cdn, "middlewareSettings"), "routingRules")
        if type_of(rules) == "array" and raw_get(rules, "length"):
            self._add_filters(raw_items(rules))

    def _add_filters(self, rules: list[Value]) -> None:
        from .filters import Filters  # here, because few pages need it

        for plugin in self._plugins:
            name = plugin.integration
            # Rules without a name are for all destinations, but only a destination that some rule names looks at any.
            if name and name in [raw_get(rule, "destinationName") for rule in rules]:
                self._filters[name] = Filters([rule for rule in rules if _is_for(rule, name)])

    def plan(self, message: Message) -> None:
        """Write into the message's ``integrations`` what the tracking plan says of its event."""
        if not self._planned(message) or raw_get(message, "type") == "screen":
            return
        event = self._entry(message)
        integrations = raw_get(message, "integrations")
        if not self._enabled(event):
            off = make_object((("All", False), ("Segment.io", True)))
            raw_put(message, "integrations", copy(integrations, off))
            return
        own = raw_get(event, "integrations")
        # A destination of several actions that the plan turns off loses each of them by name, too.
        actions = [
            (plugin.alternative, False)
            for plugin in self._plugins
            if plugin.alternative and raw_get(own, plugin.integration) is False
        ]
        raw_put(message, "integrations", copy(integrations, own, make_object(actions)))

    def message_for(self, plugin: Plugin, message: Message, clone: Callable[[Value], Value]) -> Message | None:
        """The message as ``plugin`` may see it: itself or a changed ``clone(message)``; None if it may not.

        A filter that fails holds the message back, as with the vendor: it may be there to protect somebody.
        """
        if self._plan_refuses(plugin, message):
            return None
        filters = self._filters.get(plugin.integration)
        if filters is None:
            return message
        try:
            return filters.apply(clone(message))
        except Exception as error:
            self._report("a destination filter failed, and a message is held back: %s" % error)
            return None

    def _plan_refuses(self, plugin: Plugin, message: Message) -> bool:
        # Segment's classic integrations, which have one name only, ask the plan again before they send: so for them
        # ``integrations`` of a call can't overrule a disabled event, and later changes of the event's name count.
        if plugin.alternative or not self._planned(message):
            return False
        event = self._entry(message)
        if not self._enabled(event):
            return True
        if not truthy(raw_get(event, "enabled")):
            return False
        own = raw_get(event, "integrations")
        return is_nullish(own) or raw_get(own, plugin.integration) is False  # without any, the vendor's code breaks

    def _planned(self, message: Message) -> bool:
        """Whether there is a plan, and an event for it to speak about."""
        return truthy(self._events) and truthy(raw_get(message, "event"))

    def _entry(self, message: Message) -> Value:
        """What the plan has under the event's name; UNDEFINED if nothing."""
        return raw_get(self._events, text(raw_get(message, "event")))

    def _enabled(self, event: Value) -> bool:
        own = raw_get(event, "enabled")
        if type_of(own) == "boolean":
            return own is True
        default = raw_get(raw_get(self._events, "__default"), "enabled")
        return is_nullish(default) or truthy(default)


def _is_for(rule: Value, name: str) -> bool:
    wanted = raw_get(rule, "destinationName")
    return wanted is UNDEFINED or wanted == name
