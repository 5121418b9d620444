"""The snippet: ``window.FS``, which queues calls until fs.js is there, and the script tag that loads fs.js.

It speaks the protocol of FullStory's newest snippet, 2.1. What fs.js finds and relies on:

- ``FS(operation, options, source)`` and, ending in "Async", the same as a promise of the operation's result.
- ``FS.q``: an array of ``[operation, options, source, resolve, reject, version]``. ``version`` is 2, or 1 for what came
  through a v1 method such as ``FS.identify``, which stands for one or two operations.
- Once fs.js has set ``FS._api``, calls go there with those six arguments and nothing is queued any more.
- ``FS._w``: ``XMLHttpRequest`` as it was, and ``fetch``, an alias of ``window.fetch`` that reads and writes through.
  (FullStory's own snippet puts a function of its own around ``window.fetch`` instead; ours would run Python at every
  request of the page.)
- The script tag's ``data-fs-namespace`` and ``?org=``.

Unlike FullStory's, our FS never throws, and its queue holds `MAX_WAITING` operations at most, the newest. Once fs.js
is known to be blocked it keeps nothing: see `Snippet.release`.
"""

from __future__ import annotations

from ...runtime import (
    NULL,
    UNDEFINED,
    apply,
    call,
    invoke,
    is_nullish,
    make_array,
    make_function,
    make_object,
    make_promise,
    put,
    raw_construct,
    raw_get,
    raw_items,
    raw_put,
    record,
    text,
    truthy,
    type_of,
)
from ..page import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...contracts import Value
    from ..page import Page

VERSION = "2.1.0"
MAX_WAITING = 1000
_SETTING_UP = ("init", "observe")

POLICY = "fsbridge"
"""The name of the policy for fs.js' address where a page enforces Trusted Types, for ``trusted-types``."""

_XHTML = "http://www.w3.org/1999/xhtml"


