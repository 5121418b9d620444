"""Recorded scenarios as visits for the stage, and what came of them in the shape that the comparisons take."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from fsbridge import destinations
from fsbridge.runtime import UNDEFINED, from_json
from fsbridge.runtime.cpython import Function
from fsbridge.testing.simulated import Element, SimulatedWindow

from .. import player_rudder, player_segment, tagged
from .stage import PageLoad, Visit, player_load

MADE_UP_ID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def tag(destination: str, given: dict[str, Any], runtime: str) -> dict[str, str]:
    """The tag's attributes. Settings that our destination doesn't know, the recorded page's own, are left out."""
    kind = destinations.find(destination)
    known = {setting.name for setting in kind.settings}
    settings = {key: value for key, value in given.items() if key in known and value != {"$undefined": True}}
    return {"destination": destination, "settings": json.dumps(settings), "runtime": runtime}


def refusal(attributes: dict[str, str]) -> str | None:
    """What the tag says where a user's check refuses the settings, without the wrong value."""
    try:
        destinations.make(attributes["destination"], from_json(attributes["settings"]))
    except ValueError as error:
        return str(error).split(" is ", 1)[0]
    return None


def reports(attributes: dict[str, str]) -> str:
    """What our destination says of settings that it takes."""
    found = destinations.make(attributes["destination"], from_json(attributes["settings"]))
    return "\n".join(found.problems())


# Segment


def segment(scenario: dict[str, Any], runtime: str) -> Visit:
    options, cdn = scenario.get("loadOptions") or {}, scenario.get("cdn")
    first = ["load", {"writeKey": "wk", "cdnSettings": cdn} if cdn else "wk", options]
    loads = []
    for page in scenario["pages"]:
        before = [*(page.get("preload") or []), *(page.get("postload") or [])]
        play = {"global": "analytics", "script": page["script"], "seed": {"localStorage": page.get("storage") or {}}}
        if scenario.get("loader") == "snippet":
            play["buffered"] = {"context": True, "calls": before, "load": options}
        else:
            play["early"] = [first, *before]
        attributes = tag(scenario["system"], player_segment.settings_of(scenario, plain=True), runtime)
        loads.append(_load(page, attributes, play))
    cookies = dict(player_segment.pairs(scenario.get("cookies")))
    return Visit(loads, cookies, scenario.get("timezone", "UTC"))


def segment_played(
    scenario: dict[str, Any], outcomes: list[dict[str, Any]], queued: bool
) -> list[tuple[dict[str, Any], list[Any], list[str]]]:
    """The outcomes as `player_segment.play` tells them."""
    played = []
    for (page, calls, ids), outcome in zip(player_segment.play(scenario, queued), outcomes, strict=True):
        played.append((page, decoded(outcome["calls"], like=calls), ids))
    return played


# RudderStack


def rudderstack(scenario: dict[str, Any], runtime: str) -> Visit:
    loads = []
    load = [*player_rudder.LOAD, scenario.get("loadOptions") or {}]
    for index, page in enumerate(scenario["pages"]):
        play = {"global": "rudderanalytics", "load": load, "returns": True, "duration": page.get("durationMs")}
        play["fs"] = scenario.get("fs") or "recording"
        if scenario.get("loadLast"):
            play["buffered"] = {"calls": [*page["script"], ["load", *load]]}
        else:
            play["script"] = page["script"]
            play["early"] = [] if scenario.get("noLoad") else [["load", *load]]
        if index == 0:
            play["seed"] = scenario.get("before") or {}
        loads.append(_load(page, tag("rudderstack", player_rudder.settings_of(scenario), runtime), play))
    return Visit(loads, (scenario.get("before") or {}).get("cookies") or {})


