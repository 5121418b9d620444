"""The source ``analytics.js``: the API of Segment's browser SDK, on ``window.analytics``.

Follows Segment's analytics.js 2.0: argument overloads, identity and its storage, page context, integrations filters,
middleware, plugins, query-string calls. This module is the API, method by method; `loading` is how it begins, `sending`
and `pipeline` are a message's way.
"""

from __future__ import annotations

from ....contracts import Source
from ....runtime import (
    NULL,
    UNDEFINED,
    call,
    copy,
    make_array,
    make_object,
    make_rejected,
    raw_get,
    raw_items,
    raw_put,
    resolved,
    truthy,
    type_of,
)
from . import arguments
from .listeners import Listeners
from .loading import SETTING_UP, Loader, asked_by
from .message import Invalid, query_of
from .pipeline import Pipeline
from .sending import TIMEOUT, Sender
from .user import User

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ....contracts import Args, Destination, Message, Moment, Performing, Plugin, Report, Value
    from ...page import Page
    from .links import Links
    from .sending import Then, Told

    Handler = Callable[[Args, Moment | None], Value]

__all__ = ["SETTING_UP", "AnalyticsJs"]


class AnalyticsJs(Source):
    """Segment's API over one page.

    ``begin(destination)`` is called when the options of ``analytics.load`` (or their absence) let it be set up.
    ``user`` and ``group`` are nobody until those options are known.
    """

    api = "analytics.js"
    global_name = "analytics"
    methods = (
        "track page identify group alias screen load ready reset user on once off emit debug timeout setAnonymousId "
        "addSourceMiddleware addDestinationMiddleware register deregister trackLink trackClick trackForm trackSubmit "
        "pageview queryString use init initialize"
    ).split()
    # What Segment's object has besides, and a bridge to FullStory has no use for: there, and does nothing.
    unsupported = (
        "addIntegrationMiddleware noConflict normalize log listeners addEventListener removeAllListeners "
        "removeListener removeEventListener hasListeners add addIntegration"
    ).split()
    # Methods whose results pages use, and what the vendor's snippet doesn't have either: not there before we are.
    answering = ["user"] + unsupported[1:]

    def __init__(
        self,
        page: Page,
        destination: Destination,
        deliver: Callable[[Message, Plugin], None],
        report: Report,
        begin: Callable[[Destination], None],
        version: str = "",
    ) -> None:
        self.page = page
        self.report = report
        self.debugging = False
        self.user = self.group = User(page, make_object((("disable", True),)))
        self.listeners = Listeners(report)
        self.pipeline = Pipeline(page, deliver, report)
        self.sender = Sender(page, self.user, self.pipeline, self.listeners, report, version)
        self._loader = Loader(self, destination, begin, version)
        self._links: Links | None = None
        self._said: list[str] = []
        self._handlers: dict[str, Handler] = {}
        self._handles: dict[str, Value] = {}

    # Every call of the page comes through here.

    def call(self, method: str, args: Args, moment: Moment | None = None) -> Value:
        """Perform ``analytics[method](…args)``; ``moment`` is when and where it was made, now if None.

        Returns what the page gets: a promise, an object, or undefined.
        """
        if not self._loader.settled:
            if method != "load":
                self._loader.start_once(moment)
            if self._loader.undecided:
                return self._loader.hold(method, args, moment)
        handler = self._handlers.get(method) or self._handler(method)
        if handler is None:
            if self.debugging and method not in self._said:
                self._said.append(method)
                self.report("analytics.%s does nothing here" % method)
            return UNDEFINED
        try:
            return handler(args, moment)
        except (arguments.Missing, Invalid) as error:
            self.report("analytics.%s: %s" % (method, error))
            return make_rejected(str(error))

    def _handler(self, method: str) -> Handler | None:
        handler: Handler | None = getattr(self, "_do_" + method, None)
        if handler is not None:
            self._handlers[method] = handler
        return handler

    def replay(self, calls: list[tuple[str, Args, Moment]], perform: Performing) -> list[Value]:
        """Perform with ``perform`` what a page called before we were there; returns what each call gives.

        As with the vendor, what sets the page up counts for all of them.
        """
        return self._loader.replay(list(calls), perform)

    def start_once(self) -> None:
        """Start without options, unless started."""
        self._loader.start_once()

    def hand_back(self) -> tuple[list[Message], list[tuple[str, Args, Moment]]]:
        """Give up what waits: the messages in the pipeline, and calls. Promises settle."""
        calls = self._loader.hand_back()
        return self.pipeline.hand_back(), calls

    def forget(self) -> None:
        self.user.reset()
        self.group.reset()

    def set_visitor(self, user: User, group: User) -> None:
        """These are the visitor and their group from now on."""
        self.user, self.group = user, group
        self.sender.factory.user = user

    # Messages

    def _do_track(self, args: Args, moment: Moment | None, then: Then | None = None) -> Value:
        event, properties, options, callback = arguments.track(args)
        fields = {"event": event, "properties": properties}
        return self.sender.send(
            "track", fields, options, callback, lambda sent: (event, raw_get(sent, "properties")), moment, then
        )

    def track(self, args: Args, then: Then) -> None:
        """A track call made for the page; ``then()`` follows when it is through, or has failed."""
        if self._loader.undecided:
            self.call("track", args)
            then()
            return
        try:
            self._do_track(args, None, then)
        except Exception as error:
            self.report("analytics.track: %s" % error)
            then()

    def _do_page(self, args: Args, moment: Moment | None) -> Value:
        return self._view("page", args, moment)

    def _do_screen(self, args: Args, moment: Moment | None) -> Value:
        return self._view("screen", args, moment)

    def _view(self, type_: str, args: Args, moment: Moment | None) -> Value:
        category, name, properties, options, callback = arguments.page(args)
        properties = copy(properties)
        fields = {"properties": properties}
        if category is not NULL:
            fields["category"] = category
            if type_ == "page":
                raw_put(properties, "category", category)
        if name is not NULL:
            fields["name"] = name
        return self.sender.send(
            type_, fields, options, callback, lambda sent: (category, name, raw_get(sent, "properties")), moment
        )

    def _do_message(self, args: Args, moment: Moment | None) -> Value:
        """A message that was on its way when an earlier page was left."""
        self.pipeline.send(raw_get(args, 0), lambda final: None)
        return UNDEFINED

    def _do_identify(self, args: Args, moment: Moment | None) -> Value:
        user_id, traits, options, callback = arguments.user(args, self.user.id)
        self.user.identify(user_id, traits)
        fields = {"userId": self.user.id(), "traits": _or_empty(self.user.traits())}
        return self.sender.send("identify", fields, options, callback, _told("userId", "traits"), moment)

    def _do_group(self, args: Args, moment: Moment | None) -> Value:
        if raw_get(args, "length") == 0:
            return self._handle("group", lambda: self.group)
        group_id, traits, options, callback = arguments.user(args, self.group.id)
        self.group.identify(group_id, traits)
        fields = {"groupId": self.group.id(), "traits": _or_empty(self.group.traits())}
        return self.sender.send("group", fields, options, callback, _told("groupId", "traits"), moment)

    def _do_alias(self, args: Args, moment: Moment | None) -> Value:
        to, from_, options, callback = arguments.alias(args)
        fields = {"userId": to}
        if from_ is not NULL:
            fields["previousId"] = from_
        return self.sender.send("alias", fields, options, callback, lambda sent: (to, from_), moment)

    # Beginning, and the visitor

    def _do_load(self, args: Args, moment: Moment | None) -> Value:
        views = self._loader.load(args, moment)
        self._loader.make_asked_calls(self.call)
        if views:
            self.call("page", make_array(), moment)
        return resolved(UNDEFINED)

    def _do_ready(self, args: Args, moment: Moment | None) -> Value:
        callback = raw_get(args, 0)
        if type_of(callback) == "function":
            self.page.later_with(callback, 0, make_array())
        return resolved(make_array())

    def _do_reset(self, args: Args, moment: Moment | None) -> Value:
        self.user.reset()
        self.group.reset()
        return self.listeners.emit("reset")

    def _do_user(self, args: Args, moment: Moment | None) -> Value:
        return self._handle("user", lambda: self.user)

    def _handle(self, name: str, current: Callable[[], User]) -> Value:
        if name not in self._handles:
            from .handles import handle  # late: few pages ask

            self._handles[name] = handle(current, name == "group")
        return self._handles[name]

    def _do_setAnonymousId(self, args: Args, moment: Moment | None) -> Value:
        return self.user.anonymous_id(raw_get(args, 0))

    # The rest of the API

    def _do_debug(self, args: Args, moment: Moment | None) -> Value:
        self.debugging = truthy(raw_get(args, 0)) if raw_get(args, "length") else True
        return self.public

    def _do_timeout(self, args: Args, moment: Moment | None) -> Value:
        """How long a callback waits, and a tracked link at most, in milliseconds."""
        self.sender.timeout = raw_get(args, 0) if type_of(raw_get(args, 0)) == "number" else TIMEOUT
        return UNDEFINED

    def _do_pageview(self, args: Args, moment: Moment | None) -> Value:
        self._view("page", make_array((make_object((("path", raw_get(args, 0)),)),)), moment)
        return resolved(self.public)

    def _do_queryString(self, args: Args, moment: Moment | None) -> Value:
        if type_of(raw_get(args, 0)) == "string":
            search = query_of("https:/" + "/page/" + raw_get(args, 0))
            for method, asked, _ in asked_by(search, self._loader.patterns, moment):
                self.call(method, asked, moment)
        return resolved(make_array())

    def _do_initialize(self, args: Args, moment: Moment | None) -> Value:
        return resolved(self.public)

    _do_init = _do_initialize

    def _do_use(self, args: Args, moment: Moment | None) -> Value:
        try:
            call(raw_get(args, 0), self.public)
        except Exception as error:
            self.report("analytics.use failed: %s" % error)
        return self.public

    def _tracked(self) -> Links:
        if self._links is None:
            from .links import Links  # late: few pages track links

            self._links = Links(self)
        return self._links

    def _do_trackLink(self, args: Args, moment: Moment | None) -> Value:
        return self._tracked().track_links(args)

    def _do_trackForm(self, args: Args, moment: Moment | None) -> Value:
        return self._tracked().track_forms(args)

    _do_trackClick = _do_trackLink
    _do_trackSubmit = _do_trackForm

    def _do_addSourceMiddleware(self, args: Args, moment: Moment | None) -> Value:
        if type_of(raw_get(args, 0)) == "function":
            self.pipeline.steps.add_source_middleware(raw_get(args, 0))
        return resolved(self.public)

    def _do_addDestinationMiddleware(self, args: Args, moment: Moment | None) -> Value:
        name = raw_get(args, 0)
        functions: list[Any] = []
        for value in raw_items(args)[1:]:
            functions.extend(raw_items(value) if type_of(value) == "array" else [value])
        if type_of(name) == "string":
            self.pipeline.steps.add_destination_middleware(
                name, [value for value in functions if type_of(value) == "function"]
            )
        return resolved(self.public)

    def register(self, plugins: Args) -> None:
        """Load plugins of the page: what is an object in an array."""
        for plugin in raw_items(plugins):
            if type_of(plugin) == "object":
                self.pipeline.steps.add_plugin(plugin, self.public)

    def _do_register(self, args: Args, moment: Moment | None) -> Value:
        self.register(args)
        return resolved(self.pipeline.contexts.system())

    def _do_deregister(self, args: Args, moment: Moment | None) -> Value:
        for name in raw_items(args):
            self.pipeline.steps.remove_plugin(name, self.public)
        return resolved(self.pipeline.contexts.system())

    # Events

    def _do_on(self, args: Args, moment: Moment | None) -> Value:
        self.listeners.add(raw_get(args, 0), raw_get(args, 1))
        return self.public

    def _do_once(self, args: Args, moment: Moment | None) -> Value:
        self.listeners.add(raw_get(args, 0), raw_get(args, 1), once=True)
        return self.public

    def _do_off(self, args: Args, moment: Moment | None) -> Value:
        self.listeners.remove(raw_get(args, 0), raw_get(args, 1))
        return self.public

    def _do_emit(self, args: Args, moment: Moment | None) -> Value:
        self.listeners.emit(raw_get(args, 0), tuple(raw_items(args)[1:]))
        return self.public


def _told(*names: str) -> Told:
    """What listeners are told of a message: these of its fields."""
    return lambda message: tuple([raw_get(message, name) for name in names])


def _or_empty(traits: Value) -> Value:
    """The traits that a message carries; a disabled user has none."""
    return make_object() if traits is UNDEFINED else traits
