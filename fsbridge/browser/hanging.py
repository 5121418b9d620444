"""Hanging into a vendor's SDK from Python alone, as web/tag/beside.js does it for the tag; and calling that SDK."""

from __future__ import annotations

from ..messages import TYPES
from ..runtime import (
    NULL,
    UNDEFINED,
    call,
    get,
    invoke,
    is_nullish,
    make_array,
    make_function,
    make_object,
    put,
    raw_get,
    raw_items,
    raw_put,
    resolved,
    type_of,
)
from ..settings import SettingsError
from ..version import VERSION
from . import sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..contracts import Args, Value
    from .bridge import Bridge
    from .page import Page

INSPECTOR = "__SEGMENT_INSPECTOR__"
"""Where Segment's SDK tells of each instance, by ``attach(instance)``."""

TOO_OLD = "RudderStack's SDK on this page takes no custom integrations, as it does from version 3.23 on"


class Hanging:
    """Feeds ``bridge`` from the SDK on ``page``, now or when it comes.

    ``sdk`` is its instance; True for whatever is at the vendor's global, or will be. ``destination_id`` is that of a
    custom destination in RudderStack. Raises SettingsError where it is missing.
    """

    def __init__(self, page: Page, bridge: Bridge, sdk: Any = True, destination_id: str | None = None) -> None:
        self.source = sources.find(bridge.vendor)
        """The class of the vendor's API."""
        self._page = page
        self._bridge = bridge
        self._given = sdk
        self._id = destination_id
        self._is_rudder = bridge.vendor == "rudderanalytics"
        self._is_in = False
        if self._is_rudder and not destination_id:
            raise SettingsError(
                "%s: destination_id is missing; accepted: the id of the destination in RudderStack that is of the type "
                "Custom Device Mode" % bridge.destination.name
            )
        name, *alternatives = bridge.destination.names()
        name = bridge.destination.integration or name
        self._plugins = [
            self._plugin(name, alternative) for alternative in ([] if self._is_rudder else alternatives) or [""]
        ]
        if sdk is True:
            self._follow()
        else:
            self.hang(sdk)

    # For `Analytics`: what a bridge answers

    @property
    def status(self) -> str:
        """The bridge's, see `Bridge.status`."""
        return self._bridge.status

    def call(self, method: str, args: Args) -> Value:
        """Call the SDK, which gives its message to FullStory, too."""
        sdk = self._page.global_(self.source.global_name) if self._given is True else self._given
        try:
            return invoke(sdk, method, *raw_items(args))
        except Exception as error:  # there is none, or it throws
            self._bridge.report("%s.%s: %s" % (self.source.global_name, method, error))
            return resolved(UNDEFINED)

    # The SDK

    def hang(self, sdk: Value) -> None:
        """Hang us into an SDK, or into the buffer that its snippet keeps for it."""
        try:
            if self._is_rudder:
                self._hang_into_rudders(sdk)
            elif type_of(get(sdk, "then")) == "function":  # it makes its instance later
                invoke(sdk, "then", make_function(lambda args: self._hang_later(raw_get(raw_get(args, 0), 0))))
            elif type_of(get(sdk, "queue")) == "object" and not self._has_us(sdk):
                invoke(sdk, "register", *self._plugins)
        except Exception as error:
            self._bridge.report("%s: %s" % (self.source.global_name, error))

    def _hang_later(self, sdk: Value) -> Value:
        self.hang(sdk)
        return UNDEFINED

    def _hang_into_rudders(self, sdk: Value) -> None:
        if self._is_in:
            return
        if type_of(sdk) == "array":
            self._is_in = True
            invoke(sdk, "unshift", make_array(("addCustomIntegration", self._id, self._plugins[0])))
        elif type_of(get(sdk, "addCustomIntegration")) == "function":
            self._is_in = True
            invoke(sdk, "addCustomIntegration", self._id, self._plugins[0])
        elif type_of(get(sdk, "load")) == "function":
            self._bridge.report(TOO_OLD)

    def _has_us(self, sdk: Value) -> bool:
        plugins = get(get(sdk, "queue"), "plugins")
        return any([get(plugin, "fsbridge") is True for plugin in raw_items(plugins)])

    def _follow(self) -> None:
        """Hang us into what is there, and what comes: Segment's SDK tells, RudderStack's puts itself on the page."""
        window, name = self._page.window, self.source.global_name
        there = get(window, name)
        if not is_nullish(there):
            self.hang(there)
        if self._is_rudder:
            if is_nullish(there):
                self._watch(window, name)
            return
        host = get(window, INSPECTOR)
        if is_nullish(host):
            host = make_object()
            put(window, INSPECTOR, host)
        other = get(host, "attach")

        def attach(args: Args) -> Value:
            self.hang(raw_get(args, 0))
            return call(other, *raw_items(args)) if type_of(other) == "function" else UNDEFINED

        put(host, "attach", make_function(attach, "attach"))

    def _watch(self, window: Value, name: str) -> None:
        held = make_object((("value", UNDEFINED),))

        def hold(args: Args) -> Value:
            raw_put(held, "value", raw_get(args, 0))
            return self._hang_later(raw_get(args, 0))

        access = make_object((("configurable", True), ("enumerable", True)))
        raw_put(access, "get", make_function(lambda args: raw_get(held, "value")))
        raw_put(access, "set", make_function(hold))
        invoke(self._page.global_("Object"), "defineProperty", window, name, access)

    def _plugin(self, name: str, alternative: str) -> Value:
        """A destination plugin of Segment's, and a custom integration of RudderStack's."""
        bridge = self._bridge
        steps: list[Value] = []

        def take(args: Args) -> Value:
            event = raw_get(args, 2)  # RudderStack's, after the SDK and a log; Segment's gives a context
            message = raw_get(raw_get(args, 0), "event") if event is UNDEFINED else raw_get(event, "message")
            bridge.take(message, alternative, list(steps))
            return raw_get(args, 0)

        def load(args: Args) -> Value:
            self._meet(raw_get(args, 1))
            return resolved(UNDEFINED)

        def add(args: Args) -> Value:
            steps.extend(raw_items(args))
            return UNDEFINED

        is_loaded = make_function(lambda args: True)
        names = [alternative] if alternative else []
        pairs = [("name", name), ("alternativeNames", make_array(names)), ("type", "destination"), ("version", VERSION)]
        pairs += [("fsbridge", True), ("isLoaded", is_loaded), ("isReady", is_loaded)]
        pairs += [("load", make_function(load)), ("init", make_function(load)), ("addMiddleware", make_function(add))]
        hook = make_function(take)
        return make_object(pairs + [(type_, hook) for type_ in TYPES])

    def _meet(self, sdk: Value) -> None:
        """The SDK has us: it has begun when it has all of its plugins."""

        def begun(args: Args) -> Value:
            self._bridge.meet(sdk)
            return UNDEFINED

        if get(sdk, "initialized") is False:
            invoke(sdk, "once", "initialize", make_function(begun))
        else:
            begun(NULL)
