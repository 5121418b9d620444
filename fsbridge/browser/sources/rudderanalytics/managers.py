"""What consent managers on a page say the visitor allowed: OneTrust, Ketch and iubenda, by their scripts or cookies."""

from __future__ import annotations

import json

from ....runtime import from_base64, invoke, is_nullish, type_of
from ...page import read
from ..percent import decode
from .values import plain_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...page import Page

    Decisions = list[tuple[str, Any]]
    """What may be allowed, by its id, and whether it is."""


def _ask_one_trust(page: Page) -> Decisions | None:
    active, manager = page.global_("OnetrustActiveGroups"), page.global_("OneTrust")
    if not isinstance(active, str) or is_nullish(manager):
        return None
    allowed = [name for name in active.split(",") if name]
    groups = read(invoke(manager, "GetDomainData"), "Groups")
    known = [read(read(groups, index), "CustomGroupId") for index in range(read(groups, "length"))]
    return [(name, True) for name in allowed] + [(name, False) for name in known if name not in allowed]


def _ask_ketch(page: Page) -> Decisions | None:
    found = page.global_("ketchConsent")
    if type_of(found) == "object":
        return list(plain_data(found).items())
    cookie = page.cookie("_ketch_consent_v1_")
    if not cookie:
        return None
    purposes = json.loads(from_base64(decode(cookie)))
    return [(name, isinstance(state, dict) and state.get("status") == "granted") for name, state in purposes.items()]


def _ask_iubenda(page: Page) -> Decisions | None:
    settings = read(page.global_("_iub"), "cs")
    purposes = read(read(settings, "consent"), "purposes")
    if type_of(purposes) == "object":
        return list(plain_data(purposes).items())
    for part in page.cookies().split("; "):
        name, _, value = part.partition("=")
        if name.startswith("_iub_cs-") and name[8:].isdigit():
            return list(json.loads(decode(decode(value)))["purposes"].items())
    return None


ASK: dict[str, Callable[[Page], Decisions | None]] = {
    "oneTrust": _ask_one_trust,
    "ketch": _ask_ketch,
    "iubenda": _ask_iubenda,
}
"""A function for each provider that gives what was decided, None where nothing was. It raises where something else than
the provider's own is in its place."""
