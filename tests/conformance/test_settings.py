"""What the vendors' own code does with each setting that is left out, null, empty or of another type.

Each line of settings.jsonl is one run of it: ``settings`` as the vendor's settings document had them, ``load`` the
options of ``analytics.load``; ``expect`` has the calls on FullStory (each with its first argument), globals, the
address of fs.js and what FullStory's SDK puts first into its queue, other ``operations`` that it puts there, the name
of FullStory's global; or the error that it refuses with. FullStory's options were run with its SDK alone, to which
Segment's Actions hand all settings. Not with a namespace that is no text or empty: there its SDK breaks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fsbridge import SettingsError, destinations
from fsbridge.browser.bridge import Bridge
from fsbridge.browser.page import Page
from fsbridge.destinations.rudderstack import RudderStack
from fsbridge.fullstory_options import OPTIONS
from fsbridge.runtime import UNDEFINED, make_array, raw_get, raw_items, type_of
from fsbridge.settings import whole
from fsbridge.testing.simulated import SimulatedWindow

from .tagged import decode, differences


def runs(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(__file__).with_name(name).read_text("utf-8").splitlines()]


RUNS = runs("settings.jsonl")
CALLS = {
    "segment-classic": [["page"], ["page", "Home"], ["page", "Docs", ""]],
    "segment-actions": [["track", "E"]],
    "rudderstack": [["track", "A"], ["track", "B"], ["page", "P"]],
}


def identifier(run: dict[str, Any]) -> str:
    return f"{run['destination']}-{run['setting']}"


@pytest.mark.parametrize("run", RUNS, ids=identifier)
def test_a_setting_means_what_the_vendors_code_takes_it_for(run: dict[str, Any]) -> None:
    destination = destinations.find(run["destination"])
    given, expect = decode(run["settings"]), decode(run["expect"])
    if "error" in expect:
        with pytest.raises(SettingsError, match=run["setting"]):
            destinations.make(destination.name, given)
        return
    window = SimulatedWindow("https://shop.example/path", recording="calls" in expect)
    bridge = Bridge(Page(window), destination(whole(destination.settings, given)))
    options = "https://dataplane.example.com" if destination is RudderStack else run.get("load", {})
    for method, *args in [["load", "wk", options], *CALLS[destination.name]]:
        bridge.call(method, make_array(decode(args)))
    if "calls" in expect:
        window.settle()
        calls = [[call["call"].split(".")[-1], *call["args"][:1]] for call in window.calls]
        assert not differences(expect["calls"], calls, "calls")
    if "globals" in expect:
        found = {name: getattr(window, name, UNDEFINED) for name in expect["globals"]}
        assert not differences(expect["globals"], found, "globals")
    if "script" in expect:
        (script,) = [child.src for child in window.document.head.children if hasattr(child, "src")]
        assert script == expect["script"]
        queue = raw_items(raw_get(getattr(window, expect.get("namespace", "FS")), "q"))
        assert not differences(expect["init"], [raw_get(raw_get(entry, 1), "env") for entry in queue[:2]], "init")
        assert [raw_get(entry, 0) for entry in queue[2:]] == [*expect.get("operations", []), "trackEvent"]


@pytest.mark.parametrize("name", destinations.NAMES)
def test_every_setting_was_run(name: str) -> None:
    run = {run["setting"] for run in RUNS if run["destination"] == name}
    kind = destinations.find(name)
    settings = kind.settings if name == "segment-actions" else kind.own  # other vendors have none of FullStory's
    assert [setting.name for setting in settings if setting.name not in run] == NOT_RUN[name]


NOT_RUN = {
    "segment-classic": ["isOuterScript"],  # in the recordings of snippets, with null, "false" and true
    "segment-actions": ["integrationName"],  # ours: the name under which the vendor's page registers the destination
    "rudderstack": [],
}


OF_FULLSTORY = [
    (run, kind)
    for kind in map(destinations.find, ("segment-classic", "rudderstack"))
    for run in RUNS
    if run["setting"] in {each.name for each in OPTIONS} - {each.name for each in kind.own} and "init" in run["expect"]
]


@pytest.mark.parametrize(("run", "kind"), OF_FULLSTORY)
def test_fullstorys_options_mean_the_same_to_every_destination(run: dict[str, Any], kind: Any) -> None:
    given, expect = decode(run["settings"]), decode(run["expect"])
    window = SimulatedWindow("https://shop.example/path", recording=False)
    bridge = Bridge(Page(window), kind(whole(kind.settings, {kind.org: given.pop("orgId"), **given})))
    bridge.call("load", make_array(["wk", "https://dataplane.example.com" if kind is RudderStack else {}]))
    bridge.call("track", make_array(["E"]))
    (script,) = [child.src for child in window.document.head.children if hasattr(child, "src")]
    assert script == expect["script"]
    queue = raw_items(raw_get(getattr(window, expect.get("namespace", "FS")), "q"))
    assert not differences(expect["init"], [raw_get(raw_get(entry, 1), "env") for entry in queue[:2]], "init")
    last = [] if expect.get("operations") else ["trackEvent"]  # in devMode no call is made
    assert [raw_get(entry, 0) for entry in queue[2:]] == [*expect.get("operations", []), *last]
    found = {name: getattr(window, name, UNDEFINED) for name in expect["globals"]}
    assert not differences(expect["globals"], found, "globals")


def test_pages_with_events_unless_the_setting_says_no() -> None:
    """The public source that was run still has no for a default; what Segment serves today has yes."""
    assert destinations.make("segment-classic", {"org": "o-1"}).options["trackPagesWithEvents"] is True


@pytest.mark.parametrize("run", runs("load_options.jsonl"), ids=lambda run: run["option"])
def test_an_option_of_load_means_what_the_vendors_code_takes_it_for(run: dict[str, Any]) -> None:
    """``expect``: whether a track call arrives, its ISO text as a Date, one of the query string and a page call."""
    window = SimulatedWindow("https://shop.example/path?ajs_event=Q")
    settings = {"org": "o-1", "trackAllPages": True, "trackPagesWithEvents": False}
    bridge = Bridge(Page(window), destinations.make("segment-classic", settings))
    bridge.call("load", make_array(["wk", decode(run["load"])]))
    bridge.call("track", make_array(["E", {"d": "2024-03-05"}]))
    window.settle()
    events = {call["args"][0]: call["args"][1] for call in window.calls if call["call"] == "FS.event"}
    found = {
        "event": "E" in events,
        "date": type_of(raw_get(events.get("E"), "d")) == "date",
        "query": "Q" in events,
        "page": any(call["call"] == "FS.setVars" for call in window.calls),
        "stored": "ajs_anonymous_id" in window.localStorage.entries,
    }
    assert {name: found[name] for name in run["expect"]} == run["expect"]


@pytest.mark.parametrize("run", runs("load_options_rudder.jsonl"), ids=lambda run: run["option"])
def test_an_option_of_rudderstacks_load_means_what_its_code_takes_it_for(run: dict[str, Any]) -> None:
    """``expect``: the calls on FullStory, each with its first argument, and in which areas the identity is kept."""
    window = SimulatedWindow("https://shop.example/path")
    bridge = Bridge(Page(window), destinations.make("rudderstack", {"org": "O"}))
    for method, *args in [["load", "wk", "https://dp.example.com", run["load"]], *CALLS["rudderstack"]]:
        bridge.call(method, make_array(decode(args)))
    window.settle()
    calls = [[call["call"].split(".")[-1], *call["args"][:1]] for call in window.calls]
    areas = {
        "cookie": "rl_anonymous_id" in window.document.cookie,
        "local": "rl_anonymous_id" in window.localStorage.entries,
        "session": "rl_anonymous_id" in window.sessionStorage.entries,
    }
    assert (calls, areas) == (run["expect"]["calls"], {area: run["expect"][area] for area in areas})