class Snippet:
    """FS on one page, there for all of the page's code once the object is made; `request` then loads fs.js.

    ``on_lost(operation, options, source, version)`` is called for each that won't go through.
    """

    def __init__(self, page: Page, namespace: str, on_lost: Callable[..., None]) -> None:
        self._on_lost = on_lost
        self._page = page
        self._namespace = namespace
        self._blocked_by = ""
        self.held = False  # see `hold`
        self.fs = self._function(self._call)
        self._own: dict[str, tuple[Any, Any]] = {"": (self.fs, self.operate)}  # our functions, and what they do
        raw_put(self.fs, "q", make_array())
        self._nothing = self._function(lambda *args: UNDEFINED)
        for name, body in (
            ("identify", self._identify),
            ("setUserVars", self._set_user_properties),
            ("setVars", self._set_properties),
            ("event", self._event),
            ("anonymize", lambda *args: self._identify(False)),
            ("shutdown", lambda *args: self._v1("shutdown")),
            ("restart", lambda *args: self._v1("restart")),
            ("log", self._log),
            ("consent", self._consent),
        ):
            function = self._function(body)
            self._own[name] = function, body
            raw_put(self.fs, name, function)
        raw_put(self.fs, "identifyAccount", self._nothing)
        raw_put(self.fs, "clearUserCookie", self._nothing)
        raw_put(self.fs, "_w", _network(page))
        raw_put(self.fs, "_v", VERSION)
        page.set_global(namespace, self.fs)

    def perform(self, method: str, function: Value, args: list[Value]) -> bool:
        """Do what ``function`` (``FS``, or its ``method``) would do, without a detour through JavaScript.

        Returns whether it did: not when the page has put another function there.
        """
        own = self._own.get(method)
        if own is None or own[0] != function:
            return False
        try:
            own[1](*args)
        except Exception as error:
            self._failed(error)
        return True

    def request(self, org: Value, script: Value, loaded: Callable[[], None], failed: Callable[[], None]) -> None:
        """Put the script tag into the page. ``loaded()`` or ``failed()`` is called when the browser says so.

        Raises when the page doesn't let a script tag be made (Trusted Types without a policy named `POLICY`).
        """
        document = self._page.document
        head = read(document, "head")
        if is_nullish(head):  # an SVG document: there a script is of HTML by its namespace alone
            head = read(document, "documentElement")
            tag = invoke(document, "createElementNS", _XHTML, "script")
        else:
            tag = invoke(document, "createElement", "script")
        put(tag, "async", True)
        put(tag, "crossOrigin", "anonymous")
        put(tag, "src", self._trusted("https://" + text(script) + "?org=" + text(org)))
        invoke(tag, "setAttribute", "data-fs-namespace", self._namespace)
        put(tag, "onload", self._function(lambda *args: loaded()))
        put(tag, "onerror", self._function(lambda *args: failed()))
        first = read(invoke(document, "getElementsByTagName", "script"), 0)
        parent = read(first, "parentNode")
        if is_nullish(parent):
            invoke(head, "appendChild", tag)
        else:
            invoke(parent, "insertBefore", tag, first)

    def _trusted(self, address: str) -> Value:
        """The address as pages that enforce Trusted Types want it, where they let us make a policy."""
        types = self._page.global_("trustedTypes")
        if is_nullish(types):
            return address
        try:
            rules = make_object((("createScriptURL", make_function(lambda args: raw_get(args, 0))),))
            return invoke(invoke(types, "createPolicy", POLICY, rules), "createScriptURL", address)
        except Exception:  # not this page
            return address

    @property
    def taken_over(self) -> bool:
        """Whether fs.js has taken over."""
        return truthy(raw_get(self.fs, "_api"))

    @property
    def waiting(self) -> int:
        """How many operations wait for fs.js."""
        queue = raw_get(self.fs, "q")
        return raw_get(queue, "length") if type_of(queue) == "array" else 0

    def release(self, reason: str) -> None:
        """fs.js won't come: forget what is queued and keep nothing from now on. Promises are rejected with ``reason``.

        Should fs.js come after all, it gets every call from then on.
        """
        self._blocked_by = reason
        queue = raw_get(self.fs, "q")
        raw_put(self.fs, "q", make_array())
        for entry in raw_items(queue) if type_of(queue) == "array" else ():
            self._forget(entry)

    def resume(self) -> None:
        """fs.js came: undo `release`."""
        self._blocked_by = ""

    def hold(self) -> None:
        """The visitor doesn't agree: forget what is queued, and keep an fs.js that is yet to come from capturing."""
        queue = raw_get(self.fs, "q")
        entries = raw_items(queue) if type_of(queue) == "array" else []
        for entry in entries:
            if raw_get(entry, 0) not in _SETTING_UP and type_of(raw_get(entry, 4)) == "function":
                call(raw_get(entry, 4), raw_construct("Error", "the visitor doesn't agree"))
        kept = [entry for entry in entries if raw_get(entry, 0) in _SETTING_UP]
        environment = make_object((("env", make_object((("captureOnStartup", False),))),))
        kept.append(make_array(("init", environment, UNDEFINED, UNDEFINED, UNDEFINED, 2)))
        kept.append(make_array(("shutdown", UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, 2)))
        raw_put(self.fs, "q", make_array(kept))
        self.held = True

    def let_go(self) -> None:
        """Undo `hold`, before fs.js has come."""
        queue = raw_get(self.fs, "q")
        entries = raw_items(queue) if type_of(queue) == "array" else []
        ours = [index for index, entry in enumerate(entries) if raw_get(entry, 0) == "shutdown"][:1]
        for index in ours:  # what hold put there: it and the one before
            invoke(queue, "splice", index - 1, 2)
        self.held = False

    def operate(
        self, operation: Value, options: Value = UNDEFINED, source: Value = UNDEFINED, version: Value = 2
    ) -> Value:
        """``FS(operation, options, source)``: a v2 operation, or a promise when its name ends in "Async"."""
        if isinstance(operation, str) and operation.endswith("Async"):
            promise, resolve, reject = make_promise()
            invoke(promise, "catch", self._nothing)  # no "unhandled rejection" where nobody looks at it
            self._send(operation[:-5], options, source, resolve, reject, version)
            return promise
        return self._send(operation, options, source, UNDEFINED, UNDEFINED, version)

    def _send(
        self, operation: Value, options: Value, source: Value, resolve: Value, reject: Value, version: Value
    ) -> Value:
        api = raw_get(self.fs, "_api")
        if truthy(api):
            return apply(api, self.fs, (operation, options, source, resolve, reject, version))
        if self._blocked_by:
            self._lose(operation, options, source, reject, version)
            return NULL
        queue = raw_get(self.fs, "q")
        if truthy(queue):
            invoke(queue, "push", make_array((operation, options, source, resolve, reject, version)))
            if raw_get(queue, "length") > MAX_WAITING:
                self._drop_oldest(queue)
        return NULL

    def _drop_oldest(self, queue: Value) -> None:
        index = 0
        while raw_get(raw_get(queue, index), 0) in _SETTING_UP:
            index += 1
        self._forget(raw_get(invoke(queue, "splice", index, 1), 0))

    def _forget(self, entry: Value) -> None:
        self._lose(*[raw_get(entry, index) for index in (0, 1, 2, 4, 5)])  # the page may have put it there, shorter

    def _lose(self, operation: Value, options: Value, source: Value, reject: Value, version: Value) -> None:
        self._on_lost(operation, options, source, version)
        if type_of(reject) == "function":
            call(reject, raw_construct("Error", self._blocked_by or "too many calls wait for FullStory"))

    def _call(
        self,
        operation: Value = UNDEFINED,
        options: Value = UNDEFINED,
        source: Value = UNDEFINED,
        version: Value = 2,
        *more: Value,
    ) -> Value:
        return self.operate(operation, options, source, version if truthy(version) else 2)

    # The v1 methods, by the operations they stand for.

    def _v1(self, operation: str, options: Value = UNDEFINED, source: Value = UNDEFINED) -> Value:
        self._send(operation, options, source, UNDEFINED, UNDEFINED, 1)
        return UNDEFINED

    def _set_properties(
        self, scope: Value = UNDEFINED, properties: Value = UNDEFINED, source: Value = UNDEFINED, *more: Value
    ) -> Value:
        return self._v1("setProperties", make_object((("type", scope), ("properties", properties))), source)

    def _set_user_properties(self, properties: Value = UNDEFINED, source: Value = UNDEFINED, *more: Value) -> Value:
        return self._set_properties("user", properties, source)

    def _identify(
        self, uid: Value = UNDEFINED, properties: Value = UNDEFINED, source: Value = UNDEFINED, *more: Value
    ) -> Value:
        self._set_user_properties(make_object((("uid", uid),)), source)
        if truthy(properties):
            self._set_user_properties(properties, source)
        return UNDEFINED

    def _event(
        self, name: Value = UNDEFINED, properties: Value = UNDEFINED, source: Value = UNDEFINED, *more: Value
    ) -> Value:
        return self._v1("trackEvent", record(name=name, properties=properties), source)

    def _log(self, level: Value = UNDEFINED, message: Value = UNDEFINED, *more: Value) -> Value:
        return self._v1("log", make_object((("level", level), ("msg", message))))

    def _consent(self, given: Value = True, *more: Value) -> Value:
        return self._v1("setIdentity", make_object((("consent", given),)))

    def _function(self, body: Callable[..., Value]) -> Value:
        return make_function(lambda args: self._attempt(body, raw_items(args)))

    def _attempt(self, body: Callable[..., Value], args: list[Value]) -> Value:
        try:
            return body(*args)
        except Exception as error:  # the page called us: nothing may be thrown into it
            return self._failed(error)

    def _failed(self, error: Exception) -> Value:
        self._page.say("warn", "%s failed: %s" % (self._namespace, error))
        return UNDEFINED


def _network(page: Page) -> Value:
    """``FS._w``, made of the browser's own functions, so that no request of the page waits for Python."""
    network = make_object((("XMLHttpRequest", page.global_("XMLHttpRequest")),))
    reflect = page.global_("Reflect")
    getter, setter = read(reflect, "get"), read(reflect, "set")
    if type_of(page.global_("fetch")) == type_of(getter) == type_of(setter) == "function":
        access = make_object((("enumerable", True), ("configurable", True)))
        raw_put(access, "get", invoke(getter, "bind", UNDEFINED, page.window, "fetch"))
        raw_put(access, "set", invoke(setter, "bind", UNDEFINED, page.window, "fetch"))
        invoke(page.global_("Object"), "defineProperty", network, "fetch", access)
    return network
