"""The options of ``rudderanalytics.load``, checked and filled up as RudderStack's SDK does."""

from __future__ import annotations

from ....runtime import NULL, UNDEFINED, is_plain, keys, raw_get, truthy
from .values import plain_data, without_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....contracts import Value

COOKIE, LOCAL, SESSION, MEMORY, NONE = "cookieStorage", "localStorage", "sessionStorage", "memoryStorage", "none"
AREAS = (COOKIE, LOCAL, SESSION, MEMORY, NONE)
"""Where something may be stored: see `storage`."""

_ENCODINGS = {"v3": "StorageEncryption", "legacy": "StorageEncryptionLegacy"}
_SESSION_TIMEOUT = 1800000
_CUT_OFF = 43200000


class LoadOptions:
    """Plain Python data of what matters here, from the port object that the page passes (or nothing)."""

    def __init__(self, given: Value) -> None:
        data = plain_data(given)
        self.on_loaded = raw_get(given, "onLoaded") if is_plain(given) else given
        self.context = raw_get(given, "context") if is_plain(given) else given
        self.integrations = {"All": True}
        wanted = integrations_of(raw_get(given, "integrations")) if is_plain(given) else {}
        self.integrations.update(without_none(wanted))
        self.integrations_for_events = data.get("useGlobalIntegrationsConfigInEvents") is True
        plugins = data.get("plugins")
        self._plugins = plugins if isinstance(plugins, list) else None
        self.overrides = _list(_dict(data.get("sourceConfigurationOverride")).get("destinations"))
        self.consent = _dict(data.get("consentManagement"))
        self.pre_consent = _dict(data.get("preConsent"))
        self.anonymous_id_options = data.get("anonymousIdOptions")
        name = data.get("externalAnonymousIdCookieName")
        self.anonymous_id_cookie = name if isinstance(name, str) else None
        self._read_storage(data)
        self._read_sessions(_dict(data.get("sessions")))

    def has_plugin(self, name: str) -> bool:
        """Whether the page lets a part of RudderStack's SDK be there; it may name those that it wants."""
        return self._plugins is None or name in self._plugins

    def _read_storage(self, data: dict[str, Any]) -> None:
        given = without_none(_dict(data.get("storage")))
        self.storage_type = given.get("type")
        self.storage_entries = given.get("entries")
        self.cookie = _dict(given.get("cookie"))
        same_site = data.get("sameSiteCookie")
        self.same_site = same_site if same_site in ("Strict", "Lax", "None") else "Lax"
        self.secure_cookie = data.get("secureCookie") is True
        self.same_domain_only = data.get("sameDomainCookiesOnly") is True
        domain = data.get("setCookieDomain")
        self.cookie_domain = domain if isinstance(domain, str) else None
        version = _dict(given.get("encryption")).get("version", "v3")
        if not isinstance(version, str) or version not in _ENCODINGS:
            version = "v3"
        self.encoding = version if self.has_plugin(_ENCODINGS[version]) else ""
        self.migrates = given.get("migrate") is not False and version == "v3" and self.has_plugin("StorageMigrator")

    def _read_sessions(self, given: dict[str, Any]) -> None:
        timeout = given.get("timeout", _SESSION_TIMEOUT)
        self.session_timeout: Any = timeout if is_count(timeout) else _SESSION_TIMEOUT
        self.session_auto = given.get("autoTrack") is not False and self.session_timeout != 0
        cut_off = _dict(given.get("cutOff"))
        self.session_cut_off: Any = None
        if cut_off.get("enabled") is True:
            duration: Any = cut_off.get("duration")
            if not is_count(duration):
                duration = _CUT_OFF
            if duration >= self.session_timeout:
                self.session_cut_off = duration


def integrations_of(given: Value) -> dict[str, Any]:
    """``integrations`` as plain data: each name with True, False, None (for null) or its options."""
    found = {}
    for name in keys(given) if is_plain(given) else ():
        value = raw_get(given, name)
        if value is not UNDEFINED:
            found[name] = None if value is NULL else plain_data(value) if is_plain(value) else truthy(value)
    return found


def entry_area(entry: str, kind: Any, entries: Any, default: str = COOKIE) -> str:
    """The storage area that options want for ``entry``."""
    own = _dict(_dict(entries).get(entry)).get("type")
    area = own if own is not None else kind if kind in AREAS else default
    return area if area in AREAS else default


def is_count(value: Value) -> bool:
    """Whether ``value`` is a whole number from 0 on."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 and value == int(value)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
