"""Segment's FullStory Cloud Mode (Actions): V2 and V1 actions as requests to FullStory's HTTP API.

A pure function of message and settings, like every destination: who performs the requests adds the server's address
and the ``Authorization`` header, so that no API key comes near what is mapped, logged and tried out.

On servers only: it may use all of Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from ..contracts import Destination
from ..destinations.subscriptions import BadPayload, Subscription, numbered
from ..mapping.errors import AggregateError, MappingError, ValidationError
from ..messages import TYPES
from ..runtime import (
    NULL,
    UNDEFINED,
    is_nullish,
    is_plain,
    make_object,
    raw_get,
    raw_has,
    raw_items,
    raw_put,
    text,
    to_json,
    to_number,
    truthy,
    type_of,
)
from ..settings import Setting
from . import liquid, names, timestamps

liquid.install()

API = "https://api.fullstory.com"
"""Where requests go. FullStory routes by the API key, whatever its data centre."""

HEADERS = {"Content-Type": "application/json", "Integration-Source": "segment"}
"""What every request carries besides ``Authorization``, requests without a body, too."""

NAME = "Fullstory Cloud Mode (Actions)"
"""The name by which a message's ``integrations`` know the destination."""


class PayloadError(ValueError):
    """A message, a user id or a key that no request can be made of; it isn't worth a second attempt.

    The text and ``name``, the class of the error, are the vendor's. ``errors`` lists what is wrong, a text each;
    ``subscription`` says which one failed, such as "subscription 2 'Orders'", where it is a matter of one.
    """

    subscription = ""

    def __init__(self, name: str, *errors: str, separator: str = " ") -> None:
        super().__init__(separator.join(errors))
        self.name = name
        self.errors = list(errors)


class Request:
    """One request to FullStory's HTTP API.

    ``method`` is POST, GET or DELETE; ``path`` begins with a slash and comes with its query; ``json`` is the body as a
    port value, UNDEFINED without one. The Authorization header is the client's to add.
    """

    __slots__ = ("json", "method", "path")

    headers = HEADERS

    def __init__(self, method: str, path: str, json: Any = UNDEFINED) -> None:
        self.method = method
        self.path = path
        self.json = json

    def body(self) -> bytes | None:
        """The body in bytes, None without one. Raises PayloadError for what JSON can't hold, such as a BigInt."""
        if self.json is UNDEFINED:
            return None
        try:
            return str(to_json(self.json)).encode()
        except Exception as error:
            raise PayloadError("TypeError", str(error)) from error

    def __repr__(self) -> str:
        return f"Request({self.method} {self.path})"


def authorization(api_key: Any) -> str:
    """The Authorization header for an API key, a port value, by the vendor's rules: they refuse no empty key.

    Raises PayloadError for a key that is missing, no text, or impossible in a header; its text never holds the key.
    """
    if api_key is UNDEFINED:
        raise PayloadError("AggregateAjvError", "The root value is missing the required field 'apiKey'.")
    try:
        key = "" if api_key is NULL else _text(api_key)
    except _Wrong as wrong:
        raise PayloadError("AggregateAjvError", f"API Key {wrong}") from None
    if not _HEADER.fullmatch(key):
        raise PayloadError("TypeError", "The API key holds characters that are not legal in an HTTP header.")
    return f"Basic {key}"


_HEADER = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def me() -> Request:
    """The request that tries an API key out and answers whose it is."""
    return Request("GET", "/me")


def delete_user(user_id: Any) -> Request:
    """The request that deletes a user with all captured data, for a message's ``userId``. Raises PayloadError."""
    if not truthy(user_id):
        raise PayloadError("PayloadValidationError", "User Id is required for user deletion.")
    return Request("DELETE", f"/v2/users?uid={_encoded(text(user_id))}")


def _encoded(component: str) -> str:
    """JavaScript's encodeURIComponent, and %27 for the apostrophe, as the vendor's HTTP library has it."""
    try:
        return quote(component, safe="!~*()")
    except UnicodeEncodeError:
        raise PayloadError("URIError", "URI malformed") from None


