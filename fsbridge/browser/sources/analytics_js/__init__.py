"""The source ``analytics.js``: the API of Segment's browser SDK, on ``window.analytics``.

Follows Segment's analytics.js 2.0: argument overloads, identity and its storage, page context, integrations filters,
middleware, plugins, query-string calls.
"""

from ....contracts import Source
from ....runtime import (
    NULL,
    UNDEFINED,
    call,
    copy,
    get,
    invoke,
    is_nullish,
    is_plain,
    items,
    kind,
    make_array,
    make_function,
    make_object,
    make_promise,
    make_rejected,
    put,
    resolved,
    safe_put,
    truthy,
)
from . import arguments
from .listeners import Listeners
from .message import Factory, Invalid, query_calls, query_of
from .pipeline import LIMIT, Pipeline, is_promise
from .user import User

_TIMEOUT = 300
SETTING_UP = ("setAnonymousId", "on", "once", "register", "addSourceMiddleware", "addDestinationMiddleware", "use")
"""Methods that count for all calls that waited with them, in the order in which the vendor's SDK performs those."""


class Sent:
    """A call of the page whose message is on its way, and what is due once it is through."""

    def __init__(self, kind_, context, callback, emitted, then):
        self.kind = kind_
        self.context = context
        self.callback = callback
        self.emitted = emitted  # what listeners get, made from the final message
        self.then = then
        self.resolve = None
        self.finished = False


