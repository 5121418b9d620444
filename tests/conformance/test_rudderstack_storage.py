"""What RudderStack's SDK keeps of a visitor, and what ours writes and reads: the same, byte by byte where it can be."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from typing import Any
from urllib.parse import unquote

import pytest

from fsbridge.browser.sources.rudderanalytics import legacy, storage
from fsbridge.runtime import make_array
from fsbridge.testing.simulated import SimulatedWindow

from . import tagged
from .player_rudder import Played, Player
from .recordings import identifier, recordings
from .stored import attributes_of, cookies_of, differing_attributes, seed

RECORDINGS = [recording for recording in recordings("storage") if recording["sdk"] == "rudderstack"]
TEMPLATE = re.compile(r"(RS_ENC_v3_|RudderEncrypt:)<(?:b64|aes)\((.*)\)>")
MOMENT = tagged.Like("milliseconds", lambda value: isinstance(value, int) and value >= 1_700_000_000_000)
GETTERS = {
    "anonymousId": "getAnonymousId",
    "userId": "getUserId",
    "traits": "getUserTraits",
    "groupId": "getGroupId",
    "groupTraits": "getGroupTraits",
}


@pytest.mark.parametrize("recording", RECORDINGS, ids=identifier)
def test_recording(recording: dict[str, Any]) -> None:
    window = SimulatedWindow(recording["url"], referrer=recording["referrer"])
    seed(window, recording.get("before") or {})
    player = Player(recording, window)
    player.run(recording["script"])
    written = {
        "cookies": cookies_of(window),
        "localStorage": dict(window.localStorage.entries),
        "sessionStorage": dict(window.sessionStorage.entries),
        "cookieAttributes": {
            name: attributes_of(window, name) for name in cookies_of(window) if name in window.cookies.attributes
        },
    }
    made_up = anonymous_id(player.played)
    reported = {name: player.bridge.call(method, make_array()) for name, method in GETTERS.items()}
    problems = compare(recording, written, reported, made_up)
    assert not problems, recording["title"] + "\n" + "\n".join(problems)


def compare(recording: dict[str, Any], written: dict[str, Any], reported: dict[str, Any], made_up: str) -> list[str]:
    """What tells what was written and reported from the recording, a line each; ``made_up`` is the visitor's new id."""
    expect = recording["expect"]
    cookies = {name: unquote(value) for name, value in written["cookies"].items()}
    problems = differences(
        {name: unquote(value) for name, value in expect["cookies"].items()}, cookies, made_up, "cookie"
    )
    for area in ("localStorage", "sessionStorage"):
        problems += differences(unquoted(expect.get(area) or {}), unquoted(written[area]), made_up, area)
    for name, attributes in (expect.get("cookieAttributes") or {}).items():
        if name in written["cookieAttributes"]:  # the page itself set the others
            problems += differing_attributes(attributes, written["cookieAttributes"][name], name)
    ours = tagged.decode(json.loads(json.dumps(expect["reported"]).replace("<anonymousId>", made_up)))
    return problems + tagged.differences(ours, reported, "reported")


def unquoted(entries: dict[str, str]) -> dict[str, str]:
    """Entries without the quotes of the JSON text that localStorage holds."""
    return {name: value[1:-1] if value.startswith('"') else value for name, value in entries.items()}


def differences(expected: dict[str, str], actual: dict[str, str], made_up: str, where: str) -> list[str]:
    problems = tagged.differences(sorted(expected), sorted(actual), where)
    for name in expected.keys() & actual.keys():
        template = TEMPLATE.fullmatch(expected[name])
        if template is None:
            problems += tagged.differences(expected[name], actual[name], f"{where} {name}")
            continue
        prefix, inner = template.groups()
        assert actual[name].startswith(prefix)
        body = actual[name][len(prefix) :]
        text = legacy.decrypt(body) if prefix == storage.LEGACY_PREFIX else b64decode(body).decode()
        inner = inner.replace("<anonymousId>", made_up).replace("<timestamp>", '"<timestamp>"')
        wanted = json.loads(
            inner,
            object_pairs_hook=lambda pairs: {key: MOMENT if value == "<timestamp>" else value for key, value in pairs},
        )
        problems += tagged.differences(wanted, json.loads(text), f"{where} {name}")
    return problems


def anonymous_id(played: Played) -> str:
    """The id that was made up for the visitor."""
    current = played.source.visitor.values["anonymousId"]
    return current if current in played.generated else "?"