_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def _decoded(component: str) -> str:
    """JavaScript's decodeURIComponent."""
    if "%" not in component:
        return component
    try:
        if not _BROKEN_ESCAPE.search(component):
            return unquote_to_bytes(component.encode("utf-8", "surrogatepass")).decode()
    except UnicodeDecodeError:
        pass
    raise PayloadError("URIError", "URI malformed")


# What the fields of a payload have to be. The vendor's validation converts where it can.


class _Wrong(Exception):
    """Each argument goes on from what the value is called: "must be a string but it was an object."."""


def _wrong_type(wanted: str, value: Any) -> _Wrong:
    kind = type_of(value)
    kind = "object" if kind == "date" else kind
    article = "" if kind in ("null", "undefined") else "an " if kind[0] in "aeiou" else "a "
    return _Wrong(f"must be {wanted} but it was {article}{kind}.")


def _only_item(value: Any) -> Any:
    """The item of an array with one, else the value itself."""
    listed = raw_items(value) if type_of(value) == "array" else []
    return listed[0] if len(listed) == 1 else value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    value = _only_item(value)
    if type_of(value) in ("string", "number", "boolean"):
        return text(value)
    if value is NULL:
        return ""
    raise _wrong_type("a string", value)


def _object(value: Any) -> Any:
    if not is_plain(value) and type_of(value) not in ("object", "date"):
        raise _wrong_type("an object", value)
    return value


_BOOLEANS = {"true": True, "false": False}


def _boolean(value: Any) -> bool:
    value = _only_item(value)
    if isinstance(value, bool):
        return value
    if value is NULL:
        return False
    kind = type_of(value)
    if (kind == "string" and value in _BOOLEANS) or (kind == "number" and value in (0, 1)):
        return _BOOLEANS[value] if kind == "string" else value == 1
    raise _wrong_type("a boolean", value)


def _date(value: Any) -> str | float:
    """Text that looks like a date, or a number."""
    given = value if isinstance(value, str) else _number_or_text(value)
    if isinstance(given, str) and not timestamps.is_date_like(given):
        raise _Wrong(_NO_DATE)
    return given


_NO_DATE = "must be a valid date-like string but it was not."


def _number_or_text(value: Any) -> str | float:
    if type_of(value) == "number" and abs(value) < float("inf"):
        number: float = value
        return number
    item = _only_item(value)
    if item is NULL:
        return ""
    if type_of(item) in ("number", "boolean"):
        return text(item)
    number = to_number(item) if type_of(item) == "string" and item else float("nan")
    if number != number or abs(number) == float("inf"):
        wrong = _wrong_type("a string or number", item)
        is_other_text = type_of(item) == "string" and not timestamps.is_date_like(item)
        raise _Wrong(*wrong.args, _NO_DATE) if is_other_text else wrong
    return number


class Field(NamedTuple):
    """A field of an action's payload: its name, the vendor's label, what it has to be, and its default mapping."""

    name: str
    label: str
    accepts: Callable[[Any], Any]
    path: str | None = None
    required: bool = False


# The actions: what each does with its payload, the values of its fields in their order.


def _track_event(user_id: str, name: str, properties: Any, timestamp: Any, recent: Any, session_url: Any) -> Request:
    """V1: an event of a user that FullStory knows; property names get type suffixes."""
    data = names.normalize(properties, with_suffixes=True)
    event: list[tuple[str, Any]] = [("event_name", name), ("event_data", data), *_time(timestamp)]
    if recent is True:
        event.append(("use_recent_session", True))
    if truthy(session_url):
        event.append(("session_url", session_url))
    path = f"/users/v1/individual/{_encoded(user_id)}/customevent?integration=segment"
    return Request("POST", path, make_object([("event", make_object(event))]))


