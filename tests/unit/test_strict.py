"""Mistakes in the subscriptions of segment-actions: said at connect, raised with strict, and the others go on."""

from typing import Any

import pytest

from fsbridge import SettingsError, connect
from fsbridge.testing.simulated import SimulatedWindow

NAME = {"name": {"@path": "$.event"}, "properties": {"@path": "$.properties"}}
GOOD = {
    "name": "Good",
    "enabled": True,
    "subscribe": 'type = "track"',
    "partnerAction": "trackEventV2",
    "mapping": NAME,
}
MISTAKES = [
    ({"subscribe": 'type = "track'}, "trigger 'type = \"track': unterminated string at character 8"),
    ({"subscribe": "hello"}, "trigger 'hello': no condition found"),
    ({"subscribe": None}, "trigger null: it must be text"),
    ({"mapping": {**NAME, "name": {"@path": 5}}}, "mapping: /name/@path should be a string or a mapping directive"),
    (
        {"mapping": {**NAME, "properties": {"a": {"@pth": "x"}}}},
        "mapping: /properties/a has an invalid directive: @pth",
    ),
    ({"mapping": {**NAME, "properties": {"a": {"@if": {"then": 1}}}}}, 'mapping: @if requires an "exists" key'),
    ({"mapping": {**NAME, "properties": [{"@flatten": {"value": 1}}]}}, 'mapping: @flatten requires a "separator" key'),
    ({"mapping": {"properties": {}}}, "mapping: /name is missing, and trackEventV2 requires it"),
    ({"mapping": None}, "mapping: /name is missing"),
    ({"partnerAction": "trackEventV3"}, "unknown partnerAction 'trackEventV3'; did you mean 'trackEventV2'? Known: "),
    ({"partnerAction": 7}, "unknown partnerAction 7"),
    ({"partnerAction": ["trackEventV2"]}, "unknown partnerAction trackEventV2"),
    ({"partnerAction": {}}, "unknown partnerAction [object Object]"),
]


def warnings_on(window: SimulatedWindow) -> Any:
    """What the console was told, but that a simulated page has an FS already."""
    return [text for level, text in window.console.lines if level == "warn" and "already been defined" not in text]


def wrong(**changes: Any) -> Any:
    return {**GOOD, "name": "Wrong", **changes}


@pytest.mark.parametrize(("changes", "expected"), MISTAKES)
def test_strict_names_the_subscription_and_the_place(changes: Any, expected: Any) -> None:
    window = SimulatedWindow()
    with pytest.raises(SettingsError) as raised:
        connect("segment-actions", org="o-1", subscriptions=[GOOD, wrong(**changes)], window=window, strict=True)
    assert str(raised.value).startswith("segment-actions: subscription 2 'Wrong': " + expected)
    assert window.calls == []


@pytest.mark.parametrize(("changes", "expected"), MISTAKES)
def test_otherwise_it_is_said_and_the_others_go_on(changes: Any, expected: Any) -> None:
    window = SimulatedWindow()
    listed = [wrong(**changes), {**GOOD, "partnerAction": "trackEvent"}]
    analytics = connect("segment-actions", org="o-1", subscriptions=listed, window=window)
    said = warnings_on(window)
    assert [text.startswith("[fsbridge] subscription 1 'Wrong': " + expected) for text in said] == [True]
    analytics.track("Clicked", {"n": 1})
    assert {"call": "FS.event", "args": ["Clicked", {"n": 1}, "segment-browser-actions"]} in window.calls


def test_all_mistakes_are_told_at_once() -> None:
    mapping = {"name": {"@path": 5}, "properties": {"a": {"@case": 1}, "b": {"@b": 1}}}
    listed = [wrong(subscribe='"', mapping=mapping), wrong(partnerAction="identify")]
    with pytest.raises(SettingsError) as raised:
        connect("segment-actions", org="o-1", subscriptions=listed, window=SimulatedWindow(), strict=True)
    lines = str(raised.value).splitlines()
    assert [line.split(": ")[2] for line in lines] == ["trigger '\"'", "mapping", "mapping", "mapping"] + [
        line.split(": ")[2] for line in lines[4:]
    ]
    assert "subscription 2" in lines[4]


def test_disabled_ones_and_whole_directives_are_left_alone() -> None:
    whole = wrong(mapping={"@path": "$.properties"})
    listed = [GOOD, wrong(subscribe="(", enabled=False), whole]
    connect("segment-actions", org="o-1", subscriptions=listed, window=SimulatedWindow(), strict=True)
    connect("segment-actions", org="o-1", window=SimulatedWindow(), strict=True)
    connect("segment-classic", org="o-1", window=SimulatedWindow(), strict=True)


def test_fifty_mappings_at_most() -> None:
    connect("segment-actions", org="o-1", subscriptions=[GOOD] * 50, window=SimulatedWindow(), strict=True)
    with pytest.raises(SettingsError, match="has 51 mappings; a destination takes at most 50"):
        connect("segment-actions", org="o-1", subscriptions=[GOOD] * 51, window=SimulatedWindow())


def test_subscriptions_of_load_options_are_reported_never_raised() -> None:
    window = SimulatedWindow()
    for given in ([wrong(subscribe="(")], [GOOD] * 51):
        options = {"integrations": {"Fullstory (Actions)": {"subscriptions": given}}}
        connect("segment-actions", org="o-1", window=window).load("wk", options)  # type: ignore[arg-type]
    said = warnings_on(window)
    assert ["subscription 1" in said[0], "51 mappings" in said[1]] == [True, True]


def test_a_mapping_that_fails_on_a_message_is_said() -> None:
    window = SimulatedWindow()
    failing = wrong(mapping={"name": {"@path": {"@path": "$.context.where"}}})
    analytics = connect("segment-actions", org="o-1", subscriptions=[failing], window=window, strict=True)
    analytics.track("Clicked")
    said = warnings_on(window)
    assert said == ["[fsbridge] subscription 1 'Wrong' failed: @path: expected string, got undefined"]
