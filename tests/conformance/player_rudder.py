"""Plays a recorded RudderStack scenario on a simulated page, page load by page load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fsbridge import settings
from fsbridge.browser.bridge import Bridge
from fsbridge.browser.page import Page
from fsbridge.browser.sources.rudderanalytics import RudderAnalytics, arguments
from fsbridge.browser.sources.rudderanalytics.values import taken
from fsbridge.contracts import Moment
from fsbridge.destinations.rudderstack import RudderStack
from fsbridge.runtime import UNDEFINED, is_plain, keys, make_array, raw_get
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
        self.places: list[tuple[str, str]] = []  # address and title of the page at each track and page call
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


class _Observed:
    """A plugin, which first tells ``observe`` of each message."""

    def __init__(self, plugin: Any, observe: Callable[[Any], None]) -> None:
        self.integration, self.alternative, self.types = plugin.integration, plugin.alternative, plugin.types
        self._plugin = plugin
        self._observe = observe

    def calls(self, message: Any, report: Any) -> Any:
        self._observe(message)
        return self._plugin.calls(message, report)


class _Several(RudderStack):
    """The first of several destinations, speaking for all of them; ``observe`` hears of its messages."""

    def __init__(self, given: list[dict[str, Any]], observe: Callable[[Any], None]) -> None:
        first, *rest = [settings.whole(RudderStack.settings, each) for each in given]
        super().__init__(first)
        self.plugins = [_Observed(plugin, observe) for plugin in self.plugins]
        self._rest = [RudderStack(options) for options in rest]

    def configurations(self) -> list[dict[str, Any]]:
        return [*super().configurations(), *(one for each in self._rest for one in each.configurations())]


class Player:
    """One page load of a scenario."""

    def __init__(self, scenario: dict[str, Any], window: SimulatedWindow) -> None:
        self.scenario = scenario
        self.window = window
        self.played = Played(window)
        self._delivering: Any = UNDEFINED
        self._is_lost = False
        self._bare: dict[Any, bool | None] = {}  # user ids of bare identify calls: whether traits could be kept then
        self._prepare_fs(scenario.get("fs"))
        self._note_ids()
        self.bridge = self._make_bridge(Page(window))
        source: Any = self.bridge.source
        self.source = source
        source.await_load()
        self.played.source = source

    def _make_bridge(self, page: Page) -> Bridge:
        given = settings_of(self.scenario)
        extra = [{**given, **more["settings"], "id": more["id"]} for more in self.scenario.get("extraDestinations", [])]
        return Bridge(page, _Several([tagged.decode(given), *extra], self._observe))

    def _prepare_fs(self, state: str | None) -> None:
        fs = self.window.FS
        if state == "bare":
            fs.properties = {"name": "FS"}
        names = [("FS", fs), *(("FS." + key, value) for key, value in fs.properties.items() if key != "name")]
        for name, function in names:
            function.body = lambda args, name=name: self._record(name, args, state == "throws")

    def _record(self, name: str, args: list[Any], throws: bool) -> Any:
        played = self.played
        played.calls.append({"call": name, "args": list(args)})
        played.lost_by_vendor.append(self._is_lost)
        played.anonymous_ids.append(raw_get(self._delivering, "anonymousId"))
        if throws:
            raise JsError("FS throws")
        return UNDEFINED

    def _note_ids(self) -> None:
        make = self.window.crypto.randomUUID

        def noting() -> str:
            self.played.generated.append(make())
            return self.played.generated[-1]

        self.window.crypto.randomUUID = noting

    def _observe(self, message: Any) -> None:
        """A message is about to become calls."""
        self._delivering = message
        kept = self._bare.get(raw_get(message, "userId"), True)
        kept = self.source.visitor.keeps("userTraits") if kept is None else kept
        traits = raw_get(raw_get(message, "context"), "traits")
        self._is_lost = raw_get(message, "type") == "identify" and not kept and not (is_plain(traits) and keys(traits))

    def _note(self, method: str, values: list[Any]) -> None:
        """The page is about to call a method."""
        if method in ("track", "page"):
            self.played.places.append((self.window.location.href, self.window.document.title))
        elif method == "identify":
            # Without anywhere to keep traits, the vendor's integration stumbles over an identify call without any.
            user_id, traits, options, _ = arguments.subject([taken(raw_get(values, index)) for index in range(5)])
            given = (traits, raw_get(options, "traits"), raw_get(raw_get(options, "context"), "traits"))
            if all(value is UNDEFINED for value in given):
                visitor = self.source.visitor
                self._bare[user_id] = visitor.keeps("userTraits") if visitor.areas else None

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
        queue = []
        for index, (method, *args) in enumerate(script):
            values = [self._value(arg, index) for arg in args]
            self._note(method, values)
            queue.append((method, make_array(values), page.moment()))
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
        self._note(method, values)
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