class AnalyticsJs(Source):
    """Segment's API over one page.

    ``begin(destination)`` is called when the options of ``analytics.load`` (or their absence) let it be set up.
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
    # Methods whose results pages use: not there before we are.
    answering = ("user",)

    def __init__(self, page, destination, deliver, report, begin, version=""):
        self.page = page
        self.destination = destination
        self.report = report
        self._begin = begin
        self.integrations = UNDEFINED
        self.debugging = False
        self.timeout = _TIMEOUT
        self._version = version
        self._started = False
        self._loaded = self._gone = self._begun = False
        self._undecided = False  # whether the page still makes up its mind if we are disabled
        self._held = []  # calls until then
        self._asked = []  # calls that the page's address asks for, until they are made
        self.user = self.group = self.factory = None  # until the options of load are known
        self.listeners = Listeners(report)
        self.pipeline = Pipeline(page, deliver, report)
        self._links = None
        self._moment = None
        self._then = None
        self._calling_back = {}  # by number: calls whose callback is due
        self._serial = 0
        self._on_time = make_function(self._call_back, "callback")
        self._said = []
        self._handlers = {}  # by method
        self._objects = {}  # what ``user()`` and ``group()`` give

    def _set_identity(self, options):
        cookie = get(options, "cookie")
        shared = make_object()
        if truthy(get(options, "disableClientPersistence")):
            shared = make_object((("persist", False),))
        storage = get(options, "storage")
        if not is_nullish(storage):
            put(shared, "storage", storage)
        self.user = User(self.page, copy(shared, get(options, "user")), cookie)
        self.group = User(self.page, copy(shared, get(options, "group")), cookie, group=True)
        self.factory = Factory(self.page, self.user, self._version)

    # Every call of the page comes through here.

    def call(self, method, args, moment=None):
        """Perform ``analytics[method](…args)``; ``moment`` is when and where it was made, now if None.

        Returns what the page gets: a promise, an object, or undefined. Never raises for what a page passes in.
        """
        if not self._started and method != "load":
            self.start_once(moment)
        if self._undecided:
            return self._hold(method, args, moment)
        self._moment = moment
        handler = self._handlers.get(method) or self._handler(method)
        if handler is None:
            if self.debugging and method not in self._said:
                self._said.append(method)
                self.report("analytics.%s does nothing here" % method)
            return UNDEFINED
        try:
            return handler(args)
        except (arguments.Missing, Invalid) as error:
            self.report("analytics.%s: %s" % (method, error))
            return make_rejected(str(error))

    def _handler(self, method):
        handler = getattr(self, "_do_" + method, None)
        if handler is not None:
            self._handlers[method] = handler
        return handler

    def replay(self, calls, perform):
        """Perform what a page called before we were there: ``(method, args, moment)`` each; returns what each gives.

        ``perform(method, args, moment)`` is `call`, made safe. As with the vendor, what sets the page up counts for all
        of them: ``load`` first, then `SETTING_UP`, then what the page's address asks for, and the rest in order.
        """
        results = [UNDEFINED] * len(calls)
        viewed = self._load_among(calls, results)
        set_up = [[] for _ in SETTING_UP]
        for index, call_ in enumerate(calls):
            if call_[0] in SETTING_UP:
                set_up[SETTING_UP.index(call_[0])].append(index)
        for indices in set_up:
            for index in indices:
                results[index] = perform(*calls[index])
        self._make_asked_calls()
        for index, (method, args, moment) in enumerate(calls):
            if index == viewed:
                perform("page", make_array(), moment)
            if method != "load" and method not in SETTING_UP:
                results[index] = perform(method, args, moment)
        return results

    def _load_among(self, calls, results):
        """Perform ``load`` if it is among the calls; returns which of them views the page, -1 if none does."""
        viewed = -1
        for index, (method, args, moment) in enumerate(calls):
            if method == "load":
                self._moment = moment
                if self._load(args):
                    viewed = index
                results[index] = resolved(UNDEFINED)
        if calls and not self._started:
            self._moment = calls[0][2]
            self.start(UNDEFINED)
        return viewed

    def start_once(self, moment=None):
        """Start without options, unless started."""
        if not self._started:
            self._moment = moment
            self.start(UNDEFINED)
            self._make_asked_calls()

    def _load(self, args):
        """The first load counts, also after other calls; returns whether the page is to be viewed."""
        if self._loaded:
            return False
        self._loaded = True
        settings, options = get(args, 0), make_object()
        try:
            options = copy(get(args, 1))
            self.start(options, settings)
        except Exception as error:  # an object that throws when it is read
            self.report("analytics.load: its options are not taken: %s" % error)
            self.start(UNDEFINED)
        return truthy(get(options, "initialPageview"))

    def _make_asked_calls(self):
        asked, self._asked = self._asked, []
        for method, args, moment in asked:
            self.call(method, args, moment)

    def start(self, options, settings=UNDEFINED):
        """Begin with the options of ``analytics.load``: identity, integrations, calls from the query string.

        ``settings`` is the first argument of load: the write key, or an object with it, with the workspace's settings
        document (``cdnSettings``) and with plugins.
        """
        self._started = True
        if not is_plain(settings):
            settings = make_object((("writeKey", "" if is_nullish(settings) else settings),))
        cdn = get(settings, "cdnSettings")
        disable = get(options, "disable")
        try:
            update = get(options, "updateCDNSettings")
            if kind(update) == "function":
                cdn = call(update, _document(cdn))
            if kind(disable) == "function":
                disable = call(disable, _document(cdn))
                if is_promise(disable):
                    self._wait_for(disable, options, settings, cdn)
                    return
                disable = truthy(disable)
        except Exception as error:
            self.report("a function in the options of analytics.load failed: %s" % error)
            disable = True
        self._go(options, settings, cdn, disable is True)

    def _wait_for(self, promise, options, settings, cdn):
        """Hold all calls until the page has decided."""
        self._undecided, moment = True, self._moment

        def decided(disabled):
            held, self._held = self._held, []
            self._undecided, self._moment = False, moment
            self._go(options, settings, cdn, disabled)
            results = self.replay([call_[:3] for call_ in held], self.call)
            for (_, _, _, resolve), result in zip(held, results):
                resolve(result)
            return UNDEFINED

        fulfilled = make_function(lambda args: decided(truthy(get(args, 0))))
        invoke(promise, "then", fulfilled, make_function(lambda args: decided(True)))

    def _hold(self, method, args, moment):
        promise, resolve, _ = make_promise()
        if len(self._held) >= LIMIT:
            self._held.pop(0)
        self._held.append((method, args, moment or self.page.moment(), resolve))
        return promise

    def hand_back(self):
        """Give up what waits: the messages in the pipeline, and calls ``(method, args, moment)``. Promises settle."""
        held, self._held = self._held, []
        for _, _, _, resolve in held:
            resolve(UNDEFINED)
        return self.pipeline.hand_back(), [call_[:3] for call_ in held]

    def _go(self, options, settings, cdn, disabled):
        if disabled:  # calls then come to nothing, and are remembered nowhere
            self.pipeline.install(())
            self._set_identity(make_object((("disableClientPersistence", True),)))
            self._describe(options, settings)
            return
        moment, late = self._moment, self._gone
        self._gone = True
        self._set_identity(options)
        if not is_nullish(options):
            self.integrations = get(options, "integrations")
            self.destination = self.destination.configured(options, self.report)
        if not self.destination.installed(self.integrations):
            self.pipeline.install(())
        else:
            if self.pipeline.plugins is not self.destination.plugins:
                self.pipeline.install(self.destination.plugins)
            if not (is_nullish(cdn) and is_nullish(get(options, "plan"))):
                from .workspace import Workspace  # here, because few pages need it

                self.pipeline.workspace = Workspace(cdn, options, self.destination.plugins, self.report)
            if not self._begun:
                self._begun = True
                self._begin(self.destination)
        self._describe(options, settings)
        if kind(get(settings, "plugins")) == "array":
            self._do_register(get(settings, "plugins"))
        # In its own tick, for listeners that the page adds after load.
        self.page.later_with(make_function(self._started_up), 0, make_array((settings, options)))
        if get(options, "useQueryString") is not False and not late:
            self._asked = _asked_by(query_of(self._now().url), get(options, "useQueryString"), moment)

    def _describe(self, options, settings):
        """Put on the page's object what it tells about itself."""
        self._patterns = get(options, "useQueryString")
        if is_nullish(self.public):
            return
        options = make_object() if is_nullish(options) else options
        integrations = get(options, "integrations")
        for name, value in (
            ("VERSION", self._version),
            ("initialized", True),
            ("settings", copy(settings, make_object((("timeout", self.timeout),)))),
            ("options", options),
            ("integrations", make_object() if is_nullish(integrations) else integrations),
            ("plugins", make_object()),
        ):
            _put_on(self.public, name, value)
        key = get(options, "globalAnalyticsKey")
        if truthy(key) and kind(key) == "string":
            _put_on(self.page.window, key, self.public)

    def _started_up(self, args):
        settings, options = items(get(args, 0))
        self.listeners.emit("initialize", (settings, copy(make_object((("retryQueue", True),)), options)))
        return UNDEFINED

    def _now(self):
        return self._moment or self.page.moment()

    # Messages

    def _do_track(self, args):
        event, properties, options, callback = arguments.track(args)
        fields = {"event": event, "properties": properties}
        return self._send("track", fields, options, callback, lambda sent: (event, get(sent, "properties")))

    def _do_page(self, args):
        return self._page("page", args)

    def _do_screen(self, args):
        return self._page("screen", args)

    def _page(self, kind_, args):
        category, name, properties, options, callback = arguments.page(args)
        properties = copy(properties)
        fields = {"properties": properties}
        if category is not NULL:
            fields["category"] = category
            if kind_ == "page":
                put(properties, "category", category)
        if name is not NULL:
            fields["name"] = name
        return self._send(kind_, fields, options, callback, lambda sent: (category, name, get(sent, "properties")))

    def _do_message(self, args):
        """A message that was on its way when an earlier page was left."""
        self.pipeline.send(get(args, 0), lambda final: None)
        return UNDEFINED

    def _do_identify(self, args):
        user_id, traits, options, callback = arguments.user(args, self.user.id)
        self.user.identify(user_id, traits)
        fields = {"userId": self.user.id(), "traits": _or_empty(self.user.traits())}
        return self._send("identify", fields, options, callback, _told("userId", "traits"))

    def _do_group(self, args):
        if get(args, "length") == 0:
            return self._object_of("group", lambda: self.group)
        group_id, traits, options, callback = arguments.user(args, self.group.id)
        self.group.identify(group_id, traits)
        fields = {"groupId": self.group.id(), "traits": _or_empty(self.group.traits())}
        return self._send("group", fields, options, callback, _told("groupId", "traits"))

    def _do_alias(self, args):
        to, from_, options, callback = arguments.alias(args)
        fields = {"userId": to}
        if from_ is not NULL:
            fields["previousId"] = from_
        return self._send("alias", fields, options, callback, lambda sent: (to, from_))

    def _send(self, kind_, fields, options, callback, emitted):
        moment = self._now()
        message = self.factory.make(kind_, fields, options, self.integrations, moment)
        if moment.carried:
            self.page.carried.append(get(message, "messageId"))
        context, then, self._then = self.pipeline.contexts.make(message), self._then, None
        filtered = options is not UNDEFINED or self.integrations is not UNDEFINED
        straight = self.pipeline.straight(message, kind_, filtered)
        if straight and callback is UNDEFINED and then is None and not self.listeners.hears(kind_):
            return resolved(context)
        sent = Sent(kind_, context, callback, emitted, then)
        if straight:
            self._delivered(sent, message)
        else:
            get(message, "context")  # made now, for who changes the message on its way
            self.pipeline.send(message, lambda final: self._delivered(sent, final))
        if sent.finished:
            return resolved(context)
        promise, sent.resolve, _ = make_promise()
        return promise

    def _delivered(self, sent, final):
        """A message is through (None: was dropped on the way): callback, listeners and promise follow in this order."""
        if final is not None:
            put(sent.context, "event", final)
        if kind(sent.callback) == "function":
            self._serial += 1
            self._calling_back[self._serial] = sent
            self.page.later_with(self._on_time, self.timeout, self._serial)
        else:
            self._finish(sent)

    def _call_back(self, args):
        sent = self._calling_back.pop(get(args, 0))
        try:
            call(sent.callback, sent.context)
        except Exception as error:
            self.report("the callback of analytics.%s failed: %s" % (sent.kind, error))
        self._finish(sent)
        return UNDEFINED

    def _finish(self, sent):
        sent.finished = True
        if self.listeners.hears(sent.kind):
            # The vendor's listeners get the call's options last, which by then are always undefined.
            self.listeners.emit(sent.kind, sent.emitted(get(sent.context, "event")) + (UNDEFINED,))
        if sent.resolve is not None:
            sent.resolve(sent.context)
        if sent.then is not None:
            sent.then()

    def track(self, args, then):
        """A track call made for the page; ``then()`` follows when it is through, or has failed."""
        self._then = then
        self.call("track", args)
        if self._then is not None:
            self._then = None
            then()

    # The rest of the API

    def _do_load(self, args):
        moment = self._moment
        views = self._load(args)
        self._make_asked_calls()
        if views:
            self.call("page", make_array(), moment)
        return resolved(UNDEFINED)

    def _do_ready(self, args):
        callback = get(args, 0)
        if kind(callback) == "function":
            self.page.later_with(callback, 0, make_array())
        return resolved(make_array())

    def _do_reset(self, args):
        self.user.reset()
        self.group.reset()
        self.listeners.emit("reset")
        return UNDEFINED

    def _do_user(self, args):
        return self._object_of("user", lambda: self.user)

    def _do_setAnonymousId(self, args):
        return self.user.anonymous_id(get(args, 0))

    def _do_debug(self, args):
        self.debugging = truthy(get(args, 0)) if get(args, "length") else True
        return self.public

    def _do_timeout(self, args):
        """How long a callback waits, and a tracked link at most, in milliseconds."""
        self.timeout = get(args, 0) if kind(get(args, 0)) == "number" else _TIMEOUT
        return UNDEFINED

    def _do_pageview(self, args):
        self._page("page", make_array((make_object((("path", get(args, 0)),)),)))
        return resolved(self.public)

    def _do_queryString(self, args):
        if kind(get(args, 0)) == "string":
            for method, asked, moment in _asked_by(query_of("https:/" + "/page/" + get(args, 0)), self._patterns, None):
                self.call(method, asked, moment)
        return resolved(make_array())

    def _do_initialize(self, args):
        return resolved(self.public)

    _do_init = _do_initialize

    def _do_use(self, args):
        try:
            call(get(args, 0), self.public)
        except Exception as error:
            self.report("analytics.use failed: %s" % error)
        return self.public

    def _tracked(self):
        if self._links is None:
            from .links import Links  # late: few pages track links

            self._links = Links(self)
        return self._links

    def _do_trackLink(self, args):
        return self._tracked().track_links(args)

    def _do_trackForm(self, args):
        return self._tracked().track_forms(args)

    _do_trackClick = _do_trackLink
    _do_trackSubmit = _do_trackForm

    def _do_addSourceMiddleware(self, args):
        if kind(get(args, 0)) == "function":
            self.pipeline.add_source_middleware(get(args, 0))
        return resolved(self.public)

    def _do_addDestinationMiddleware(self, args):
        name, functions = get(args, 0), []
        for value in items(args)[1:]:
            functions.extend(items(value) if kind(value) == "array" else [value])
        if kind(name) == "string":
            self.pipeline.add_destination_middleware(name, [value for value in functions if kind(value) == "function"])
        return resolved(self.public)

    def _do_register(self, args):
        for plugin in items(args):
            if kind(plugin) == "object":
                self.pipeline.add_plugin(plugin, self.public)
        return resolved(self.pipeline.contexts.system())

    def _do_deregister(self, args):
        for name in items(args):
            self.pipeline.remove_plugin(name, self.public)
        return resolved(self.pipeline.contexts.system())

    # Events

    def _do_on(self, args):
        self.listeners.add(get(args, 0), get(args, 1))
        return self.public

    def _do_once(self, args):
        self.listeners.add(get(args, 0), get(args, 1), once=True)
        return self.public

    def _do_off(self, args):
        self.listeners.remove(get(args, 0), get(args, 1))
        return self.public

    def _do_emit(self, args):
        self.listeners.emit(get(args, 0), items(args)[1:])
        return self.public

    # Objects that the API hands out: analytics.user() and analytics.group()

    def _object_of(self, name, current):
        if name not in self._objects:
            self._objects[name] = self._made_object_of(name, current)
        return self._objects[name]

    def _made_object_of(self, name, current):
        def traits(args):
            return current().traits(get(args, 0))

        def identify(args):
            current().identify(get(args, 0), get(args, 1))
            return UNDEFINED

        def logout(args):
            current().logout()
            return UNDEFINED

        def reset(args):
            current().reset()
            return UNDEFINED

        methods = [
            ("id", lambda args: current().id(get(args, 0))),
            ("anonymousId", lambda args: current().anonymous_id(get(args, 0))),
            ("traits", traits),
            ("identify", identify),
            ("logout", logout),
            ("reset", reset),
            ("save", lambda args: True),
        ]
        if name == "group":
            methods.append(("properties", traits))
        handed_out = make_object([(key, make_function(body, key)) for key, body in methods])
        put(handed_out, "load", make_function(lambda args: handed_out, "load"))
        return handed_out


