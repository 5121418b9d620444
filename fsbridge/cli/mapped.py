"""A dry run: what messages come to with a destination, and how that is written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .. import destinations
from ..browser import sources
from ..browser.sources.rudderanalytics import targets
from ..browser.sources.rudderanalytics.options import LoadOptions
from ..cloud.destination import Request, SegmentCloud
from ..contracts import Call
from ..messages import allows
from ..runtime import UNDEFINED, raw_get, type_of

NAMES = (*destinations.NAMES, SegmentCloud.name)
"""The destinations that a dry run knows."""


def find(destination: str) -> Any:
    """The class of a destination. Raises SettingsError for an unknown name."""
    return SegmentCloud if destination == SegmentCloud.name else destinations.find(destination)


class DryRun:
    """A destination with ``settings``, behind the filters of ``source``: by default its own vendor's.

    Raises SettingsError for what is wrong with them.
    """

    def __init__(self, destination: str, settings: dict[str, Any], source: str | None = None) -> None:
        kind = find(destination)
        self.destination = destinations.configured(kind, _complete(settings, kind), strict=True)
        self.makes_requests = kind is SegmentCloud
        self._plugins_for = _filter(source or self.destination.source, self.destination)

    def calls(self, message: Any, report: Callable[[str], None]) -> list[Any]:
        """The `Call`s of a message, or `Request`s. ``report`` hears of mappings that fail on it."""
        return [call for plugin in self._plugins_for(message) for call in plugin.calls(message, report)]

    def line(self, number: int, calls: list[Any]) -> bytes:
        """A line of JSON that says what came of the message in line ``number``."""
        if self.makes_requests:
            shown: dict[str, Any] = {"line": number, "requests": [_request(each) for each in calls]}
        else:
            shown = {"line": number, "calls": [_call(each) for each in calls]}
        return utf_8(json.dumps(shown, ensure_ascii=False) + "\n")


def _complete(settings: dict[str, Any], kind: Any) -> dict[str, Any]:
    """Subscriptions alone, as Segment exports them, don't name the org, and no call depends on it."""
    if settings.keys() == {"subscriptions"} and kind.org in [setting.name for setting in kind.settings]:
        return {**settings, kind.org: "of-no-matter"}
    return settings


def _filter(source: str, destination: Any) -> Callable[[Any], list[Any]]:
    """A function from a message to the plugins of ``destination`` that ``source`` lets have it."""
    if sources.find(source).api == "analytics.js":

        def segment(message: Any) -> list[Any]:
            wanted = raw_get(message, "integrations")
            plugins = destination.plugins
            return [plugin for plugin in plugins if allows(wanted, plugin.integration, plugin.alternative)]

        return segment

    active = targets.active(targets.configurations(destination), LoadOptions(UNDEFINED), _Consenting)

    def rudder(message: Any) -> list[Any]:
        return [plugin for target in active if targets.accepts(target, message) for plugin in destination.plugins]

    return rudder


class _Consenting:
    """A visitor who allows everything."""

    integrations = None

    @staticmethod
    def allows(config: Any) -> bool:
        return True


def _call(call: Call) -> dict[str, Any]:
    return {"call": call.name, "args": [tagged(arg) for arg in call.args]}


def _request(request: Request) -> dict[str, Any]:
    return {"method": request.method, "path": request.path, "headers": request.headers, "json": _body(request)}


def _body(request: Request) -> Any:
    return json.loads(request.body() or b"null")


def utf_8(text: str) -> bytes:
    """The bytes of a text; half a character is written as an escape."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def tagged(value: Any) -> Any:
    """``value`` as JSON, what JSON can't hold under a tag. See the help of ``map``."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: tagged(item) for key, item in value.items() if item is not UNDEFINED}
    if isinstance(value, list):
        return [tagged(item) for item in value]
    kind = type_of(value)
    if kind == "number":
        return _number(value)
    if kind == "undefined":
        return {"$undefined": True}
    if kind == "date":
        return {"$date": value.iso() or "Invalid Date"}
    if kind == "bigint":
        return {"$bigint": str(int(value))}
    return value


def _number(value: float) -> Any:
    if value == 0 and str(value) == "-0.0":
        return {"$number": "-0"}
    if value != value or value in (float("inf"), -float("inf")):
        return {"$number": str(value).replace("inf", "Infinity").replace("nan", "NaN")}
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def javascript(call: Call | Request) -> str:
    """A call as a developer writes it, a request as it goes out."""
    if isinstance(call, Request):
        return f"{call.method} {call.path} {json.dumps(_body(call), ensure_ascii=False)}"
    return f"{call.name}({', '.join(_words(arg) for arg in call.args)})"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)}: {_words(item)}" for key, item in value.items() if item is not UNDEFINED)
        return "{" + inside + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_words, value)) + "]"
    kind = type_of(value)
    if kind == "undefined":
        return "undefined"
    if kind == "date":
        return value.iso() or "Invalid Date"
    shown = tagged(value)
    if isinstance(shown, dict):
        return "".join(map(str, shown.values()))
    return json.dumps(shown, ensure_ascii=False)


def _key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() else json.dumps(key, ensure_ascii=False)
