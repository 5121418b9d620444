"""The sources' APIs for Python authors: the methods of each, taking Python's values.

None is null; at the end of a call's arguments it is as good as left out. Dicts, lists, dates and what else has an
obvious JSON form become JavaScript's (see `from_python`); JavaScript's own values stay what they are; a Python
function is a callback, called without arguments. What has no JSON form raises TypeError at the call, naming the
event, the property and the type. A method returns what JavaScript code would get.
"""

from __future__ import annotations

from ..runtime import UNDEFINED, is_javascript, make_array, make_function
from ..runtime.python_values import from_python
from ..settings import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from .bridge import Bridge
    from .hanging import Hanging

    Data = Mapping[str, Any]
    Callback = Callable[[], Any]


class Analytics:
    """A source's API on this page. ``status`` is "ready", or "blocked" when fs.js did not load."""

    def __init__(self, bridge: Bridge | Hanging) -> None:
        self._bridge = bridge

    @property
    def status(self) -> str:
        """Whether FullStory listens: "ready", or "blocked" when fs.js did not load."""
        return self._bridge.status

    if not TYPE_CHECKING:  # a checker shall know of no other methods than those below

        def __getattr__(self, method):
            if method.startswith("_"):
                raise AttributeError(method)
            source = self._bridge.source
            if method in source.unsupported:  # there, and does nothing
                return lambda *args: self._call(method, "", *args)
            near = nearest(method, source.methods)
            hint = "; did you mean %r?" % near if near else ""
            raise AttributeError("%s has no method %r%s" % (source.api, method, hint))

    def _call(self, method: str, names: str, *args: Any) -> Any:
        """Call the source's ``method``; ``names`` are those of the arguments, the last also of those that follow it."""
        given = list(args)
        while given and given[-1] is None:
            given.pop()
        known = names.split() or ["argument"]
        values = []
        for index, value in enumerate(given):
            if callable(value) and not is_javascript(value) and not isinstance(value, type):
                values.append(_callback(value))
                continue
            try:
                values.append(from_python(value, known[min(index, len(known) - 1)]))
                continue
            except TypeError as error:
                problem = str(error)
            first = repr(given[0]) if isinstance(given[0], str) else ""
            raise TypeError("%s.%s(%s): %s" % (self._bridge.source.global_name, method, first, problem))
        return self._bridge.call(method, make_array(values))


def _callback(function: Callback) -> Any:
    def body(args: Any) -> Any:
        function()
        return UNDEFINED

    return make_function(body)