def _told(*names):
    """What listeners are told of a message: these of its fields."""
    return lambda message: tuple([get(message, name) for name in names])


def _or_empty(traits):
    """The traits that a message carries; a disabled user has none."""
    return make_object() if traits is UNDEFINED else traits


def _document(cdn):
    """The workspace's settings document; an empty one where the page has none, as we fetch none."""
    return make_object((("integrations", make_object()),)) if is_nullish(cdn) else cdn


def _put_on(target, name, value):
    """Put a value on an object of the page; one that is frozen, or says no, stays without."""
    try:
        safe_put(target, name, value)
    except Exception:
        pass


def _asked_by(search, patterns, moment):
    """The calls, with their moment, that ``ajs_`` parameters ask for; ``patterns`` is the option ``useQueryString``."""
    calls = []
    if patterns is not False and "ajs_" in search:
        anonymous_id, user_id, traits, event, properties = query_calls(search)
        if anonymous_id and _matches(patterns, "aid", anonymous_id):
            calls.append(("setAnonymousId", make_array((anonymous_id,)), moment))
        if user_id and _matches(patterns, "uid", user_id):
            calls.append(("identify", make_array((user_id, traits)), moment))
        if event:
            calls.append(("track", make_array((event, properties)), moment))
    return calls


def _matches(patterns, name, value):
    """Whether a query-string id fits the pattern (a RegExp) that ``useQueryString`` may give for it."""
    pattern = get(patterns, name) if is_plain(patterns) else UNDEFINED
    if is_nullish(pattern):
        return True
    return truthy(invoke(pattern, "test", value))
