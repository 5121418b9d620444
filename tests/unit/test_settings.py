"""Settings: what is accepted, what is said of the rest, and that a page goes on where it safely can."""

from typing import Any

import pytest

from fsbridge import SettingsError, connect, destinations
from fsbridge.runtime import NULL, UNDEFINED
from fsbridge.settings import ORG, from_attributes, is_org
from fsbridge.testing.simulated import SimulatedWindow

KINDS = [destinations.find(name) for name in destinations.NAMES]
EVERY = [(kind, setting) for kind in KINDS for setting in kind.settings]
OPTIONAL = [(kind, setting) for kind, setting in EVERY if not setting.required]
WRONG = {"text": 5, "boolean": [], "list": "all", "object": "all"}
WRONG_TEXT = {"boolean": "maybe", "list": "[", "object": "{"}


def named(params: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("kind", "setting"), params, ids=[f"{kind.name}-{setting.name}" for kind, setting in params]
    )


def make(kind: Any, given: Any, heard: Any) -> Any:
    return destinations.make(kind.name, {"org": "o-1ABC-na1", **given}, on_problem=heard.append)


@named(OPTIONAL)
def test_a_wrong_type_counts_as_left_out_unless_it_guards_what_is_sent(kind: Any, setting: Any) -> None:
    heard: list[str] = []
    given = {setting.name: WRONG[setting.accepts]}
    if setting.guards:
        with pytest.raises(SettingsError, match=f"setting '{setting.name}' is "):
            make(kind, given, heard)
        assert heard == []
    else:
        assert make(kind, given, heard).options == make(kind, {}, []).options
        (said,) = heard
        assert said.startswith(f"{kind.name}: setting '{setting.name}' is {WRONG[setting.accepts]!r} (")
        assert said.endswith(" It counts as left out.")
    with pytest.raises(SettingsError, match=f"setting '{setting.name}' is "):
        destinations.make(kind.name, {"org": "o-1ABC-na1", **given})


@named([(kind, setting) for kind, setting in OPTIONAL if len(setting.name) > 2])
def test_a_misspelt_name_is_told_the_nearest_and_counts_as_left_out_unless_that_guards_what_is_sent(
    kind: Any, setting: Any
) -> None:
    heard: list[str] = []
    given = {setting.name + "x": True}
    if setting.guards:
        with pytest.raises(SettingsError, match=f"unknown setting '{setting.name}x'; did you mean '{setting.name}'"):
            make(kind, given, heard)
    else:
        assert make(kind, given, heard).options == make(kind, {}, []).options
        (said,) = heard
        assert f"unknown setting '{setting.name}x'; did you mean '{setting.name}'? Known settings: " in said
    with pytest.raises(SettingsError, match="unknown setting"):
        destinations.make(kind.name, {"org": "o-1ABC-na1", **given})


@named([(kind, setting) for kind, setting in EVERY if setting.required])
@pytest.mark.parametrize("given", [None, "", UNDEFINED, NULL, 5])
def test_what_is_required_raises_always(kind: Any, setting: Any, given: Any) -> None:
    heard: list[str] = []
    with pytest.raises(SettingsError, match=setting.name):
        destinations.make(kind.name, {setting.name: given}, on_problem=heard.append)
    assert heard == []


@named([(kind, setting) for kind, setting in EVERY if setting.accepts in WRONG_TEXT])
def test_attributes_that_cannot_be_read_count_as_left_out_unless_they_guard_what_is_sent(
    kind: Any, setting: Any
) -> None:
    heard: list[str] = []
    attributes = [(setting.name.lower(), WRONG_TEXT[setting.accepts]), ("org", "o-1")]
    if setting.guards:
        with pytest.raises(SettingsError, match=f"setting '{setting.name}' is "):
            from_attributes(kind.name, kind.settings, attributes, heard.append)
    else:
        assert from_attributes(kind.name, kind.settings, attributes, heard.append) == {"org": "o-1"}
        assert len(heard) == 1
    with pytest.raises(SettingsError, match=f"setting '{setting.name}' is "):
        from_attributes(kind.name, kind.settings, attributes)


@named(EVERY)
def test_an_attribute_may_be_spelt_with_hyphens_underscores_or_neither(kind: Any, setting: Any) -> None:
    text = {"text": "x", "boolean": "true", "list": "[]", "object": "{}"}[setting.accepts]
    hyphens = "".join("-" + char.lower() if char.isupper() else char for char in setting.name).replace("_", "-")
    for spelt in (hyphens, hyphens.replace("-", "_"), hyphens.replace("-", ""), setting.name):
        assert list(from_attributes(kind.name, kind.settings, [(spelt, text)])) == [setting.name]


@pytest.mark.parametrize("kind", KINDS, ids=destinations.NAMES)
@pytest.mark.parametrize("name", ORG)
def test_any_vendors_name_for_the_org_id_will_do(kind: Any, name: str) -> None:
    assert destinations.make(kind.name, {name: "o-1"}).fullstory()["orgId"] == "o-1"
    for spelt in (name, name.lower(), name.replace("_", "-"), "fs-org", "org-id"):
        given = from_attributes(kind.name, kind.settings, [(spelt, "o-1")])
        assert destinations.make(kind.name, given).fullstory()["orgId"] == "o-1"


@pytest.mark.parametrize("org", ["o-1ABC-na1", "O-7Y9H-EU1", "ABC1", "org-with-hyphens", "12567839"])
def test_org_ids_are_known_by_their_form(org: str) -> None:
    assert is_org(org)


@pytest.mark.parametrize("org", ["my company", "https://app.fullstory.com/ui/o-1", "YOUR_ORG", "o-1;", "ö-1", " o-1"])
@pytest.mark.parametrize("name", destinations.NAMES)
def test_an_org_of_another_form_is_a_warning_and_no_refusal(name: str, org: str) -> None:
    window = SimulatedWindow()
    analytics = connect(name, org=org, window=window)  # type: ignore[call-overload]
    said = [text for level, text in window.console.lines if level == "warn" and "org ids look like" in text]
    assert len(said) == 1
    assert repr(org) in said[0]
    analytics.track("E")
    assert window.calls


@pytest.mark.parametrize("name", destinations.NAMES)
def test_of_a_good_org_nothing_is_said(name: str) -> None:
    assert destinations.make(name, {"org": "o-1ABC-na1"}, strict=True).problems() == []


def test_a_name_that_is_like_none_is_told_without_a_guess() -> None:
    heard: list[str] = []
    destinations.make("segment-classic", {"org": "o-1", "zzzzzzzzzz": 1}, on_problem=heard.append)
    assert heard[0].startswith("segment-classic: unknown setting 'zzzzzzzzzz'. Known settings: org, debug, ")
