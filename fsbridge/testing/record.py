"""What pages told FullStory, whichever of Playwright's APIs drives them, and what it adds up to."""

import inspect
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from ..runtime.cpython import UNDEFINED
from .calls import Call, Event, Operation, as_written
from .values import decode, same, show

T = TypeVar("T")

FULLSTORY = re.compile(r"^(https?|wss?)://([^/?#]+\.)?fullstory\.com([:/?#]|$)")
"""The addresses of FullStory's hosts."""

BINDING = "__fsbridge_testing"
"""The page's function that hands an operation to the test; fs.js, the stand-in, knows it."""

# Evaluated in a frame: what the frame sent before arrives before the answer.
CATCH_UP = f"window.{BINDING}?.()"

REFUSAL = "blockedbyclient"

STAND_IN: dict[str, Any] = {
    "path": Path(__file__).with_name("fs.js"),
    "content_type": "text/javascript; charset=utf-8",
    # Snippets ask for fs.js with crossorigin="anonymous".
    "headers": {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"},
}
"""How a request for fs.js is fulfilled."""

POLL_INTERVAL = 20
"""Milliseconds between two checks while waiting."""


class Events(list[Event]):
    """Events in the order in which they were sent. Called with a name, it gives those of that name."""

    def __call__(self, name: str | None = None) -> "Events":
        return Events(event for event in self if name is None or event.name == name)


@dataclass(frozen=True)
class Wanted(Generic[T]):
    """What a test waits for: how a failure calls it, and a function that gives it, None as long as it isn't there."""

    name: str
    find: Callable[[], T | None]


class Record:
    """What pages sent, in one order over all pages and navigations.

    ``scripts`` are more URLs to answer with the stand-in, as Playwright's globs: where a site hosts fs.js itself.
    ``timeout`` is how many milliseconds anything is waited for that isn't told otherwise.
    """

    def __init__(self, scripts: Sequence[str] = (), timeout: float = 5000) -> None:
        self._scripts = scripts
        self._timeout = timeout
        self._operations: list[Operation] = []
        self._log: list[str] = []
        self._blocked = False
        self._attached = False

    def block(self) -> None:
        """From now on fs.js fails to load, as behind an ad blocker."""
        self._blocked = True

    def unblock(self) -> None:
        """From now on fs.js loads again: what a page asks for a second time comes."""
        self._blocked = False

    # What arrived

    @property
    def operations(self) -> list[Operation]:
        """Everything that reached fs.js, raw and in order, setup and questions included."""
        return list(self._operations)

    @property
    def calls(self) -> list[Call]:
        """What the pages told FullStory, in order, each as the page wrote it; compare with calls made by `FS`.

        Calls that set FullStory up or only ask (``init``, ``observe``, ``getSession``, ``stat``) are left out.
        """
        return as_written(self.operations)

    @property
    def events(self) -> Events:
        """The events, whichever way they were sent; ``events("Clicked")`` are those of that name."""
        found = Events()
        for call in self.calls:
            if call.name == "FS.event":
                name, properties = [*call.args, UNDEFINED, UNDEFINED][:2]
            elif call.name == "FS" and call.args[0] == "trackEvent":
                name, properties = _options(call).get("name"), _options(call).get("properties", UNDEFINED)
            else:
                continue
            found.append(Event(name, {} if properties is UNDEFINED else properties, call.source, call.url))
        return found

    @property
    def identity(self) -> str | None:
        """The user id in force; None while the visitor is anonymous."""
        return self._user()[0]

    @property
    def user_properties(self) -> dict[str, Any]:
        """The user properties in force: later ones over earlier ones, none left after a change of user."""
        return self._user()[1]

    @property
    def page_properties(self) -> dict[str, Any]:
        """The page properties in force on the page that sent something last."""
        operations = self.operations
        properties: dict[str, Any] = {}
        for operation in operations:
            if operation.page == operations[-1].page:
                properties.update(_properties(operation, "page"))
        return properties

    @property
    def org(self) -> str | None:
        """The organisation that the latest operation was meant for."""
        operations = self.operations
        return operations[-1].org if operations else None

    def summary(self) -> str:
        """What has arrived and what became of fs.js, for people."""
        calls = self.calls
        lines = [f"It received {len(calls)} calls:" if calls else "It received no calls."]
        lines += [f"  {call!r}    on {call.url}" for call in calls]
        nothing = "fs.js was never requested." if self._attached else f"No page is served: {UNATTACHED}"
        return "\n".join([*lines, *(self._log or [nothing])])

    # What a test waits for

    def _event(self, name: str, properties: dict[str, Any]) -> Wanted[Event]:
        wanted = f"event {show(name)}" + (f" with {show(properties)}" if properties else "")
        return Wanted(wanted, lambda: _first(self.events(name), lambda event: _covers(event, properties)))

    def _call(self, call: Call) -> Wanted[Call]:
        return Wanted(repr(call), lambda: _first(self.calls, lambda found: found == call))

    def _identity(self, uid: str) -> Wanted[str]:
        return Wanted(f"identity {show(uid)}", lambda: uid if self.identity == uid else None)

    def _deadline(self, timeout: float | None) -> float:
        """Until when to wait, as `time.monotonic` counts."""
        return time.monotonic() + (self._timeout if timeout is None else timeout) / 1000

    def _missed(self, wanted: Wanted[Any], timeout: float | None) -> AssertionError:
        within = self._timeout if timeout is None else timeout
        return AssertionError(f"FullStory did not receive {wanted.name} within {within:g} ms. {self.summary()}")

    def _check(self, calls: Sequence[Call]) -> None:
        """Assert that the calls are exactly these."""
        if self.calls != list(calls):
            wanted = "\n".join(["exactly these calls:", *(f"  {call!r}" for call in calls), ""])
            raise AssertionError(f"FullStory should have received {wanted}{self.summary()}")

    # The browser's side

    def _answer(self, method: str, url: str, script: bool) -> dict[str, Any] | None:
        """How to fulfill a request to FullStory; None to refuse it. ``script``: it asks for fs.js."""
        if not script:
            self._log.append(f"Refused: {method} {url}")
            return None
        self._log.append(f"{'Blocked' if self._blocked else 'Answered by the stand-in'}: {url}")
        return None if self._blocked else STAND_IN

    def _receive(self, source: Any, message: str | None = None) -> None:
        if message is not None:
            self._operations.append(Operation(**decode(json.loads(message))))

    # What it adds up to

    def _user(self) -> tuple[str | None, dict[str, Any]]:
        uid: Any = None
        properties: dict[str, Any] = {}
        for operation in self.operations:
            given = _properties(operation, "user")
            options = operation.options if isinstance(operation.options, dict) else {}
            leaves = options.get("anonymous") is True and operation.operation == "setIdentity"
            named = given.pop("uid", UNDEFINED)
            if leaves or named is False:
                uid, properties = None, {}
            elif named is not UNDEFINED and named is not None:
                if uid not in (None, named):
                    properties = {}
                uid = named
            properties.update(given)
        return uid, properties


UNATTACHED = "use pytest-playwright's page or context fixture, or call attach(context_or_page)."


def is_script(url: str) -> bool:
    """Whether a URL of FullStory's is that of a script."""
    return urlsplit(url).path.endswith(".js")


def context_of(target: Any, kind: str, other: str) -> Any:
    """The browser context of a page or context of Playwright's ``kind`` API ("sync" or "async").

    Raises TypeError for anything else, naming the class that serves the ``other`` API.
    """
    context = getattr(target, "context", target)
    expose = getattr(context, "expose_binding", None)
    wanted = f"attach takes a page or browser context of Playwright's {kind} API"
    if expose is None:
        raise TypeError(f"{wanted}, not {type(target).__module__}.{type(target).__qualname__}")
    if inspect.iscoroutinefunction(expose) != (kind == "async"):
        raise TypeError(f"{wanted}; for the other one use fsbridge.testing.{other}")
    return context


def _properties(this: Operation, scope: str) -> dict[str, Any]:
    """The properties that an operation sets for "user" or "page", ``uid`` among them."""
    options = this.options if isinstance(this.options, dict) else {}
    given = options.get("properties")
    own = {key: value for key, value in given.items() if value is not UNDEFINED} if isinstance(given, dict) else {}
    if this.operation == "setProperties" and options.get("type") == scope:
        return own
    if this.operation == "setIdentity" and scope == "user":
        return {**own, "uid": options.get("uid", UNDEFINED)}
    return {}


def _options(call: Call) -> dict[str, Any]:
    return call.args[1] if len(call.args) > 1 and isinstance(call.args[1], dict) else {}


def _covers(event: Event, properties: dict[str, Any]) -> bool:
    found = event.properties if isinstance(event.properties, dict) else {}
    return all(same(found.get(key, UNDEFINED), value) for key, value in properties.items())


def _first(found: Sequence[T], fits: Callable[[T], bool]) -> T | None:
    return next((item for item in found if fits(item)), None)
