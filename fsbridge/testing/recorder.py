"""FullStory as a test sees it: answers fs.js with the stand-in, keeps what arrives, lets nothing through."""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from ..runtime.cpython import UNDEFINED
from .calls import Call, Event, Operation, as_written
from .values import decode, same, show

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

STAND_IN = Path(__file__).with_name("fs.js")
_BINDING = "__fsbridge_testing"
_T = TypeVar("_T")
_FULLSTORY = re.compile(r"^(https?|wss?)://([^/?#]+\.)?fullstory\.com([:/?#]|$)")


class FullStory:
    """What a page sent to FullStory, and how FullStory behaves towards it. The ``fullstory`` fixture is one.

    It serves every page of the browser contexts it is attached to, and keeps what they send in one order, over
    navigations too. Nothing reaches FullStory: requests to its hosts that aren't for the script are refused.

    ``scripts`` are more URLs to answer with the stand-in, as Playwright's globs: where a site hosts fs.js itself.
    """

    def __init__(self, scripts: Sequence[str] = ()) -> None:
        self._scripts = scripts
        self._contexts: list[BrowserContext] = []
        self._operations: list[Operation] = []
        self._log: list[str] = []
        self._blocked = False
        self._waiting: list[Route] | None = None

    def attach(self, target: "BrowserContext | Page") -> None:
        """Serve all pages of this browser context, or of this page's; call it before the page loads FullStory."""
        context = cast("BrowserContext", getattr(target, "context", target))
        if context in self._contexts:
            return
        self._contexts.append(context)
        context.expose_binding(_BINDING, self._receive)
        context.route(_FULLSTORY, self._answer)
        context.route_web_socket(_FULLSTORY, lambda socket: socket.close())
        for script in self._scripts:
            context.route(script, self._serve)

    # How FullStory behaves

    def block(self) -> None:
        """From now on fs.js fails to load, as behind an ad blocker."""
        self._blocked = True

    @contextmanager
    def delayed(self) -> Iterator[None]:
        """Inside the ``with`` block fs.js stays on its way: the page has to queue. It arrives at the block's end."""
        self._waiting = []
        try:
            yield
        finally:
            waiting, self._waiting = self._waiting, None
            for route in waiting:
                self._serve(route)

    # What arrived

    @property
    def operations(self) -> list[Operation]:
        """Everything that reached fs.js, raw and in order, setup and questions included."""
        self._catch_up()
        return list(self._operations)

    @property
    def calls(self) -> list[Call]:
        """What the pages told FullStory, in order, each as the page wrote it; compare with calls made by `FS`.

        Calls that set FullStory up or only ask (``init``, ``observe``, ``getSession``, ``stat``) are left out.
        """
        return as_written(self.operations)

    def events(self, name: str | None = None) -> list[Event]:
        """The events, or those called ``name``, whichever way they were sent."""
        found = []
        for call in self.calls:
            if call.name == "FS.event":
                event_name, properties = [*call.args, UNDEFINED, UNDEFINED][:2]
            elif call.name == "FS" and call.args[0] == "trackEvent":
                event_name, properties = _options(call).get("name"), _options(call).get("properties", UNDEFINED)
            else:
                continue
            if name is None or event_name == name:
                found.append(Event(event_name, {} if properties is UNDEFINED else properties, call.source, call.url))
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

    def clear(self) -> None:
        """Forget what has arrived so far."""
        self._catch_up()
        self._operations.clear()

    # Waiting

    def wait_for_event(self, name: str, properties: dict[str, Any] | None = None, timeout: float = 5000) -> Event:
        """The first event called ``name``, with at least these ``properties``, as soon as it arrives.

        Raises AssertionError after ``timeout`` milliseconds, listing what did arrive.
        """
        wanted = f"event {show(name)}" + (f" with {show(properties)}" if properties else "")
        return self._wait(
            lambda: _first(self.events(name), lambda event: _covers(event, properties or {})), wanted, timeout
        )

    def wait_for_call(self, call: Call, timeout: float = 5000) -> Call:
        """``call`` (made by `FS`) as soon as it arrives. Raises AssertionError after ``timeout`` milliseconds."""
        return self._wait(lambda: _first(self.calls, lambda found: found == call), repr(call), timeout)

    def wait_for_identity(self, uid: str, timeout: float = 5000) -> str:
        """``uid`` as soon as it is the user in force. Raises AssertionError after ``timeout`` milliseconds."""
        return self._wait(lambda: uid if self.identity == uid else None, f"identity {show(uid)}", timeout)

    def expect_calls(self, *calls: Call, timeout: float = 5000) -> None:
        """Wait until as many calls are there, then assert that they are exactly these, in this order."""
        wanted = "\n".join(["exactly these calls:", *(f"  {call!r}" for call in calls), ""])
        deadline = time.monotonic() + timeout / 1000
        while len(self.calls) < len(calls) and time.monotonic() < deadline:
            self._let_pass(20)
        if self.calls != list(calls):
            raise AssertionError(f"FullStory should have received {wanted}{self.summary()}")

    def summary(self) -> str:
        """What has arrived and what became of fs.js, for people."""
        lines = [f"It received {len(self.calls)} calls:" if self.calls else "It received no calls."]
        lines += [f"  {call!r}    on {call.url}" for call in self.calls]
        return "\n".join([*lines, *(self._log or ["fs.js was never requested."])])

    def _wait(self, look: Callable[[], _T | None], wanted: str, timeout: float) -> _T:
        deadline = time.monotonic() + timeout / 1000
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"FullStory did not receive {wanted} within {timeout:g} ms. {self.summary()}")
            self._let_pass(20)
        return found

    # The browser's side

    def _answer(self, route: "Route") -> None:
        url = urlsplit(route.request.url)
        if url.path.endswith(".js"):
            self._serve(route)
        else:
            self._log.append(f"Refused: {route.request.method} {route.request.url}")
            route.abort("blockedbyclient")

    def _serve(self, route: "Route") -> None:
        if self._blocked:
            self._log.append(f"Blocked: {route.request.url}")
            route.abort("blockedbyclient")
        elif self._waiting is not None:
            self._waiting.append(route)
        else:
            self._log.append(f"Answered by the stand-in: {route.request.url}")
            # Snippets ask for fs.js with crossorigin="anonymous".
            headers = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
            route.fulfill(path=STAND_IN, content_type="text/javascript; charset=utf-8", headers=headers)

    def _receive(self, source: Any, message: str | None = None) -> None:
        if message is not None:
            self._operations.append(Operation(**decode(json.loads(message))))

    def _catch_up(self) -> None:
        # What a frame sent before this question arrives before its answer.
        from playwright.sync_api import Error

        for page in self._pages():
            for frame in page.frames:
                with suppress(Error):  # the frame went away meanwhile
                    frame.evaluate(f"window.{_BINDING}?.()")

    def _let_pass(self, milliseconds: float) -> None:
        pages = self._pages()
        if pages:
            pages[0].wait_for_timeout(milliseconds)
        else:
            time.sleep(milliseconds / 1000)

    def _pages(self) -> "list[Page]":
        return [page for context in self._contexts for page in context.pages if not page.is_closed()]

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


def _first(found: Sequence[_T], fits: Callable[[_T], bool]) -> _T | None:
    return next((item for item in found if fits(item)), None)
