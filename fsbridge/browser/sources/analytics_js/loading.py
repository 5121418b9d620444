"""How analytics.js begins: ``analytics.load``, its options, and the calls that waited for it."""

from __future__ import annotations

from ....contracts import MAX_WAITING
from ....runtime import (
    UNDEFINED,
    call,
    copy,
    invoke,
    is_nullish,
    is_plain,
    make_array,
    make_function,
    make_object,
    make_promise,
    put,
    raw_get,
    raw_put,
    resolved,
    truthy,
    type_of,
)
from .context import is_promise
from .message import query_calls, query_of
from .user import User

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ....contracts import Args, Destination, Moment, Performing, Report, Value
    from ...page import Page
    from .listeners import Listeners
    from .pipeline import Pipeline
    from .sending import Sender

    Waiting = tuple[str, Args, Moment | None]
    """A call that waits: its method, its arguments, and when and where it was made."""

    class Api(Protocol):
        """What a load sets up: the source, see `AnalyticsJs`."""

        page: Page
        report: Report
        public: Value
        listeners: Listeners
        pipeline: Pipeline
        sender: Sender

        def call(self, method: str, args: Args, moment: Moment | None = None) -> Value:
            """Perform a call."""

        def register(self, plugins: Args) -> None:
            """Load plugins of the page."""

        def set_visitor(self, user: User, group: User) -> None:
            """Say who the visitor is."""


SETTING_UP = ("setAnonymousId", "on", "once", "register", "addSourceMiddleware", "addDestinationMiddleware", "use")
"""Methods that count for all calls that waited with them, in the order in which the vendor's SDK performs those."""


