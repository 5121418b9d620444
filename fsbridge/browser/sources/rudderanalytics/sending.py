"""How rudderanalytics sends: a call's message, with page and custom context, to the destinations that may have it."""

from __future__ import annotations

from ....runtime import (
    UNDEFINED,
    call,
    copy,
    is_plain,
    json_copy,
    keys,
    make_date,
    make_object,
    raw_get,
    raw_put,
    record,
    to_json,
    type_of,
)
from . import targets, visitor
from .page import context as page_context
from .page import defaults as page_defaults
from .values import is_unsafe, merged, without_nullish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ....contracts import Message, Moment, Plugin, Report, Value
    from ...page import Page
    from .visitor import Visitor

_TOP_LEVEL = ("integrations", "anonymousId", "originalTimestamp")
_RESERVED_CONTEXT = ("library", "consentManagement", "userAgent", "ua-ch", "screen")


class Sender:
    """Makes messages for one page and visitor, and hands them to ``plugins``.

    ``integrations`` are what messages carry whose calls say nothing, as plain data; None for all.
    """

    def __init__(
        self,
        page: Page,
        visitor_: Visitor,
        plugins: Sequence[Plugin],
        deliver: Callable[[Message, Plugin], None],
        report: Report,
        version: str,
    ) -> None:
        self.deliver = deliver
        self.integrations: dict[str, Any] | None = None
        self._page = page
        self._visitor = visitor_
        self._plugins = plugins
        self._report = report
        self._targets: list[dict[str, Any]] | None = None  # not known before load and consent
        self._held: list[Message] = []  # messages until then
        self._custom_context, self._is_customized = make_object(), False
        self._seen: tuple[Value, ...] | None = None  # what these page properties were made from
        self._defaults: tuple[tuple[str, Value], ...] = ()
        self._page_context: Value = UNDEFINED
        self._library = make_object((("name", "fsbridge"), ("version", version)))
        self._run, self._serial = page.uuid(), 0

    def send(
        self,
        type_: str,
        fields: list[tuple[str, Value]],
        options: Value,
        callback: Value,
        moment: Moment,
        traits: Value = UNDEFINED,
        properties: Value = UNDEFINED,
    ) -> None:
        """Send a message with these fields; ``traits`` and ``properties`` are those of an identify and a page call."""
        self._visitor.refresh_session()
        message = json_copy(self.message(type_, fields, options, traits, properties, moment))
        if type_ == "identify":
            raw_put(message, "traits", raw_get(raw_get(message, "context"), "traits"))
        if self._targets is None:
            self._held.append(message)
        else:
            self._hand_over(message)
        if type_of(callback) == "function":
            self.call_back(callback, message)

    def message(
        self,
        type_: str,
        fields: list[tuple[str, Value]],
        options: Value,
        traits: Value,
        properties: Value,
        moment: Moment,
    ) -> Message:
        """A call's message, before it passes through JSON."""
        values = self._visitor.values
        self._serial += 1
        known = self.page_defaults(moment)
        context = record(
            traits=values[visitor.USER_TRAITS] if traits is UNDEFINED else traits,
            sessionId=self._visitor.session.get("id", UNDEFINED),
            library=self._library,
            page=self._page_context if properties is UNDEFINED else page_context(properties, known),
        )
        if self._is_customized:
            context = merged(context, self._custom_context)
        whole = {
            "type": type_,
            "userId": values[visitor.USER_ID],
            "anonymousId": self._visitor.event_anonymous_id(),
            "integrations": record(All=True),
            "timestamp": make_date(moment.time),
            "messageId": "%s-%d" % (self._run, self._serial),
        }
        whole.update(fields)
        message = record(**whole)
        if is_plain(options):
            context = _apply(options, message, context)
        if self.integrations is not None:
            raw_put(message, "integrations", _booleans(self.integrations))
        raw_put(message, "context", context)
        if moment.carried:
            self._page.carried[raw_get(message, "messageId")] = True
        return message

    def page_defaults(self, moment: Moment) -> tuple[tuple[str, Value], ...]:
        """The page properties of a moment, with the first referrer. Made once for each state of the page."""
        values = self._visitor.values
        first = values[visitor.REFERRER], values[visitor.REFERRING_DOMAIN]
        seen = moment.place + first
        if seen != self._seen:
            self._seen = seen
            self._defaults = page_defaults(moment) + (
                ("initial_referrer", first[0]),
                ("initial_referring_domain", first[1]),
            )
            self._page_context = page_context(UNDEFINED, self._defaults)
        return self._defaults

    # Destinations

    @property
    def holds(self) -> bool:
        """Whether it isn't known yet which destinations there are."""
        return self._targets is None

    def hold(self) -> None:
        """Hold messages from now on, until `release`."""
        self._targets = None

    def drop_held(self) -> None:
        """Forget the messages that are held."""
        self._held = []

    def release(self, found: list[dict[str, Any]], begin: Callable[[], None]) -> None:
        """Let these destinations have messages, first those held; ``begin()`` comes before, if there are any."""
        self._targets = found
        held, self._held = self._held, []
        if found:
            begin()
            for message in held:
                self._hand_over(message)

    def _hand_over(self, message: Message) -> None:
        for target in self._targets or ():
            if targets.accepts(target, message):
                self.deliver_to_all(message)

    def deliver_to_all(self, message: Message) -> None:
        """Let all plugins have a message, whatever filters say."""
        for plugin in self._plugins:
            self.deliver(message, plugin)

    def call_back(self, callback: Value, *args: Value) -> None:
        """Call a function of the page's."""
        self._visitor.keep()  # it finds stored what is
        try:
            call(callback, *args)
        except Exception as error:
            self._report("a callback failed: %s" % error)

    # The context that the page adds to all messages

    def custom_context(self) -> Value:
        """A copy of it."""
        return copy(self._custom_context)

    def clear_context(self) -> None:
        """Forget it."""
        self._custom_context, self._is_customized = make_object(), False

    def add_context(self, given: Value) -> None:
        """Add to it. Raises for what has no JSON: each message from here on would be lost with it."""
        if is_plain(given):
            context = without_nullish(_with_context(self._custom_context, given))
            to_json(context)
            self._custom_context, self._is_customized = context, bool(keys(context))


def _apply(options: Value, message: Message, context: Value) -> Value:
    """A call's options: some are the message's own, the rest is context; returns the context with it."""
    anonymous_id, integrations = raw_get(options, "anonymousId"), raw_get(options, "integrations")
    if type_of(anonymous_id) == "string" and anonymous_id:
        raw_put(message, "anonymousId", anonymous_id)
    if is_plain(integrations) and keys(integrations):
        raw_put(message, "integrations", integrations)
    timestamp = raw_get(options, "originalTimestamp")
    if type_of(timestamp) == "string" and timestamp:
        raw_put(message, "timestamp", timestamp)
    for name in keys(options):
        value = raw_get(options, name)
        if name in _TOP_LEVEL:
            continue
        if name != "context":
            value = make_object(((name, value),))
        if is_plain(value):
            context = _with_context(context, value)
    return context


def _with_context(context: Value, given: Value) -> Value:
    """``context`` with what a page adds to it, but for the names that are not the page's to set."""
    added = make_object([(name, raw_get(given, name)) for name in keys(given) if name not in _RESERVED_CONTEXT])
    return context if is_unsafe(added) else merged(context, added)


def _booleans(integrations: dict[str, Any]) -> Value:
    return make_object([(name, targets.is_true(value)) for name, value in integrations.items()])
