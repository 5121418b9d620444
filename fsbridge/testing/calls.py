"""Calls on FullStory as tests write and read them: ``FS.event("Order Completed", {"orderId": "1"})``."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..runtime.cpython import UNDEFINED
from .values import same, show


@dataclass(frozen=True)
class Operation:
    """One operation as it reached fs.js. All calls, of either style, come down to these.

    ``version`` is 1 for the methods (``FS.event``), 2 for ``FS("trackEvent", …)``. ``page`` tells page loads apart,
    ``url`` is the page's address at that moment, ``namespace`` the name of FullStory's global.
    """

    operation: str
    options: Any
    source: Any = UNDEFINED
    version: int = 2
    org: str = ""
    page: str = ""
    url: str = ""
    namespace: str = "FS"


@dataclass(frozen=True, eq=False)
class Call:
    """A call on FullStory. Make one with `FS`.

    ``name`` is "FS" or "FS.<method>", ``args`` its arguments without the source, ``source`` that one ("segment", …),
    UNDEFINED when there was none. ``url`` is the page's address at that moment; it doesn't count in a comparison.
    """

    name: str
    args: tuple[Any, ...]
    source: Any = UNDEFINED
    url: str = field(default="", repr=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Call):
            return NotImplemented
        return self.name == other.name and same([*self.args, self.source], [*other.args, other.source])

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        arguments = list(self.args)
        if self.source is not UNDEFINED:
            places = _PLACES.get(self.name, len(arguments))
            arguments += [UNDEFINED] * (places - len(arguments)) + [self.source]
        return f"{self.name}({', '.join(map(show, arguments))})"


@dataclass(frozen=True)
class Event:
    """An event: ``name``, ``properties`` (a dict), ``source``, and the ``url`` of the page that sent it."""

    name: Any
    properties: Any
    source: Any = UNDEFINED
    url: str = ""


# How many arguments come before the source.
_PLACES = {"FS": 2, "FS.identify": 2, "FS.setUserVars": 1, "FS.setVars": 2, "FS.event": 2}


class _FS:
    """Writes calls for comparisons the way a page makes them, in both of FullStory's styles.

    ::

        FS.event("Clicked", {"color": "red"}, "segment")
        FS("trackEvent", {"name": "Clicked", "properties": {"color": "red"}}, "segment-browser-actions")

    Python's None stands for null, `UNDEFINED` for undefined.
    """

    def __call__(self, operation: str, options: Any = UNDEFINED, source: Any = UNDEFINED) -> Call:
        return _call("FS", [operation, options], source)

    def identify(self, uid: Any, properties: Any = UNDEFINED, source: Any = UNDEFINED) -> Call:
        if uid is False:
            return self.anonymize()
        return _call("FS.identify", [uid, properties], source)

    def setUserVars(self, properties: Any = UNDEFINED, source: Any = UNDEFINED) -> Call:
        return _call("FS.setUserVars", [properties], source)

    def setVars(self, scope: Any, properties: Any = UNDEFINED, source: Any = UNDEFINED) -> Call:
        return _call("FS.setVars", [scope, properties], source)

    def event(self, name: Any, properties: Any = UNDEFINED, source: Any = UNDEFINED) -> Call:
        return _call("FS.event", [name, properties], source)

    def log(self, level: Any, message: Any = UNDEFINED) -> Call:
        return _call("FS.log", [level, message])

    def consent(self, given: Any = True) -> Call:
        return _call("FS.consent", [given])

    def anonymize(self) -> Call:
        return _call("FS.anonymize", [])

    def shutdown(self) -> Call:
        return _call("FS.shutdown", [])

    def restart(self) -> Call:
        return _call("FS.restart", [])


FS = _FS()


def _call(name: str, args: list[Any], source: Any = UNDEFINED) -> Call:
    while args and args[-1] is UNDEFINED:
        args.pop()
    return Call(name, tuple(args), source)


# Asking, not telling: nothing that FullStory would keep.
_QUESTIONS = ("init", "observe", "getSession", "stat")


def as_written(operations: Iterable[Operation]) -> list[Call]:
    """The calls behind the operations, in order, without those that only set FullStory up or ask it something.

    FullStory's snippet turns each method call into operations, and ``FS.identify(uid, properties)`` into two; those
    two are put together again when one follows the other on the same page with the same source.
    """
    calls: list[Call] = []
    previous: Operation | None = None
    for this in operations:
        if this.operation in _QUESTIONS:
            continue
        call = _written(this)
        if previous and _one_identify(calls[-1], call) and previous.page == this.page:
            call = _call("FS.identify", [*calls.pop().args, *call.args], this.source)
        calls.append(Call(call.name, call.args, call.source, this.url))
        previous = this
    return calls


def _one_identify(first: Call, second: Call) -> bool:
    halves = first.name == "FS.identify" and len(first.args) == 1 and second.name == "FS.setUserVars"
    return halves and same(first.source, second.source)


def _written(this: Operation) -> Call:
    options = this.options if isinstance(this.options, dict) else {}
    if this.version == 1:
        if this.operation == "setProperties" and "type" in options:
            properties = options.get("properties", UNDEFINED)
            if options["type"] != "user":
                return FS.setVars(options["type"], properties, this.source)
            if isinstance(properties, dict) and list(properties) == ["uid"]:
                return FS.identify(properties["uid"], UNDEFINED, this.source)
            return FS.setUserVars(properties, this.source)
        if this.operation == "trackEvent":
            return FS.event(options.get("name", UNDEFINED), options.get("properties", UNDEFINED), this.source)
        if this.operation == "log":
            return FS.log(options.get("level", UNDEFINED), options.get("msg", UNDEFINED))
        if this.operation == "setIdentity" and list(options) == ["consent"]:
            return FS.consent(options["consent"])
        if this.operation in ("shutdown", "restart"):
            return _call("FS." + this.operation, [])
    return FS(this.operation, this.options, this.source)
