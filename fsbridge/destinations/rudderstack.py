"""RudderStack's FullStory integration, device mode: v1 calls without a source, top-level keys in camel case.

Nested keys stay as they are. An anonymous visitor's anonymous id is the ``uid``. A page call is an event.
"""

from __future__ import annotations

from .. import fullstory_options
from ..contracts import Call, Destination
from ..mapping.words import rudder
from ..runtime import UNDEFINED, copy, is_nullish, is_plain, keys, make_object, raw_get, rename, truthy
from ..settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..contracts import Message, Report, Value

PAGE_EVENT = "Viewed a Page"
_KEPT_AS_THEY_ARE = ("displayName", "email")


class RudderStack(Destination):
    """One FullStory destination of RudderStack with its settings, as `fsbridge.settings.check` returns them."""

    name = "rudderstack"
    source = "rudderanalytics"
    org = "fs_org"
    integration = "Fullstory"
    alternative = ""
    types = ("track", "identify", "page")
    own = (
        Setting("fs_org", "text", required=True, meaning="FullStory's org id, such as o-1ABC-na1"),
        Setting("fs_debug_mode", "boolean", meaning="FullStory's debug mode: the global `_fs_debug`"),
        Setting(
            "fs_host",
            "text",
            "fullstory.com",
            meaning="host that FullStory captures to, where host is left out; null and empty, too",
        ),
        # What RudderStack's source configuration says about a destination; its own source acts by it.
        Setting("id", "text", meaning="the destination's id, by which `sourceConfigurationOverride` names it"),
        Setting("enabled", "boolean", True, meaning="whether the destination is switched on", guards=True),
        Setting("displayName", "text", "Fullstory", meaning="its definition's name; any other is no FullStory"),
        Setting(
            "eventFilteringOption",
            "text",
            "disable",
            meaning="whitelistedEvents or blacklistedEvents; anything else filters nothing",
            guards=True,
        ),
        Setting(
            "whitelistedEvents",
            "list",
            meaning='the track calls to send, as [{"eventName": "…"}]; none without a list',
            guards=True,
        ),
        Setting(
            "blacklistedEvents",
            "list",
            meaning='the track calls to withhold, as [{"eventName": "…"}]',
            guards=True,
        ),
        Setting(
            "connectionMode",
            "text",
            "device",
            meaning="only cloud sends nothing from the browser, but for the next two",
            guards=True,
        ),
        Setting("useNativeSDK", "boolean", meaning="only true: device mode even where it is cloud", guards=True),
        Setting("useNativeSDKToSend", "boolean", meaning="the same in older configurations", guards=True),
        Setting("consentManagement", "list", meaning="the consents that are needed, a provider each", guards=True),
        Setting("oneTrustCookieCategories", "list", meaning="the same for OneTrust, older", guards=True),
        Setting("ketchConsentPurposes", "list", meaning="the same for Ketch, older", guards=True),
    )
    settings = fullstory_options.beside(own)
    ignored = ("oneTrustCookieCategoriesConsents", "sessionTracking")

    def __init__(self, options: dict[str, Value]) -> None:
        super().__init__(options)
        self.plugins = (self,)

    def configurations(self) -> list[dict[str, Any]]:
        """What RudderStack's source configuration says of each destination that this one stands for, as plain data."""
        names = [setting.name for setting in self.own if self.options[setting.name] is not UNDEFINED]
        return [
            {
                "id": self.options["id"],
                "displayName": self.options["displayName"],
                "enabled": self.options["enabled"],
                "config": {name: self.options[name] for name in names},
            }
        ]

    def fullstory(self) -> dict[str, Any]:
        sdk = fullstory_options.chosen(self.options["fs_org"], self.options)
        host = self.options["fs_host"]
        if sdk["host"] is UNDEFINED and truthy(host):
            sdk["host"] = host
        sdk["globals"] = fullstory_options.globals_of(sdk) + [("_fs_debug", self.options["fs_debug_mode"])]
        return sdk

    def calls(self, message: Message, report: Report) -> list[Call]:
        """The calls on FullStory for one message."""
        kind = raw_get(message, "type")
        if kind == "identify":
            return self._identify(message)
        if kind == "track":
            return self._event(raw_get(message, "event"), raw_get(message, "properties"))
        if kind == "page":
            # The name is there even when there is none.
            name = make_object((("name", raw_get(message, "name")),))
            return self._event(PAGE_EVENT, copy(name, raw_get(message, "properties")))
        if kind == "crossDomain":
            return self._cross_domain(message)
        return []

    def _identify(self, message: Message) -> list[Call]:
        uid, traits = raw_get(message, "userId"), raw_get(message, "traits")
        if not truthy(uid):
            uid = raw_get(message, "anonymousId")
        if is_nullish(traits):
            return []  # the vendor's code stumbles
        if is_plain(traits) and not keys(traits):
            return [Call("identify", [uid])]
        return [Call("identify", [uid, rename(traits, _name)])]

    def _event(self, name: Value, properties: Value) -> list[Call]:
        if is_nullish(properties):
            return []  # the vendor's code stumbles
        return [Call("event", [name, rename(properties, _name)])]

    def _cross_domain(self, message: Message) -> list[Call]:
        """Capture stops until the page knows the customer's hash (``userId``), or has waited long enough for it."""
        if raw_get(message, "event") == "start":
            return [Call("shutdown", [])]
        restart = Call("restart", [])
        if raw_get(message, "event") == "timeout":
            return [restart]
        known = raw_get(message, "userId")
        return [Call("setUserVars", [make_object((("uid", known), ("displayName", known)))]), restart]


def _name(key: str) -> str:
    return key if key in _KEPT_AS_THEY_ARE else rudder(key)
