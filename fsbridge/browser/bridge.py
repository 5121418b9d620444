"""The wiring: a source's messages through a destination to FullStory, on one page."""

from ..contracts import Call
from ..runtime import UNDEFINED, get, items, make_array, resolved
from ..version import VERSION
from . import sources
from .fullstory.calls import FullStory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..contracts import Destination, Message, Moment, Plugin
    from .diagnostics import Diagnostics
    from .page import Page

OPERATION = "FS"
"""The method of a call that is no call on a source, but FullStory's own: what its queue held on an earlier page."""

MESSAGE = "message"
"""The method of a call that is a message which was on its way when an earlier page was left."""

_MOST_REPORTS = 100


class Bridge:
    """One source, one destination and FullStory on one page.

    ``source`` is the API that the page calls, by default that of the destination's vendor; raises SettingsError for an
    unknown one. ``status`` is "ready" from the start, "blocked" once fs.js turned out not to
    load; ``on_lost(operation, options, source, version)`` then gets what FullStory can't. With ``diagnostics``, or
    after the page called ``analytics.debug()``, it is said on the console what FullStory would reject.
    """

    def __init__(
        self,
        page: "Page",
        destination: "Destination",
        source: "str | None" = None,
        on_status: "Callable[[str], None] | None" = None,
        diagnostics: bool = False,
        on_lost: "Callable[..., None] | None" = None,
    ) -> None:
        self.destination = destination
        self.status = "ready"
        self._page = page
        self._on_status = on_status
        self._on_lost = on_lost
        self._reports = 0
        self._fullstory: "FullStory | None" = None
        self._operations: "list[Call]" = []
        self._diagnosing = diagnostics
        self._diagnostics: "Diagnostics | None" = None
        self.source = sources.find(source or destination.source)(
            page, destination, self._deliver, self.report, self._begin, VERSION
        )

    def call(self, method: str, args: "Any", moment: "Moment | None" = None) -> "Any":
        """A call of the page on the source's API: ``args`` is a port array. Never raises for what a page passes in."""
        try:
            if method == OPERATION:
                return self._operate(Call("", items(args)))
            if method == MESSAGE:
                self._page.carried.append(get(get(args, 0), "messageId"))
            return self.source.call(method, args, moment)
        except Exception as error:  # what a page passes in may throw when it is read
            self.report("%s.%s: %s" % (self.source.global_name, method, error))
            return resolved(UNDEFINED)

    def replay(self, calls: "list[tuple[str, Any, Moment]]") -> "list[Any]":
        """Begin, with the calls ``(method, args, moment)`` that the page made before; returns what each gives."""
        results: "list[Any]" = self.source.replay(calls, self.call)
        self.source.start_once()
        return results

    def examine(self) -> None:
        """Report mistakes in the settings that don't keep anything from working: after what the page has called."""
        for problem in self.destination.problems():
            self.report(problem)

    def hand_back(self) -> "list[tuple[str, Any, Moment]]":
        """Give up what still waits on its way, for the next page: calls as `replay` takes them."""
        messages, calls = self.source.hand_back()
        now = self._page.moment()
        return [(MESSAGE, make_array((message,)), now) for message in messages] + calls

    def report(self, text: str) -> None:
        """Say on the console what went wrong without harm; a page hears at most a hundred of these."""
        self._reports += 1
        if self._reports <= _MOST_REPORTS:
            self._page.say("warn", text)

    def watch(self, on_status: "Callable[[str], None]") -> None:
        """Call ``on_status`` with each new status from now on."""
        self._on_status = on_status

    def _begin(self, destination: "Destination") -> None:
        fullstory = FullStory(self._page, destination.fullstory(), self._heard, self._on_lost)
        self._fullstory = fullstory
        fullstory.load()
        for operation in self._operations:
            fullstory.perform(operation)
        self._operations = []

    def _operate(self, operation):
        if self._fullstory is None:
            self._operations.append(operation)
        else:
            self._fullstory.perform(operation)
        return UNDEFINED

    def _heard(self, status: str) -> None:
        self.status = "blocked" if status == "blocked" else "ready"
        if self._on_status is not None:
            self._on_status(self.status)

    def _deliver(self, message: "Message", plugin: "Plugin") -> None:
        try:
            calls = plugin.calls(message, self.report)
        except Exception as error:
            self.report("a message could not be delivered: %s" % error)
            return
        fullstory = self._fullstory
        if fullstory is not None:
            if self._page.carried and get(message, "messageId") in self._page.carried:
                calls = [call for call in calls if not call.of_page]
            if self._diagnosing or self.source.debugging:
                self._diagnose(calls, message)
            for call in calls:
                fullstory.perform(call)

    def _diagnose(self, calls: "Sequence[Call]", message: "Message") -> None:
        if self._diagnostics is None:
            from .diagnostics import Diagnostics

            self._diagnostics = Diagnostics(self._page.now, self.report)
        url = get(get(self._page.window, "location"), "href")
        for call in calls:
            try:
                self._diagnostics.look(call, get(message, "anonymousId"), url)
            except Exception as error:  # an object that throws when it is read
                self.report("a call could not be looked at: %s" % error)
