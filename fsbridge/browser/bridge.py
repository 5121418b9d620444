"""The wiring: a source's messages through a destination to FullStory, on one page."""

from __future__ import annotations

from ..contracts import Call
from ..runtime import UNDEFINED, make_array, make_function, raw_get, raw_items, resolved
from ..version import VERSION
from . import sources
from .fullstory.calls import FullStory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..contracts import Destination, Message, Moment, Plugin, Source
    from .diagnostics import Diagnostics
    from .page import Page
    from .sources.beside import Beside


# What stands in a method's place for something that no page can ask for: pages name methods by texts. Numbers, which
# MicroPython's first part can compare with texts.
OPERATION = 1
"""An operation on FullStory itself: what its queue held on an earlier page. The arguments are the operation's."""

MESSAGE = 2
"""A message that was on its way when an earlier page was left. The one argument is the message."""

OF_SDK = 3
"""A message of a vendor's SDK that waited. The arguments are the message, and for each plugin of ours that got it an
array: its alternative name, and an object whose ``list`` is its destination middleware."""

_MESSAGE = "message"
"""What sources call that among themselves. No API has such a method, so no page can call it."""

_MAX_REPORTS = 100


class Bridge:
    """One source, one destination and FullStory on one page.

    ``source`` is the API that the page calls, by default that of the destination's vendor; raises SettingsError for an
    unknown one. ``status`` is "queueing" until fs.js is there, then "ready", or "blocked" once it turned out not to
    load; ``on_lost(operation, options, source, version)`` then gets what FullStory can't. With ``diagnostics``, or
    after the page called ``analytics.debug()``, it is said on the console what FullStory would reject.

    With ``beside`` there is no API: a vendor's SDK on the page feeds the bridge, by `meet` and `take`. It may also come
    later, where there is one. Until it has begun ``status`` is "waiting". ``when_doubled`` and ``session_url`` are the
    tag's attributes of these names.
    """

    def __init__(
        self,
        page: Page,
        destination: Destination,
        source: str | None = None,
        on_status: Callable[[str], None] | None = None,
        diagnostics: bool = False,
        on_lost: Callable[..., None] | None = None,
        beside: bool = False,
        when_doubled: str = "",
        session_url: bool = False,
    ) -> None:
        self.destination = destination
        self.status = "waiting" if beside else "queueing"
        self.made = 0
        """How many calls on FullStory there were."""
        self._page = page
        self._on_status = on_status
        self._on_lost = on_lost
        self._reports = 0
        self.fullstory: FullStory | None = None
        """FullStory in this page, once a destination has begun."""
        self._operations: list[Call] = []
        self._refused = False  # the visitor doesn't agree any more
        self._awaited: Destination | None = None  # what was to begin meanwhile
        self.inspector: Callable[[Message, Sequence[Call]], Any] | None = None  # hears of what is delivered
        self._diagnosing = diagnostics
        self._diagnostics: Diagnostics | None = None
        self._session_url = session_url
        self._when_doubled = when_doubled
        self.vendor = source or destination.source
        self._beside: Beside | None = None
        self.source: Source = self.beside if beside else self._fed_by(sources.find(self.vendor))

    def _fed_by(self, kind: Callable[..., Any], *more: Any) -> Any:
        return kind(self._page, self.destination, self._deliver, self.report, self._begin, VERSION, *more)

    @property
    def beside(self) -> Beside:
        """The source that a vendor's SDK on the page feeds, from the first time that it is asked for."""
        if self._beside is None:
            from .sources.beside import Beside  # here: most pages have no SDK

            session = self._session if self._session_url else None
            self._beside = self._fed_by(Beside, self.vendor, self._when_doubled, session)
        return self._beside

    def call(self, method: str, args: Any, moment: Moment | None = None) -> Any:
        """A call of the page on the source's API: ``args`` is a port array. Never raises for what a page passes in."""
        return self._guarded(self.source.call, method, args, moment)

    def replay(self, calls: list[tuple[Any, Any, Moment]], start: bool = True) -> list[Any]:
        """Begin, with the calls ``(method, args, moment)`` that the page made before; returns what each gives.

        In a method's place there may also be `OPERATION`, `MESSAGE` or `OF_SDK`. Without ``start`` it is a vendor's SDK
        that begins.
        """
        front = 0
        while front < len(calls) and calls[front][0] == OPERATION:  # here: RudderStack's source makes calls first
            self._perform(*calls[front])
            front += 1
        results: list[Any] = [UNDEFINED] * front + self.source.replay(calls[front:], self._perform)
        try:
            if start:
                self.source.start_once()
        except Exception as error:  # a page that throws where it is read
            self.report("%s: %s" % (self.source.global_name, error))
        return results

    def _perform(self, method: Any, args: Any, moment: Moment | None) -> Any:
        note = None if moment is None else moment.note
        if note:
            note("begun")
        if method == OPERATION:
            result = self._guarded(self._operate, method, args, moment)
        elif method == MESSAGE:
            result = self._guarded(self._deliver_again, method, args, moment)
        elif method == OF_SDK:
            result = self._guarded(self._take_waiting, method, args, moment)
        else:
            result = self.call(method, args, moment)
        if note:
            note("done")
        return result

    def meet(self, sdk: Any) -> str:
        """A vendor's SDK has begun. Returns what keeps us out of it, else an empty text.

        That is "doubled" where its own FullStory destination is active, "waiting" where its options switch us off.
        """
        try:
            self.beside.begin(sdk)
        except Exception as error:  # what a page's own objects throw when they are read
            self.report("%s: %s" % (self.beside.global_name, error))
        if self.beside.doubled:
            return "doubled"
        return "" if self.beside.begun else "waiting"

    def take(self, message: Any, name: str, steps: list[Any]) -> None:
        """A message of a vendor's SDK, for our plugin with the alternative ``name``, behind destination middleware."""
        try:
            self.beside.take(message, name, steps)
        except Exception as error:
            self.report("a message of %s: %s" % (self.beside.global_name, error))

    def _take_waiting(self, method: Any, args: Any, moment: Moment | None) -> Any:
        message = raw_get(args, 0)
        if moment is not None and moment.carried:
            self._page.carried[raw_get(message, "messageId")] = True
        for plugin in raw_items(raw_get(args, 1)):
            steps = raw_get(raw_get(plugin, 1), "list")
            self.take(message, raw_get(plugin, 0), [] if steps is UNDEFINED else raw_items(steps))
        return UNDEFINED

    def _guarded(self, function: Callable[..., Any], method: Any, args: Any, moment: Moment | None) -> Any:
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

    def hand_back(self) -> list[tuple[Any, Any, Moment]]:
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

    def consent(self, granted: bool) -> str:
        """What the visitor decides once we run; returns the status from then on.

        Without consent FullStory stops, what the source has stored of the visitor is removed, nothing is stored, and
        messages come to nothing. With it all goes on, with a visitor that nobody knows.
        """
        self._refused = not granted
        if granted:
            self._page.stores = True
            if self._beside is None:
                self.source.renew()
            if self.fullstory is not None:
                self.fullstory.restart()
            elif self._awaited is not None:
                self._begin(self._awaited)
        else:
            self.source.hand_back()
            if self._beside is None:  # else it is the SDK's
                self.source.forget()
            self._page.stores = False
            self._operations = []
            if self.fullstory is not None:
                self.fullstory.stop()
        return self.status

    def watch(self, on_status: Callable[[str], None]) -> None:
        """Call ``on_status`` with each new status from now on."""
        self._on_status = on_status

    def _begin(self, destination: Destination) -> None:
        if self._refused:
            self._awaited = destination
            return
        if self.fullstory is not None:
            return
        self.status = "queueing"
        fullstory = self.fullstory = FullStory(self._page, destination.fullstory(), self._heard, self._on_lost)
        fullstory.load()
        if self._session_url:
            fullstory.observe(make_function(self._session_begun))
        for operation in self._operations:
            fullstory.perform(operation)
        self._operations = []

    def _session_begun(self, args: Any) -> Any:
        try:
            self.beside.share_session()
        except Exception as error:
            self.report("the session's address can't be shared: %s" % error)
        return UNDEFINED

    def _session(self) -> tuple[str, str]:
        fullstory = self.fullstory
        return (fullstory.session("url"), fullstory.session("id")) if fullstory else ("", "")

    def _operate(self, method: Any, args: Any, moment: Moment | None) -> Any:
        operation = Call("", raw_items(args))
        if self._refused:
            return UNDEFINED
        if self.fullstory is None:
            self._operations.append(operation)
        else:
            self.fullstory.perform(operation)
        return UNDEFINED

    def _deliver_again(self, method: Any, args: Any, moment: Moment | None) -> Any:
        self._page.carried[raw_get(raw_get(args, 0), "messageId")] = True
        return self.source.call(_MESSAGE, args, moment)

    def retry(self) -> None:
        """Ask once more for an fs.js that did not load."""
        if self.fullstory is not None:
            self.fullstory.retry()

    def _heard(self, status: str) -> None:
        self.status = status
        if status == "blocked" and self.fullstory is not None and self.fullstory.reason:
            self.report(self.fullstory.reason)
        if self._on_status is not None:
            self._on_status(self.status)

    def _deliver(self, message: Message, plugin: Plugin) -> None:
        try:
            calls = plugin.calls(message, self.report)
        except Exception as error:
            self.report("a message could not be delivered: %s" % error)
            return
        fullstory = self.fullstory
        if fullstory is not None and not self._refused:
            if self._page.carried and raw_get(message, "messageId") in self._page.carried:
                calls = [call for call in calls if not call.of_page]
            if self._diagnosing or self.source.debugging:
                self._diagnose(calls, message)
            self.made += len(calls)
            if self.inspector:
                self.inspector(message, calls)
            for call in calls:
                fullstory.perform(call)

    def _diagnose(self, calls: Sequence[Call], message: Message) -> None:
        if self._diagnostics is None:
            from .diagnostics import Diagnostics

            self._diagnostics = Diagnostics(self._page.now, self.report)
        self._diagnostics.check_all(calls, message, self._page.window)
