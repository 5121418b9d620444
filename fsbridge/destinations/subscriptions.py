"""Subscriptions of Segment's Actions destinations: a trigger and a mapping for an action each."""

from __future__ import annotations

from ..mapping import directives, fql
from ..mapping.paths import as_message
from ..runtime import is_nullish, keys, make_object, raw_get, raw_items, text, truthy, type_of
from ..settings import SettingsError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from ..contracts import Message, Value

MAX_SUBSCRIPTIONS = 50


class BadPayload(Exception):
    """A message that an action fails on; of a mapping that is wrong for all messages, the argument is its error."""


def numbered(destination: str, given: Value) -> list[tuple[int, Value]]:
    """The subscriptions in ``given`` with their numbers, counted from 1; none in what is no array.

    Raises SettingsError for more than 50.
    """
    listed = raw_items(given) if type_of(given) == "array" else []
    if len(listed) > MAX_SUBSCRIPTIONS:
        raise SettingsError(
            "%s: setting 'subscriptions' has %d mappings; a destination takes at most %d"
            % (destination, len(listed), MAX_SUBSCRIPTIONS)
        )
    return [(index + 1, item) for index, item in enumerate(listed)]


class Subscription:
    """A trigger and a mapping for an action, the ``number``th of its list.

    ``actions`` are the names of those that the destination has, ``required`` the fields that some insist on.
    """

    def __init__(
        self, number: int, given: Value, actions: Collection[str], required: Mapping[str, Sequence[str]]
    ) -> None:
        name = raw_get(given, "name")
        self.title = "subscription %d %s" % (number, _shown(name) if type_of(name) == "string" else "without a name")
        action = raw_get(given, "partnerAction")
        self.action = action if type_of(action) == "string" else ""
        self._given = given
        self._actions = actions
        self._required = required
        self._trigger: fql.Trigger | None = None
        self._mapping: directives.Evaluate | None = None
        self._wrong_trigger: Exception | None = None
        self._wrong_mapping: Exception | None = None
        mapping = raw_get(given, "mapping")
        self._fields = make_object() if is_nullish(mapping) else mapping
        try:
            self._trigger = fql.parse(raw_get(given, "subscribe"))
        except Exception as error:  # as with the vendor, it never matches
            self._wrong_trigger = error

    @property
    def types(self) -> Sequence[str] | None:
        """The types of message that it may be triggered by; None for any."""
        return () if self._trigger is None else self._trigger.types

    def payload(self, message: Message) -> Value:
        """What the action gets of ``message``, None when the trigger doesn't match. Raises for a wrong mapping."""
        if self._trigger is None or not self._trigger.matches(message):
            return None
        if self._mapping is None:
            self._compile()
            if self._mapping is None:
                raise BadPayload(self._wrong_mapping)
        return self._mapping(as_message(message))

    def _compile(self) -> None:
        """Compile the mapping, once: when it is needed, because a page may never need all."""
        if self._mapping is None and self._wrong_mapping is None:
            try:
                self._mapping = directives.compile(self._fields)
            except Exception as error:
                self._wrong_mapping = error

    def problems(self) -> list[str]:
        """What is wrong, a text each."""
        found = []
        if self.action not in self._actions:
            near = nearest(text(self.action), list(self._actions))
            hint = "; did you mean %r?" % near if near else "."
            known = ", ".join(self._actions)
            found.append(
                "unknown partnerAction %s%s Known: %s." % (_shown(raw_get(self._given, "partnerAction")), hint, known)
            )
        if self._wrong_trigger is not None:
            trigger = raw_get(self._given, "subscribe")
            wrong = self._wrong_trigger if type_of(trigger) == "string" else "it must be text"
            found.append("trigger %s: %s" % (_shown(trigger), wrong))
        found.extend(["mapping: %s" % wrong for wrong in self._mapping_problems()])
        return ["%s: %s" % (self.title, problem) for problem in found]

    def _mapping_problems(self) -> list[Any]:
        self._compile()
        if self._wrong_mapping is not None:
            return getattr(self._wrong_mapping, "errors", None) or [self._wrong_mapping]
        found = directives.mistakes(self._fields)
        if not self._is_directive():
            for name in self._required.get(self.action, ()):
                if not truthy(raw_get(self._fields, name)):
                    found.append("/%s is missing, and %s requires it." % (name, self.action))
        return found

    def _is_directive(self) -> bool:
        """Whether one directive stands for all fields."""
        return any([key[:1] in ("@", "_") for key in keys(self._fields)])


class Preset:
    """A subscription of the destination's own, for each message of one type. ``mapping`` is plain data.

    It costs a page nothing before such a message comes, and nothing can be wrong with it.
    """

    def __init__(self, name: str, type_: str, action: str, mapping: dict[str, Any]) -> None:
        self.title = "preset %r" % name
        self.action = action
        self.types = [type_]
        self._fields = mapping
        self._mapping: directives.Evaluate | None = None

    def payload(self, message: Message) -> Value:
        """What the action gets of ``message``, None when it is of another type."""
        if raw_get(message, "type") not in self.types:
            return None
        if self._mapping is None:
            self._mapping = directives.compile(_object(self._fields), trusted=True)
        return self._mapping(message)

    def problems(self) -> list[str]:
        """Nothing is wrong."""
        return []


def _object(fields: dict[str, Any]) -> Value:
    """Nested dicts of ours as an object."""
    return make_object([(key, _object(item) if isinstance(item, dict) else item) for key, item in fields.items()])


def _shown(value: Value) -> str:
    return repr(value) if type_of(value) == "string" else text(value)
