"""What a browser keeps between page loads: to leave it there before a recording, and to read it back."""

from __future__ import annotations

from typing import Any

from fsbridge.runtime import NULL, UNDEFINED
from fsbridge.testing.simulated import SimulatedWindow

from . import tagged


def seed(window: SimulatedWindow, before: dict[str, Any]) -> None:
    """Cookies and storage that an earlier visit left."""
    window.cookies.values.update(before.get("cookies") or {})
    window.localStorage.entries.update(before.get("localStorage") or {})
    window.sessionStorage.entries.update(before.get("sessionStorage") or {})


def cookies_of(window: SimulatedWindow) -> dict[str, str]:
    """The cookies that the page can read, as a recording has them."""
    line = window.cookies.text(window.location.pathname)
    return dict(part.partition("=")[::2] for part in line.split("; ")) if line else {}


def attributes_of(window: SimulatedWindow, name: str) -> dict[str, Any]:
    """The attributes that a cookie was last set with, as a browser, and therefore a recording, has them.

    Without a domain it is the host's own, without SameSite it is Lax, and without an age it has no ``days``.
    """
    attributes = window.cookies.attributes[name]
    age, domain = attributes.get("max-age"), attributes.get("domain", "").lstrip(".")
    return {
        "domain": "." + domain if domain else window.location.hostname,
        "path": attributes.get("path", "/"),
        "sameSite": (attributes.get("samesite") or "Lax").capitalize(),
        "secure": "secure" in attributes,
        "days": UNDEFINED if age is None else int(age) // 86400,
    }


def differing_attributes(recorded: dict[str, Any] | None, actual: dict[str, Any], name: str) -> list[str]:
    """What tells a cookie's attributes from the recorded ones, a line each. Some recordings leave a
    host's own domain out."""
    if recorded is not None:
        days = recorded.get("days")
        recorded = {**recorded, "days": UNDEFINED if days is NULL or days == -1 else days}
        if not recorded.get("domain") or recorded["domain"] is NULL:
            recorded["domain"] = actual["domain"] if not actual["domain"].startswith(".") else "no domain"
    return tagged.differences(NULL if recorded is None else recorded, actual, f"attributes of {name}")
