"""Segment's FullStory Device Mode (Actions): V2 and V1 actions, each triggered by subscriptions with mappings.

Calls come in the order of the action list, whatever the order of the subscriptions; a subscription that fails stops
the later ones of its action, and nothing else.
"""

from __future__ import annotations

from .. import fullstory_options
from ..contracts import Call, Destination
from ..mapping.lodash import actions
from ..messages import TYPES
from ..runtime import (
    UNDEFINED,
    copy,
    is_nullish,
    is_plain,
    keys,
    make_object,
    raw_get,
    raw_has,
    raw_put,
    record,
    rename,
    truthy,
    type_of,
)
from ..settings import Setting, SettingsError
from .subscriptions import BadPayload, Preset, Subscription, numbered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..contracts import Message, Report, Value

    Perform = Callable[[Value], list[Call]]

SOURCE = "segment-browser-actions"
NAME = "Fullstory (Actions)"


# The actions: what each does with its payload.


def track_event(payload: Value) -> list[Call]:
    """V1: an event."""
    return [Call("event", [raw_get(payload, "name"), _or_empty(raw_get(payload, "properties")), SOURCE])]


def track_event_v2(payload: Value) -> list[Call]:
    """V2: an event."""
    event = record(name=raw_get(payload, "name"), properties=_or_empty(raw_get(payload, "properties")))
    return [Call("", ["trackEvent", event, SOURCE])]


def identify_user(payload: Value) -> list[Call]:
    """V1: an identity, or user properties without a user id; traits camel-cased."""
    traits = raw_get(payload, "traits")
    traits = rename(_without_undefined(traits), actions) if truthy(traits) else make_object()
    if truthy(raw_get(payload, "anonymousId")):
        raw_put(traits, "segmentAnonymousId_str", raw_get(payload, "anonymousId"))
    properties = _with_name_and_email(traits, payload)
    if truthy(raw_get(payload, "userId")):
        return [Call("identify", [raw_get(payload, "userId"), properties, SOURCE])]
    return [Call("setUserVars", [properties, SOURCE])]


def identify_user_v2(payload: Value) -> list[Call]:
    """V2: an identity, or user properties without a user id; traits as they are. Raises BadPayload."""
    traits = raw_get(payload, "traits")
    if not truthy(traits):
        traits = make_object()
    anonymous_id = raw_get(payload, "anonymousId")
    if truthy(anonymous_id):
        if type_of(traits) in ("string", "number", "boolean", "bigint", "symbol"):
            raise BadPayload("traits is no object")
        traits = copy(traits)
        raw_put(traits, "segmentAnonymousId", anonymous_id)
    properties = _with_name_and_email(traits, payload)
    if truthy(raw_get(payload, "userId")):
        identity = make_object((("uid", raw_get(payload, "userId")), ("properties", properties)))
        return [Call("", ["setIdentity", identity, SOURCE])]
    return [Call("", ["setProperties", make_object((("type", "user"), ("properties", properties))), SOURCE])]


def viewed_page(payload: Value) -> list[Call]:
    """V1: page properties, when there are any."""
    properties = raw_get(payload, "properties")
    if truthy(raw_get(payload, "pageName")):
        return [Call("setVars", ["page", _page_properties(payload), SOURCE])]
    return [Call("setVars", ["page", properties, SOURCE])] if truthy(properties) else []


def viewed_page_v2(payload: Value) -> list[Call]:
    """V2: page properties, even none."""
    page = make_object((("type", "page"), ("properties", _page_properties(payload))))
    return [Call("", ["setProperties", page, SOURCE])]


def _or_empty(properties: Value) -> Value:
    return make_object() if is_nullish(properties) else properties


def _with_name_and_email(traits: Value, payload: Value) -> Value:
    result = copy(traits)
    for name in ("email", "displayName"):
        if raw_get(payload, name) is not UNDEFINED:
            raw_put(result, name, raw_get(payload, name))
    return result


def _page_properties(payload: Value) -> Value:
    """Page properties with the page's name in front, so that a ``pageName`` property wins."""
    name = raw_get(payload, "pageName")
    return copy(make_object((("pageName", name),) if truthy(name) else ()), raw_get(payload, "properties"))


def _without_undefined(traits: Value) -> Value:
    return make_object([(key, raw_get(traits, key)) for key in keys(traits) if raw_get(traits, key) is not UNDEFINED])


ACTIONS = (
    ("trackEvent", track_event),
    ("trackEventV2", track_event_v2),
    ("identifyUser", identify_user),
    ("identifyUserV2", identify_user_v2),
    ("viewedPage", viewed_page),
    ("viewedPageV2", viewed_page_v2),
)

