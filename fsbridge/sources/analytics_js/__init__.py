"""The source ``analytics.js``: the API of Segment's browser SDK, on ``window.analytics``.

Follows Segment's analytics.js 2.0: argument overloads, identity and its storage, page context, integrations filters,
middleware, plugins, query-string calls.
"""

from ...runtime import (
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
    make_rejected,
    put,
    resolved,
    truthy,
)
from . import arguments
from .message import Factory, Invalid, query_calls, query_of
from .pipeline import Pipeline
from .user import User


class AnalyticsJs:
    """Segment's API over one page.

    ``deliver(message, plugin)`` takes each finished message for each plugin of ``destination`` that may have it;
    ``report(text)`` takes what went wrong without harm; ``begin()`` is called once, when the options of
    ``analytics.load`` (or their absence) let the destination be set up; ``version`` is ours.
    """

    api = "analytics.js"
    global_name = "analytics"
    methods = (
        "track page identify group alias screen load ready reset user on once off emit debug timeout setAnonymousId "
        "addSourceMiddleware addDestinationMiddleware addIntegrationMiddleware register"
    ).split()
    # What Segment's object has besides, and a bridge to FullStory has no use for: there, and does nothing.
    unsupported = (
        "deregister use noConflict normalize initialize pageview trackLink trackForm trackClick trackSubmit"
    ).split()

    def __init__(self, page, destination, deliver, report, begin, version=""):
        self.page = page
        self.destination = destination
        self.report = report
        self._begin = begin
        self.integrations = UNDEFINED
        self.debugging = False
        self._version = version
        self._started = False
        self._disabled = False
        self._listeners = {}
        self._set_identity(UNDEFINED)
        self.pipeline = Pipeline(page, deliver, report)
        self._moment = None
        self._user_object = self._object_of("user", lambda: self.user)
        self._group_object = self._object_of("group", lambda: self.group)

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
        if method != "load":
            self.start_once()
        if self._disabled:
            return UNDEFINED
        self._moment = moment
        handler = getattr(self, "_do_" + method, None)
        if handler is None:
            if self.debugging:
                self.report("analytics.%s does nothing here" % method)
            return UNDEFINED
        try:
            return handler(args)
        except (arguments.Missing, Invalid) as error:
            self.report("analytics.%s: %s" % (method, error))
            return make_rejected(str(error))

    def start_once(self):
        """Start without options, unless started."""
        if not self._started:
            self.start(UNDEFINED)

    def start(self, options, cdn=UNDEFINED):
        """Begin with the options of ``analytics.load``: identity, integrations, calls from the query string.

        ``cdn`` is the workspace's settings document, if the page hands one over.
        """
        self._started = True
        if not is_nullish(options):
            disable = get(options, "disable")
            self._disabled = truthy(disable) and kind(disable) != "function"
            if self._disabled:
                return
            self._set_identity(options)
            self.integrations = get(options, "integrations")
            self.destination.configure(options)
        if self.destination.installed(self.integrations):
            self.pipeline.install(self.destination.plugins)
            if not (is_nullish(cdn) and is_nullish(get(options, "plan"))):
                from .workspace import Workspace  # here, because few pages need it

                self.pipeline.workspace = Workspace(cdn, options, self.destination.plugins, self.report)
            self._begin()
        if get(options, "useQueryString") is not False:
            self._query_string(query_of(self._now().url), get(options, "useQueryString"))
        if truthy(get(options, "initialPageview")):
            self.call("page", make_array())

    def _query_string(self, search, patterns):
        if "ajs_" not in search:
            return
        anonymous_id, user_id, traits, event, properties = query_calls(search)
        if anonymous_id and _matches(patterns, "aid", anonymous_id):
            self.user.anonymous_id(anonymous_id)
        if user_id and _matches(patterns, "uid", user_id):
            self.call("identify", make_array((user_id, traits)))
        if event:
            self.call("track", make_array((event, properties)))

    def _now(self):
        return self._moment or self.page.moment()

    # Messages

    def _do_track(self, args):
        event, properties, options, callback = arguments.track(args)
        fields = (("event", event), ("properties", properties))
        return self._send("track", fields, options, callback, lambda shown: (event, properties, shown))

    def _do_page(self, args):
        return self._page("page", args)

    def _do_screen(self, args):
        return self._page("screen", args)

    def _page(self, kind_, args):
        category, name, properties, options, callback = arguments.page(args)
        properties = copy(properties)
        fields = [("properties", properties)]
        if category is not NULL:
            fields.append(("category", category))
            if kind_ == "page":
                put(properties, "category", category)
        if name is not NULL:
            fields.append(("name", name))
        return self._send(kind_, fields, options, callback, lambda shown: (category, name, properties, shown))

    def _do_identify(self, args):
        user_id, traits, options, callback = arguments.user(args, self.user.id)
        self.user.identify(user_id, traits)
        fields = (("userId", self.user.id()), ("traits", self.user.traits()))
        return self._send("identify", fields, options, callback, lambda shown: (self.user.id(), traits, shown))

    def _do_group(self, args):
        if get(args, "length") == 0:
            return self._group_object
        group_id, traits, options, callback = arguments.user(args, self.group.id)
        self.group.identify(group_id, traits)
        fields = (("groupId", self.group.id()), ("traits", self.group.traits()))
        return self._send("group", fields, options, callback, lambda shown: (self.group.id(), traits, shown))

    def _do_alias(self, args):
        to, from_, options, callback = arguments.alias(args)
        fields = [("userId", to)]
        if from_ is not NULL:
            fields.append(("previousId", from_))
        return self._send("alias", fields, options, callback, lambda shown: (to, from_, shown))

    def _send(self, kind_, fields, options, callback, emitted):
        message = self.factory.make(kind_, fields, options, self.integrations, self._now())
        context = make_object((("event", message),))

        def done(final):
            if final is not None:
                put(context, "event", final)
            if kind(callback) == "function":
                # As with Segment a callback follows after the page's own tick.
                self.page.later_with(callback, 0, context)
            if kind_ in self._listeners:
                self._emit(kind_, emitted(make_object() if options is UNDEFINED else options))

        self.pipeline.send(message, done)
        return resolved(context)

    # The rest of the API

    def _do_load(self, args):
        if not self._started:
            self.start(get(args, 1), get(get(args, 0), "cdnSettings"))
        return resolved(UNDEFINED)

    def _do_ready(self, args):
        callback = get(args, 0)
        if kind(callback) == "function":
            self.page.later_with(callback, 0, make_array())
        return resolved(make_array())

    def _do_reset(self, args):
        self.user.reset()
        self.group.reset()
        self._emit("reset", ())
        return UNDEFINED

    def _do_user(self, args):
        return self._user_object

    def _do_setAnonymousId(self, args):
        return self.user.anonymous_id(get(args, 0))

    def _do_debug(self, args):
        self.debugging = truthy(get(args, 0)) if get(args, "length") else True
        return UNDEFINED

    def _do_timeout(self, args):
        return UNDEFINED  # how long Segment waits before a callback; ours doesn't

    def _do_addSourceMiddleware(self, args):
        if kind(get(args, 0)) == "function":
            self.pipeline.add_source_middleware(get(args, 0))
        return resolved(UNDEFINED)

    def _do_addDestinationMiddleware(self, args):
        name, functions = get(args, 0), []
        for value in items(args)[1:]:
            functions.extend(items(value) if kind(value) == "array" else [value])
        if kind(name) == "string":
            self.pipeline.add_destination_middleware(name, [value for value in functions if kind(value) == "function"])
        return resolved(UNDEFINED)

    _do_addIntegrationMiddleware = _do_addDestinationMiddleware

    def _do_register(self, args):
        for plugin in items(args):
            if kind(plugin) == "object":
                self.pipeline.add_plugin(plugin)
        return resolved(UNDEFINED)

    # Events

    def _do_on(self, args):
        return self._listen(args, False)

    def _do_once(self, args):
        return self._listen(args, True)

    def _listen(self, args, once):
        event, listener = get(args, 0), get(args, 1)
        if kind(event) == "string" and kind(listener) == "function":
            self._listeners.setdefault(event, []).append((listener, once))
        return UNDEFINED

    def _do_off(self, args):
        event, listener = get(args, 0), get(args, 1)
        if kind(event) == "string" and event in self._listeners:
            left = [entry for entry in self._listeners[event] if kind(listener) == "function" and entry[0] != listener]
            if left:
                self._listeners[event] = left
            else:
                del self._listeners[event]
        return UNDEFINED

    def _do_emit(self, args):
        self._emit(get(args, 0), items(args)[1:])
        return UNDEFINED

    def _emit(self, event, values):
        for entry in list(self._listeners.get(event, ())):
            listener, once = entry
            if once:
                self._listeners[event].remove(entry)
            try:
                call(listener, *values)
            except Exception as error:
                self.report("a listener of %r failed: %s" % (event, error))

    # Objects that the API hands out: analytics.user() and analytics.group()

    def _object_of(self, name, current):
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
        ]
        if name == "group":
            methods.append(("properties", traits))
        return make_object([(key, make_function(body, key)) for key, body in methods])


def _matches(patterns, name, value):
    """Whether a query-string id fits the pattern (a RegExp) that ``useQueryString`` may give for it."""
    pattern = get(patterns, name) if is_plain(patterns) else UNDEFINED
    if is_nullish(pattern):
        return True
    return truthy(invoke(pattern, "test", value))
