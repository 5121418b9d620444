"""FullStory in a page: load it with all of its options, perform calls on it, know whether it is there."""

from __future__ import annotations

from ... import fullstory_options
from ...contracts import Call
from ...runtime import (
    UNDEFINED,
    call,
    get,
    invoke,
    make_function,
    make_object,
    put,
    raw_has,
    text,
    truthy,
    type_of,
)
from .regions import region_of, regional
from .snippet import Snippet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ...contracts import Value
    from ..page import Page

TIMEOUT = 30_000
"""Milliseconds after which an fs.js that neither loaded nor failed, or loaded and took no call, counts as blocked."""

_NOT_LOADED = "FullStory is blocked: https://%s could not be loaded (an ad blocker, the page's policy, or no such file)"
_OVERDUE = "FullStory is blocked: https://%%s has not come within %d seconds" % (TIMEOUT // 1000)
_EMPTY = "FullStory is blocked: https://%s came, but does nothing"
_NOT_ALLOWED = "FullStory is blocked: the page's Trusted Types allow neither https://%s nor a policy named fsbridge"

DEV_MODE = "FullStory was initialized in devMode and will stop recording"


class FullStory:
    """FullStory on one page.

    ``options`` is a plain dict of port values: ``orgId`` and those of `fsbridge.fullstory_options`, UNDEFINED where
    they are left out, and beside them

    - ``globals``: pairs of a name and a value to set on the window first;
    - ``calls_in_dev_mode``: with ``devMode``, calls go on to the FullStory that has been stopped, instead of nowhere.

    The org's region is put into hosts that are FullStory's.

    ``on_status`` is called with each new `status`:

    - "loading" until fs.js is there;
    - "ready" when it has loaded, or when the page had an FS of its own already, which is used and left alone;
    - "blocked" when fs.js failed to load (ad blocker, Content Security Policy, no network), or when nothing of it was
      seen for `TIMEOUT`. Then nothing is queued any more and promises are rejected. A late fs.js makes it "ready".

    ``on_lost(operation, options, source, version)`` is called for each operation that was queued or made while blocked.
    """

    def __init__(
        self,
        page: Page,
        options: dict[str, Any],
        on_status: Callable[[str], None] | None = None,
        on_lost: Callable[..., None] | None = None,
    ) -> None:
        self.status = "loading"
        self.on_status = on_status
        self._on_lost = on_lost or (lambda *operation: None)
        self._page = page
        self._options = options
        self._snippet: Snippet | None = None
        self.reason = ""  # why it is blocked, where nothing on the console has said it
        self.asleep = False  # nothing is performed, for devMode
        self._ask: Callable[[], None] = lambda: None  # for fs.js
        self.namespace = fullstory_options.namespace(options)

    def load(self, ready: Value = UNDEFINED) -> None:
        """Put FS on the page and ask for fs.js, unless there is an FS already. Never raises; see `status`.

        ``ready`` is a JavaScript function that FullStory calls with the session's address when a session starts.
        """
        page, namespace = self._page, self.namespace
        for name, value in self._options.get("globals") or ():
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

    def _install(self, ready: Value) -> None:
        page, option = self._page, self._options.get
        org, (host, script, environment) = self.org, self._resolved()
        snippet = self._snippet = Snippet(page, self.namespace, self._on_lost)
        snippet.operate("init", _env((("orgId", org), ("host", host), ("script", script))))
        snippet.operate("init", _env(environment))
        if type_of(ready) == "function":
            snippet.operate("observe", make_object((("type", "start"), ("callback", ready))))
        if option("devMode") is True:
            message = make_object((("message", DEV_MODE),))
            snippet.operate("trackEvent", make_object((("name", "FullStory Dev Mode"), ("properties", message))))
            snippet.operate("shutdown")
            page.say("warn", DEV_MODE)
            self.asleep = not option("calls_in_dev_mode")

        def loaded() -> None:
            snippet.resume()
            self._become("ready")

        def failed(reason: str = _NOT_LOADED) -> None:
            snippet.release("Error loading " + text(script))
            self.reason = reason % text(script)
            self._become("blocked")

        def overdue(args: Value) -> Value:
            # Some blockers swallow the request or answer it with an empty script: nothing of ours was taken then.
            if not snippet.taken_over and (snippet.waiting or self.status == "loading"):
                failed(_OVERDUE if self.status == "loading" else _EMPTY)
            return UNDEFINED

        def ask() -> None:
            try:
                snippet.request(org, script, loaded, failed)
            except Exception:  # a page that allows no script tag
                failed(_NOT_ALLOWED)

        self._ask = ask
        ask()
        page.later(make_function(overdue), TIMEOUT)

    def retry(self) -> None:
        """Ask once more for an fs.js that did not load.

        For a page that comes back from the back/forward cache: WebKit gives up what is on its way when it goes there.
        """
        if self.status == "blocked":
            self._ask()

    def perform(self, asked: Call) -> bool:
        """Perform a `fsbridge.contracts.Call`. Never raises; False when it could not go through and is lost."""
        snippet, method = self._snippet, asked.method
        if self.asleep or (self.status == "blocked" and not snippet):
            return False
        try:
            there = get(self._page.window, self.namespace)
            function = get(there, method) if method else there
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

    def stop(self) -> None:
        """The visitor doesn't agree any more: what waits is forgotten, and capture ends, or never begins."""
        if self._snippet and not self._snippet.taken_over:
            self._snippet.hold()
        else:
            self.perform(Call("", ["shutdown"]))

    def restart(self) -> None:
        """The visitor agrees again."""
        snippet = self._snippet
        if self._options.get("devMode") is True:
            return
        if snippet and snippet.held:
            if not snippet.taken_over:
                snippet.let_go()
                return
            snippet.held = False
            if not truthy(self._options.get("startCaptureManually")):
                self.perform(Call("", ["start"]))
        self.perform(Call("", ["restart"]))

    @property
    def org(self) -> Value:
        """The org id."""
        return self._options["orgId"]

    @property
    def waiting(self) -> int:
        """How many operations wait for fs.js."""
        return self._snippet.waiting if self._snippet else 0

    def session(self, format_: str) -> str:
        """The address ("url") or the id ("id") of the visitor's session in FullStory, empty while it isn't known."""
        try:
            options = make_object((("format", format_),))
            found = call(self._there(), "getSession", options) if self.status == "ready" else ""
        except Exception:  # a stranger's FS
            return ""
        return found if isinstance(found, str) else ""

    def observe(self, started: Value) -> None:
        """Call the JavaScript function ``started`` when a session starts."""
        self.perform(Call("", ["observe", make_object((("type", "start"), ("callback", started)))]))

    def _there(self) -> Value:
        try:
            return get(self._page.window, self.namespace)
        except Exception:
            return UNDEFINED

    def _resolved(self) -> tuple[Value, Value, list[tuple[str, Value]]]:
        """``host``, ``script`` and what FullStory is told of the session to come, with the org's region in them."""
        options = self._options
        if options.get("debug") is True and truthy(options.get("script", UNDEFINED)):
            self._page.say("warn", "Ignoring `debug = true` because `script` is set")
        host, script = fullstory_options.addresses(options)
        environment = [(name, value) for name, old, value in fullstory_options.environment(options)]
        region = region_of(text(self.org))
        if region:
            host = regional(text(host) if truthy(host) else fullstory_options.HOST, region)
            script = regional(text(script) if truthy(script) else fullstory_options.SCRIPT, region)
            environment = [
                (name, regional(text(value), region) if name == "appHost" else value) for name, value in environment
            ]
        return host, script, environment

    def _become(self, status: str) -> None:
        if status != self.status:
            self.status = status
            if self.on_status:
                self.on_status(status)


def _env(pairs: Sequence[tuple[str, Value]]) -> Value:
    return make_object((("env", make_object(pairs)),))
