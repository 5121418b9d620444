"""What Segment's SDK keeps of a visitor, and what ours writes and reads: the same, byte by byte."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fsbridge import destinations
from fsbridge.browser.bridge import Bridge
from fsbridge.browser.page import Page
from fsbridge.runtime import invoke, make_array
from fsbridge.testing.simulated import SimulatedWindow

from . import tagged
from .recordings import identifier, recordings
from .stored import attributes_of, cookies_of, differing_attributes, seed

RECORDINGS = [recording for recording in recordings("storage") if recording["sdk"] == "segment"]


@pytest.mark.parametrize("recording", RECORDINGS, ids=identifier)
def test_recording(recording: dict[str, Any]) -> None:
    window = SimulatedWindow(recording["url"], referrer=recording["referrer"])
    seed(window, recording.get("before") or {})
    bridge = Bridge(Page(window), destinations.make("segment-classic", {"org": "o-1"}))

    def ask(name: str, *args: Any) -> Any:
        """``analytics.<name>(…)``, or ``analytics.user().<method>(…)`` for "user.<method>"."""
        owner, _, method = name.partition(".")
        if method:
            return invoke(bridge.call(owner, make_array()), method, *args)
        return bridge.call(name, make_array(args))

    ask("load", "wk", tagged.decode(recording.get("loadOptions") or {}))
    returns = [ask(name, *tagged.decode(args)) for name, *args in recording["script"]]
    written = {
        "cookies": cookies_of(window),
        "localStorage": dict(window.localStorage.entries),
        "cookieAttributes": {
            name: attributes_of(window, name) for name in cookies_of(window) if name in window.cookies.attributes
        },
    }
    reported = {
        "anonymousId": ask("user.anonymousId"),
        "userId": ask("user.id"),
        "traits": ask("user.traits"),
        "groupId": ask("group.id"),
        "groupTraits": ask("group.traits"),
    }

    problems = compare(recording, written, reported, returns)
    assert not problems, recording["title"] + "\n" + "\n".join(problems)


def compare(
    recording: dict[str, Any], written: dict[str, Any], reported: dict[str, Any], returns: list[Any]
) -> list[str]:
    """What tells what was written, reported and returned from the recording, a line each."""
    made_up = str(reported["anonymousId"])
    expect = tagged.decode(json.loads(json.dumps(recording["expect"]).replace("<anonymousId>", made_up)))
    attributes = expect.get("cookieAttributes") or {}
    problems = tagged.differences(expect["reported"], reported, "reported")
    for area in ("cookies", "localStorage"):
        problems += tagged.differences(expect[area], written[area], area)
    for name in written["cookieAttributes"]:  # the others are those of the page itself, from before
        problems += differing_attributes(attributes.get(name), written["cookieAttributes"][name], name)
    for index, value in (expect.get("returns") or {}).items():
        problems += tagged.differences(value, returns[int(index)], f"what call {index} returned")
    return problems