def _track_event_v2(user_id: Any, name: str, properties: Any, timestamp: Any, recent: Any, session_url: Any) -> Request:
    """V2: an event, of nobody without a user id."""
    event: list[tuple[str, Any]] = [("name", name), ("properties", names.normalize(properties))]
    if truthy(user_id):
        event.append(("user", make_object([("uid", user_id)])))
    event.extend(_time(timestamp))
    session: list[tuple[str, Any]] = []
    if truthy(session_url):
        session.append(("id", _decoded(session_url[session_url.rfind("/") + 1 :])))
    if recent is True:
        session.append(("use_most_recent", True))
    if session:
        event.append(("session", make_object(session)))
    return Request("POST", "/v2/events", make_object(event))


def _time(timestamp: Any) -> list[tuple[str, str]]:
    """The moment of an event, which is left out when it is none or lies beyond what dates reach."""
    moment = timestamps.iso(timestamp) if truthy(timestamp) else None
    return [("timestamp", moment)] if moment is not None else []


def _identify_user(user_id: str, anonymous_id: Any, display_name: Any, email: Any, traits: Any) -> Request:
    """V1: properties of a user that FullStory knows, their names camel-cased and with type suffixes."""
    user = names.normalize(traits, in_camel_case=True, with_suffixes=True)
    if truthy(anonymous_id):
        raw_put(user, "segmentAnonymousId_str", anonymous_id)
    for name, value in (("email", email), ("displayName", display_name)):
        if value is not UNDEFINED:
            raw_put(user, name, value)
    return Request("POST", f"/users/v1/individual/{_encoded(user_id)}/customvars?integration=segment", user)


def _identify_user_v2(uid: Any, anonymous_id: Any, display_name: Any, email: Any, properties: Any) -> Request:
    """V2: a user with properties, created when FullStory doesn't know the id."""
    of_user = names.normalize(properties)
    if truthy(anonymous_id):
        raw_put(of_user, "segmentAnonymousId", anonymous_id)
    fields = (("uid", uid), ("email", email), ("display_name", display_name), ("properties", of_user))
    return Request("POST", "/v2/users", make_object([field for field in fields if field[1] is not UNDEFINED]))


def _track_fields(user_id_required: bool) -> tuple[Field, ...]:
    return (
        Field("userId", "User ID", _text, "$.userId", required=user_id_required),
        Field("name", "Name", _text, "$.event", required=True),
        Field("properties", "Properties", _object, "$.properties"),
        Field("timestamp", "Timestamp", _date, "$.timestamp"),
        Field("useRecentSession", "Use Recent Session", _boolean),
        Field("sessionUrl", "Session URL", _text),
    )


def _identify_fields(user_id: str, traits: str, user_id_required: bool) -> tuple[Field, ...]:
    return (
        Field(user_id, "User ID", _text, "$.userId", required=user_id_required),
        Field("anonymousId", "Anonymous ID", _text, "$.anonymousId"),
        Field("displayName", "Display Name", _text, "$.traits.name"),
        Field("email", "Email", _text, "$.traits.email"),
        Field(traits, "Traits", _object, "$.traits"),
    )


ACTIONS: dict[str, tuple[tuple[Field, ...], Callable[..., Request]]] = {
    "trackEvent": (_track_fields(True), _track_event),
    "trackEventV2": (_track_fields(False), _track_event_v2),
    "identifyUser": (_identify_fields("userId", "traits", True), _identify_user),
    "identifyUserV2": (_identify_fields("uid", "properties", False), _identify_user_v2),
}
REQUIRED = {action: tuple(field.name for field in fields if field.required) for action, (fields, _) in ACTIONS.items()}
DEFAULT_MAPPINGS = {
    action: {field.name: {"@path": field.path} for field in fields if field.path}
    for action, (fields, _) in ACTIONS.items()
}
PRESETS = (
    ("Track Event", 'type = "track"', "trackEventV2"),
    ("Identify User", 'type = "identify"', "identifyUserV2"),
)


