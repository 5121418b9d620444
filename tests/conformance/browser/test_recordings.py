"""The recordings of the device modes through the tag: in Chromium all on MicroPython and all on Pyodide.

Firefox and WebKit get a spread of them, on MicroPython. In Chromium MicroPython gets a fresh page for every page load,
Pyodide is booted once ("warm") and for a spread of all kinds on a fresh page. The comparisons and the deliberate
deviations are those of CPython's tests, which say what each means.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fsbridge.mapping import liquid

from .. import (
    player_rudder,
    player_segment,
    test_rudderstack,
    test_rudderstack_storage,
    test_segment,
    test_segment_storage,
)
from .. import test_snippet as snippet
from ..recordings import identifier, recordings
from . import visits
from .engine_stage import is_playable
from .stage import Visit

SPREAD = 23
"""Every how manieth recording Pyodide gets on a fresh page."""


ENGINE_SPREAD = 4
"""Every how manieth recording Firefox and WebKit get."""


def everywhere(
    scenarios: list[dict[str, Any]], visit: Callable[[dict[str, Any], str], Visit] | None = None
) -> pytest.MarkDecorator:
    """Parametrize a test over the ways to play and these scenarios.

    ``visit(scenario, runtime)`` is what is played; without it only Chromium does.
    """
    plays = [("micropython", scenario) for scenario in scenarios]
    plays += [("warm", scenario) for scenario in scenarios if "timezone" not in scenario]
    plays += [
        ("pyodide", scenario)
        for index, scenario in enumerate(scenarios)
        if index % SPREAD == 0 or "timezone" in scenario
    ]
    if visit is not None:
        spread = [each for each in scenarios[::ENGINE_SPREAD] if is_playable(visit(each, "micropython"))]
        plays += [(engine, scenario) for engine in ("firefox", "webkit") for scenario in spread]
    return pytest.mark.parametrize(
        ("mode", "scenario"), [pytest.param(*play, id=f"{play[0]}-{identifier(play[1])}") for play in plays]
    )


def runtime(mode: str) -> str:
    return "pyodide" if mode in ("pyodide", "warm") else "micropython"


def play(stages: Any, mode: str, visit: Any, record_property: Any) -> list[dict[str, Any]]:
    """What came of each page load; none where the tag rightly refuses the settings."""
    outcomes = list(stages(mode, visit.timezone).play(visit))
    refusal = visits.refusal(visit.loads[0].tag)
    for outcome in outcomes:
        if refusal is None:
            assert "refused" not in outcome, outcome["refused"]
        else:
            assert outcome["refused"].startswith(refusal)
            assert not outcome["calls"]
    if refusal is not None:
        record_property("refused", refusal)
        return []
    return outcomes


@everywhere([*recordings("segment-classic"), *recordings("segment-actions")], visits.segment)
def test_segment_recording(
    stages: Any, mode: str, scenario: dict[str, Any], record_property: Any, monkeypatch: Any
) -> None:
    outcomes = play(stages, mode, visits.segment(scenario, runtime(mode)), record_property)
    if outcomes:
        if "@liquid" in json.dumps(scenario["settings"]):
            monkeypatch.setattr(liquid, "available", lambda: False)
            scenario = refused_in_the_browser(scenario, outcomes, record_property)
        problems = test_segment.compare(
            scenario, record_property, lambda given, queued=False: visits.segment_played(given, outcomes, queued)
        )
        assert not problems, scenario["title"] + "\n" + "\n".join(problems)


def refused_in_the_browser(
    scenario: dict[str, Any], outcomes: list[dict[str, Any]], record_property: Any
) -> dict[str, Any]:
    """Mappings with @liquid are refused, and said so; the rest is what comes where the liquid library is missing."""
    record_property("deviation", "refused_in_the_browser")
    attributes = visits.segment(scenario, "micropython").loads[0].tag
    if liquid.MISSING in visits.reports(attributes):
        assert all(liquid.MISSING in json.dumps(outcome["console"]) for outcome in outcomes)
    played = player_segment.play(scenario)
    pages = [{**page, "expect": visits.with_id_tags(calls)} for page, calls, ids in played]
    return {**scenario, "pages": pages}


@everywhere(recordings("rudderstack"), visits.rudderstack)
def test_rudderstack_recording(stages: Any, mode: str, scenario: dict[str, Any], record_property: Any) -> None:
    if scenario.get("extraDestinations"):
        pytest.skip("two destinations: a tag has one")
    outcomes = play(stages, mode, visits.rudderstack(scenario, runtime(mode)), record_property)
    if outcomes:
        scenario = loaded_by_the_tag(scenario, record_property)
        played = visits.rudderstack_played(scenario, outcomes)
        problems = test_rudderstack.compare(scenario, played, record_property)
        assert not problems, scenario["title"] + "\n" + "\n".join(problems)


def loaded_by_the_tag(scenario: dict[str, Any], record_property: Any) -> dict[str, Any]:
    """The tag needs no ``load`` of the page's: what comes without one is what comes with one at once."""
    if not scenario.get("noLoad"):
        return scenario
    record_property("deviation", "loaded_by_the_tag")
    pages = [
        {**page, "script": [["$settle"] if step[0] == "$load" else step for step in page["script"]]}
        for page in scenario["pages"]
    ]
    plain = {**scenario, "noLoad": False, "pages": pages}
    for page, played in player_rudder.play(plain):
        page["expect"], page["callbacks"] = visits.with_id_tags(played.calls), played.callbacks
        page["returns"] = visits.with_id_tags(played.returns)
    return plain