# The default mappings, which the V1 action and its V2 share.
_TRACK = {"name": {"@path": "$.event"}, "properties": {"@path": "$.properties"}}
_IDENTIFY = {
    "userId": {"@path": "$.userId"},
    "anonymousId": {"@path": "$.anonymousId"},
    "displayName": {"@path": "$.traits.name"},
    "email": {"@path": "$.traits.email"},
    "traits": {"@path": "$.traits"},
}
_PAGE = {
    "pageName": {
        "@if": {"exists": {"@path": "$.category"}, "then": {"@path": "$.category"}, "else": {"@path": "$.name"}}
    },
    "properties": {"@path": "$.properties"},
}
REQUIRED = {"trackEvent": ("name",), "trackEventV2": ("name",)}
"""The fields that Segment insists on when a mapping is saved; its code in the browser doesn't look."""
DEFAULT_MAPPINGS: dict[str, dict[str, Any]] = {
    "trackEvent": _TRACK,
    "trackEventV2": _TRACK,
    "identifyUser": _IDENTIFY,
    "identifyUserV2": _IDENTIFY,
    "viewedPage": _PAGE,
    "viewedPageV2": _PAGE,
}
PRESETS = (
    ("Track Event", "track", "trackEventV2"),
    ("Identify User", "identify", "identifyUserV2"),
    ("Viewed Page", "page", "viewedPageV2"),
)


def _presets() -> list[Preset]:
    return [Preset(name, type_, action, DEFAULT_MAPPINGS[action]) for name, type_, action in PRESETS]


class SegmentActions(Destination):
    """One FullStory (Actions) destination with its settings, as `fsbridge.settings.check` returns them.

    ``subscriptions`` is a list of ``{name, enabled, subscribe, partnerAction, mapping}``; without it the vendor's three
    presets apply. ``integrationName`` is the name by which ``integrations`` filters know the destination.
    """

    name = "segment-actions"
    source = "analytics.js"
    org = "orgId"
    own = (
        Setting("orgId", "text", required=True, meaning="FullStory's org id, such as o-1ABC-na1"),
        Setting(
            "subscriptions",
            "list",
            meaning="which messages trigger which action, and how it is filled; left out and null are the presets",
            guards=True,
        ),
        Setting("integrationName", "text", NAME, meaning="the destination's name in `integrations` filters"),
    )
    settings = fullstory_options.beside(own)
    ignored = ("preset", "type", "versionSettings", "bundlingStatus")

    def __init__(self, options: dict[str, Value]) -> None:
        super().__init__(options)
        given = options["subscriptions"]
        self._subscriptions = _presets() if is_nullish(given) else self._enabled(given)
        self.integration = options["integrationName"]
        self.plugins = []
        for action, perform in ACTIONS:
            own = [subscription for subscription in self._subscriptions if subscription.action == action]
            if own:
                self.plugins.append(_Action(self.integration, NAME + " " + action, perform, own))

    @classmethod
    def names(cls) -> list[str]:
        return [NAME] + [NAME + " " + action for action, _ in ACTIONS]

    def configured(self, load_options: Value, report: Report) -> SegmentActions:
        """With the subscriptions that the options of ``analytics.load`` may have for this destination."""
        own = raw_get(raw_get(load_options, "integrations"), self.integration)
        if not is_plain(own) or not raw_has(own, "subscriptions"):
            return self
        options = dict(self.options)
        options["subscriptions"] = raw_get(own, "subscriptions")
        try:
            changed = SegmentActions(options)
        except SettingsError as error:
            report(str(error))
            return self
        for problem in changed.problems():
            report(problem)
        return changed

    def problems(self) -> list[str]:
        """What is wrong with enabled subscriptions, a text each: its number and name, the place, the mistake."""
        return super().problems() + [problem for each in self._subscriptions for problem in each.problems()]

    def installed(self, integrations: Value) -> bool:
        """Whether load-time ``integrations`` let Segment set this destination up at all."""
        own, generic = raw_get(integrations, self.integration), raw_get(integrations, NAME)
        if not self.plugins:
            return False
        if raw_get(integrations, "All") is False and not truthy(own) and not truthy(generic):
            return False
        return own is not False and generic is not False

    def _enabled(self, subscriptions: Value) -> list[Subscription]:
        known = [action for action, _ in ACTIONS]
        listed = numbered(self.name, subscriptions)
        return [
            Subscription(number, item, known, REQUIRED) for number, item in listed if truthy(raw_get(item, "enabled"))
        ]

    def fullstory(self) -> dict[str, Any]:
        sdk = fullstory_options.chosen(self.options["orgId"], self.options)
        sdk["globals"] = fullstory_options.globals_of(sdk) + [("_fs_initialized", True)]
        sdk["calls_in_dev_mode"] = True  # the vendor's actions go on calling a FullStory that has stopped
        return sdk


class _Action:
    """One action with its enabled subscriptions; Segment counts each as a destination of its own."""

    def __init__(
        self,
        integration: str,
        alternative: str,
        perform: Perform,
        subscriptions: list[Subscription | Preset],
    ) -> None:
        self.integration = integration
        self.alternative = alternative
        self._perform = perform
        self._subscriptions = subscriptions
        self.types: list[str] = []
        for subscription in subscriptions:
            self.types.extend(TYPES if subscription.types is None else subscription.types)

    def calls(self, message: Message, report: Report) -> list[Call]:
        calls: list[Call] = []
        if raw_get(message, "type") == "screen":
            return calls  # the vendor's actions have no method for it
        for subscription in self._subscriptions:
            try:
                payload = subscription.payload(message)
                if payload is not None:
                    calls.extend(self._perform(payload))
            except Exception as error:
                report("%s failed: %s" % (subscription.title, error))
                break
        return calls
