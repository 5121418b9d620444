"""The ids that we make up: random ones, whatever the page has done to what gives random values."""

import random
import re
from typing import Any

import pytest

from fsbridge import connect
from fsbridge.runtime import UNDEFINED, invoke
from fsbridge.runtime.cpython import Host, JsError
from fsbridge.testing.simulated import SimulatedWindow

begin: Any = connect
VERSION_4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
GIVING = ("randomUUID", "getRandomValues")
CALLS: tuple[tuple[Any, ...], ...] = (
    ("identify", "u1", {"plan": "premium"}),
    ("group", "g1", {}),
    ("track", "Clicked", {"n": 1}),
    ("page", "Home"),
    ("reset",),
)
SETTINGS: dict[str, dict[str, Any]] = {
    "segment-classic": {"org": "o-1", "trackNamedPages": True},
    "segment-actions": {"org": "o-1"},
    "rudderstack": {"fs_org": "o-1"},
}


def throwing(*args: Any) -> Any:
    raise JsError("no random values here")


def spoil(window: SimulatedWindow, what: str) -> None:
    """Let a page do to its globals what some do."""
    if what == "no crypto":
        window.crypto = UNDEFINED
    elif what == "a crypto of its own":
        window.crypto = Host()
    elif what == "no typed arrays":
        window.crypto.randomUUID = window.Uint8Array = UNDEFINED
    else:
        names = GIVING if what in ("both throw", "Math throws, too") else [name for name in GIVING if name in what]
        for name in names:
            setattr(window.crypto, name, (lambda *args: UNDEFINED) if "gives nothing" in what else throwing)
        if what == "getRandomValues throws":
            window.crypto.randomUUID = UNDEFINED  # a page without https
    if what == "Math throws, too":
        window.Math = Host()
        window.Math.random = throwing


SPOILT = (
    "no crypto",
    "a crypto of its own",
    "no typed arrays",
    "randomUUID throws",
    "randomUUID gives nothing",
    "getRandomValues throws",
    "both throw",
    "Math throws, too",
)


@pytest.mark.parametrize("what", SPOILT)
@pytest.mark.parametrize("destination", SETTINGS)
def test_a_page_without_random_values_loses_nothing(destination: str, what: str) -> None:
    plain, spoilt = SimulatedWindow("https://shop.example/"), SimulatedWindow("https://shop.example/")
    spoil(spoilt, what)
    ids = []
    for window in (plain, spoilt):
        analytics = begin(destination, window=window, **SETTINGS[destination])
        for method, *args in CALLS:
            getattr(analytics, method)(*args)
        window.settle()
        ids.append(
            analytics.getAnonymousId() if destination == "rudderstack" else invoke(analytics.user(), "anonymousId")
        )
        assert [line for line in window.console.lines if "random" in line[1]] == []
    assert [call["call"] for call in spoilt.calls] == [call["call"] for call in plain.calls] != []
    assert all(VERSION_4.fullmatch(id_) for id_ in ids), ids
    assert ids[0] != ids[1]


@pytest.mark.parametrize("what", SPOILT[:-1])
def test_no_two_visitors_have_the_same_id(what: str) -> None:
    """A browser's ``Math.random`` is a random one; a clock that stands still gives the same."""
    ids = set()
    for _ in range(20):
        window = SimulatedWindow("https://shop.example/")
        window.Math = Host()
        window.Math.random = random.random
        spoil(window, what)
        analytics = begin("segment-classic", org="o-1", window=window)
        ids.add(invoke(analytics.user(), "anonymousId"))
    assert len(ids) == 20
