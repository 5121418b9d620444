"""Beside a vendor's SDK: its messages come here finished. Identity, context, storage and queueing are its own business.

Segment's SDK feeds destination plugins of ours, one for each plugin of the destination; RudderStack's feeds a custom
integration.
"""

from __future__ import annotations

from ...contracts import MAX_WAITING, Source
from ...messages import TYPES
from ...runtime import (
    UNDEFINED,
    call,
    copy,
    get,
    invoke,
    is_nullish,
    is_plain,
    keys,
    make_function,
    make_object,
    raw_get,
    raw_items,
    record,
    resolved,
    truthy,
    type_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...contracts import Args, Destination, Message, Moment, Performing, Plugin, Report, Value
    from ..page import Page
    from .analytics_js.pipeline import Pipeline

DOUBLED = (
    "%s has a FullStory destination of its own on this page, and everything would reach FullStory twice: fsbridge "
    'stays out of it. Switch that destination off, or let fsbridge send all the same: data-when-doubled="send"'
)
_VENDORS = {"analytics.js": "Segment", "rudderanalytics": "RudderStack"}


class Beside(Source):
    """What the SDK of ``vendor``, a source's name, hands over for ``destination``.

    ``begin(destination)`` is called once, when an SDK has begun and lets the destination be set up. Where the vendor's
    own FullStory destination is active, too, nothing is done, unless ``when_doubled`` is "send". With ``session``, a
    function that gives the session's address and id, empty while they aren't known, the SDK's messages have them in
    their context.
    """

    api = "beside"
    answering = ()

    def __init__(
        self,
        page: Page,
        destination: Destination,
        deliver: Callable[[Message, Plugin], None],
        report: Report,
        begin: Callable[[Destination], None],
        version: str,
        vendor: str,
        when_doubled: str = "",
        session: Callable[[], tuple[str, str]] | None = None,
    ) -> None:
        self.global_name = _VENDORS[vendor] + "'s SDK"
        self._page = page
        self._destination = destination
        self._deliver = deliver
        self._report = report
        self._begin = begin
        self._vendor = vendor
        self._version = version
        self._sends = when_doubled == "send"
        self._session = session
        self.doubled = False
        """Whether the vendor's own FullStory destination was found active, and we stay out."""
        self._sdks: list[Value] = []
        self.begun = False
        """Whether an SDK has begun and lets the destination be set up."""
        self._waiting: list[tuple[Message, str, list[Value]]] = []
        self._cdn: Value = UNDEFINED
        self._options: Value = UNDEFINED
        self._pipelines: dict[str, Pipeline] = {}

    def call(self, method: str, args: Args, moment: Moment | None = None) -> Value:
        """Pages have no API here. What may come is a message that a page without an SDK had left behind."""
        if method == "message":
            for plugin in self._destination.plugins:
                self._hand_over(raw_get(args, 0), plugin, [])
        return resolved(UNDEFINED)

    def replay(self, calls: list[tuple[str, Args, Moment]], perform: Performing) -> list[Value]:
        return [perform(method, args, moment) for method, args, moment in calls]

    # The SDK

    def begin(self, sdk: Value) -> None:
        """An SDK has begun; ``sdk`` is its instance, whose options count for us. Raises what that throws."""
        self._sdks = [other for other in self._sdks if other is not sdk][-9:] + [sdk]
        if self.begun or self.is_doubled():
            return
        self._options = _or_object(get(sdk, "options"))
        settings = get(sdk, "settings")
        if not is_nullish(settings) and get(settings, "writeKey") == "":
            return  # what Segment's SDK makes where load is told to disable it: an instance that is to send nothing
        self._cdn = UNDEFINED if is_nullish(settings) else get(settings, "cdnSettings")
        integrations = get(sdk, "integrations")
        if truthy(integrations):
            self._options = copy(self._options, make_object((("integrations", integrations),)))
        self._destination = self._destination.configured(self._options, self._report)
        if self._is_switched_off() or not self._destination.installed(raw_get(self._options, "integrations")):
            return
        if self._is_withheld():
            return
        self.begun = True
        self._begin(self._destination)
        if self._session is not None and self._vendor == "analytics.js":
            invoke(sdk, "register", self._enrichment())
        waiting, self._waiting = self._waiting, []
        for message, name, steps in waiting:
            self.take(message, name, steps)

    def take(self, message: Message, name: str, steps: list[Value]) -> None:
        """A message for the plugin with the alternative ``name``, or all; ``steps`` are destination middleware."""
        if not self.begun:
            self._waiting = self._waiting[1 - MAX_WAITING :] + [(message, name, steps)]
            return
        if self.is_doubled():
            return
        if self._vendor == "rudderanalytics":
            message = self._as_ours(message)
        for plugin in self._destination.plugins:
            if name in ("", plugin.alternative) and message is not UNDEFINED:
                self._hand_over(message, plugin, steps)

    def share_session(self) -> None:
        """The session has begun: RudderStack's messages have it in their context from now on."""
        if self._vendor != "rudderanalytics" or self._session_now() is UNDEFINED:
            return
        sdk = get(self._page.window, "rudderanalytics")
        if not is_nullish(sdk) and type_of(get(sdk, "setCustomContext")) == "function":
            context = invoke(sdk, "getCustomContext")
            invoke(sdk, "setCustomContext", copy(context, make_object((("fullstory", self._session_now()),))))

    def _session_now(self) -> Value:
        """The session as messages have it; UNDEFINED while it isn't known."""
        url, id_ = self._session() if self._session else ("", "")
        return record(sessionUrl=url, sessionId=id_) if url else UNDEFINED

    def _enrichment(self) -> Value:
        """A plugin of Segment's that puts the session into each message's context."""

        def enrich(args: Args) -> Value:
            context, session = raw_get(args, 0), self._session_now()
            if session is not UNDEFINED:
                invoke(context, "updateEvent", "context.fullstory", session)
            return context

        function = make_function(enrich)
        pairs = [("name", "fsbridge session"), ("type", "enrichment"), ("version", self._version)]
        pairs.append(("isLoaded", make_function(lambda args: True)))
        pairs.append(("load", make_function(lambda args: resolved(UNDEFINED))))
        return make_object(pairs + [(type_, function) for type_ in TYPES])

    def _as_ours(self, message: Message) -> Message:
        """RudderStack's message with its traits where destinations look for them; UNDEFINED if it isn't for FullStory.

        The SDK knows its custom integrations by another name than the vendor's own.
        """
        if _switches_off(raw_get(message, "integrations")):
            return UNDEFINED
        if raw_get(message, "type") != "identify":
            return message
        return copy(message, make_object((("traits", raw_get(raw_get(message, "context"), "traits")),)))

    def _hand_over(self, message: Message, plugin: Plugin, steps: list[Value]) -> None:
        if raw_get(message, "type") not in plugin.types:
            return
        if self._vendor == "analytics.js" and (steps or self._has_rules()):
            pipeline = self._pipeline(plugin)
            pipeline.steps.use_destination_middleware(steps)
            pipeline.send(copy(message), lambda final: None)
            return
        self._deliver(message, plugin)

    def _pipeline(self, plugin: Plugin) -> Pipeline:
        """What a message passes in front of a plugin, as in front of the vendor's own."""
        name = plugin.alternative
        if name not in self._pipelines:
            from .analytics_js.pipeline import Pipeline
            from .analytics_js.workspace import Workspace

            pipeline = self._pipelines[name] = Pipeline(self._page, self._deliver, self._report)
            pipeline.install((plugin,))
            if self._has_rules():
                pipeline.workspace = Workspace(self._cdn, self._options, (plugin,), self._report)
        return self._pipelines[name]

    def _has_rules(self) -> bool:
        """Whether the workspace has a tracking plan or destination filters."""
        rules = raw_get(raw_get(self._cdn, "middlewareSettings"), "routingRules")
        plan = truthy(raw_get(self._cdn, "plan")) or truthy(raw_get(self._options, "plan"))
        return plan or (type_of(rules) == "array" and truthy(raw_get(rules, "length")))

    def is_doubled(self) -> bool:
        """Whether the vendor's own FullStory destination is active, and that is a reason to stay out."""
        if self._sends:
            return False
        try:
            found = self._finds_another()
        except Exception:  # a stranger's object
            return False
        if found and not self.doubled:
            self.doubled = True
            self._report(DOUBLED % _VENDORS[self._vendor])
        return found

    def _finds_another(self) -> bool:
        if self._vendor == "rudderanalytics":
            return self._has_rudders()
        for sdk in self._sdks:
            queue = get(sdk, "queue")
            plugins = UNDEFINED if is_nullish(queue) else get(queue, "plugins")
            for plugin in raw_items(plugins) if type_of(plugins) == "array" else ():
                name = get(plugin, "name")
                is_destination = isinstance(name, str) and get(plugin, "type") == "destination"
                if is_destination and name.lower().startswith("fullstory") and get(plugin, "fsbridge") is UNDEFINED:
                    return True
        return False

    def _has_rudders(self) -> bool:
        for state in self._states():
            destinations = _within(state, "nativeDestinations", "activeDestinations", "value")
            for each in raw_items(destinations) if type_of(destinations) == "array" else ():
                name = get(each, "displayName")
                if isinstance(name, str) and name.lower() == "fullstory":
                    return True
        return False

    def _is_switched_off(self) -> bool:
        """Whether ``integrations`` of RudderStack's load, or of its consent, switch the vendor's own name off."""
        if self._vendor != "rudderanalytics":
            return False
        found = []
        for state in self._states():
            integrations = _within(state, "consents", "postConsent", "value", "integrations")
            if is_nullish(integrations):
                integrations = _within(state, "loadOptions", "value", "integrations")
            found.append(_switches_off(integrations))
        return bool(found) and all(found)

    def _is_withheld(self) -> bool:
        """Whether ``updateCDNSettings`` of Segment's load takes a destination of our name out of the settings.

        So consent wrappers keep from starting what the visitor hasn't agreed to. The workspace need not have the
        vendor's own destination, and they may have taken it out: they are asked as if it were there, and needed all of
        the workspace's categories. Categories that the page gives them for our name count instead.
        """
        update = raw_get(self._options, "updateCDNSettings")
        if self._vendor != "analytics.js" or type_of(update) != "function":
            return False
        name = self._destination.integration or self._destination.names()[0]
        there = raw_get(self._cdn, "integrations")
        if not is_plain(there) or raw_get(there, name) is UNDEFINED:
            categories = _within(self._cdn, "consentSettings", "allCategories")
            needed = make_object((("consentSettings", make_object((("categories", categories),))),))
            there = copy(_or_object(there), make_object(((name, needed),)))
        left = call(update, copy(_or_object(self._cdn), make_object((("integrations", there),))))
        return is_nullish(_within(left, "integrations", name))

    def _states(self) -> list[Value]:
        """What RudderStack's SDK shows to RudderStack's own tools: its state under each write key."""
        found = get(self._page.window, "RudderStackGlobals")
        states = [] if is_nullish(found) else [_within(found, key, "state") for key in keys(found)]
        return [state for state in states if not is_nullish(state)]


def _within(value: Value, *names: str) -> Value:
    """What an object has under a path of names; UNDEFINED or NULL where it ends before."""
    for name in names:
        if is_nullish(value):
            break
        value = get(value, name)
    return value


def _switches_off(integrations: Value) -> bool:
    """Whether RudderStack's own name for FullStory is switched off; ``All`` is the SDK's business."""
    own = raw_get(integrations, "Fullstory") if is_plain(integrations) else UNDEFINED
    return own is not UNDEFINED and not truthy(own)


def _or_object(value: Value) -> Value:
    return value if is_plain(value) else make_object()
