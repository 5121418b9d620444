"""Which destinations there are, and which of them get a message: RudderStack's device-mode rules."""

from __future__ import annotations

from ....runtime import UNDEFINED, is_nullish, raw_get, trim, truthy, type_of
from .values import plain_config, without_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....contracts import Destination, Message, Value
    from .consent import Consenting
    from .options import LoadOptions

DISPLAY_NAME = "Fullstory"
"""What RudderStack's SDK calls its FullStory integration, also as the key in ``integrations``."""

_UNKNOWN: dict[str, Any] = {"id": None, "displayName": DISPLAY_NAME, "enabled": True, "config": {}}


def configurations(destination: Destination) -> list[dict[str, Any]]:
    """What the source configuration says of ``destination``; for another vendor's there is nothing to say."""
    found = destination.configurations()
    if found is None:
        found = [_UNKNOWN]
    for target in found:
        target["config"] = plain_config(target["config"])
    return found


def active(found: list[dict[str, Any]], options: LoadOptions, consent: Consenting) -> list[dict[str, Any]]:
    """The configurations that are loaded, given what the visitor has consented to."""
    if not any([_in_device_mode(target["config"]) for target in found]):
        return []
    if not (options.has_plugin("DeviceModeDestinations") and options.has_plugin("NativeDestinationQueue")):
        return []
    found = _overridden([target for target in found if target["displayName"] == DISPLAY_NAME], options.overrides)
    integrations = options.integrations if consent.integrations is None else consent.integrations
    return [
        target
        for target in found
        if is_true(target["enabled"])
        and wanted(integrations, target["displayName"])
        and consent.allows(target["config"])
    ]


def wanted(integrations: dict[str, Any], name: str) -> bool:
    """Whether load-time ``integrations`` (plain data) want the destination of that name."""
    everything = integrations.get("All")
    if name in integrations:
        return is_true(integrations[name])
    return everything is None or is_true(everything)


def is_true(value: Any) -> bool:
    """JavaScript's truth of plain data: empty lists and objects are true."""
    return isinstance(value, (dict, list)) or bool(value)


def accepts(target: dict[str, Any], message: Message) -> bool:
    """Whether a loaded destination gets this message: the message's ``integrations``, then the event filter."""
    integrations = raw_get(message, "integrations")
    own = raw_get(integrations, target["displayName"])
    if own is UNDEFINED:
        own = raw_get(integrations, "All")
        if is_nullish(own):
            own = True
    if not truthy(own):
        return False
    if raw_get(message, "type") != "track":
        return True
    try:
        return _lists_let_pass(target["config"], raw_get(message, "event"))
    except (TypeError, KeyError):  # a malformed entry: the vendor's code stumbles
        return False


def _lists_let_pass(config: dict[str, Any], name: Value) -> bool:
    option = config.get("eventFilteringOption")
    named = type_of(name) == "string" and name
    if option == "whitelistedEvents":
        return bool(named and _listed(config.get("whitelistedEvents"), name))
    if option == "blacklistedEvents":
        return not (named and _listed(config.get("blacklistedEvents"), name))
    return True


def _listed(entries: Any, name: str) -> bool:
    """Whether a list names the event; entries are read one by one, up to the first match."""
    if not isinstance(entries, (list, tuple)):
        return False
    name = trim(name)
    for entry in entries:
        if not isinstance(entry["eventName"], str):
            raise TypeError("an event name is no text")
        if trim(entry["eventName"]) == name:
            return True
    return False


def _in_device_mode(config: dict[str, Any]) -> bool:
    mode = config.get("connectionMode")
    return mode != "cloud" or config.get("useNativeSDK") is True or config.get("useNativeSDKToSend") is True


def _overridden(found: list[dict[str, Any]], overrides: list[Any]) -> list[dict[str, Any]]:
    """The configurations under ``sourceConfigurationOverride``; several for one id make several destinations."""
    result = []
    for target in found:
        own = [entry for entry in overrides if isinstance(entry, dict) and _names(entry, target)]
        result.extend([_override(target, entry) for entry in own] if own else [target])
    return result


def _names(override: dict[str, Any], target: dict[str, Any]) -> bool:
    return target["id"] is not None and override.get("id") == target["id"]


def _override(target: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    result = dict(target)
    if isinstance(override.get("enabled"), bool):
        result["enabled"] = override["enabled"]
    config = override.get("config")
    if isinstance(config, dict) and config and result["enabled"]:
        result["config"] = dict(target["config"])
        result["config"].update(config)
        result["config"] = without_none(result["config"])
    return result
