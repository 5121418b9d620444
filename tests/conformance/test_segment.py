"""Every recording of Segment's two device-mode destinations, on CPython."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from . import tagged
from .deviations import STAND_IN, rule_for
from .player_segment import play
from .recordings import identifier, recordings

SCENARIOS = [*recordings("segment-classic"), *recordings("segment-actions")]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=identifier)
def test_recording(scenario: dict[str, Any], record_property: Any) -> None:
    problems = compare(scenario, record_property)
    assert not problems, scenario["title"] + "\n" + "\n".join(problems)


def compare(scenario: dict[str, Any], record_property: Any, play_ours: Callable[..., Any] = play) -> list[str]:
    """What tells our calls from the recorded ones, or from those that a deviation demands, a line each."""
    deviation = rule_for(scenario)
    problems = []
    if deviation is None:
        for number, (page, calls, anonymous_ids) in enumerate(play_ours(scenario)):
            expected = [
                tagged.decode(call, {"$anonymousId": anonymous_ids[index] if index < len(anonymous_ids) else "?"})
                for index, call in enumerate(page["expect"])
            ]
            problems += [f"page {number}: {line}" for line in tagged.differences(expected, calls)]
    else:
        name, plain = deviation
        record_property("deviation", name)
        ours, by_rule = play_ours(scenario, queued=True), play(plain)
        for number, ((_, calls, ids), (_, expected, plain_ids)) in enumerate(zip(ours, by_rule, strict=True)):
            same_ids = dict(zip(plain_ids, ids, strict=False))
            expected = _replaced(expected, same_ids)
            problems += [f"page {number}: {line}" for line in tagged.differences(expected, calls)]
            assert page_has_calls(scenario, number) == bool(calls), "nothing arrived"
            if name == "waits_for_fsjs":  # what the vendor didn't lose has to be among ours
                kept = [tagged.decode(call, {"$anonymousId": ids[0]}) for call in scenario["pages"][number]["expect"]]
                problems += [
                    f"page {number} lacks {tagged.show(call)}"
                    for call in kept
                    if all(tagged.differences(call, ours) for ours in calls)
                ]
    return problems


def page_has_calls(scenario: dict[str, Any], number: int) -> bool:
    """Whether a page of the scenario makes a call that reaches FullStory."""
    page = scenario["pages"][number]
    steps = [*(page.get("preload") or []), *(page.get("postload") or []), *page["script"]]
    return any(step[0] in ("track", "identify", "page") for step in steps)


def _replaced(value: Any, ids: dict[str, str]) -> Any:
    """``value`` with the other play's anonymous ids, and without stand-in names."""
    if isinstance(value, list):
        return [_replaced(item, ids) for item in value]
    if isinstance(value, dict):
        return {"length" if key == STAND_IN else key: _replaced(item, ids) for key, item in value.items()}
    return ids.get(value, value) if isinstance(value, str) else value
