"""Consent management: what the visitor allowed, and whether a destination may be loaded under it.

Providers are those of RudderStack's SDK: "custom" (the page says it), "oneTrust", "ketch" and "iubenda" (their own
scripts or cookies on the page say it).
"""

from __future__ import annotations

from ....runtime import trim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from ...page import Page
    from .options import LoadOptions

    class Consenting(Protocol):
        """What decides which destinations are loaded: see `Consent`."""

        @property
        def integrations(self) -> dict[str, Any] | None:
            """The ``integrations`` of a ``consent`` call, plain data; None where none was made or it had none."""

        def allows(self, config: dict[str, Any]) -> bool:
            """Whether a destination of this configuration may be loaded."""


_PLUGINS = {
    "custom": "CustomConsentManager",
    "oneTrust": "OneTrustConsentManager",
    "ketch": "KetchConsentManager",
    "iubenda": "IubendaConsentManager",
}
_STRATEGIES = ("none", "session", "anonymousId")


class Consent:
    """The state of consent on one page, from load options and later ``consent`` calls.

    ``pending``: the page waits for the visitor's decision (pre-consent). ``known``: there is a decision.
    ``allowed``: the ids of what the visitor allowed; ``readable``: whether they are a list, as they should be.
    """

    def __init__(self, page: Page, options: LoadOptions) -> None:
        self.page = page
        given = options.consent
        provider = given.get("provider")
        self.provider = provider if isinstance(provider, str) and provider in _PLUGINS else ""
        self.enabled = given.get("enabled") is True and self.provider != ""
        self.checked = self.enabled and options.has_plugin(_PLUGINS[self.provider])
        self.known, self.readable = False, True
        self.allowed: list[str] = []
        if given.get("enabled") is True:
            self._take(given)
        before = options.pre_consent
        self.pending = before.get("enabled") is True and self.enabled and not self.known
        stored, events = before.get("storage"), before.get("events")
        stored = stored if isinstance(stored, dict) else {}
        strategy = stored.get("strategy")
        self.strategy: str | None = strategy if strategy in _STRATEGIES else "none"
        if stored.get("enabled") is True:
            self.strategy = None  # the storage options decide
        self.buffers = self.pending and isinstance(events, dict) and events.get("delivery") == "buffer"
        self.integrations: dict[str, Any] | None = None
        self.storage: Any = None
        if not self.pending:
            self._ask_manager()

    def decide(self, given: dict[str, Any], integrations: dict[str, Any]) -> None:
        """Take a ``consent`` call's options (plain data). The wait is over, whatever they say."""
        self.pending = False
        if given.get("storage") is not None:
            self.storage = given["storage"]
        self.integrations = integrations or None
        self.known, self.allowed, self.readable = False, [], True
        management = given.get("consentManagement")
        if isinstance(management, dict) and management and self.enabled:
            self._take(management)
        self._ask_manager()

    def _take(self, given: dict[str, Any]) -> None:
        for name in ("allowedConsentIds", "deniedConsentIds"):
            ids = given.get(name)
            if isinstance(ids, list) or (isinstance(ids, dict) and ids):
                self.known = True
                if name == "allowedConsentIds":
                    self.allowed, self.readable = list(ids), isinstance(ids, list)

    def _ask_manager(self) -> None:
        """What the provider's own script or cookie says, where the page itself said nothing."""
        if self.known or not self.checked or self.provider == "custom":
            return
        from .managers import ASK  # late: few pages leave it to such

        try:
            decisions = ASK[self.provider](self.page)
        except Exception:  # not there, or not what it was
            return
        if decisions is not None:
            self.known = True
            self.allowed = [name for name, allowed in decisions if allowed]

    def allows(self, config: dict[str, Any]) -> bool:
        """Whether a destination of this configuration may be loaded. What can't be made out is allowed."""
        if not self.checked or not self.known:
            return True
        try:
            return self._allows(config)
        except (TypeError, AttributeError, KeyError):
            return True

    def _allows(self, config: dict[str, Any]) -> bool:
        management = config.get("consentManagement")
        strategy = "and"
        if management is not None:
            if not isinstance(management, list):
                raise TypeError("consentManagement is no list")
            own = [entry for entry in management if entry["provider"] == self.provider]
            needed = own[0].get("consents") if own else None
            if needed is None:
                return True
            needed = [entry["consent"] for entry in needed]
            if self.provider in ("custom", "iubenda"):
                strategy = own[0].get("resolutionStrategy")
        elif self.provider == "oneTrust" and config.get("oneTrustCookieCategories") is not None:
            needed = [entry["oneTrustCookieCategory"] for entry in config["oneTrustCookieCategories"]]
        elif self.provider == "ketch" and config.get("ketchConsentPurposes") is not None:
            needed = [entry["purpose"] for entry in config["ketchConsentPurposes"]]
            strategy = "or"
        else:
            return True
        needed = [name for name in [trim(name) for name in needed] if name]
        if not self.readable:
            raise TypeError("consent ids are no list")
        found = [name for name in needed if name in self.allowed]
        if strategy == "or":
            return bool(found) or not needed
        return len(found) == len(needed)
