"""Segment recordings that fall under a deliberate deviation: recognised by what they do, and what our rule demands.

A rule gives the scenario that our behaviour is to be measured by, instead of the recorded calls: the same one without
what makes the vendor lose or reorder calls. Other recordings show that such a plain scenario is played exactly.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from fsbridge.browser.sources.analytics_js.api import SETTING_UP

Scenario = dict[str, Any]


def calls_before_load(scenario: Scenario) -> Scenario | None:
    """Calls made before we are live come out as if they were made after, and after what sets the page up."""
    if not any(page.get("preload") or page.get("postload") for page in scenario["pages"]):
        return None
    plain = copy.deepcopy(scenario)
    for page in plain["pages"]:
        waiting = [*page.pop("preload", []), *page.pop("postload", [])]
        setting_up = [call for method in SETTING_UP for call in waiting if call[0] == method]
        page["script"] = [*setting_up, *[call for call in waiting if call[0] not in SETTING_UP], *page["script"]]
    return plain


def slow_middleware(scenario: Scenario) -> Scenario | None:
    """Calls stay in order when a middleware is slow."""
    return _without_ops(scenario, {"delay"})


def throwing_middleware(scenario: Scenario) -> Scenario | None:
    """A middleware that throws is skipped, and the message goes on."""
    return _without_ops(scenario, {"throw", "throwOnce"})


def numeric_length(scenario: Scenario) -> Scenario | None:
    """Traits and properties with a numeric ``length`` are sent whole."""
    if scenario["system"] != "segment-classic" or not _has_length(scenario["pages"]):
        return None
    plain = copy.deepcopy(scenario)
    for page in plain["pages"]:
        page["script"] = _renamed_length(page["script"])
    return plain


def waits_for_fsjs(scenario: Scenario) -> Scenario | None:
    """Classic keeps calls until fs.js is there, in an order of its own or for good; we don't wait."""
    if scenario["system"] != "segment-classic" or "fsjs" not in scenario or _is_in_order(scenario):
        return None
    return {name: value for name, value in scenario.items() if name != "fsjs"}


def _is_in_order(scenario: Scenario) -> bool:
    """Whether calls come out as they were made all the same: each tick has one kind of them, and fs.js comes."""
    return scenario["fsjs"] != "blocked" and all(
        len({step[0] for step in tick}) < 2 for page in scenario["pages"] for tick in _ticks(page["script"])
    )


def _ticks(script: list[list[Any]]) -> list[list[list[Any]]]:
    ticks: list[list[list[Any]]] = [[]]
    for step in script:
        if step[0] == "$settle":
            ticks.append([])
        elif not step[0].startswith("$"):
            ticks[-1].append(step)
    return ticks


STAND_IN = "lengthx"

RULES: tuple[Callable[[Scenario], Scenario | None], ...] = (
    calls_before_load,
    waits_for_fsjs,
    slow_middleware,
    throwing_middleware,
    numeric_length,
)


def rule_for(scenario: Scenario) -> tuple[str, Scenario] | None:
    """The deviation that ``scenario`` falls under: its name, and the plain scenario to measure by."""
    for rule in RULES:
        plain = rule(scenario)
        if plain is not None:
            return rule.__name__, plain
    return None


def _without_ops(scenario: Scenario, names: set[str]) -> Scenario | None:
    plain = copy.deepcopy(scenario)
    found = False
    for page in plain["pages"]:
        for _, *args in page["script"]:
            for arg in args:
                spec = arg.get("$middleware") if isinstance(arg, dict) else None
                if spec and any(op[0] in names for op in spec["ops"]):
                    spec["ops"] = [op for op in spec["ops"] if op[0] not in names]
                    found = True
    return plain if found else None


def _has_length(value: Any) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get("length"), (int, float)) or any(_has_length(item) for item in value.values())
    return isinstance(value, list) and any(_has_length(item) for item in value)


def _renamed_length(value: Any) -> Any:
    if isinstance(value, dict):
        return {STAND_IN if key == "length" else key: _renamed_length(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed_length(item) for item in value]
    return value