@everywhere(snippet.SEGMENT, visits.segment_snippet)
def test_segment_snippet(stages: Any, mode: str, scenario: dict[str, Any], record_property: Any) -> None:
    scenario = snippet.options_count(scenario, record_property)
    visit = visits.segment_snippet(scenario, runtime(mode))
    outcomes = play(stages, mode, visit, record_property)
    if outcomes:
        window = visits.window_after(visit.loads[0], outcomes[0])
        anonymous_id = outcomes[0]["snapshot"]["reported"]["user.anonymousId"]
        problems = snippet.compare_segment(scenario, window, anonymous_id)
        assert not problems, "\n".join(problems)


@everywhere(recordings("rudderstack-snippet"), visits.rudderstack_snippet)
def test_rudderstack_snippet(stages: Any, mode: str, scenario: dict[str, Any], record_property: Any) -> None:
    visit = visits.rudderstack_snippet(scenario, runtime(mode))
    outcomes = play(stages, mode, visit, record_property)
    if outcomes:
        window = visits.window_after(visit.loads[0], outcomes[0])
        anonymous_id = outcomes[0]["snapshot"]["reported"]["getAnonymousId"]
        problems = snippet.compare_rudderstack(scenario, window, visits.taken(outcomes[0]), anonymous_id)
        assert not problems, "\n".join(problems)


@everywhere(recordings("storage"))
def test_storage(stages: Any, mode: str, scenario: dict[str, Any], record_property: Any) -> None:
    ours = scenario["sdk"] == "segment"
    questions = visits.SEGMENT_QUESTIONS if ours else test_rudderstack_storage.GETTERS
    visit = visits.storage(scenario, runtime(mode), questions)
    (outcome,) = play(stages, mode, visit, record_property)
    written = visits.stored(outcome, stages(mode, visit.timezone).cookies(), visit.cookies)
    reported = visits.reported(outcome, questions)
    if ours:
        returns = visits.decoded_returns(outcome, len(scenario["script"]))
        problems = test_segment_storage.compare(scenario, written, reported, returns)
    else:
        current = str(reported["anonymousId"])
        made_up = current if visits.MADE_UP_ID.fullmatch(current) else "?"
        problems = test_rudderstack_storage.compare(scenario, written, reported, made_up)
    assert not problems, scenario["title"] + "\n" + "\n".join(problems)
