"""The source ``rudderanalytics``: the API of RudderStack's browser SDK, on ``window.rudderanalytics``.

Follows RudderStack's SDK 3.x: argument overloads, identity and its storage, sessions, page context, consent, event and
integrations filters, query-string calls. Values pass through JSON, as they do there.
"""

from ....contracts import Source
from ....runtime import (
    NULL,
    UNDEFINED,
    call,
    copy,
    get,
    is_nullish,
    is_plain,
    json_copy,
    keys,
    kind,
    make_date,
    make_object,
    put,
    record,
    to_json,
    truthy,
)
from . import arguments, targets, urls, visitor
from .consent import Consent
from .options import LoadOptions, entry_area, integrations_of
from .page import context as page_context
from .page import defaults as page_defaults
from .page import fill_in
from .storage import COOKIE, NONE
from .values import is_unsafe, merged, plain_data, taken, without_nullish
from .visitor import Visitor

CONSENT_EVENT = "Consent Management Interaction"
_TOP_LEVEL = ("integrations", "anonymousId", "originalTimestamp")
_RESERVED_CONTEXT = ("library", "consentManagement", "userAgent", "ua-ch", "screen")


class RudderAnalytics(Source):
    """RudderStack's API over one page.

    ``begin(destination)`` is called after load, after consent where that is awaited, never when a filter or the visitor
    says no.

    With ``waits`` every call is held until the page's own ``load``, as with the vendor's SDK. Without, the first call
    of any kind starts with default options, and a ``load`` that follows still counts. ``debugging`` follows the load
    option ``logLevel``.
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

    def __init__(self, page, destination, deliver, report, begin, version="", waits=False):
        self.page = page
        self.destination = destination
        self.deliver = deliver
        self.report = report
        self.waits = waits
        self.debugging = False
        self.visitor = Visitor(page)
        self.consent = None
        self.options = None
        self._begin = begin
        self._begun = False
        self._cross_domain = None
        self._write_key = None
        self._replaced = False
        self._said = []
        self._loaded = False
        self._custom_context, self._is_customized = make_object(), False
        self._queue = []  # calls before load: (method, args, moment)
        self._replayed = []  # calls from before we were there, likewise
        self._buffering = None  # the one of them that is worked off
        self._targets = None  # not known before load and consent
        self._held = []  # messages until then
        self._moment = None
        self._seen = None  # what these page properties were made from
        self._defaults, self._page_context = (), UNDEFINED
        self._library = make_object((("name", "fsbridge"), ("version", version)))
        self._run, self._serial = page.uuid(), 0

    # Every call of the page comes through here.

    def call(self, method, args, moment=None):
        """Perform ``rudderanalytics[method](…args)``; ``moment`` is when and where it was made, now if None.

        Returns what the page gets. Never raises for what a page passes in.
        """
        handler = getattr(self, "_do_" + method, None)
        if handler is None:
            if self.debugging and method not in self._said:
                self._said.append(method)
                self.report("rudderanalytics.%s does nothing here" % method)
            return UNDEFINED
        try:
            if method != "load":
                self.start_once()
            return self._perform(handler, method, args, moment)
        except Exception as error:
            self.report("rudderanalytics.%s: %s" % (method, error))
            return UNDEFINED

    def start_once(self):
        """Start with default options, unless a ``load`` has come or is waited for."""
        if self.options is None and not self.waits:
            self.start(UNDEFINED)

    def replay(self, calls, perform):
        """Perform what a page called before we were there: ``(method, args, moment)`` each; returns what each gives.

        ``perform(method, args, moment)`` is `call`, made safe.
        As with the vendor's own snippet, ``load`` goes first and ``consent`` next.
        """
        results = [UNDEFINED] * len(calls)
        done = []
        if not self._loaded:
            held = []
            for method, args, moment in calls:
                if method in _HELD:
                    try:
                        held.append((method, _taken(args), moment))
                    except Exception as error:  # an object that throws when it is read
                        self.report("rudderanalytics.%s: %s" % (method, error))
            self._replayed.extend([call for call in held if call[0] == "consent"])
            self._replayed.extend([call for call in held if call[0] != "consent"])
            for method, args, moment in calls:
                if method == "load":
                    perform(method, args, moment)
            self.start_once()
            done = list(_HELD) + ["load"]  # MicroPython has no star in a list
        for index, (method, args, moment) in enumerate(calls):
            if method not in done:
                results[index] = perform(method, args, moment)
        return results

    def _perform(self, handler, method, args, moment):
        given = _taken(args)
        if not self._loaded and method in _HELD:
            self._queue.append((method, given, moment or self.page.moment()))
            return UNDEFINED
        if self._replaced and method not in _READING:
            return UNDEFINED  # lost in the instance of another write key, as with the vendor
        before, self._moment = self._moment, moment or self._moment
        try:
            return handler(given)
        finally:
            self._moment = before

    def _do_load(self, args):
        key, address, options = args[:3]
        if self._write_key is not None:
            if key != self._write_key:
                self._replaced = True
                self.report("rudderanalytics.load with a second write key: calls from here on are lost")
            return UNDEFINED
        if kind(key) != "string" or not key.strip() or not _is_address(address):
            self.report("rudderanalytics.load needs a write key and a data plane URL")
            return UNDEFINED
        self._write_key = key
        self.start(options)
        return UNDEFINED

    def start(self, options):
        """Begin with the options of ``load``: identity, consent, what was called before."""
        again = self.options is not None
        self.options = LoadOptions(options)
        self.debugging = get(options, "logLevel") == "DEBUG"
        self.consent = Consent(self.page, self.options)
        try:
            self._set_context(self.options.context)
        except Exception as error:
            self.report("rudderanalytics.load: its context is not taken: %s" % error)
        self.visitor.open(self.options)
        try:
            self.visitor.settle(self._areas())
            if again:
                self._targets = None
            self._loaded = True
            self._work_off(self._queue)
            if not again:
                self._query_string()
            self._work_off(self._replayed)
            if not self.consent.pending:
                self._open()
        finally:
            self.visitor.keep()
        if kind(self.options.on_loaded) == "function":
            self._call_back(self.options.on_loaded, get(self.page.window, self.global_name))

    def _work_off(self, queue):
        """Perform the calls of ``queue``; more may come while it lasts."""
        self._buffering = queue
        while queue:
            method, args, self._moment = queue.pop(0)
            try:
                getattr(self, "_do_" + method)(args)
            except Exception as error:
                self.report("rudderanalytics.%s: %s" % (method, error))
        self._buffering = self._moment = None

    def _areas(self):
        """Where each entry of the visitor is kept, given options and consent."""
        options, consent = self.options, self.consent
        kind_, entries = options.storage_type, options.storage_entries
        if isinstance(consent.storage, dict) and ("type" in consent.storage or "entries" in consent.storage):
            kind_, entries = consent.storage.get("type"), consent.storage.get("entries")
        default = NONE if consent.pending and consent.strategy is None else COOKIE
        areas = {entry: entry_area(entry, kind_, entries, default) for entry, _ in visitor.ENTRIES}
        if consent.pending and consent.strategy is not None:
            kept = {"session": visitor.SESSION, "anonymousId": visitor.ANONYMOUS_ID}.get(consent.strategy)
            areas = {entry: area if entry == kept else NONE for entry, area in areas.items()}
        return areas

    def _open(self):
        """Decide which destinations there are, and let them have what was held for them."""
        if self._targets is not None:
            return
        found = targets.configurations(self.destination)
        self._targets = targets.active(found, self.options, self.consent)
        held, self._held = self._held, []
        if not self._targets:
            return
        if not self._begun:
            self._begun = True
            self._begin(self.destination)
        self._start_cross_domain()
        for message in held:
            self._hand_over(message)

    def _start_cross_domain(self):
        integrations = self.options.integrations
        if self.consent.integrations is not None:
            integrations = self.consent.integrations
        own = integrations.get(targets.DISPLAY_NAME) or integrations.get("FULLSTORY")
        if self._cross_domain is None and isinstance(own, dict) and own.get("crossDomainSupport") is True:
            from .crossdomain import CrossDomain  # late: hardly any page needs it

            self._cross_domain = CrossDomain(self.page, own, self._deliver_to_all)
            self._cross_domain.start()

    def _query_string(self):
        """The calls that ``ajs_`` parameters of the page's address ask for."""
        url = self.page.moment().url.split("#", 1)[0]
        if "ajs_" not in url:
            return
        pairs = urls.query_pairs(url.partition("?")[2])
        first = {}
        for name, value in pairs:
            first.setdefault(name, value)

        def prefixed(prefix):
            return make_object([(name[len(prefix) :], first[name]) for name, _ in pairs if name.startswith(prefix)])

        traits, user_id = prefixed("ajs_trait_"), first.get("ajs_uid")
        if first.get("ajs_aid"):
            self.visitor.set_anonymous_id(first["ajs_aid"])
        if user_id:
            self._do_identify(_five(user_id, traits))
        elif keys(traits):
            self._do_identify(_five(traits))
        if first.get("ajs_event"):
            self._do_track(_five(first["ajs_event"], prefixed("ajs_prop_")))

    # Messages

    def _do_track(self, args):
        event, properties, options, callback = arguments.track(args)
        fields = [("event", event if truthy(event) else NULL), ("properties", properties)]
        self._send("track", fields, options, callback)
        return UNDEFINED

    def _do_page(self, args):
        category, name, properties, options, callback = arguments.page(args)
        fill_in(properties, options, self._page_defaults(self._now()))
        fields = [("properties", properties), ("name", name), ("category", category)]
        self._send("page", fields, options, callback, properties=properties)
        return UNDEFINED

    def _do_identify(self, args):
        user_id, traits, options, callback = arguments.subject(args)
        visitor_ = self.visitor
        known = visitor_.values[visitor.USER_ID]
        if truthy(user_id) and truthy(known) and user_id != known:
            visitor_.reset()
        if user_id is not NULL:
            visitor_.set_user_id(user_id)
        visitor_.set_traits(visitor.USER_TRAITS, traits)
        given = make_object() if traits is UNDEFINED else traits
        stored = visitor_.values[visitor.USER_TRAITS] if visitor_.keeps(visitor.USER_TRAITS) else given
        fields = [("userId", user_id)] if truthy(user_id) else []
        self._send("identify", fields, options, callback, traits=merged(given, stored))
        return UNDEFINED

    def _do_group(self, args):
        group_id, traits, options, callback = arguments.subject(args)
        visitor_ = self.visitor
        if group_id is not NULL:
            visitor_.set_group_id(group_id)
        visitor_.set_traits(visitor.GROUP_TRAITS, traits)
        fields = []
        group_id = group_id if truthy(group_id) else visitor_.values[visitor.GROUP_ID]
        if truthy(group_id):
            fields.append(("groupId", group_id))
        given = make_object() if traits is UNDEFINED else traits
        stored = visitor_.values[visitor.GROUP_TRAITS] if visitor_.keeps(visitor.GROUP_TRAITS) else given
        fields.append(("traits", merged(given, stored)))
        self._send("group", fields, options, callback)
        return UNDEFINED

    def _do_alias(self, args):
        to, from_, options, callback = arguments.alias(args)
        if is_nullish(from_):
            known = self.visitor.values[visitor.USER_ID]
            from_ = known if truthy(known) else self.visitor.anonymous_id()
        fields = [("previousId", from_)] + ([] if is_nullish(to) else [("userId", to)])
        self._send("alias", fields, options, callback)
        return UNDEFINED

    def _send(self, kind_, fields, options, callback, traits=UNDEFINED, properties=UNDEFINED):
        self.visitor.refresh_session()
        message = json_copy(self._message(kind_, fields, options, traits, properties))
        if kind_ == "identify":
            put(message, "traits", get(get(message, "context"), "traits"))
        if self._targets is None:
            self._held.append(message)
        else:
            self._hand_over(message)
        if kind(callback) == "function":
            self._call_back(callback, message)

    def _message(self, kind_, fields, options, traits, properties):
        values, moment = self.visitor.values, self._now()
        self._serial += 1
        known = self._page_defaults(moment)
        context = record(
            traits=values[visitor.USER_TRAITS] if traits is UNDEFINED else traits,
            sessionId=self.visitor.session.get("id", UNDEFINED),
            library=self._library,
            page=self._page_context if properties is UNDEFINED else page_context(properties, known),
        )
        if self._is_customized:
            context = merged(context, self._custom_context)
        whole = {
            "type": kind_,
            "userId": values[visitor.USER_ID],
            "anonymousId": self.visitor.event_anonymous_id(),
            "integrations": record(All=True),
            "timestamp": make_date(moment.time),
            "messageId": "%s-%d" % (self._run, self._serial),
        }
        whole.update(fields)
        message = record(**whole)
        if is_plain(options):
            context = self._apply(options, message, context)
        if self.options.integrations_for_events:
            put(message, "integrations", self._global_integrations())
        put(message, "context", context)
        if moment.carried:
            self.page.carried.append(get(message, "messageId"))
        return message

    def _apply(self, options, message, context):
        """A call's options: some are the message's own, the rest is context."""
        anonymous_id, integrations = get(options, "anonymousId"), get(options, "integrations")
        if kind(anonymous_id) == "string" and anonymous_id:
            put(message, "anonymousId", anonymous_id)
        if is_plain(integrations) and keys(integrations):
            put(message, "integrations", integrations)
        timestamp = get(options, "originalTimestamp")
        if kind(timestamp) == "string" and timestamp:
            put(message, "timestamp", timestamp)
        for name in keys(options):
            value = get(options, name)
            if name in _TOP_LEVEL:
                continue
            if name != "context":
                value = make_object(((name, value),))
            if is_plain(value):
                context = _with_context(context, value)
        return context

    def _global_integrations(self):
        chosen = self.consent.integrations
        chosen = self.options.integrations if chosen is None else chosen
        return make_object([(name, targets.is_true(value)) for name, value in chosen.items()])

    def _page_defaults(self, moment):
        """The page properties of a moment, with the first referrer. Made once for each state of the page."""
        values = self.visitor.values
        first = values[visitor.REFERRER], values[visitor.REFERRING_DOMAIN]
        seen = moment.place + first
        if seen != self._seen:
            self._seen = seen
            self._defaults = page_defaults(moment) + (
                ("initial_referrer", first[0]),
                ("initial_referring_domain", first[1]),
            )
            self._page_context = page_context(UNDEFINED, self._defaults)
        return self._defaults

    def _now(self):
        return self._moment or self.page.moment()

    def _hand_over(self, message):
        for target in self._targets:
            if targets.accepts(target, message):
                self._deliver_to_all(message)

    def _deliver_to_all(self, message):
        for plugin in self.destination.plugins:
            self.deliver(message, plugin)

    def _call_back(self, callback, *args):
        self.visitor.keep()  # a function of the page's finds stored what is
        try:
            call(callback, *args)
        except Exception as error:
            self.report("a callback failed: %s" % error)

    # The rest of the API

    def _do_ready(self, args):
        if kind(args[0]) == "function":
            self._call_back(args[0])
        return UNDEFINED

    def _do_reset(self, args):
        self.visitor.reset(args[0])
        return UNDEFINED

    def _do_consent(self, args):
        given = plain_data(args[0])
        buffered = self.consent.buffers
        self.consent.decide(given, integrations_of(get(args[0], "integrations")))
        self.visitor.keep()  # settling looks at what lies where
        self.visitor.settle(self._areas(), self._buffering is None)
        if buffered and self._targets is None and given.get("discardPreConsentEvents") is True:
            self._held = []
        self._open()
        for wanted, method, args in (("trackConsent", "track", (CONSENT_EVENT,)), ("sendPageEvent", "page", ())):
            if given.get(wanted) is not True:
                continue
            if self._buffering is None:
                getattr(self, "_do_" + method)(_five(*args))
            else:
                self._buffering.append((method, _five(*args), self._moment))
        return UNDEFINED

    def _do_getUserId(self, args):
        return self.visitor.values[visitor.USER_ID]

    def _do_getUserTraits(self, args):
        return self.visitor.values[visitor.USER_TRAITS]

    def _do_getGroupId(self, args):
        return self.visitor.values[visitor.GROUP_ID]

    def _do_getGroupTraits(self, args):
        return self.visitor.values[visitor.GROUP_TRAITS]

    def _do_getAnonymousId(self, args):
        return self.visitor.anonymous_id(plain_data(args[0])) if self._loaded else UNDEFINED

    def _do_setAnonymousId(self, args):
        self.visitor.set_anonymous_id(args[0])
        return UNDEFINED

    def _do_startSession(self, args):
        self.visitor.start_session(args[0])
        return UNDEFINED

    def _do_endSession(self, args):
        self.visitor.end_session()
        return UNDEFINED

    def _do_getSessionId(self, args):
        return self.visitor.session_id()

    def _do_setAuthToken(self, args):
        if self._loaded:
            self.visitor.set_auth_token(args[0])
        return UNDEFINED

    def _do_setCustomContext(self, args):
        self._set_context(args[0])
        return UNDEFINED

    def _do_getCustomContext(self, args):
        return copy(self._custom_context)

    def _do_clearCustomContext(self, args):
        self._custom_context, self._is_customized = make_object(), False
        return UNDEFINED

    def _set_context(self, given):
        if is_plain(given):
            context = without_nullish(_with_context(self._custom_context, given))
            to_json(context)  # raises where there is none: each message from here on would be lost with it
            self._custom_context, self._is_customized = context, bool(keys(context))


_HELD = (
    "ready page track identify alias group reset setAnonymousId startSession endSession consent "
    "setCustomContext clearCustomContext"
).split()
_READING = ("load", "getUserId", "getUserTraits", "getGroupId", "getGroupTraits")


def _with_context(context, given):
    """``context`` with what a page adds to it, but for the names that are not the page's to set."""
    added = make_object([(name, get(given, name)) for name in keys(given) if name not in _RESERVED_CONTEXT])
    return context if is_unsafe(added) else merged(context, added)


def _is_address(value):
    """Whether the data plane URL that a page gives is one."""
    if kind(value) != "string":
        return False
    url = urls.parse(value)
    host = url.host.split(":", 1)[0] if url else ""
    return url is not None and url.origin.startswith("http") and ("." in host or host == "localhost")


def _taken(args):
    """Copies of a call's arguments, filled up."""
    return [taken(get(args, index)) for index in range(5)]


def _five(*given):
    """A call's arguments, filled up."""
    return list(given) + [UNDEFINED] * (5 - len(given))
