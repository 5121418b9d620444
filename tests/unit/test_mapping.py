"""Mappings: what holds for any mapping and message, and what only our own side promises."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fsbridge.cloud import liquid as liquid_on_cpython
from fsbridge.mapping import liquid
from fsbridge.mapping.directives import compile
from fsbridge.mapping.errors import MappingError, ValidationError
from fsbridge.mapping.paths import follow, fql_steps, mapping_steps
from fsbridge.mapping.resolving import resolve
from fsbridge.mapping.text import join_pairs, length, split_pairs
from fsbridge.mapping.validation import validate
from fsbridge.runtime import UNDEFINED
from fsbridge.runtime.cpython import JsError

liquid_on_cpython.install()

SCALARS = st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=5)
DIRECTIVES = (
    "if case replace arrayPath path template literal flatten json merge transform excludeWhenNull nonsense".split()
)
OPTIONS = (
    "exists blank then else operator value pattern replacement separator mode objects direction apply mapping".split()
)
MAPPINGS = st.recursive(
    SCALARS | st.just({"@path": "$.a"}) | st.just({"@template": "{{a.b}}{{{c}}}"}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(OPTIONS), inner, max_size=4)
        | st.dictionaries(st.sampled_from(["@" + name for name in DIRECTIVES]), inner, min_size=1, max_size=1)
    ),
    max_leaves=12,
)
MESSAGES = st.dictionaries(
    st.sampled_from("abc"), st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)


@given(mapping=MAPPINGS, message=MESSAGES)
def test_only_mapping_errors_come_out_and_nothing_is_changed(mapping: Any, message: dict[str, Any]) -> None:
    before = copy.deepcopy((mapping, message))
    with suppress(MappingError, TypeError, JsError):
        resolve(mapping, message)
    assert (mapping, message) == before


@given(message=MESSAGES)
def test_values_found_by_a_path_keep_their_identity(message: dict[str, Any]) -> None:
    assume("__proto__" not in str(message))  # becomes the prototype, as with the vendor
    payload = resolve({"x": {"@path": "$.a"}}, message)
    assert payload.get("x", UNDEFINED) is message.get("a", UNDEFINED)


def test_a_compiled_mapping_serves_many_messages() -> None:
    mapping = compile({"name": {"@template": "{{event}}!"}, "total": {"@path": "$.properties.total"}})
    assert mapping({"event": "A", "properties": {"total": 1}}) == {"name": "A!", "total": 1}
    assert mapping({"event": "B"}) == {"name": "B!"}


def test_mistakes_name_their_place() -> None:
    with pytest.raises(MappingError) as raised:
        compile({"name": {"@path": 5}, "properties": {"total": {"@nope": 1}}})
    assert raised.value.errors == [
        "/name/@path should be a string or a mapping directive but it is a number.",
        "/properties/total has an invalid directive: @nope.",
    ]


def test_liquid_is_refused_where_it_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liquid, "available", lambda: False)
    with pytest.raises(ValidationError, match=r"^/@liquid needs the liquid template library"):
        validate({"@liquid": "{{ event }}"})
    with pytest.raises(MappingError, match="needs the liquid template library"):
        resolve([{"@liquid": "{{ event }}"}], {})


@pytest.mark.skipif(not liquid.available(), reason=liquid.MISSING)
@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ total | divided_by: 2 }}", "1.5"),
        ("{{ total | times: 2 | plus: price }}", "7.5"),
        ("{{ properties }}", "[object Object]"),
        ("{{ small }}", "1e-7"),
        ("{{ total | round }}{{ price | ceil }}{{ price | floor }}{{ total | modulo: 2 }}", "3211"),
        ("{{ total | divided_by: 0 }}", "Infinity"),
        ("{{ total | no_such_filter }}", "3"),
        ("{{ list | json }}", '["a",1.5]'),
        ("{{ nothing | plus: 1 }}", "1"),
    ],
)
def test_liquid_has_the_numbers_of_javascript(template: str, text: str) -> None:
    message = {"total": 3, "price": 1.5, "small": 1e-7, "properties": {}, "list": ["a", 1.5]}
    assert resolve({"@liquid": template}, message) == text


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("", []),
        (".", []),
        ("a..b", ["a", "b"]),
        ("a[0].b", ["a", "0", "b"]),
        ("a['b c'][\"d\"]", ["a", "b c", "d"]),
        ("a[b].c]", ["a[b]", "c]"]),
        ("[0]]x", ["0", "x"]),
    ],
)
def test_steps_of_a_mapping_path(path: str, steps: list[str]) -> None:
    assert mapping_steps(path) == steps


def test_steps_of_an_fql_path() -> None:
    assert fql_steps("a.b[0]..c]") == ["a", "b", "0", "c"]


def test_a_falsy_value_ends_the_way() -> None:
    assert follow({"a": 0}, ["a", "b", "c"]) == 0
    assert follow({"a": "xyz"}, ["a", "length"]) == 3


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_surrogate_pairs_come_back_as_one_character(text: str) -> None:
    assert join_pairs(split_pairs(text)) == text
    assert len(split_pairs(text)) == length(text)
