"""Rules that hold for every property name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsbridge.cloud import names as cloud_names
from fsbridge.mapping.camelcase import classic
from fsbridge.mapping.lodash import actions
from fsbridge.mapping.names import SUFFIXES
from fsbridge.mapping.words import rudder

RULES = [classic, rudder, actions]


@pytest.mark.parametrize("rule", RULES)
@given(stem=st.text(), suffix=st.sampled_from(SUFFIXES))
def test_a_type_suffix_stays(rule: Callable[[str], str], stem: str, suffix: str) -> None:
    assert rule(f"{stem}_{suffix}").endswith("_" + suffix)


@pytest.mark.parametrize("rule", RULES)
@given(name=st.text())
def test_remembering_changes_nothing(rule: Callable[[str], str], name: str) -> None:
    assert rule(name) == rule(name)


@given(name=st.text())
def test_rudder_keeps_latin_letters_and_digits_only(name: str) -> None:
    assert all(char.isalnum() and char < "\u0180" for char in rudder(name).replace("_", ""))


@given(name=st.text(alphabet=st.characters(max_codepoint=0x7F)))
def test_actions_leaves_no_ascii_punctuation(name: str) -> None:
    assert actions(name).replace("_", "").isalnum() or actions(name).strip("_") == ""


@pytest.mark.parametrize("rule", RULES)
def test_many_names_are_not_kept_for_ever(rule: Callable[[str], str]) -> None:
    kept = next(cell.cell_contents for cell in rule.__closure__ or () if isinstance(cell.cell_contents, dict))
    for number in range(2000):
        assert rule(f"key {number}") == f"key{number}" or rule is not classic
    assert len(kept) <= 500


@given(
    properties=st.dictionaries(
        st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)
    )
)
def test_cloud_names_are_names_that_fullstory_takes(properties: dict[str, object]) -> None:
    normal = cloud_names.normalize(properties, with_suffixes=True)
    assert all(char.isascii() and (char.isalnum() or char == "_") for name in normal for char in name)
