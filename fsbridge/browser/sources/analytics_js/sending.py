"""How analytics.js sends: a call's message goes its way, then callback, listeners and promise follow."""

from __future__ import annotations

from ....runtime import UNDEFINED, call, make_function, make_promise, raw_get, raw_put, resolved, type_of
from .message import Factory
from .user import User

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ....contracts import Message, Moment, Report, Value
    from ...page import Page
    from .listeners import Listeners
    from .pipeline import Pipeline

    Told = Callable[[Message], tuple[Value, ...]]
    Then = Callable[[], None]

TIMEOUT = 300


class Sent:
    """A call of the page whose message is on its way, and what is due once it is through.

    ``told(message)`` gives what listeners get, made from the final message; ``then()``, if there is one, comes last.
    """

    def __init__(self, type_: str, context: Value, callback: Value, told: Told, then: Then | None) -> None:
        self.type = type_
        self.context = context
        self.callback = callback
        self.told = told
        self.then = then
        self.resolve: Callable[[Value], None] | None = None
        self.finished = False


class Sender:
    """Makes messages and sends them through ``pipeline``.

    ``integrations`` are those in the options of load. ``timeout`` is how long a callback waits, in milliseconds.
    """

    def __init__(
        self, page: Page, user: User, pipeline: Pipeline, listeners: Listeners, report: Report, version: str
    ) -> None:
        self.integrations: Value = UNDEFINED
        self.timeout = TIMEOUT
        self.factory = Factory(page, user, version)
        self._page = page
        self._pipeline = pipeline
        self._listeners = listeners
        self._report = report
        self._calling_back: dict[int, Sent] = {}  # by number: calls whose callback is due
        self._serial = 0
        self._on_time = make_function(self._call_back, "callback")

    def send(
        self,
        type_: str,
        fields: dict[str, Any],
        options: Value,
        callback: Value,
        told: Told,
        moment: Moment | None,
        then: Then | None = None,
    ) -> Value:
        """Send a message with these fields; returns the promise of a context that the page gets. Raises Invalid."""
        if moment is None:
            moment = self._page.moment()
        message = self.factory.make(type_, fields, options, self.integrations, moment)
        if moment.carried:
            self._page.carried[raw_get(message, "messageId")] = True
        pipeline = self._pipeline
        context = pipeline.contexts.make(message)
        filtered = options is not UNDEFINED or self.integrations is not UNDEFINED
        is_through = pipeline.deliver_directly(message, type_, filtered)
        if is_through and callback is UNDEFINED and then is None and not self._listeners.hears(type_):
            return resolved(context)
        sent = Sent(type_, context, callback, told, then)
        if is_through:
            self._delivered(sent, message)
        else:
            raw_get(message, "context")  # made now, for who changes the message on its way
            pipeline.send(message, lambda final: self._delivered(sent, final))
        if sent.finished:
            return resolved(context)
        promise, sent.resolve, _ = make_promise()
        return promise

    def _delivered(self, sent: Sent, final: Message | None) -> None:
        """A message is through (None: was dropped on the way)."""
        if final is not None:
            raw_put(sent.context, "event", final)
        if type_of(sent.callback) == "function":
            self._serial += 1
            self._calling_back[self._serial] = sent
            self._page.later_with(self._on_time, self.timeout, self._serial)
        else:
            self._finish(sent)

    def _call_back(self, args: Value) -> Value:
        sent = self._calling_back.pop(raw_get(args, 0))
        try:
            call(sent.callback, sent.context)
        except Exception as error:
            self._report("the callback of analytics.%s failed: %s" % (sent.type, error))
        self._finish(sent)
        return UNDEFINED

    def _finish(self, sent: Sent) -> None:
        sent.finished = True
        if self._listeners.hears(sent.type):
            # The vendor's listeners get the call's options last, which by then are always undefined.
            self._listeners.emit(sent.type, sent.told(raw_get(sent.context, "event")) + (UNDEFINED,))
        if sent.resolve is not None:
            sent.resolve(sent.context)
        if sent.then is not None:
            sent.then()