class AnalyticsJs(Analytics):
    """Segment's API, ``analytics`` (analytics.js 2.0)."""

    def track(
        self,
        event: str | Data,
        properties: Data | Callback | None = None,
        options: Data | Callback | None = None,
        callback: Callback | None = None,
    ) -> Any:
        """Record what the visitor did: ``track("Order Completed", {"price": 99.95})``.

        ``options`` are the message's integrations, context and timestamp; ``callback`` is called once it is delivered.
        Returns a promise of the delivered context.
        """
        return self._call("track", "event properties options callback", event, properties, options, callback)

    def page(
        self,
        category: str | Data | Callback | None = None,
        name: str | Data | Callback | None = None,
        properties: Data | Callback | None = None,
        options: Data | Callback | None = None,
        callback: Callback | None = None,
    ) -> Any:
        """Record a page view: ``page("Home")``, ``page("Shop", "Shoes")``. A single text is the page's name."""
        return self._call(
            "page", "category name properties options callback", category, name, properties, options, callback
        )

    def screen(
        self,
        category: str | Data | Callback | None = None,
        name: str | Data | Callback | None = None,
        properties: Data | Callback | None = None,
        options: Data | Callback | None = None,
        callback: Callback | None = None,
    ) -> Any:
        """Record a screen of an app; its arguments are those of `page`."""
        return self._call(
            "screen", "category name properties options callback", category, name, properties, options, callback
        )

    def identify(
        self,
        userId: str | int | Data | None = None,
        traits: Data | Callback | None = None,
        options: Data | Callback | None = None,
        callback: Callback | None = None,
    ) -> Any:
        """Say who the visitor is: ``identify("u1", {"plan": "premium"})``; without an id only traits are added."""
        return self._call("identify", "userId traits options callback", userId, traits, options, callback)

    def group(
        self,
        groupId: str | int | Data | None = None,
        traits: Data | Callback | None = None,
        options: Data | Callback | None = None,
        callback: Callback | None = None,
    ) -> Any:
        """Say which company or team the visitor belongs to. Without arguments it returns the group's object."""
        return self._call("group", "groupId traits options callback", groupId, traits, options, callback)

    def alias(
        self,
        userId: str | int | None = None,
        previousId: str | int | Data | None = None,
        options: Data | Callback | None = None,
        callback: Callback | None = None,
    ) -> Any:
        """Say that ``userId`` is the same visitor as ``previousId``, which is by default the current one."""
        return self._call("alias", "userId previousId options callback", userId, previousId, options, callback)

    def load(self, settings: Data | None = None, options: Data | None = None) -> Any:
        """Start with the options of Segment's ``analytics.load``; without it, the first call starts with none."""
        return self._call("load", "settings options", settings, options)

    def ready(self, callback: Callback | None = None) -> Any:
        """Call ``callback`` once calls are performed; returns a promise of the same."""
        return self._call("ready", "callback", callback)

    def reset(self) -> Any:
        """Forget who the visitor is: ids and traits."""
        return self._call("reset", "")

    def user(self) -> Any:
        """The visitor: an object with ``id()``, ``anonymousId()`` and ``traits()``."""
        return self._call("user", "")

    def setAnonymousId(self, id: str | None = None) -> Any:
        """Replace the anonymous id; returns it."""
        return self._call("setAnonymousId", "id", id)

    def on(self, event: str, callback: Callback) -> Any:
        """Call ``callback`` at each ``event``, such as "track" or "identify"."""
        return self._call("on", "event callback", event, callback)

    def once(self, event: str, callback: Callback) -> Any:
        """`on`, for the next time alone."""
        return self._call("once", "event callback", event, callback)

    def off(self, event: str, callback: Any = None) -> Any:
        """Remove a listener, which is a function of JavaScript; without one all of the ``event``."""
        return self._call("off", "event callback", event, callback)

    def emit(self, event: str, *args: Any) -> Any:
        """Tell the listeners of ``event``."""
        return self._call("emit", "event argument", event, *args)

    def debug(self, on: bool = True) -> Any:
        """Say on the console what FullStory would reject and what does nothing here."""
        return self._call("debug", "on", on)

    def timeout(self, milliseconds: int | float) -> Any:
        """How long callbacks wait, in milliseconds; 300 by default."""
        return self._call("timeout", "milliseconds", milliseconds)

    def addSourceMiddleware(self, middleware: Any) -> Any:
        """Let a function of JavaScript see, change or drop every message."""
        return self._call("addSourceMiddleware", "middleware", middleware)

    def addDestinationMiddleware(self, integration: str, *middleware: Any) -> Any:
        """Let functions of JavaScript see, change or drop the messages for ``integration``."""
        return self._call("addDestinationMiddleware", "integration middleware", integration, *middleware)

    def register(self, *plugins: Any) -> Any:
        """Add plugins of analytics.js, objects of JavaScript."""
        return self._call("register", "plugin", *plugins)

    def deregister(self, *names: str) -> Any:
        """Remove plugins by name."""
        return self._call("deregister", "name", *names)

    def trackLink(self, links: Any, event: Any, properties: Any = None, options: Data | None = None) -> Any:
        """Track clicks on links, elements of the page, before the browser follows them."""
        return self._call("trackLink", "links event properties options", links, event, properties, options)

    def trackClick(self, links: Any, event: Any, properties: Any = None, options: Data | None = None) -> Any:
        """`trackLink` under its older name."""
        return self._call("trackClick", "links event properties options", links, event, properties, options)

    def trackForm(self, forms: Any, event: Any, properties: Any = None, options: Data | None = None) -> Any:
        """Track that forms, elements of the page, are submitted, before the browser does it."""
        return self._call("trackForm", "forms event properties options", forms, event, properties, options)

    def trackSubmit(self, forms: Any, event: Any, properties: Any = None, options: Data | None = None) -> Any:
        """`trackForm` under its older name."""
        return self._call("trackSubmit", "forms event properties options", forms, event, properties, options)

    def pageview(self, url: str | None = None) -> Any:
        """`page` of old: ``url`` is the path."""
        return self._call("pageview", "url", url)

    def queryString(self, query: str) -> Any:
        """Perform the calls in a query string such as ``?ajs_event=Clicked``."""
        return self._call("queryString", "query", query)

    def use(self, plugin: Any) -> Any:
        """Call a plugin of old, a function of JavaScript, with ``analytics``."""
        return self._call("use", "plugin", plugin)

    def init(self, settings: Data | None = None, options: Data | None = None) -> Any:
        """`initialize` under its older name."""
        return self._call("init", "settings options", settings, options)

    def initialize(self, settings: Data | None = None, options: Data | None = None) -> Any:
        """Do nothing, as in Segment's API; returns a promise."""
        return self._call("initialize", "settings options", settings, options)