def _checked(payload: Any, fields: tuple[Field, ...]) -> list[Any]:
    """The values of ``fields``; nulls and empty texts become UNDEFINED. Raises PayloadError."""
    if not is_plain(payload) and type_of(payload) not in ("object", "date"):
        raise PayloadError("AggregateAjvError", f"The root value {_wrong_type('an object', payload)}")
    values: list[Any] = []
    missing: list[str] = []
    wrong: list[str] = []
    for name, label, accepts, _, required in fields:
        value = raw_get(payload, name) if raw_has(payload, name) else UNDEFINED
        if isinstance(value, str):
            value = value or UNDEFINED
        elif value is NULL:
            value = UNDEFINED
        if value is UNDEFINED:
            if required:
                missing.append(f"The root value is missing the required field '{name}'.")
        else:
            try:
                value = accepts(value)
            except _Wrong as error:
                wrong.extend([f"{label} {problem}" for problem in error.args])
        values.append(value)
    if missing or wrong:
        raise PayloadError("AggregateAjvError", *missing, *wrong)
    return values


class SegmentCloud(Destination):
    """One FullStory Cloud Mode (Actions) destination with its settings, as `fsbridge.settings.check` returns them.

    ``subscriptions`` is a list of ``{name, enabled, subscribe, partnerAction, mapping}``, ``subscription`` a single one
    that is used instead; without both the vendor's two presets apply. The API key of Segment's settings isn't looked
    at here: see `authorization`.
    """

    name = "segment-cloud"
    source = "analytics.js"
    org = "org"
    integration = alternative = NAME
    types = TYPES
    settings = (
        Setting("subscriptions", "list", meaning="which messages trigger which action, and how it is filled"),
        Setting("subscription", "object", meaning="one subscription, instead of the list"),
    )
    ignored = ("apiKey", "type", "versionSettings", "bundlingStatus")

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        given = options["subscriptions"]
        if not is_nullish(options["subscription"]):
            given = [options["subscription"]]
        elif is_nullish(given):
            given = [
                {"name": name, "subscribe": trigger, "partnerAction": action, "mapping": DEFAULT_MAPPINGS[action]}
                for name, trigger, action in PRESETS
            ]
        self._subscriptions = [
            Subscription(number, item, ACTIONS, REQUIRED)
            for number, item in numbered(self.name, given)
            if raw_get(item, "enabled") is UNDEFINED or truthy(raw_get(item, "enabled"))
        ]
        self._known = [(each, *ACTIONS[each.action]) for each in self._subscriptions if each.action in ACTIONS]
        self.plugins = [self]

    def problems(self) -> list[str]:
        """What is wrong with enabled subscriptions, a text each: its number and name, the place, the mistake."""
        return super().problems() + [problem for each in self._subscriptions for problem in each.problems()]

    def requests(self, message: Any) -> tuple[list[Request], list[PayloadError]]:
        """The requests for one message, a port value, in the order of the subscriptions, and what failed on it.

        A subscription that fails on a message stops no other, so that there may be both.
        """
        requests: list[Request] = []
        errors: list[PayloadError] = []
        for subscription, fields, perform in self._known:
            try:
                payload = subscription.payload(message)
                if payload is not None:
                    requests.append(perform(*_checked(payload, fields)))
            except Exception as error:  # whatever a message holds
                failed = _payload_error(error)
                failed.subscription = subscription.title
                errors.append(failed)
        return requests, errors

    def calls(self, message: Any, report: Callable[[str], None]) -> list[Request]:
        """The requests for one message, like the calls of other destinations: what failed is only reported."""
        requests, errors = self.requests(message)
        for error in errors:
            report(f"{error.subscription} failed: {error}")
        return requests


def _payload_error(error: Exception) -> PayloadError:
    """An error in the vendor's terms."""
    if isinstance(error, PayloadError):
        return error
    if isinstance(error, BadPayload) and isinstance(error.args[0], Exception):
        error = error.args[0]
    for kind, name in (
        (AggregateError, "AggregateError"),
        (ValidationError, "ValidationError"),
        (MappingError, "Error"),
    ):
        if isinstance(error, kind):
            return PayloadError(name, *error.errors, separator="\n")
    return PayloadError("TypeError", str(error) or type(error).__name__)
