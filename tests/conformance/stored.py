"""What a browser keeps between page loads: to leave it there before a recording, and to read it back."""

from __future__ import annotations

from typing import Any

from fsbridge.testing.simulated import SimulatedWindow


def seed(window: SimulatedWindow, before: dict[str, Any]) -> None:
    """Cookies and storage that an earlier visit left."""
    window.cookies.values.update(before.get("cookies") or {})
    window.localStorage.entries.update(before.get("localStorage") or {})
    window.sessionStorage.entries.update(before.get("sessionStorage") or {})


def attributes_of(window: SimulatedWindow, name: str) -> dict[str, Any]:
    """The attributes that a cookie was last set with, as recordings have them."""
    attributes = window.cookies.attributes[name]
    return {
        "domain": attributes["domain"],
        "path": attributes["path"],
        "sameSite": attributes["samesite"],
        "secure": "secure" in attributes,
        "days": int(attributes["max-age"]) // 86400,
    }
