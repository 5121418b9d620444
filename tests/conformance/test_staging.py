"""The players themselves: what they can't stage is skipped with its reason, and a wrong expectation fails."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .recordings import FOLDER, not_staged, reason_against

VECTORS = Path(__file__).parent / "vectors"


NOT_STAGED = list(not_staged())

if NOT_STAGED:

    @pytest.mark.parametrize(("file", "recording", "reason"), NOT_STAGED)
    def test_not_staged(file: str, recording: str, reason: str) -> None:
        pytest.skip(f"not staged: {reason} ({file}, {recording})")


def first(name: str, **wanted: Any) -> dict[str, Any]:
    """A recording of ``name``.jsonl with these values, to be changed."""
    lines = (json.loads(line) for line in (VECTORS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
    return next(line for line in lines if all(line.get(key) == value for key, value in wanted.items()))


def changed(name: str, change: Any, **wanted: Any) -> dict[str, Any]:
    recording = copy.deepcopy(first(name, **wanted))
    change(recording)
    return recording


def add_step(*step: Any) -> Any:
    return lambda recording: (recording["pages"][0] if "pages" in recording else recording)["script"].append(list(step))


def with_field(name: str, value: Any, in_page: bool = False) -> Any:
    return lambda recording: (recording["pages"][0] if in_page else recording).update({name: value})


UNSTAGED = [
    ("cookies", "fql", None, "no player"),
    ("segment-classic", "segment-classic", add_step("$click", "#buy"), "pseudo-call $click"),
    ("segment-actions", "segment-actions", with_field("weather", "rain"), "field 'weather'"),
    ("segment-actions", "segment-actions", with_field("cookies", {}, in_page=True), "field 'cookies'"),
    ("segment-classic", "segment-classic", with_field("integrationName", "Other"), "another name"),
    ("segment-classic", "segment-classic", with_field("fsjs", "slow"), "fsjs"),
    ("segment-classic", "segment-classic", with_field("loader", "gtm"), "loader"),
    ("rudderstack", "rudderstack", with_field("noDestinations", True), "one destination"),
    ("rudderstack", "rudderstack", with_field("source", {"enabled": False}), "one destination"),
    ("rudderstack", "rudderstack", with_field("blocked", ["cdn"]), "blocked"),
    ("rudderstack", "rudderstack", add_step("$setCookie", "a", "b"), "pseudo-call $setCookie"),
    ("rudderstack-snippet", "rudderstack-snippet", with_field("fsjs", "late"), "fsjs"),
    ("snippet", "snippet", with_field("system", "other"), "system"),
    ("fullstory-browser", "snippet", add_step("observe"), "step observe"),
    ("storage", "storage", with_field("sdk", "other"), "sdk"),
    ("names-cloud", "names-cloud", with_field("function", "snakeCase"), "function"),
    ("mapping-kit", "mapping-kit", with_field("function", "explain"), "function"),
    ("fullstory-cloud", "fullstory-cloud", with_field("operation", "onWhim"), "operation"),
]


@pytest.mark.parametrize(("name", "source", "change", "reason"), UNSTAGED)
def test_what_cannot_be_staged_has_a_reason(name: str, source: str, change: Any, reason: str) -> None:
    wanted = {"system": "fullstory-browser"} if name == "fullstory-browser" else {}
    recording = changed(source, change or (lambda line: None), **wanted)
    assert reason in str(reason_against(name, recording))


@pytest.mark.skipif(FOLDER != VECTORS, reason="the players are tried on changes of our own recordings")
def test_all_of_ours_can_be_staged() -> None:
    assert not list(not_staged())


def wrong_calls(recording: dict[str, Any]) -> None:
    recording["pages"][0]["expect"] = [{"call": "FS.event", "args": ["Never", {}, "segment"]}]


def wrong(path: str, value: Any) -> Any:
    def change(recording: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for key in parents:
            recording = recording[key]
        recording[last] = value

    return change


REJECTED = {"index": 1, "returns": {"$promise": "rejected", "error": "Nothing to load"}}
WRONG: list[tuple[str, Any, dict[str, Any]]] = [
    ("segment-classic", wrong_calls, {}),
    ("segment-actions", wrong_calls, {}),
    ("rudderstack", wrong_calls, {}),
    ("snippet", wrong("expect.queue", [["init"]]), {"system": "fullstory-browser"}),
    ("snippet", wrong("expect.results", [REJECTED]), {"system": "fullstory-browser"}),
    ("storage", wrong("expect.reported.userId", {"$undefined": True}), {"sdk": "segment"}),
    ("storage", wrong("expect.reported.userId", {"$date": "2020-01-02T03:04:05.000Z"}), {"sdk": "rudderstack"}),
    ("names-segment", wrong("output", "neverThis"), {}),
    ("names-cloud", wrong("output", "neverThis"), {"function": "camelcase-lodash"}),
    ("mapping-kit", wrong("expect", {"never": "this"}), {}),
    ("fql", wrong("expect", {"error": "never", "name": "Error", "phase": "parse"}), {"expect": True}),
    ("fullstory-cloud", wrong("expect", {"requests": []}), {"action": "trackEvent"}),
]


def test_wrong_expectations_fail_and_the_rest_is_skipped(tmp_path: Path) -> None:
    lines: dict[str, list[dict[str, Any]]] = {}
    for index, (name, change, wanted) in enumerate(WRONG):
        lines.setdefault(name, []).append({**changed(name, change, **wanted), "id": f"wrong-{index}"})
    for index, (name, source, change, _) in enumerate(UNSTAGED):
        if name != "fullstory-browser":
            line = changed(source, change or (lambda line: None))
            lines.setdefault(name, []).append({**line, "id": f"unstaged-{index}"})
    for name, own in lines.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in own), encoding="utf-8")
    here = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-p", "no:xdist", str(here)]
    command += ["--ignore", str(here / "browser"), "-k", "wrong- or unstaged- or not_staged"]
    environment = {**os.environ, "FSBRIDGE_VECTORS": str(tmp_path)}
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    outcomes = [line.split(" ")[0] for line in done.stdout.splitlines() if "wrong-" in line and "::" in line]
    failed = {line for line in done.stdout.splitlines() if line.startswith("FAILED")}
    for index in range(len(WRONG)):
        assert any(f"wrong-{index}]" in line for line in failed), done.stdout[-4000:]
    assert "PASSED" not in outcomes
    assert f"{len(UNSTAGED) - 1} skipped" in done.stdout
    assert "recordings not staged, and therefore not passed" in done.stdout
    assert "unknown pseudo-call $click  (segment-classic.jsonl)" in done.stdout
