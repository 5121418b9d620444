"""What the playground asks Python for: what messages or page calls come to, and where in the editors a problem lies.

This runs in the page, on Pyodide, over the package's own dry run, with the port of CPython: what it finds is what
``fsbridge map`` prints. One function, JSON in and out.
"""

from __future__ import annotations

import json
import math
import re
import time
from io import BytesIO
from typing import Any

from fsbridge.browser.bridge import Bridge
from fsbridge.browser.diagnostics import Diagnostics
from fsbridge.browser.page import Page
from fsbridge.cli.inputs import lines, message_from
from fsbridge.cli.mapped import DryRun
from fsbridge.cli.settings import settings_in
from fsbridge.cloud.destination import Request
from fsbridge.contracts import Call, Destination
from fsbridge.fullstory_options import chosen
from fsbridge.messages import TYPES
from fsbridge.runtime import UNDEFINED, json_copy, raw_get
from fsbridge.runtime.cpython import Array, BigInt, Date
from fsbridge.settings import SettingsError
from fsbridge.testing.simulated import SimulatedWindow

ADDRESS = "https://shop.example/"
"""The page that page calls are made on."""

_MINUTE = 60_000


def run(asked: str) -> str:
    """What comes of ``{"destination", "source", "settings", "messages" or "calls"}``, as JSON text.

    ``settings`` is text; ``messages`` are the number of a line and the text of one message each; ``calls`` are
    ``[line, method, arguments]``, whose values are as `_value` reads them. Gives ``{"settings": [problem…], "results":
    [{"line", "problems", "limits", "messages"}…]}``, where "line" is what ``fsbridge map`` prints. A problem in the
    settings has ``text`` and ``path``, or ``offset`` where the text is no JSON; one in a message has ``text``, and
    ``column`` in a text that is no JSON.
    """
    given = json.loads(asked)
    try:
        dry = DryRun(given["destination"], _settings(given["settings"]), given.get("source"))
    except _Problems as found:
        return json.dumps({"settings": found.problems, "results": []})
    except SettingsError as error:
        return json.dumps({"settings": [_placed(text) for text in str(error).split("\n")], "results": []})
    if "calls" in given:
        results = _results_of_calls(dry, given)
    else:
        results = [_result(dry, number, text) for number, text in given["messages"]]
    return json.dumps({"settings": [], "results": results})


class _Problems(Exception):
    def __init__(self, *problems: dict[str, Any]) -> None:
        super().__init__(problems)
        self.problems = list(problems)


def _settings(text: str) -> dict[str, Any]:
    text = text if text.strip() else "{}"
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise _Problems({"text": f"This is no JSON: {error.msg}.", "offset": error.pos}) from error
    except RecursionError as error:
        raise _Problems({"text": "This is nested too deeply.", "path": []}) from error
    return settings_in(text, "The settings")


_SUBSCRIPTION = re.compile(r"subscription (\d+) ")
_SETTING = re.compile(r"setting '([^']*)'")
_PLACE = re.compile(r": mapping: /(\S+) ")
_PARTS = (("unknown partnerAction", "partnerAction"), (": trigger ", "subscribe"), (": mapping: ", "mapping"))


def _placed(text: str) -> dict[str, Any]:
    """A problem with the settings, and the path of what it is about."""
    path: list[str | int] = []
    subscription, setting, place = _SUBSCRIPTION.search(text), _SETTING.search(text), _PLACE.search(text)
    if subscription:
        part = next((field for said, field in _PARTS if said in text), None)
        path = ["subscriptions", int(subscription[1]) - 1, *([part] if part else [])]
        path += [int(each) if each.isdigit() else each for each in place[1].split("/")] if place else []
    elif setting:
        path = [setting[1]]
    return {"text": text, "path": path}


def _result(dry: DryRun, number: int, text: str) -> dict[str, Any]:
    """What comes of the message in line ``number``."""
    (_, line), *_ = lines(BytesIO(text.encode("utf-8", "surrogatepass")))
    try:
        message = message_from(line)
    except ValueError as error:
        cause = error.__cause__
        place: dict[str, Any] = {"column": cause.colno} if isinstance(cause, json.JSONDecodeError) else {}
        return {"line": "", "problems": [{"text": str(error), **place}], "limits": [], "messages": []}
    return _came(dry, number, [message])