def rudderstack_played(scenario: dict[str, Any], outcomes: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    """The outcomes as `player_rudder.play` tells them: what only our own code knows is as it was there."""
    result = []
    for (page, played), outcome in zip(player_rudder.play(scenario), outcomes, strict=True):
        ours = {"calls": outcome["calls"], "returns": outcome["returns"]}
        ours = decoded(ours, like={"calls": played.calls, "returns": played.returns})
        played.calls, played.returns = ours["calls"], ours["returns"]
        played.callbacks = outcome["callbacks"]
        result.append((page, played))
    return result


# Pages without FS


def segment_snippet(recording: dict[str, Any], runtime: str) -> Visit:
    namespace = (recording["expect"]["namespace"] or {"name": "FS"})["name"]
    play = {
        "global": "analytics",
        "early": [["load", "wk"]],
        "script": recording["script"],
        "fs": "recording" if recording.get("existingFS") else "",
        "fsName": recording.get("existingFS"),
        "snapshot": {"namespace": namespace, "ask": ["user.anonymousId"]},
        "awaits": "blocked" if recording.get("fsjs") == "blocked" else None,
    }
    attributes = tag(recording["system"], player_segment.settings_of(recording, plain=True), runtime)
    load = PageLoad(recording["url"], attributes, player_load(**play), recording.get("pageTitle", ""))
    return Visit([load], fsjs=recording.get("fsjs", ""))


def rudderstack_snippet(recording: dict[str, Any], runtime: str) -> Visit:
    (page,) = recording["pages"]
    load = ["load", "wk", "https://dataplane.example.com", recording.get("loadOptions") or {}]
    play = {
        "global": "rudderanalytics",
        "script": page["script"],
        "early": [load],
        "fs": "recording" if recording["fs"] == "existing" else "",
        "preset": page.get("preset") or {},
        "seed": recording.get("before") or {},
        "snapshot": {"namespace": "FS", "ask": ["getAnonymousId"]},
    }
    if recording["fsjs"] == "takes-over":
        play["awaits"] = "fs.js"
    if recording.get("loadLast"):
        play.update(buffered={"calls": [*page["script"], load]}, script=[], early=[])
    given = {**recording["settings"], **recording.get("destination", {})}
    # A blocked fs.js is on its way here for as long as the page is looked at: the recorded snippet kept its queue.
    fsjs = recording["fsjs"] if recording["fsjs"] == "takes-over" else ""
    return Visit([_load(page, tag("rudderstack", given, runtime), play)], fsjs=fsjs)


def window_after(load: PageLoad, outcome: dict[str, Any]) -> SimulatedWindow:
    """A window like that of CPython's players, with what the snapshot says of the real one."""
    snapshot = outcome["snapshot"]
    window = SimulatedWindow(load.url, recording=False)
    window.calls = decoded(outcome["calls"])
    window.console.lines = [tuple(line) for line in outcome["console"]]
    for name, value in decoded(snapshot["globals"]).items():
        setattr(window, name, value)
    if snapshot["type"] == "function":
        fs = Function(lambda args: None)
        fs.properties = {key: Function(lambda args: None) for key in snapshot["keys"]}
        if "q" in snapshot["keys"]:
            fs.properties["q"] = decoded(snapshot["queue"])
        setattr(window, load.play["snapshot"]["namespace"], fs)
        if snapshot["own"]:
            window.existing = fs
    if snapshot.get("script"):
        _add_script(window, snapshot["script"])
    return window


def taken(outcome: dict[str, Any]) -> list[list[Any]]:
    """What the stand-in for fs.js got."""
    return list(decoded(outcome["snapshot"]["taken"]))


def _add_script(window: SimulatedWindow, seen: dict[str, Any]) -> None:
    script, head = Element("script"), window.document.head
    script.src, script.crossOrigin = seen["src"], seen["crossOrigin"]
    vars(script)["async"] = seen["async"]
    head.insertBefore(script, head.children[0] if seen["isFirst"] else None)
    script.parentNode = Element(seen["parent"])


# Storage

SEGMENT_QUESTIONS = {
    "anonymousId": "user.anonymousId",
    "userId": "user.id",
    "traits": "user.traits",
    "groupId": "group.id",
    "groupTraits": "group.traits",
}


def storage(recording: dict[str, Any], runtime: str, questions: dict[str, str]) -> Visit:
    before, ours = recording.get("before") or {}, recording["sdk"] == "segment"
    options = recording.get("loadOptions") or {}
    play = {
        "global": "analytics" if ours else "rudderanalytics",
        "early": [["load", "wk", options] if ours else ["load", *player_rudder.LOAD, options]],
        "script": recording["script"],
        "seed": before,
        "returns": True,
        "snapshot": {"namespace": "FS", "ask": list(questions.values())},
    }
    attributes = tag("segment-classic", {"org": "o-1"}, runtime)
    if not ours:
        attributes = tag("rudderstack", {"fs_org": "o-1", **player_rudder.settings_of(recording)}, runtime)
    load = PageLoad(recording["url"], attributes, player_load(**play), referrer=recording["referrer"])
    return Visit([load], before.get("cookies") or {})


def stored(outcome: dict[str, Any], cookies: list[dict[str, Any]], seeded: Any) -> dict[str, Any]:
    """What is in the browser afterwards, as the storage tests of CPython have it."""
    snapshot = outcome["snapshot"]
    line = snapshot["cookies"]
    values = dict(part.partition("=")[::2] for part in line.split("; ")) if line else {}
    attributes = {
        cookie["name"]: {
            "domain": cookie["domain"],
            "path": cookie["path"],
            "sameSite": cookie["sameSite"],
            "secure": cookie["secure"],
            "days": round((cookie["expires"] - time.time()) / 86400) if cookie["expires"] > 0 else UNDEFINED,
        }
        for cookie in cookies
        if cookie["name"] in values and not (cookie["name"] in seeded and cookie["expires"] < 0)
    }
    areas = {area: snapshot[area] for area in ("localStorage", "sessionStorage")}
    return {"cookies": values, "cookieAttributes": attributes, **areas}


def reported(outcome: dict[str, Any], questions: dict[str, str]) -> dict[str, Any]:
    return {name: decoded(outcome["snapshot"]["reported"])[question] for name, question in questions.items()}


def decoded_returns(outcome: dict[str, Any], count: int) -> list[Any]:
    """What each call of the script returned."""
    returns = decoded(outcome["returns"])
    return [returns.get(str(index), UNDEFINED) for index in range(count)]


# Between the page and here


def with_id_tags(calls: Any) -> Any:
    """Calls as a recording has them, with ``{"$anonymousId": true}`` for made-up ids."""
    text = json.dumps(tagged.encode(calls))
    return from_json(re.sub(f'"{MADE_UP_ID.pattern}"', '{"$anonymousId": true}', text))


def _load(page: dict[str, Any], attributes: dict[str, str], play: dict[str, Any]) -> PageLoad:
    return PageLoad(page["url"], attributes, player_load(**play), page["title"], page["referrer"], page["canonical"])


def decoded(encoded: Any, like: Any = None) -> Any:
    """Port values of the player's tagged JSON. Made-up ids get the names that they have in ``like``, by first use."""
    text = json.dumps(encoded, sort_keys=True)
    if like is not None:
        ids = dict.fromkeys(MADE_UP_ID.findall(text))
        ours = dict.fromkeys(MADE_UP_ID.findall(json.dumps(tagged.encode(like), sort_keys=True)))
        names = dict(zip(ids, ours, strict=False))
        text = MADE_UP_ID.sub(lambda found: names.get(found[0], found[0]), text)
    return tagged.decode(from_json(text))
