"""The wiring: a source's messages through a destination to FullStory, on one page."""

from ..contracts import Call
from ..runtime import UNDEFINED, make_array, raw_get, raw_items, resolved
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


class _Internal:
    """What stands in a method's place for something that no page can ask for: pages name methods by texts."""


OPERATION = _Internal()
"""An operation on FullStory itself: what its queue held on an earlier page. The arguments are the operation's."""

MESSAGE = _Internal()
"""A message that was on its way when an earlier page was left. The one argument is the message."""

_MESSAGE = "message"
"""What sources call that among themselves. No API has such a method, so no page can call it."""

_MAX_REPORTS = 100


class Bridge:
    """One source, one destination and FullStory on one page.

    ``source`` is the API that the page calls, by default that of the destination's vendor; raises SettingsError for an
    unknown one. ``status`` is "queueing" until fs.js is there, then "ready", or "blocked" once it turned out not to
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
        self.status = "queueing"
        self._made = 0  # calls on FullStory
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
        return self._guarded(self.source.call, method, args, moment)

    def replay(self, calls: "list[tuple[Any, Any, Moment]]") -> "list[Any]":
        """Begin, with the calls ``(method, args, moment)`` that the page made before; returns what each gives.

        In a method's place there may also be `OPERATION` or `MESSAGE`.
        """
        results: "list[Any]" = self.source.replay(calls, self._perform)
        try:
            self.source.start_once()
        except Exception as error:  # a page that throws where it is read
            self.report("%s: %s" % (self.source.global_name, error))
        return results

    def _perform(self, method: "Any", args: "Any", moment: "Moment | None") -> "Any":
        if method is OPERATION:
            return self._guarded(self._operate, method, args, moment)
        if method is MESSAGE:
            return self._guarded(self._deliver_again, method, args, moment)
        return self.call(method, args, moment)

    def _guarded(self, function: "Callable[..., Any]", method: "Any", args: "Any", moment: "Moment | None") -> "Any":
        try:
            return function(method, args, moment)
        except Exception as error:  # what a page passes in may throw when it is read
            name = method if isinstance(method, str) else "a call of an earlier page"
            self.report("%s.%s: %s" % (self.source.global_name, name, error))
            return resolved(UNDEFINED)

    def examine(self) -> None:
        """Report mistakes in the settings that don't keep anything from working: after what the page has called."""
        for problem in self.destination.problems():
            self.report(problem)

    def hand_back(self) -> "list[tuple[Any, Any, Moment]]":
        """Give up what still waits on its way, for the next page: calls as `replay` takes them."""
        messages, calls = self.source.hand_back()
        now = self._page.moment()
        kept = [(MESSAGE if method == _MESSAGE else method, args, moment) for method, args, moment in calls]
        return [(MESSAGE, make_array((message,)), now) for message in messages] + kept

    def report(self, text: str) -> None:
        """Say on the console what went wrong without harm; a page hears at most a hundred of these."""
        self._reports += 1
        if self._reports <= _MAX_REPORTS:
            self._page.say("warn", text)

    def watch(self, on_status: "Callable[[str], None]") -> None:
        """Call ``on_status`` with each new status from now on."""
        self._on_status = on_status

    def _begin(self, destination: "Destination") -> None:
        fullstory = self._fullstory = FullStory(self._page, destination.fullstory(), self._heard, self._on_lost)
        fullstory.load()
        for operation in self._operations:
            fullstory.perform(operation)
        self._operations = []

    def _operate(self, method: "Any", args: "Any", moment: "Moment | None") -> "Any":
        operation = Call("", raw_items(args))
        if self._fullstory is None:
            self._operations.append(operation)
        else:
            self._fullstory.perform(operation)
        return UNDEFINED

    def _deliver_again(self, method: "Any", args: "Any", moment: "Moment | None") -> "Any":
        self._page.carried.append(raw_get(raw_get(args, 0), "messageId"))
        return self.source.call(_MESSAGE, args, moment)

    def _heard(self, status: str) -> None:
        self.status = status
        if status == "blocked" and self._fullstory is not None and self._fullstory.reason:
            self.report(self._fullstory.reason)
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
            if self._page.carried and raw_get(message, "messageId") in self._page.carried:
                calls = [call for call in calls if not call.of_page]
            if self._diagnosing or self.source.debugging:
                self._diagnose(calls, message)
            self._made += len(calls)
            for call in calls:
                fullstory.perform(call)

    def describe(self) -> "list[tuple[str, Any]]":
        """How things stand, as names and values: the source, FullStory, and what became of the calls."""
        fullstory = self._fullstory
        return [
            ("source", self.source.api),
            ("status", self.status),
            ("org", fullstory.org if fullstory else "not known before load"),
            ("FullStory calls made", self._made),
            ("waiting for fs.js", fullstory.waiting if fullstory else 0),
            ("session", (fullstory.session_url() if fullstory else "") or "not known yet"),
        ]

    def _diagnose(self, calls: "Sequence[Call]", message: "Message") -> None:
        if self._diagnostics is None:
            from .diagnostics import Diagnostics

            self._diagnostics = Diagnostics(self._page.now, self.report)
        url = raw_get(raw_get(self._page.window, "location"), "href")
        for call in calls:
            try:
                self._diagnostics.look(call, raw_get(message, "anonymousId"), url)
            except Exception as error:  # an object that throws when it is read
                self.report("a call could not be looked at: %s" % error)