def _came(dry: DryRun, number: int, messages: list[Any]) -> dict[str, Any]:
    problems: list[str] = []
    line = b""
    limits: list[str] = []
    try:
        calls = []
        for message in messages:
            made = dry.calls(message, problems.append)
            calls += made
            limits += _limits(made, message)
        line = dry.line(number, calls)
    except Exception as error:  # one message, whatever is wrong with it
        problems.append(str(error) or type(error).__name__)
    told = [_placed(text) for text in problems]
    return {"line": line.decode().rstrip("\n"), "problems": told, "limits": limits, "messages": []}


def _limits(calls: list[Any], message: Any) -> list[str]:
    """What FullStory would reject of these calls, drop or not index."""
    found: list[str] = []
    for call in calls:
        diagnostics = Diagnostics(lambda: 0.0, found.append)  # of its own: messages here have no time
        diagnostics.check(_as_call(call) if isinstance(call, Request) else call, raw_get(message, "anonymousId"))
    return found


def _as_call(request: Request) -> Call:
    """The call in a browser that has the same limits as a request."""
    body = request.json
    if request.path == "/v2/events":
        return Call("event", [raw_get(body, "name"), raw_get(body, "properties")])
    if request.path == "/v2/users":
        properties = raw_get(body, "properties")
        uid = raw_get(body, "uid")
        return Call("setUserVars", [properties]) if uid is UNDEFINED else Call("identify", [uid, properties])
    if "/customevent" in request.path:
        event = raw_get(body, "event")
        return Call("event", [raw_get(event, "event_name"), raw_get(event, "event_data")])
    return Call("setUserVars", [body])


# Page calls: through a source, on a simulated page.


def _results_of_calls(dry: DryRun, given: dict[str, Any]) -> list[dict[str, Any]]:
    window = SimulatedWindow(ADDRESS, title="Shop")
    window.now = time.time() * 1000
    messages: list[Any] = []
    bridge = Bridge(Page(window), _Listening(dry.destination, messages), given.get("source") or dry.destination.source)
    bridge.replay([])
    results = []
    for number, method, args in given["calls"]:
        said = len(window.console.lines)
        messages.clear()
        if method in (*bridge.source.methods, *bridge.source.unsupported):
            bridge.call(method, Array([_value(each) for each in args]))
            window.settle()
            sent = [json_copy(each) for each in messages] if dry.makes_requests else messages  # a server gets JSON
            result = _came(dry, number, sent)
        else:
            known = ", ".join(sorted(bridge.source.methods))
            text = f"{bridge.source.global_name} has no method {method!r}. Known: {known}."
            result = {"line": "", "problems": [{"text": text, "path": []}], "limits": []}
        result["messages"] = [json.dumps(_plain(each), ensure_ascii=False) for each in messages]
        heard = [text for level, text in window.console.lines[said:] if level in ("warn", "error")]
        result["problems"] += [{"text": text.removeprefix("[fsbridge] "), "path": []} for text in heard]
        results.append(result)
        window.now += _MINUTE
    return results


class _Listening(Destination):
    """Takes a source's messages, each once, in the place of ``destination``."""

    def __init__(self, destination: Destination, messages: list[Any]) -> None:
        super().__init__(destination.options)
        self.integration = destination.integration
        self.alternative = ""
        self.types = TYPES
        self.plugins = [self]
        self._destination = destination
        self._messages = messages

    def calls(self, message: Any, report: Any) -> list[Call]:
        self._messages.append(message)
        return []

    def configurations(self) -> Any:
        return self._destination.configurations()

    def fullstory(self) -> dict[str, Any]:
        return {**chosen("o-1ABC-na1", {}), "globals": []}


def _value(given: Any) -> Any:
    """A value as the page's reader of literals writes it: what JSON can't hold, and objects, as ``{"is": kind, …}``."""
    if isinstance(given, list):
        return Array([_value(each) for each in given])
    if not isinstance(given, dict):
        return given
    kind, held = given["is"], given.get("of")  # type: str, Any
    if kind == "object":
        return {key: _value(item) for key, item in held}
    if kind == "date":
        return Date(float("nan") if held is None else held)
    if kind == "bigint":
        return BigInt(held)
    return UNDEFINED if kind == "undefined" else float(held)


def _plain(value: Any) -> Any:
    """A message for people: dates as ISO text, undefined properties left out."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not UNDEFINED}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Date):
        return value.iso()
    is_no_number = isinstance(value, float) and not math.isfinite(value)
    return None if value is UNDEFINED or is_no_number else value
