"""Every recording of RudderStack's SDK with its FullStory integration, on CPython."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from fsbridge.runtime import raw_get
from fsbridge.runtime.cpython import JsError

from . import tagged
from .player_rudder import Played, play
from .recordings import identifier, recordings

QUEUE = 100
"""Calls that the vendor's queue holds before its integration is loaded."""
PAGE_KEYS = ("path", "search", "title", "url", "tabUrl")


@pytest.mark.parametrize("scenario", list(recordings("rudderstack")), ids=identifier)
def test_recording(scenario: dict[str, Any], record_property: Any) -> None:
    problems = compare(scenario, play(scenario), record_property)
    assert not problems, scenario["title"] + "\n" + "\n".join(problems)


def compare(
    scenario: dict[str, Any], plays: Iterable[tuple[dict[str, Any], Played]], record_property: Any
) -> list[str]:
    """What tells the page loads ``plays`` from the recorded ones, or from what a deviation demands, a line each."""
    problems = []
    for number, (page, played) in enumerate(plays):
        rule = rule_of(scenario, page, played)
        if rule is not None:
            record_property("deviation", rule.__name__)
        expected, actual = (rule or as_recorded)(page, played)
        found = tagged.differences(expected, actual)
        found += tagged.differences(decoded_returns(page, played), played.returns, "returns")
        found += tagged.differences(page.get("callbacks") or [], played.callbacks, "callbacks")
        problems += [f"page {number}: {line}" for line in found]
    return problems


def rule_of(scenario: dict[str, Any], page: dict[str, Any], played: Played) -> Any:
    """The deliberate deviation that a page falls under by what it does, None where the recording holds as it is."""
    queue = (scenario.get("loadOptions") or {}).get("destinationsQueueOptions") or {}
    if "integration" in scenario.get("blocked", ()):
        return nothing_to_block
    if played.events_at_once > queue.get("maxItems", QUEUE):
        return nothing_is_dropped
    if scenario.get("sourceConfigMode") == "async" and played.page_changes_unsettled:
        return page_of_the_call
    if any(played.lost_by_vendor):
        return identify_without_storage
    if sum(call["call"] == "FS.restart" for call in page["expect"]) > 1:
        return one_restart
    return None


def as_recorded(page: dict[str, Any], played: Played) -> tuple[Any, Any]:
    return expected_calls(page, played), played.calls


def nothing_is_dropped(page: dict[str, Any], played: Played) -> tuple[Any, Any]:
    """The vendor keeps only the last calls made before its integration is loaded; we keep all, in order."""
    expected = expected_calls(page, played, len(played.calls) - len(page["expect"]))
    assert len(played.calls) == played.events_at_once
    return expected, played.calls[-len(expected) :]


def page_of_the_call(page: dict[str, Any], played: Played) -> tuple[Any, Any]:
    """The vendor describes the page as it is once the SDK has loaded; we, as it was when the call was made."""
    expected = expected_calls(page, played)
    actual: list[Any] = []
    told = [properties for call in played.calls if isinstance(properties := raw_get(call["args"], 1), dict)]
    places = [(properties["tabUrl"], properties["title"]) for properties in told if "tabUrl" in properties]
    assert places == played.places
    for calls, into in ((expected, expected := []), (played.calls, actual)):
        for call in calls:
            name, *rest = call["args"]
            if rest and isinstance(rest[0], dict):
                rest = [{key: value for key, value in rest[0].items() if key not in PAGE_KEYS}, *rest[1:]]
            into.append({"call": call["call"], "args": [name, *rest]})
    return expected, actual


def identify_without_storage(page: dict[str, Any], played: Played) -> tuple[Any, Any]:
    """The vendor loses an identify call without traits where it may keep none; we send it."""
    rest = [index for index, lost in enumerate(played.lost_by_vendor) if not lost]
    for index, call in enumerate(played.calls):
        if index not in rest:
            assert call["call"] == "FS.identify"
            assert len(call["args"]) == 1
    expected = [
        tagged.decode(call, stand_ins(played, index)) for call, index in zip(page["expect"], rest, strict=False)
    ]
    return expected + page["expect"][len(rest) :], [played.calls[index] for index in rest]


def one_restart(page: dict[str, Any], played: Played) -> tuple[Any, Any]:
    """The vendor's cross-domain support restarts capture every second; ours does so once."""
    expected, restarts = [], 0
    for call in expected_calls(page, played):
        restarts += call["call"] == "FS.restart"
        if call["call"] != "FS.restart" or restarts == 1:
            expected.append(call)
    return expected, played.calls


def nothing_to_block(page: dict[str, Any], played: Played) -> tuple[Any, Any]:
    """The vendor's integration is a script of its own, which may be blocked; ours isn't, so every call arrives."""
    assert not page["expect"]
    assert len(played.calls) == played.events_at_once
    return [], []


def expected_calls(page: dict[str, Any], played: Played, offset: int = 0) -> list[Any]:
    return [tagged.decode(call, stand_ins(played, index + offset)) for index, call in enumerate(page["expect"])]


def stand_ins(played: Played, index: int) -> dict[str, Any]:
    known = played.anonymous_ids[index] if index < len(played.anonymous_ids) else JsError("no call")
    kept = played.source.visitor.values["anonymousId"]
    return {
        "$anonymousId": known,
        "$randomId": tagged.Like(
            "an id of this event alone",
            lambda value: value in played.generated and value != kept and played.anonymous_ids.count(value) == 1,
        ),
    }


def decoded_returns(page: dict[str, Any], played: Played) -> dict[str, Any]:
    return {
        index: tagged.decode(value, {"$anonymousId": played.return_ids.get(index)})
        for index, value in (page.get("returns") or {}).items()
    }