class Loader:
    """Sets up ``api`` with the options of ``analytics.load``, or without any; ``version`` is ours.

    ``started``: there was a load, or a call without. ``undecided``: the page is still making up its mind whether we are
    disabled. ``settled``: calls can be performed. ``patterns`` is the option ``useQueryString``.
    """

    def __init__(self, api: Api, destination: Destination, begin: Callable[[Destination], None], version: str) -> None:
        self._api = api
        self._destination = destination
        self._begin = begin
        self._version = version
        self.started = self.undecided = self.settled = False
        self.patterns: Value = UNDEFINED
        self._loaded = self._set_up_once = self._begun = False
        self._held: list[tuple[str, Args, Moment, Callable[[Value], None]]] = []
        self._asked: list[Waiting] = []  # calls that the page's address asks for, until they are made

    def load(self, args: Args, moment: Moment | None) -> bool:
        """``load(settings, options)``, of which the first counts; returns whether it views the page.

        ``settings`` is the write key, or an object with it, with the workspace's settings document (``cdnSettings``)
        and with plugins. Without a load, calls have started with default options; one that follows still counts.
        """
        if self._loaded:
            return False
        self._loaded = True
        try:
            options = copy(raw_get(args, 1))
            self._start(options, raw_get(args, 0), moment)
        except Exception as error:  # an object that throws when it is read
            self._api.report("analytics.load: its options are not taken: %s" % error)
            self._start(UNDEFINED, UNDEFINED, moment)
            return False
        return truthy(raw_get(options, "initialPageview"))

    def start_once(self, moment: Moment | None = None) -> None:
        """Start without options, unless started."""
        if not self.started:
            self._start(UNDEFINED, UNDEFINED, moment)
            self.make_asked_calls(self._api.call)

    def make_asked_calls(self, perform: Performing) -> None:
        """Perform the calls that the page's address asks for, if they are due."""
        asked, self._asked = self._asked, []
        for method, args, moment in asked:
            perform(method, args, moment)

    def replay(self, calls: list[Waiting], perform: Performing) -> list[Value]:
        """Perform calls that waited; returns what each gives. As with the vendor, what sets the page up counts for all:

        ``load`` comes first, then `SETTING_UP`, then what the page's address asks for, and the rest in order.
        """
        results: list[Value] = [UNDEFINED] * len(calls)
        viewing = self._load_among(calls, results)
        set_up: list[list[int]] = [[] for _ in SETTING_UP]
        for index, waiting in enumerate(calls):
            if waiting[0] in SETTING_UP:
                set_up[SETTING_UP.index(waiting[0])].append(index)
        for indices in set_up:
            for index in indices:
                results[index] = perform(*calls[index])
        self.make_asked_calls(perform)
        for index, (method, args, moment) in enumerate(calls):
            if index == viewing:
                perform("page", make_array(), moment)
            if method != "load" and method not in SETTING_UP:
                results[index] = perform(method, args, moment)
        return results

    def _load_among(self, calls: list[Waiting], results: list[Value]) -> int:
        """Perform ``load`` if it is among the calls; returns the index of the one that views the page, or -1."""
        viewing = -1
        for index, (method, args, moment) in enumerate(calls):
            if method == "load":
                if self.load(args, moment):
                    viewing = index
                results[index] = resolved(UNDEFINED)
        if calls and not self.started:
            self._start(UNDEFINED, UNDEFINED, calls[0][2])
        return viewing

    # While the page makes up its mind

    def hold(self, method: str, args: Args, moment: Moment | None) -> Value:
        """Keep a call until the page has decided; returns a promise of what it gives."""
        promise, resolve, _ = make_promise()
        if len(self._held) >= MAX_WAITING:
            self._held.pop(0)
        self._held.append((method, args, moment or self._api.page.moment(), resolve))
        return promise

    def hand_back(self) -> list[tuple[str, Args, Moment]]:
        """Give up the calls that are held. Their promises settle."""
        held, self._held = self._held, []
        for _, _, _, resolve in held:
            resolve(UNDEFINED)
        return [(method, args, moment) for method, args, moment, _ in held]

    def _decide_later(self, promise: Value, options: Value, settings: Value, cdn: Value, moment: Moment | None) -> None:
        self.undecided, self.settled = True, False

        def decided(disabled: bool) -> Value:
            held, self._held = self._held, []
            self.undecided = False
            self._set_up(options, settings, cdn, disabled, moment)
            results = self.replay([(method, args, when) for method, args, when, _ in held], self._api.call)
            for entry, result in zip(held, results):
                entry[3](result)
            return UNDEFINED

        fulfilled = make_function(lambda args: decided(truthy(raw_get(args, 0))))
        invoke(promise, "then", fulfilled, make_function(lambda args: decided(True)))

    # Setting up

    def _start(self, options: Value, settings: Value, moment: Moment | None) -> None:
        self.started = True
        if not is_plain(settings):
            settings = make_object((("writeKey", "" if is_nullish(settings) else settings),))
        cdn = raw_get(settings, "cdnSettings")
        disable = raw_get(options, "disable")
        try:
            update = raw_get(options, "updateCDNSettings")
            if type_of(update) == "function":
                cdn = call(update, _document(cdn))
            if type_of(disable) == "function":
                disable = call(disable, _document(cdn))
                if is_promise(disable):
                    self._decide_later(disable, options, settings, cdn, moment)
                    return
                disable = truthy(disable)
        except Exception as error:
            self._api.report("a function in the options of analytics.load failed: %s" % error)
            disable = True
        self._set_up(options, settings, cdn, disable is True, moment)

    def _set_up(self, options: Value, settings: Value, cdn: Value, disabled: bool, moment: Moment | None) -> None:
        api = self._api
        self.settled = True
        if disabled:  # calls then come to nothing, and are remembered nowhere
            api.pipeline.install(())
            self._set_identity(make_object((("disableClientPersistence", True),)))
            self._describe(options, settings)
            return
        again, self._set_up_once = self._set_up_once, True
        self._set_identity(options)
        if not is_nullish(options):
            api.sender.integrations = raw_get(options, "integrations")
            self._destination = self._destination.configured(options, api.report)
        if self._destination.installed(api.sender.integrations):
            self._install(options, cdn)
        else:
            api.pipeline.install(())
        self._describe(options, settings)
        if type_of(raw_get(settings, "plugins")) == "array":
            api.register(raw_get(settings, "plugins"))
        # In its own tick, for listeners that the page adds after load.
        told = (settings, copy(make_object((("retryQueue", True),)), options))
        api.page.later(make_function(lambda args: api.listeners.emit("initialize", told)), 0)
        if raw_get(options, "useQueryString") is not False and not again:
            url = (moment or api.page.moment()).url
            self._asked = asked_by(query_of(url), raw_get(options, "useQueryString"), moment)

    def _install(self, options: Value, cdn: Value) -> None:
        pipeline, plugins = self._api.pipeline, self._destination.plugins
        if pipeline.plugins is not plugins:
            pipeline.install(plugins)
        if not (is_nullish(cdn) and is_nullish(raw_get(options, "plan"))):
            from .workspace import Workspace  # here, because few pages need it

            pipeline.workspace = Workspace(cdn, options, plugins, self._api.report)
        if not self._begun:
            self._begun = True
            self._begin(self._destination)

    def _set_identity(self, options: Value) -> None:
        cookie, page = raw_get(options, "cookie"), self._api.page
        shared = make_object()
        if truthy(raw_get(options, "disableClientPersistence")):
            shared = make_object((("persist", False),))
        storage = raw_get(options, "storage")
        if not is_nullish(storage):
            raw_put(shared, "storage", storage)
        user = User(page, copy(shared, raw_get(options, "user")), cookie)
        self._api.set_visitor(user, User(page, copy(shared, raw_get(options, "group")), cookie, group=True))

    def _describe(self, options: Value, settings: Value) -> None:
        """Put on the page's object what it tells about itself."""
        self.patterns = raw_get(options, "useQueryString")
        public = self._api.public
        if is_nullish(public):
            return
        options = make_object() if is_nullish(options) else options
        integrations = raw_get(options, "integrations")
        for name, value in (
            ("VERSION", self._version),
            ("initialized", True),
            ("settings", copy(settings, make_object((("timeout", self._api.sender.timeout),)))),
            ("options", options),
            ("integrations", make_object() if is_nullish(integrations) else integrations),
            ("plugins", make_object()),
        ):
            _put_on(public, name, value)
        key = raw_get(options, "globalAnalyticsKey")
        if truthy(key) and type_of(key) == "string":
            _put_on(self._api.page.window, key, public)


