"""Plays a recorded RudderStack scenario on a simulated page, page load by page load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fsbridge import settings
from fsbridge.browser.bridge import Bridge
from fsbridge.browser.page import Page
from fsbridge.browser.sources.rudderanalytics import RudderAnalytics, arguments
from fsbridge.browser.sources.rudderanalytics.values import taken
from fsbridge.contracts import Moment
from fsbridge.destinations.rudderstack import RudderStack
from fsbridge.runtime import UNDEFINED, make_array, raw_get
from fsbridge.runtime.cpython import Function, JsError
from fsbridge.testing.simulated import SimulatedWindow

from . import tagged
from .stored import seed

LOAD = ["wk_vectors", "https://shop.example/dp"]
SETTLING = 500
"""Milliseconds that ``$settle`` and the end of a page let pass, unless the recording says how long it watched."""
EVENTS = ("identify", "track", "page")


class Played:
    """What came of one page load."""

    def __init__(self, window: SimulatedWindow) -> None:
        self.window = window
        self.source: RudderAnalytics | None = None
        self.calls: list[dict[str, Any]] = []
        self.moments: list[Moment] = []  # of the page's call behind each of ``calls``
        self.anonymous_ids: list[Any] = []  # in force at each of ``calls``
        self.lost_by_vendor: list[bool] = []  # whether each of ``calls`` comes of a call that the vendor loses
        self.generated: list[str] = []  # ids made up on the way
        self.returns: dict[str, Any] = {}
        self.return_ids: dict[str, Any] = {}
        self.callbacks: list[int] = []
        self.events_at_once = 0  # event calls before the first $settle
        self.page_changes_unsettled = False  # the page's address or title changed between them


def play(scenario: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Played]]:
    """Yield each page of ``scenario`` with what came of it."""
    window = None
    for page in scenario["pages"]:
        about = {"title": page["title"], "referrer": page["referrer"], "canonical": page["canonical"]}
        if window is None:
            window = SimulatedWindow(page["url"], **about)
            seed(window, scenario.get("before") or {})
        else:
            window = window.navigate(page["url"], **about)
        player = Player(scenario, window)
        player.run(page["script"], page.get("durationMs"))
        yield page, player.played


def settings_of(scenario: dict[str, Any]) -> dict[str, Any]:
    """A scenario's settings, with what the source configuration says of the destination."""
    return {"id": "dest_fs_1", **scenario.get("settings", {}), **scenario.get("destination", {})}


class _Several(RudderStack):
    """The first of several destinations, speaking for all of them."""

    def __init__(self, given: list[dict[str, Any]]) -> None:
        first, *rest = [settings.whole(RudderStack.settings, each) for each in given]
        super().__init__(first)
        self._rest = [RudderStack(options) for options in rest]

    def configurations(self) -> list[dict[str, Any]]:
        return [*super().configurations(), *(one for each in self._rest for one in each.configurations())]


