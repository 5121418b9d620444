"""The source ``rudderanalytics``: the API of RudderStack's browser SDK, on ``window.rudderanalytics``.

Follows RudderStack's SDK 3.x: argument overloads, identity and its storage, sessions, page context, consent, event and
integrations filters, query-string calls. Values pass through JSON, as they do there. This module is the API, method by
method; `loading` is how it begins, `sending` a message's way.
"""

from __future__ import annotations

from ....contracts import Source
from ....runtime import NULL, UNDEFINED, is_nullish, make_object, raw_get, truthy, type_of
from . import arguments, visitor
from .loading import HELD, Loader
from .page import fill_in
from .sending import Sender
from .values import merged, plain_data, taken
from .visitor import Visitor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ....contracts import Args, Destination, Message, Moment, Performing, Plugin, Report, Value
    from ...page import Page
    from .loading import Taken, Waiting

    Handler = Callable[[Taken, Moment], Value]

_READING = ("load", "getUserId", "getUserTraits", "getGroupId", "getGroupTraits")


class RudderAnalytics(Source):
    """RudderStack's API over one page.

    ``begin(destination)`` is called after load, after consent where that is awaited, never when a filter or the visitor
    says no.

    The first call of any kind starts with default options, and a ``load`` that follows still counts; not after
    `await_load`. ``debugging`` follows the load option ``logLevel``.
    """

    api = "rudderanalytics"
    global_name = "rudderanalytics"
    methods = (
        "load ready track page identify alias group reset consent getUserId getUserTraits getGroupId getGroupTraits "
        "getAnonymousId setAnonymousId startSession endSession getSessionId setAuthToken "
        "setCustomContext getCustomContext clearCustomContext"
    ).split()
    # What RudderStack's object has besides, and a bridge to FullStory has no use for: there, and does nothing.
    unsupported = "addCustomIntegration setDefaultInstanceKey getAnalyticsInstance".split()
    # Methods whose results pages use: not there before we are.
    answering = (
        "getUserId getUserTraits getGroupId getGroupTraits getAnonymousId getSessionId getCustomContext "
        "getAnalyticsInstance"
    ).split()

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
        self._waits = False
        self.debugging = False
        self.visitor = Visitor(page)
        self.sender = Sender(page, self.visitor, destination.plugins, deliver, report, version)
        self._loader = Loader(self, destination, begin)
        self._said: list[str] = []

    # Every call of the page comes through here.

    def call(self, method: str, args: Args, moment: Moment | None = None) -> Value:
        """Perform ``rudderanalytics[method](…args)``; ``moment`` is when and where it was made, now if None.

        Returns what the page gets. Never raises for what a page passes in.
        """
        handler: Handler | None = getattr(self, "_do_" + method, None)
        if handler is None:
            if self.debugging and method not in self._said:
                self._said.append(method)
                self.report("rudderanalytics.%s does nothing here" % method)
            return UNDEFINED
        try:
            if method != "load":
                self.start_once()
            given = _taken(args)
            if not self._loader.loaded and method in HELD:
                self._loader.hold(method, given, moment or self.page.moment())
                return UNDEFINED
            if self._loader.replaced and method not in _READING:
                return UNDEFINED  # lost in the instance of another write key, as with the vendor
            return handler(given, moment or self.page.moment())
        except Exception as error:
            self.report("rudderanalytics.%s: %s" % (method, error))
            return UNDEFINED

    def perform(self, method: str, args: Taken, moment: Moment) -> None:
        """Perform a method that there is, at once, with arguments that are taken."""
        getattr(self, "_do_" + method)(args, moment)

    def await_load(self) -> None:
        """Hold every call until the page's own ``load``, as the vendor's SDK does."""
        self._waits = True

    def start_once(self) -> None:
        """Start with default options, unless a ``load`` has come or is waited for."""
        if not self._loader.started and not self._waits:
            self._loader.start(UNDEFINED)

    def forget(self) -> None:
        if self.sender.holds:
            self.sender.drop_held()
        self.visitor.forget()

    def renew(self) -> None:
        self._loader.renew()

    def replay(self, calls: list[tuple[str, Args, Moment]], perform: Performing) -> list[Value]:
        """Perform with ``perform`` what a page called before we were there; returns what each call gives.

        As with the vendor's own snippet, ``load`` goes first and ``consent`` next.
        """
        results: list[Value] = [UNDEFINED] * len(calls)
        done: list[str] = []
        if not self._loader.loaded:
            held: list[Waiting] = []
            for method, args, moment in calls:
                if method in HELD:
                    try:
                        held.append((method, _taken(args), moment))
                    except Exception as error:  # an object that throws when it is read
                        self.report("rudderanalytics.%s: %s" % (method, error))
            self._loader.hold_replayed(held)
            for method, args, moment in calls:
                if method == "load":
                    perform(method, args, moment)
            self.start_once()
            done = list(HELD) + ["load"]  # MicroPython has no star in a list
        for index, (method, args, moment) in enumerate(calls):
            if method not in done:
                results[index] = perform(method, args, moment)
        return results

    def _do_load(self, args: Taken, moment: Moment) -> Value:
        self._loader.load(args)
        return UNDEFINED

    def _do_consent(self, args: Taken, moment: Moment) -> Value:
        self._loader.consent(args, moment)
        return UNDEFINED

    # Messages

    def _do_track(self, args: Taken, moment: Moment) -> Value:
        event, properties, options, callback = arguments.track(args)
        fields = [("event", event if truthy(event) else NULL), ("properties", properties)]
        self.sender.send("track", fields, options, callback, moment)
        return UNDEFINED

    def _do_page(self, args: Taken, moment: Moment) -> Value:
        category, name, properties, options, callback = arguments.page(args)
        fill_in(properties, options, self.sender.page_defaults(moment))
        fields = [("properties", properties), ("name", name), ("category", category)]
        self.sender.send("page", fields, options, callback, moment, properties=properties)
        return UNDEFINED

    def _do_identify(self, args: Taken, moment: Moment) -> Value:
        user_id, traits, options, callback = arguments.subject(args)
        visitor_ = self.visitor
        known = visitor_.values[visitor.USER_ID]
        if truthy(user_id) and truthy(known) and user_id != known:
            visitor_.reset()
        if user_id is not NULL:
            visitor_.set_user_id(user_id)
        visitor_.set_traits(visitor.USER_TRAITS, traits)
        fields = [("userId", user_id)] if truthy(user_id) else []
        whole = self._with_stored(visitor.USER_TRAITS, traits)
        self.sender.send("identify", fields, options, callback, moment, traits=whole)
        return UNDEFINED

    def _do_group(self, args: Taken, moment: Moment) -> Value:
        group_id, traits, options, callback = arguments.subject(args)
        visitor_ = self.visitor
        if group_id is not NULL:
            visitor_.set_group_id(group_id)
        visitor_.set_traits(visitor.GROUP_TRAITS, traits)
        group_id = group_id if truthy(group_id) else visitor_.values[visitor.GROUP_ID]
        fields = [("groupId", group_id)] if truthy(group_id) else []
        fields.append(("traits", self._with_stored(visitor.GROUP_TRAITS, traits)))
        self.sender.send("group", fields, options, callback, moment)
        return UNDEFINED

    def _with_stored(self, entry: str, traits: Value) -> Value:
        """The traits of a call, and after them those that are stored."""
        given = make_object() if traits is UNDEFINED else traits
        return merged(given, self.visitor.values[entry] if self.visitor.keeps(entry) else given)

    def _do_alias(self, args: Taken, moment: Moment) -> Value:
        to, from_, options, callback = arguments.alias(args)
        if is_nullish(from_):
            known = self.visitor.values[visitor.USER_ID]
            from_ = known if truthy(known) else self.visitor.anonymous_id()
        fields = [("previousId", from_)] + ([] if is_nullish(to) else [("userId", to)])
        self.sender.send("alias", fields, options, callback, moment)
        return UNDEFINED

    # The rest of the API

    def _do_ready(self, args: Taken, moment: Moment) -> Value:
        if type_of(args[0]) == "function":
            self.sender.call_back(args[0])
        return UNDEFINED

    def _do_reset(self, args: Taken, moment: Moment) -> Value:
        self.visitor.reset(args[0])
        return UNDEFINED

    def _do_getUserId(self, args: Taken, moment: Moment) -> Value:
        return self.visitor.values[visitor.USER_ID]

    def _do_getUserTraits(self, args: Taken, moment: Moment) -> Value:
        return self.visitor.values[visitor.USER_TRAITS]

    def _do_getGroupId(self, args: Taken, moment: Moment) -> Value:
        return self.visitor.values[visitor.GROUP_ID]

    def _do_getGroupTraits(self, args: Taken, moment: Moment) -> Value:
        return self.visitor.values[visitor.GROUP_TRAITS]

    def _do_getAnonymousId(self, args: Taken, moment: Moment) -> Value:
        return self.visitor.anonymous_id(plain_data(args[0])) if self._loader.loaded else UNDEFINED

    def _do_setAnonymousId(self, args: Taken, moment: Moment) -> Value:
        self.visitor.set_anonymous_id(args[0])
        return UNDEFINED

    def _do_startSession(self, args: Taken, moment: Moment) -> Value:
        self.visitor.start_session(args[0])
        return UNDEFINED

    def _do_endSession(self, args: Taken, moment: Moment) -> Value:
        self.visitor.end_session()
        return UNDEFINED

    def _do_getSessionId(self, args: Taken, moment: Moment) -> Value:
        return self.visitor.session_id()

    def _do_setAuthToken(self, args: Taken, moment: Moment) -> Value:
        if self._loader.loaded:
            self.visitor.set_auth_token(args[0])
        return UNDEFINED

    def _do_setCustomContext(self, args: Taken, moment: Moment) -> Value:
        self.sender.add_context(args[0])
        return UNDEFINED

    def _do_getCustomContext(self, args: Taken, moment: Moment) -> Value:
        return self.sender.custom_context()

    def _do_clearCustomContext(self, args: Taken, moment: Moment) -> Value:
        self.sender.clear_context()
        return UNDEFINED


def _taken(args: Args) -> Taken:
    """Copies of a call's arguments, filled up."""
    return [taken(raw_get(args, index)) for index in range(5)]