def _document(cdn: Value) -> Value:
    """The workspace's settings document; an empty one where the page has none, as we fetch none."""
    return make_object((("integrations", make_object()),)) if is_nullish(cdn) else cdn


def _put_on(target: Value, name: str, value: Value) -> None:
    """Put a value on an object of the page; one that is frozen, or says no, stays without."""
    try:
        put(target, name, value)
    except Exception:
        pass


def asked_by(search: str, patterns: Value, moment: Moment | None) -> list[Waiting]:
    """The calls that ``ajs_`` parameters ask for, made at ``moment``; ``patterns`` is the option ``useQueryString``."""
    calls: list[Waiting] = []
    if patterns is not False and "ajs_" in search:
        anonymous_id, user_id, traits, event, properties = query_calls(search)
        if anonymous_id and _matches(patterns, "aid", anonymous_id):
            calls.append(("setAnonymousId", make_array((anonymous_id,)), moment))
        if user_id and _matches(patterns, "uid", user_id):
            calls.append(("identify", make_array((user_id, traits)), moment))
        if event:
            calls.append(("track", make_array((event, properties)), moment))
    return calls


def _matches(patterns: Value, name: str, value: str) -> bool:
    """Whether a query-string id fits the pattern (a RegExp) that ``useQueryString`` may give for it."""
    pattern = raw_get(patterns, name) if is_plain(patterns) else UNDEFINED
    if is_nullish(pattern):
        return True
    return truthy(invoke(pattern, "test", value))
