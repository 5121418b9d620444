"""What the plugin makes of the operations that reach fs.js."""

import math
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fsbridge.runtime.cpython import BigInt
from fsbridge.testing import FS, UNDEFINED, AsyncFullStory, Call, FullStory, Operation
from fsbridge.testing.calls import as_written
from fsbridge.testing.record import Record
from fsbridge.testing.values import decode, same, show


def user(properties: dict[str, Any], source: Any = UNDEFINED, page: str = "1") -> Operation:
    return Operation("setProperties", {"type": "user", "properties": properties}, source, 1, page=page)


def test_the_two_halves_of_an_identify_are_put_together() -> None:
    assert as_written([user({"uid": "u"}, "segment"), user({"plan": "free"}, "segment")]) == [
        FS.identify("u", {"plan": "free"}, "segment")
    ]


@pytest.mark.parametrize(
    "second",
    [
        user({"plan": "free"}, "segment", page="2"),
        user({"plan": "free"}, "other"),
        Operation("setProperties", {"type": "user", "properties": {"plan": "free"}}, "segment", 2, page="1"),
    ],
)
def test_what_does_not_belong_together_stays_apart(second: Operation) -> None:
    calls = as_written([user({"uid": "u"}, "segment"), second])
    assert len(calls) == 2
    assert calls[0] == FS.identify("u", source="segment")


def test_setup_and_questions_are_no_calls() -> None:
    assert as_written([Operation("init", {}), Operation("observe", {}), Operation("getSession", UNDEFINED)]) == []


def test_odd_operations_are_shown_as_they_came() -> None:
    assert as_written([Operation("trackEvent", None, UNDEFINED, 1)]) == [FS.event(UNDEFINED)]
    assert as_written([Operation("shout", "loud", "me")]) == [FS("shout", "loud", "me")]


def test_calls_read_like_javascript() -> None:
    assert repr(FS.event("A", source="segment")) == 'FS.event("A", undefined, "segment")'
    assert repr(FS.identify(False)) == "FS.anonymize()"
    assert repr(FS("restart")) == 'FS("restart")'
    assert show({"a-b": [1.0, -0.0, math.inf, None, UNDEFINED, BigInt(5)], "c": datetime(2026, 1, 2, tzinfo=UTC)}) == (
        '{"a-b": [1, -0, Infinity, null, undefined, 5n], c: new Date("2026-01-02T00:00:00.000Z")}'
    )


def test_tags_come_back_as_values() -> None:
    assert decode({"$date": "2026-01-02T00:00:00.000Z"}) == datetime(2026, 1, 2, tzinfo=UTC)
    assert decode({"$object": {"$date": "not a tag"}}) == {"$date": "not a tag"}
    assert decode([{"$undefined": True}, {"a": {"$number": "Infinity"}}]) == [UNDEFINED, {"a": math.inf}]


def test_same_is_javascript_minded() -> None:
    assert same({"a": 1, "b": UNDEFINED}, {"a": 1.0})
    assert same([math.nan], (math.nan,))
    assert not same(True, 1)
    assert not same(None, UNDEFINED)
    assert not same({"a": None}, {})


class Recorded(Record):
    """A record of operations that a test makes up."""

    def __init__(self, *operations: Operation) -> None:
        super().__init__()
        self._operations += operations


def clicked(name: str, version: int = 2) -> Operation:
    return Operation("trackEvent", {"name": name, "properties": {"n": 1}}, version=version)


def test_events_are_false_until_there_is_one_and_narrow_to_a_name() -> None:
    assert not Recorded().events
    assert not Recorded(user({"plan": "free"})).events
    record = Recorded(clicked("A"), clicked("B", 1), clicked("A", 1))
    assert [event.name for event in record.events] == ["A", "B", "A"]
    assert len(record.events("A")) == 2
    assert record.events() == record.events
    assert not record.events("C")
    assert [event.properties for event in record.events("B")] == [{"n": 1}]


@pytest.mark.parametrize("kind", [FullStory, AsyncFullStory])
def test_what_tells_about_arrivals_is_never_a_method(kind: type[Record]) -> None:
    """`assert fullstory.calls` must not pass because there is such a method."""
    record = kind()
    telling = "operations calls events identity user_properties page_properties org".split()
    assert [name for name in telling if getattr(record, name)] == []


def test_nothing_attached_is_said_with_what_to_do() -> None:
    with pytest.raises(AssertionError, match=r"No page is served: use pytest-playwright's page .* call attach"):
        FullStory().wait_for_event("Clicked", timeout=1)


@pytest.mark.parametrize("kind", [FullStory, AsyncFullStory])
def test_how_long_to_wait(kind: type[Record]) -> None:
    """What one call says goes before what the whole record says."""
    record = kind(timeout=1e9)
    assert record._deadline(None) > time.monotonic() + 9e5
    assert record._deadline(0) <= time.monotonic()


@pytest.mark.parametrize("timeout", ["1", "soon", "-1", "nan"])
def test_the_time_to_wait_is_an_option(tmp_path: Path, timeout: str) -> None:
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nfullstory_timeout = {timeout}\n")
    outcome = run_pytest(
        tmp_path,
        """
import pytest
from playwright.sync_api import sync_playwright

def test_it(fullstory):
    fullstory._attached = True
    fullstory.wait_for_event("Clicked")
""",
    )
    said = {"1": "within 1 ms"}.get(timeout, f"fullstory_timeout is '{timeout}'; it must be a number of milliseconds")
    assert said in outcome.stdout


class AsyncTarget:
    """As much of an async browser context as `attach` looks at."""

    async def expose_binding(self) -> None: ...


class SyncTarget:
    """As much of a sync browser context as `attach` looks at."""

    def expose_binding(self) -> None: ...


def test_attach_refuses_the_other_api_and_other_things_by_name() -> None:
    with pytest.raises(
        TypeError, match=r"Playwright's sync API; for the other one use fsbridge.testing.AsyncFullStory"
    ):
        FullStory().attach(AsyncTarget())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"sync API, not builtins.str"):
        FullStory().attach("https://shop.example/")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"Playwright's async API; for the other one use fsbridge.testing.FullStory"):
        AsyncFullStory().attach(SyncTarget()).send(None)  # type: ignore[arg-type]


def run_pytest(tmp_path: Path, test: str) -> subprocess.CompletedProcess[str]:
    """Run a test file in a pytest of its own, with the plugins that are installed."""
    (tmp_path / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)


def test_the_fixture_says_what_serves_async_pages(tmp_path: Path) -> None:
    outcome = run_pytest(
        tmp_path,
        """
import pytest

class Context:
    async def expose_binding(self): ...

@pytest.fixture
def context():
    return Context()

def test_it(context, fullstory): ...
""",
    )
    assert "for the other one use fsbridge.testing.AsyncFullStory" in outcome.stdout


def test_the_plugin_loads_no_browser_when_it_is_not_used() -> None:
    code = "import sys, pytest, fsbridge.testing; print(*{'playwright', 'asyncio', 'requests'} & set(sys.modules))"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert outcome.stdout == "\n"


def test_calls_are_no_keys() -> None:
    """A call holds values that can change, so it has no hash."""
    with pytest.raises(TypeError):
        hash(Call("FS.restart", ()))
