"""The recordings of mapping, FQL and names on the browser's interpreters: all of a kind in one go, no tag."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fsbridge.mapping import liquid

from .. import pure, test_fql, test_mapping, test_names
from ..recordings import identifier, recordings
from .visits import decoded

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
ASKED = ("function", "mapping", "payload", "subscribe", "event", "input")
KINDS = {
    "mapping": (recordings("mapping-kit"), test_mapping.compare),
    "subscription": (recordings("fql"), test_fql.compare),
    "name": (test_names.CASINGS, test_names.compare),
}


@pytest.fixture(scope="module")
def outcomes(stages: Any) -> Any:
    """``outcomes(runtime, kind)``: by recording id."""
    known: dict[tuple[str, str], dict[str, Any]] = {}

    def ask(runtime: str, kind: str) -> dict[str, Any]:
        if (runtime, kind) not in known:
            given = KINDS[kind][0]
            calls = [[kind, {key: value for key, value in each.items() if key in ASKED}] for each in given]
            found = stages("bulk").bulk(runtime, Path(pure.__file__).read_text(encoding="utf-8"), calls)
            ids = [identifier(recording) for recording in given]
            known[runtime, kind] = dict(zip(ids, map(decoded, found), strict=True))
        return known[runtime, kind]

    return ask


@pytest.mark.parametrize(
    ("runtime", "kind", "recording"),
    [
        pytest.param(runtime, kind, recording, id=f"{runtime}-{identifier(recording)}")
        for runtime in ("micropython", "pyodide")
        for kind, (found, _) in KINDS.items()
        for recording in found
    ],
)
def test_recording(outcomes: Any, runtime: str, kind: str, recording: dict[str, Any]) -> None:
    outcome = outcomes(runtime, kind)[identifier(recording)]
    if any(liquid.MISSING in text for text in outcome.get("errors", ())):
        return
    problems = KINDS[kind][1](recording, outcome)
    if problems and runtime == "micropython" and splits_a_character(recording):
        pytest.xfail("MicroPython's strings are UTF-8: half a surrogate pair has no place there")
    assert not problems, "\n".join(problems)


def splits_a_character(recording: dict[str, Any]) -> bool:
    """Whether half a surrogate pair is in the recording."""
    return LONE_SURROGATE.search(json.dumps(recording, ensure_ascii=False)) is not None
