"""FullStory in a page: load it with all of its options, perform calls on it, know whether it is there."""

from ...runtime import (
    NULL,
    UNDEFINED,
    call,
    get,
    invoke,
    make_function,
    make_object,
    put,
    raw_get,
    raw_has,
    raw_put,
    text,
    truthy,
    type_of,
)
from .regions import DOMAIN, region_of, regional
from .snippet import Snippet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...contracts import Call, Value
    from ..page import Page

SCRIPT = "edge.fullstory.com/s/fs.js"
DEBUG_SCRIPT = "edge.fullstory.com/s/fs-debug.js"
TIMEOUT = 30_000
"""Milliseconds after which an fs.js that neither loaded nor failed, or loaded and took no call, counts as blocked."""

_NOT_LOADED = "FullStory is blocked: https://%s could not be loaded (an ad blocker, the page's policy, or no such file)"
_OVERDUE = "FullStory is blocked: https://%%s has not come within %d seconds" % (TIMEOUT // 1000)
_EMPTY = "FullStory is blocked: https://%s came, but does nothing"
_NOT_ALLOWED = "FullStory is blocked: the page's Trusted Types allow neither https://%s nor a policy named fsbridge"

DEV_MODE = "FullStory was initialized in devMode and will stop recording"


class FullStory:
    """FullStory on one page.

    ``options`` is a plain dict; every entry may be left out (which isn't the same as None: that is JavaScript's null,
    and an address of null or of no text at all is taken by its word, as FullStory's SDK does):

    - ``org``: the org id. ``namespace``: the name of the global, "FS".
    - ``host``, ``script``, ``app_host``: FullStory's servers, or a proxy of one's own. The org's region is put into
      hosts that are FullStory's.
    - ``debug``: load the debugging build of fs.js (only True does; not when ``script`` is given).
    - ``dev_mode``: tell FullStory to stop at once, and perform nothing (only True does).
    - ``outer_script``: capture an iframe as a session of its own. ``cross_domain_iframes``: capture in an iframe of
      another domain as a part of the outer page's session.
    - ``cookie_domain``, ``asset_map_id``, ``session_uid``: handed on. ``start_manually``: capture starts with
      ``FS("start")``, not by itself.
    - ``globals``: pairs of a name and a value to set on the window first.

    ``on_status`` is called with each new `status`:

    - "loading" until fs.js is there;
    - "ready" when it has loaded, or when the page had an FS of its own already, which is used and left alone;
    - "blocked" when fs.js failed to load (ad blocker, Content Security Policy, no network), or when nothing of it was
      seen for `TIMEOUT`. Then nothing is queued any more and promises are rejected. A late fs.js makes it "ready".

    ``on_lost(operation, options, source, version)`` is called for each operation that was queued or made while blocked.
    """

    def __init__(
        self,
        page: "Page",
        options: "dict[str, Any]",
        on_status: "Callable[[str], None] | None" = None,
        on_lost: "Callable[..., None] | None" = None,
    ) -> None:
        self.status = "loading"
        self.on_status = on_status
        self._on_lost = on_lost or (lambda *operation: None)
        self._page = page
        self._options = options
        self._snippet: "Snippet | None" = None
        self.reason = ""  # why it is blocked, where nothing on the console has said it
        self.asleep = False  # stopped by dev_mode
        self._namespace = options.get("namespace") or "FS"

    def load(self, ready: "Value" = UNDEFINED) -> None:
        """Put FS on the page and ask for fs.js, unless there is an FS already. Never raises; see `status`.

        ``ready`` is a JavaScript function that FullStory calls with the session's address when a session starts.
        """
        page, option, namespace = self._page, self._options.get, self._namespace
        for name, value in option("globals") or ():
            try:
                put(page.window, name, value)
            except Exception:  # the page has made it read-only
                page.say("warn", "the global %s can't be set" % name)
        there = self._there()
        if truthy(there):
            page.say("warn", "The FullStory snippet has already been defined elsewhere (likely in the <head> element)")
            self._become("ready" if type_of(there) == "function" else "blocked")
            return
        if raw_has(page.window, namespace):
            page.say("log", "FullStory namespace conflict. Please use a different namespace.")
            page.say("warn", "Failed to initialize FS snippet")
            self._become("blocked")
            return
        self._install(ready)

    def _install(self, ready: "Value") -> None:
        page, option = self._page, self._options.get
        org, (host, script, app_host) = _value(option("org")), self._addresses()
        snippet = self._snippet = Snippet(page, self._namespace, self._on_lost)
        snippet.operate("init", _env(make_object((("orgId", org), ("host", host), ("script", script)))))
        snippet.operate("init", _env(self._environment(app_host)))
        if type_of(ready) == "function":
            snippet.operate("observe", make_object((("type", "start"), ("callback", ready))))
        if option("dev_mode") is True:
            message = make_object((("message", DEV_MODE),))
            snippet.operate("trackEvent", make_object((("name", "FullStory Dev Mode"), ("properties", message))))
            snippet.operate("shutdown")
            page.say("warn", DEV_MODE)
            self.asleep = True

        def loaded() -> None:
            snippet.resume()
            self._become("ready")

        def failed(reason: str = _NOT_LOADED) -> None:
            snippet.release("Error loading " + text(script))
            self.reason = reason % text(script)
            self._become("blocked")

        def overdue(args: "Value") -> "Value":
            # Some blockers swallow the request or answer it with an empty script: nothing of ours was taken then.
            if not snippet.taken_over and (snippet.waiting or self.status == "loading"):
                failed(_OVERDUE if self.status == "loading" else _EMPTY)
            return UNDEFINED

        try:
            snippet.request(org, script, loaded, failed)
            page.later(make_function(overdue), TIMEOUT)
        except Exception:  # a page that allows no script tag
            failed(_NOT_ALLOWED)

    def perform(self, asked: "Call") -> bool:
        """Perform a `fsbridge.contracts.Call`. Never raises; False when it could not go through and is lost."""
        snippet, method = self._snippet, asked.method
        if self.asleep or (self.status == "blocked" and not snippet):
            return False
        read = raw_get if snippet else get  # the fast one is for objects whose getters don't throw
        try:
            there = read(self._page.window, self._namespace)
            function = read(there, method) if method else there
            if snippet and snippet.perform(method, function, asked.args):
                return self.status != "blocked" or snippet.taken_over
            if type_of(function) != "function":
                return False
            if asked.method:
                invoke(there, asked.method, *asked.args)
            else:
                call(there, *asked.args)
        except Exception:  # a stranger's FS
            return False
        return True

    @property
    def org(self) -> "Any":
        """The org id, or None."""
        return self._options.get("org")

    @property
    def waiting(self) -> int:
        """How many operations wait for fs.js."""
        return self._snippet.waiting if self._snippet else 0

    def session_url(self) -> str:
        """The address of the visitor's session in FullStory, empty while it isn't known."""
        try:
            url = call(self._there(), "getSession") if self.status == "ready" else ""
        except Exception:  # a stranger's FS
            return ""
        return url if isinstance(url, str) else ""

    def _there(self) -> "Value":
        try:
            return get(self._page.window, self._namespace)
        except Exception:
            return UNDEFINED

    def _addresses(self) -> "tuple[Value, Value, Value]":
        option, page = self._options.get, self._page
        host, script, app_host = option("host", DOMAIN), option("script", SCRIPT), option("app_host")
        if option("debug") is True:
            if option("script"):
                page.say("warn", "Ignoring `debug = true` because `script` is set")
            else:
                script = DEBUG_SCRIPT
        region = region_of(text(_value(option("org", ""))))
        if region:
            host, script = regional(host or DOMAIN, region), regional(script or SCRIPT, region)
            app_host = app_host and regional(app_host, region)
        return _value(host), _value(script), app_host

    def _environment(self, app_host: "Value") -> "Value":
        option = self._options.get
        environment = make_object()
        for name, value in (
            ("runInIframe", truthy(option("cross_domain_iframes"))),
            ("appHost", app_host),
            ("assetMapId", option("asset_map_id")),
            ("isOuterScript", truthy(option("outer_script"))),
            ("cookieDomain", option("cookie_domain")),
            ("sessionUid", option("session_uid")),
        ):
            if truthy(value):
                raw_put(environment, name, value)
        if truthy(option("start_manually")):
            raw_put(environment, "captureOnStartup", False)
        return environment

    def _become(self, status: str) -> None:
        if status != self.status:
            self.status = status
            if self.on_status:
                self.on_status(status)


def _value(given: "Any") -> "Value":
    return NULL if given is None else given


def _env(environment: "Value") -> "Value":
    return make_object((("env", environment),))