class RudderAnalytics(Analytics):
    """RudderStack's API, ``rudderanalytics`` (its JavaScript SDK 3)."""

    def track(
        self,
        event: str,
        properties: Data | Callback | None = None,
        options: Data | Callback | None = None,
        callback: Callback | None = None,
    ) -> Any:
        """Record what the visitor did: ``track("Order Completed", {"price": 99.95})``.

        ``options`` are the message's integrations, context and ids; ``callback`` is called once it is on its way.
        """
        return self._call("track", "event properties options callback", event, properties, options, callback)

    def page(
        self,
        category: str | Data | Callback | None = None,
        name: str | Data | Callback | None = None,
        properties: Data | Callback | None = None,
        options: Data | Callback | None = None,
        callback: Callback | None = None,
    ) -> Any:
        """Record a page view: ``page("Home")``, ``page("Shop", "Shoes")``. A single text is the page's name."""
        return self._call(
            "page", "category name properties options callback", category, name, properties, options, callback
        )

    def identify(
        self,
        userId: str | int | Data | None = None,
        traits: Data | Callback | None = None,
        options: Data | Callback | None = None,
        callback: Callback | None = None,
    ) -> Any:
        """Say who the visitor is: ``identify("u1", {"plan": "premium"})``; without an id only traits are added."""
        if userId is None:  # RudderStack knows that by what comes first
            return self._call("identify", "traits options callback", traits, options, callback)
        return self._call("identify", "userId traits options callback", userId, traits, options, callback)

    def group(
        self,
        groupId: str | int | Data | None = None,
        traits: Data | Callback | None = None,
        options: Data | Callback | None = None,
        callback: Callback | None = None,
    ) -> Any:
        """Say which company or team the visitor belongs to."""
        if groupId is None:  # RudderStack knows that by what comes first
            return self._call("group", "traits options callback", traits, options, callback)
        return self._call("group", "groupId traits options callback", groupId, traits, options, callback)

    def alias(
        self,
        userId: str | None = None,
        previousId: str | Data | None = None,
        options: Data | Callback | None = None,
        callback: Callback | None = None,
    ) -> Any:
        """Say that ``userId`` is the same visitor as ``previousId``, which is by default the current one."""
        return self._call("alias", "userId previousId options callback", userId, previousId, options, callback)

    def load(self, writeKey: str, dataPlaneUrl: str | None = None, options: Data | None = None) -> Any:
        """Start with the options of RudderStack's ``load``; without it, the first call starts with none."""
        return self._call("load", "writeKey dataPlaneUrl options", writeKey, dataPlaneUrl, options)

    def ready(self, callback: Callback) -> Any:
        """Call ``callback`` once calls are performed."""
        return self._call("ready", "callback", callback)

    def reset(self, options: bool | Data | None = None) -> Any:
        """Forget who the visitor is; with True the anonymous id, too."""
        return self._call("reset", "options", options)

    def consent(self, options: Data | None = None) -> Any:
        """Say what the visitor consents to; what waited for it goes on."""
        return self._call("consent", "options", options)

    def getUserId(self) -> Any:
        """The user id, empty text without one."""
        return self._call("getUserId", "")

    def getUserTraits(self) -> Any:
        """The user's traits, an object of JavaScript."""
        return self._call("getUserTraits", "")

    def getGroupId(self) -> Any:
        """The group's id, empty text without one."""
        return self._call("getGroupId", "")

    def getGroupTraits(self) -> Any:
        """The group's traits, an object of JavaScript."""
        return self._call("getGroupTraits", "")

    def getAnonymousId(self, options: Data | None = None) -> Any:
        """The anonymous id."""
        return self._call("getAnonymousId", "options", options)

    def setAnonymousId(self, anonymousId: str | None = None, rudderAmpLinkerParam: str | None = None) -> Any:
        """Replace the anonymous id, by default with a new one."""
        return self._call("setAnonymousId", "anonymousId rudderAmpLinkerParam", anonymousId, rudderAmpLinkerParam)

    def startSession(self, sessionId: int | None = None) -> Any:
        """Start a session, whose id has at least ten digits."""
        return self._call("startSession", "sessionId", sessionId)

    def endSession(self) -> Any:
        """End the session."""
        return self._call("endSession", "")

    def getSessionId(self) -> Any:
        """The session's id, null without one."""
        return self._call("getSessionId", "")

    def setAuthToken(self, token: str) -> Any:
        """Keep the token that messages carry."""
        return self._call("setAuthToken", "token", token)

    def setCustomContext(self, context: Data) -> Any:
        """Add to the context of every message that follows."""
        return self._call("setCustomContext", "context", context)

    def getCustomContext(self) -> Any:
        """What `setCustomContext` was given."""
        return self._call("getCustomContext", "")

    def clearCustomContext(self) -> Any:
        """Forget what `setCustomContext` was given."""
        return self._call("clearCustomContext", "")
