"""Plays a recorded scenario of a Segment destination on a simulated page, page load by page load."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_name

import fsbridge.runtime.cpython as port
from fsbridge import destinations, settings
from fsbridge.browser.bridge import Bridge
from fsbridge.browser.page import Page
from fsbridge.contracts import Moment
from fsbridge.runtime import UNDEFINED, call, invoke, make_array, make_object, raw_get, raw_put
from fsbridge.runtime.cpython import Function, JsError, Promise
from fsbridge.testing.simulated import Cookies, SimulatedWindow

from . import tagged


def play(
    scenario: dict[str, Any], queued: bool = False
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]], list[str]]]:
    """Yield ``(page, calls, anonymous ids at each call)`` for each page load of ``scenario``.

    With ``queued`` the calls before load wait, as they do in the tag until Python is live, and are then performed with
    the moment each was made.
    """
    port.local_zone = ZoneInfo(scenario["timezone"]) if "timezone" in scenario else UTC
    if "timezone" in scenario:
        port.zone_name = lambda moment: get_timezone_name(moment, "long", locale="en_US")
    cookies = Cookies()
    local: dict[str, Any] = {}
    session: dict[str, Any] = {}
    for cookie in pairs(scenario.get("cookies")):
        cookies.values[cookie[0]] = cookie[1]
    for page in scenario["pages"]:
        local.update(page.get("storage") or {})
        window = SimulatedWindow(
            page["url"],
            title=page["title"],
            referrer=page["referrer"],
            canonical=page["canonical"],
            cookies=cookies,
            local=local,
            session=session,
        )
        player = _Player(scenario, window)
        player.run(page, queued)
        yield page, window.calls, player.anonymous_ids


def pairs(cookies: Any) -> list[tuple[str, str]]:
    if isinstance(cookies, dict):
        return list(cookies.items())
    return [(cookie["name"], cookie["value"]) for cookie in cookies or []]


def settings_of(scenario: dict[str, Any], plain: bool = False) -> dict[str, Any]:
    """A scenario's settings, with the name under which its page had registered the destination; ``plain``: tagged."""
    given = dict(scenario["settings"] or {}) if plain else tagged.decode(scenario["settings"] or {})
    given.pop("preset", None)
    creation = (scenario.get("remotePlugin") or {}).get("creationName") or scenario.get("integrationName")
    if scenario.get("registration") == "register":
        creation = ""
    if creation is not None and scenario["system"] == "segment-actions":
        given["integrationName"] = creation
    return given


def make_bridge(scenario: dict[str, Any], page: Page) -> Bridge:
    """A bridge with the scenario's settings as they are: recordings have settings that a user's check would refuse."""
    kind = destinations.find(scenario["system"])
    return Bridge(page, kind(settings.whole(kind.settings, settings_of(scenario))))


