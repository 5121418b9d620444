"""A destination's settings as commands are given them: a file or JSON text, in any of the forms that Segment has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..runtime import from_json, type_of
from ..settings import SettingsError

_PUBLIC_API = {"trigger": "subscribe", "actionSlug": "partnerAction", "settings": "mapping"}
"""A subscription's fields as Segment's Public API calls them, and as its destinations do."""


def settings_from(given: str) -> dict[str, Any]:
    """The settings in ``given``: JSON text, or the path of a file with it. Raises SettingsError."""
    where = "--settings"
    if not given.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        where = f"--settings {given}"
        try:
            given = Path(given).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise SettingsError(f"{where} can't be read: {getattr(error, 'strerror', None) or error}.") from error
    return settings_in(given, where)


def settings_in(given: str, where: str) -> dict[str, Any]:
    """The settings in a JSON text, which errors call ``where``.

    A list of subscriptions stands for settings that hold nothing else. So does what Segment's Public API answers for
    ``/destinations/{id}/subscriptions``, whose fields have other names. Raises SettingsError.
    """
    try:
        found = from_json(given.lstrip("\ufeff"))
    except (ValueError, RecursionError, OverflowError) as error:
        raise SettingsError(f"{where} is invalid JSON: {error}.") from error
    if isinstance(found, dict) and isinstance(found.get("data"), dict):
        found = _answered(found["data"], where)
    if isinstance(found, list):
        found = {"subscriptions": found}
    if not isinstance(found, dict):
        raise SettingsError(f"{where} must be a JSON object or a list of subscriptions, and is {_shown(found)}.")
    if isinstance(found.get("subscriptions"), list):
        found = {**found, "subscriptions": [_subscription(*each) for each in enumerate(found["subscriptions"], 1)]}
    return found


def _answered(data: dict[str, Any], where: str) -> Any:
    """The subscriptions in an answer of the Public API; other data as it is."""
    if (data.get("pagination") or {}).get("next"):
        raise SettingsError(
            f"{where} is only a page of the Public API's list of subscriptions: ask it for a larger pagination.count."
        )
    if "subscription" in data:
        return [data["subscription"]]
    return data.get("subscriptions", data)


def _subscription(number: int, given: Any) -> Any:
    """The ``number``th subscription, with the names that destinations know."""
    if not isinstance(given, dict):
        raise SettingsError(f"subscription {number} must be an object, and is {_shown(given)}.")
    if "trigger" in given or "actionSlug" in given:
        return {_PUBLIC_API.get(name, name): value for name, value in given.items()}
    return given


def _shown(value: Any) -> str:
    return "null" if value is None else f"a {type_of(value)}"
