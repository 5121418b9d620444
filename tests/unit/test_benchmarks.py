"""The benchmark's arithmetic, its tables and its chart, without a browser."""

import io
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from tests.benchmarks import engines
from tests.benchmarks.__main__ import PATIENCE, Run
from tests.benchmarks.cases import Case
from tests.benchmarks.chart import LEFT, RIGHT, THEMES, WIDTH, Bar, Panel, draw
from tests.benchmarks.report import figure_rows
from tests.benchmarks.results import TARGETS, Key, Results, Target, quartiles, shown
from tests.benchmarks.visits import VisitError
from tools import firefox, webkit

SVG = "{http://www.w3.org/2000/svg}"


def results(**cases: Any) -> Any:
    """Results of one figure: case → its values in the order of the rounds, None where it wasn't measured."""
    made = Results()
    for case, values in cases.items():
        for round_, value in enumerate(values):
            if value is not None:
                made.add(round_, Key(case, "received"), value)
    return made


def ratio(**cases: Any) -> Any:
    return results(**cases).ratio(Key("ours", "received"), Key("theirs", "received"))


def test_a_ratio_is_the_median_of_the_ratios_within_rounds() -> None:
    assert ratio(ours=[10, 90, 30], theirs=[20, 100, 50]) == pytest.approx(0.6)


def test_a_ratio_pairs_only_rounds_that_have_both() -> None:
    assert ratio(ours=[10, None, None, 40], theirs=[20, 1, 1, 50]) == pytest.approx((0.5 + 0.8) / 2)
    assert ratio(ours=[10], theirs=[None, 10]) is None


def test_a_ratio_to_what_may_be_zero_is_that_of_the_sums() -> None:
    assert ratio(ours=[0, 10], theirs=[0, 20]) == 0.5
    assert ratio(ours=[0, 0], theirs=[0, 0]) == 1
    assert ratio(ours=[0, 1], theirs=[0, 0]) == float("inf")


@pytest.mark.parametrize(("ours", "met"), [(79.9, True), (80, True), (80.1, False), (None, None)])
def test_a_target_is_met_up_to_its_limit(ours: Any, met: Any) -> None:
    target = Target("first call", "ours", "theirs", "received", 0.8)
    assert results(ours=[ours], theirs=[100]).verdict(target)[1] is met


def test_a_target_without_base_is_a_median() -> None:
    target = Target("first call", "ours", "", "received", 20)
    assert results(ours=[10, 20, 90]).verdict(target) == (20, True)


def test_the_targets_are_told_apart() -> None:
    names = [(target.text, target.case, target.base) for target in TARGETS]
    assert len(set(names)) == len(names)


def test_quartiles() -> None:
    assert quartiles([5]) == (5, 5)
    assert quartiles([1, 2, 3, 4, 5]) == (2, 4)


@pytest.mark.parametrize(
    ("figure", "value", "text"),
    [("received", 1428.4, "1,428"), ("call", 0.154, "0.15"), ("bytes", 247_600, "248"), ("memory", 18_400_000, "18")],
)
def test_values_are_shown_in_their_units(figure: str, value: Any, text: str) -> None:
    assert shown(figure, value) == text


def test_records_tell_everything() -> None:
    (record,) = results(ours=[3, 1, 2]).as_json()
    assert record["values"] == [3, 1, 2]
    assert (record["case"], record["median"], record["quartiles"]) == ("ours", 2, [1.5, 2.5])


@pytest.mark.parametrize("theme", THEMES)
def test_the_chart_is_an_svg_with_bars_to_scale(theme: str) -> None:
    bars = [Bar("fsbridge", 50, "50 ms", ours=True, low=45, high=60), Bar("A & B", 100, "100 ms")]
    root = ElementTree.fromstring(draw("How <fast>", "note", [Panel("First call", bars), Panel("Nothing", [])], theme))
    ours, theirs = (float(bar.get("width", "")) for bar in root.iter(f"{SVG}rect"))
    assert theirs == pytest.approx(WIDTH - LEFT - RIGHT)
    assert ours == pytest.approx(theirs / 2)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"How <fast>", "A & B", "50 ms"} <= set(texts)
    described = root.find(f"{SVG}desc")
    assert described is not None
    assert "fsbridge 50 ms, A & B 100 ms" in str(described.text)


KEY = Key("ours", "delivery", engine="firefox")


def measuring(*outcomes: float | None) -> Callable[[], dict[Key, float]]:
    """Gives these values, one a call; None is a visit that fails."""
    left = list(outcomes)

    def measure() -> dict[Key, float]:
        value = left.pop(0)
        if value is None:
            raise VisitError("[nothing]")
        return {KEY: value}

    return measure


def test_a_visit_that_fails_is_made_again() -> None:
    run = Run(Console(file=io.StringIO()), 7)
    run.add(0, "ours", "firefox", "Firefox", measuring(None, 5))
    assert run.results.values(KEY) == [5]
    assert not run.missed


def test_a_round_that_fails_costs_that_round_alone() -> None:
    told = io.StringIO()
    run = Run(Console(file=told), 7)
    for round_, outcomes in enumerate([(1,), (None, None), (3,)]):
        run.add(round_, "ours", "firefox", "Firefox", measuring(*outcomes))
    assert run.results.values(KEY) == [1, 3]
    assert told.getvalue().count("Round 2, ours, Firefox: [nothing]") == 2


def test_what_fails_again_and_again_is_left_out() -> None:
    run = Run(Console(file=io.StringIO()), 7)
    for round_ in range(PATIENCE):
        run.add(round_, "ours", "firefox", "Firefox", measuring(None, None))
    run.add(PATIENCE, "ours", "firefox", "Firefox", measuring())  # isn't measured
    assert run.missed == {("ours", "firefox"): PATIENCE}


def test_an_engine_that_cannot_be_had_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(firefox.FIREFOX, "/somewhere/firefox")
    monkeypatch.delenv(webkit.WEBKIT, raising=False)
    monkeypatch.setattr(webkit, "installed", list)
    found, missing = engines.others()
    assert list(found) == ["firefox"]
    assert missing == ["WebKit is not measured: none was found. Install one, or set FSBRIDGE_WEBKIT to its path."]


def test_engines_have_rows_of_their_own() -> None:
    made = Results()
    for value, engine in enumerate(engines.TITLES, 1):
        made.add(0, Key("segment", "delivery", engine=engine), value)
    rows = figure_rows(made, [Case("segment", "Segment", "")])
    assert rows == [
        ["one track call: until FullStory has it (ms)", "1.00"],
        ["one track call: until FullStory has it, Firefox (ms)", "2.00"],
        ["one track call: until FullStory has it, WebKit (ms)", "3.00"],
    ]