class _Player:
    def __init__(self, scenario: dict[str, Any], window: SimulatedWindow) -> None:
        self.scenario = scenario
        self.window = window
        self.page = Page(window)
        self.bridge = make_bridge(scenario, self.page)
        self.anonymous_ids: list[str] = []
        self._watch()

    def _watch(self) -> None:
        calls = self.window.calls
        append = calls.append

        class Watching(list[Any]):  # notes the anonymous id in force at each call
            def append(inner: Any, item: Any) -> None:
                append(item)
                source: Any = self.bridge.source
                self.anonymous_ids.append(source.user.anonymous_id())

        fs = self.window.FS
        names = [("FS", fs), *(("FS." + key, value) for key, value in fs.properties.items() if key != "name")]
        log = Watching()

        def noting(name: str) -> Any:
            def note(args: Any) -> Any:
                log.append({"call": name, "args": list(args)})
                return UNDEFINED

            return note

        for name, function in names:
            function.body = noting(name)

    def run(self, page: dict[str, Any], queued: bool) -> None:
        options = tagged.decode(self.scenario.get("loadOptions") or {})
        cdn = self.scenario.get("cdn")
        first = {"writeKey": "wk", "cdnSettings": tagged.decode(cdn)} if cdn else "wk"
        self._queue: list[tuple[str, list[Any], Moment]] | None = [] if queued else None
        self._call("load", [first, options])
        for part in ("preload", "postload"):
            for entry in page.get(part) or []:
                self._step(entry)
        waiting, self._queue = self._queue or [], None
        self.bridge.replay([(method, make_array(values), moment) for method, values, moment in waiting])
        for entry in page["script"]:
            self._step(entry)
        self.window.settle()

    def _step(self, entry: list[Any]) -> None:
        method, *args = entry
        values = [tagged.decode(arg, {"$middleware": _middleware(self.window), "$plugin": _plugin}) for arg in args]
        window = self.window
        if method == "$settle":
            window.settle()
        elif method == "$pushState":
            window.history.pushState(None, "", args[0])
        elif method == "$replaceState":
            window.history.replaceState(None, "", args[0])
        elif method == "$setTitle":
            window.document.title = args[0]
        elif method == "$setCanonical":
            window.document.canonical = args[0]
        elif method.startswith("$user."):
            invoke(self._call("user", []), method[6:], *values)
        else:
            self._call(method, values)

    def _call(self, method: str, values: list[Any]) -> Any:
        if self._queue is not None:
            self._queue.append((method, values, self.page.moment()))
            return UNDEFINED
        return self.bridge.call(method, make_array(values))


def _middleware(window: SimulatedWindow) -> Any:
    def make(spec: dict[str, Any]) -> Function:
        state = {"thrown": False}

        def body(args: Any) -> Any:
            given = raw_get(args, 0)
            payload = raw_get(given, "payload")
            message = raw_get(payload, "obj")
            if not _holds(spec, message):
                call(raw_get(given, "next"), payload)
                return UNDEFINED
            for op in spec["ops"]:
                if op[0] == "drop":
                    return UNDEFINED
                if op[0] == "nextNull":
                    call(raw_get(given, "next"), None)
                    return UNDEFINED
                if op[0] == "throw" or (op[0] == "throwOnce" and not state["thrown"]):
                    state["thrown"] = True
                    raise JsError(op[1])
                if op[0] == "delay":
                    return _later(window, op[1], lambda: call(raw_get(given, "next"), payload))
                _change(message, op)
            call(raw_get(given, "next"), payload)
            return UNDEFINED

        return Function(body, "testMiddleware")

    return make


def _later(window: SimulatedWindow, delay: float, action: Any) -> Promise:
    promise = Promise()

    def body(args: Any) -> Any:
        action()
        promise.settle("fulfilled", UNDEFINED)
        return UNDEFINED

    window.setTimeout(Function(body), delay)
    return promise


def _holds(spec: dict[str, Any], message: Any) -> bool:
    return all(_at(message, path) == value for path, value in spec.get("where") or [])


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = raw_get(value, part)
    return value


def _change(message: Any, op: list[Any]) -> None:
    *parents, last = op[1].split(".")
    target = message
    for part in parents:
        inner = raw_get(target, part)
        if not isinstance(inner, dict):
            if op[0] == "delete":
                return
            inner = make_object()
            raw_put(target, part, inner)
        target = inner
    if op[0] == "set":
        raw_put(target, last, tagged.decode(op[2]))
    elif op[0] == "delete":
        target.pop(last, None)


def _plugin(spec: dict[str, Any]) -> Any:
    def body(args: Any) -> Any:
        context = raw_get(args, 0)
        if _holds(spec, raw_get(context, "event")):
            for op in spec["ops"]:
                _change(raw_get(context, "event"), op)
        return context

    methods = {kind: Function(body) for kind in ("track", "page", "identify", "group", "alias", "screen")}
    return {"name": spec["name"], "type": spec["type"], "version": "1", **methods}