class Player:
    """One page load of a scenario."""

    def __init__(self, scenario: dict[str, Any], window: SimulatedWindow) -> None:
        self.scenario = scenario
        self.window = window
        self.played = Played(window)
        self._prepare_fs(scenario.get("fs"))
        self._note_ids()
        self.bridge = self._make_bridge(Page(window))
        self.source = self.bridge.source
        self.source.waits = True
        self.played.source = self.source
        self._delivering: Any = UNDEFINED
        self._origin: dict[str, tuple[Moment, bool]] = {}  # by message id
        self._watch()

    def _make_bridge(self, page: Page) -> Bridge:
        given = settings_of(self.scenario)
        extra = [{**given, **more["settings"], "id": more["id"]} for more in self.scenario.get("extraDestinations", [])]
        return Bridge(page, _Several([tagged.decode(given), *extra]))

    def _prepare_fs(self, state: str | None) -> None:
        fs = self.window.FS
        if state == "bare":
            fs.properties = {"name": "FS"}
        names = [("FS", fs), *(("FS." + key, value) for key, value in fs.properties.items() if key != "name")]
        for name, function in names:
            function.body = lambda args, name=name: self._record(name, args, state == "throws")

    def _record(self, name: str, args: list[Any], throws: bool) -> Any:
        played = self.played
        moment, lost = self._origin.get(str(raw_get(self._delivering, "messageId")), (None, False))
        played.calls.append({"call": name, "args": list(args)})
        played.moments.append(moment)  # type: ignore[arg-type]
        played.lost_by_vendor.append(lost)
        played.anonymous_ids.append(raw_get(self._delivering, "anonymousId"))
        if throws:
            raise JsError("FS throws")
        return UNDEFINED

    def _note_ids(self) -> None:
        make = self.window.crypto.randomUUID

        def noting() -> str:
            self.played.generated.append(make())
            return self.played.generated[-1]

        self.window.crypto.randomUUID = noting  # type: ignore[method-assign]

    def _watch(self) -> None:
        """Note for each message which page call it comes of, and which message is being delivered."""
        source, sender = self.source, self.source.sender
        deliver, build = sender.deliver, sender.message

        def building(type_: str, fields: Any, options: Any, traits: Any, properties: Any, moment: Moment) -> Any:
            message = build(type_, fields, options, traits, properties, moment)
            self._origin[raw_get(message, "messageId")] = (moment, self._is_lost)
            return message

        def delivering(message: Any, plugin: Any) -> None:
            self._delivering = message
            deliver(message, plugin)
            self._delivering = UNDEFINED

        sender.message, sender.deliver = building, delivering
        identify = source._do_identify
        self._is_lost = False

        def identifying(args: list[Any], moment: Moment) -> Any:
            # Without anywhere to keep traits, the vendor's integration stumbles over an identify call without any.
            options = arguments.subject(args)[2]
            bare = arguments.subject(args)[1] is UNDEFINED and raw_get(options, "traits") is UNDEFINED
            bare = bare and raw_get(raw_get(options, "context"), "traits") is UNDEFINED
            self._is_lost = bare and not source.visitor.keeps("userTraits")
            try:
                return identify(args, moment)
            finally:
                self._is_lost = False

        source._do_identify = identifying

    def run(self, script: list[list[Any]], duration: float | None = None) -> None:
        start = self.window.now
        if self.scenario.get("loadLast"):
            self._drain(script)
        else:
            if not self.scenario.get("noLoad"):
                self.load()
            for index, entry in enumerate(script):
                self._step(index, entry)
        self.window.settle(SETTLING if duration is None else start + duration - self.window.now)

    def load(self) -> None:
        options = tagged.decode(self.scenario.get("loadOptions") or {})
        self.source.call("load", make_array([*LOAD, options]))

    def _drain(self, script: list[list[Any]]) -> None:
        """The calls that the vendor's snippet kept, ``load`` the last of them."""
        page = Page(self.window)
        self.played.events_at_once = sum(entry[0] in EVENTS for entry in script)
        queue = [
            (entry[0], make_array([self._value(arg, index) for arg in entry[1:]]), page.moment())
            for index, entry in enumerate(script)
        ]
        options = tagged.decode(self.scenario.get("loadOptions") or {})
        self.source.replay([*queue, ("load", make_array([*LOAD, options]), page.moment())], self.source.call)

    def _step(self, index: int, entry: list[Any]) -> None:
        method, *args = entry
        window, played = self.window, self.played
        if method == "$settle":
            window.settle(SETTLING)
            self._settled = True
        elif method == "$wait":
            window.settle(args[0])
        elif method in ("$pushState", "$replaceState", "$setTitle"):
            played.page_changes_unsettled |= played.events_at_once > 0 and not getattr(self, "_settled", False)
            if method == "$setTitle":
                window.document.title = args[0]
            else:
                window.history.pushState(None, "", args[0])
        elif method == "$setLocalStorage":
            window.localStorage.setItem(*args)
        elif method == "$load":
            self.load()
        else:
            self._call(index, entry, None)

    def _call(self, index: int, entry: list[Any], moment: Moment | None) -> None:
        method, *args = entry
        played = self.played
        if method not in RudderAnalytics.methods:
            self._record("throw", [JsError(f"rudderanalytics.{method} is not a function")], False)
            return
        if method in EVENTS and not getattr(self, "_settled", False):
            played.events_at_once += 1
        values = [self._value(arg, index) for arg in args]
        result = self.bridge.call(method, make_array(values), moment)
        if result is not UNDEFINED:
            played.returns[str(index)] = taken(result)
            played.return_ids[str(index)] = self.source.visitor.values["anonymousId"]

    def _value(self, arg: Any, index: int) -> Any:
        def called(args: Any) -> Any:
            self.played.callbacks.append(index)
            return UNDEFINED

        value = tagged.decode(arg)
        return Function(called) if isinstance(value, Function) else value
