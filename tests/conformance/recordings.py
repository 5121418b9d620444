"""Where the recordings of the vendors' own code are, how to read them, and which of them the players can't stage.

A recording that a player can't stage as it was made is neither played nor counted as passed: `not_staged` lists it with
the reason, `test_staging.py` skips it, and the end of a run counts it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from fsbridge.runtime import from_json

FOLDER = Path(os.environ.get("FSBRIDGE_VECTORS") or Path(__file__).parent / "vectors")
"""The environment variable ``FSBRIDGE_VECTORS`` names another folder of recordings of the same format."""

OWN = Path(__file__).parent / "vectors-own"
"""Recordings that ``record/`` made, played beside those of ``vectors``."""

_SCENARIO = "id title tags system settings pages loadOptions"
_PAGE = "url referrer title canonical script expect"
_STEPS = ("$settle", "$pushState", "$replaceState", "$setTitle")
_SEGMENT_STEPS = (*_STEPS, "$setCanonical", "$user.")
_RUDDER_STEPS = (*_STEPS, "$wait", "$setLocalStorage", "$load")

# What a line of each file may hold, what each of its pages, and the pseudo-calls of its scripts.
_SEGMENT = (
    f"{_SCENARIO} loader fsjs timezone cookies cdn remotePlugin registration integrationName",
    f"{_PAGE} preload postload storage rejections pluginErrors callbacksCalled anonymousIdOrdinals",
    _SEGMENT_STEPS,
)
_SNIPPET = ("id title tags system versions settings url pageTitle existingFS fsjs script expect", "", ("$settle",))
_NAMES = ("id title tags function input options output throws", "", ())
FORMS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "segment-classic": _SEGMENT,
    "segment-actions": _SEGMENT,
    "rudderstack": (
        f"{_SCENARIO} before fs blocked noLoad loadLast destination extraDestinations source noDestinations "
        "sourceConfigMode",
        f"{_PAGE} returns callbacks durationMs",
        _RUDDER_STEPS,
    ),
    "rudderstack-snippet": (f"{_SCENARIO} before fs fsjs loadLast destination", f"{_PAGE} preset", ("$settle", "$fs")),
    "snippet": _SNIPPET,
    "fullstory-browser": _SNIPPET,
    "storage": ("id title tags sdk url referrer before loadOptions script expect", "", ()),
    "names-segment": _NAMES,
    "names-rudder": _NAMES,
    "names-cloud": _NAMES,
    "mapping-kit": ("id title tags function mapping payload expect", "", ()),
    "fql": ("id title tags subscribe event expect", "", ()),
    "fullstory-cloud": (
        "id title tags system settings action preset subscription subscriptions operation mapping useDefaultMappings "
        "event events responses expect",
        "",
        (),
    ),
}
# What some fields may say, where a player knows a few words only.
WORDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "segment-classic": {"loader": ("snippet",), "registration": ("register",)},
    "segment-actions": {"loader": ("snippet",), "registration": ("register",)},
    "rudderstack": {"fs": ("throws", "bare", "existing"), "sourceConfigMode": ("async", "sync")},
    "rudderstack-snippet": {"fs": ("none", "existing"), "fsjs": ("blocked", "takes-over")},
    "snippet": {"fsjs": ("blocked",), "system": ("fullstory-browser", "segment-classic", "segment-actions")},
    "fullstory-browser": {"fsjs": ("blocked",), "system": ("fullstory-browser",)},
    "storage": {"sdk": ("segment", "rudderstack")},
    "mapping-kit": {"function": ("validate", "transformBatch", "transform")},
    "fullstory-cloud": {"operation": ("testAuthentication", "onDelete", "onBatch"), "preset": ("default",)},
    "names-segment": {"function": ("camelcase-classic", "camelcase-lodash")},
    "names-rudder": {"function": ("camelcase-rudder",)},
    "names-cloud": {"function": ("normalizePropertyNames", "camelcase-lodash")},
}
ONE_TAG = "one tag is one destination, which is switched on"
SDK_STEPS = ("init", "isInitialized", "FullStory", "$settle")


def recordings(name: str) -> list[dict[str, Any]]:
    """The recordings of ``name``.jsonl that can be staged, with numbers as JavaScript has them; none without a file."""
    return [each for each in _lines(name) if reason_against(name, each) is None]


def not_staged() -> Iterator[tuple[str, str, str]]:
    """What can't be staged: file, recording, reason."""
    for path in sorted(FOLDER.glob("*.jsonl")):
        for number, each in enumerate(_lines(path.stem), 1):
            reason = reason_against(path.stem, each)
            if reason is not None:
                yield path.name, str(each.get("id", number) if isinstance(each, dict) else number), reason


def reason_against(name: str, recording: Any) -> str | None:
    """Why no player can stage a line of ``name``.jsonl, None when one can."""
    if name not in FORMS:
        return f"no player for {name}.jsonl"
    if not isinstance(recording, dict) or "id" not in recording:
        return "no recording"
    top, of_page, pseudo_calls = FORMS[name]
    pages = recording.get("pages") or []
    for holder, known in [(recording, top), *((page, of_page) for page in pages)]:
        for field in holder:
            if field not in known.split():
                return f"unknown field {field!r}"
    for field, words in WORDS.get(name, {}).items():
        if field in recording and recording[field] not in words:
            return f"unknown {field} {recording[field]!r}"
    for holder in (recording, *pages):
        for part in ("preload", "postload", "script"):
            for method, *_ in holder.get(part) or []:
                if method.startswith("$") and not any(
                    method == known or (known.endswith(".") and method.startswith(known)) for known in pseudo_calls
                ):
                    return f"unknown pseudo-call {method}"
    return _situation(name, recording)


def _situation(name: str, recording: dict[str, Any]) -> str | None:
    """The reason that lies in what a recording's page or workspace is like."""
    if name == "rudderstack":
        if recording.get("noDestinations") or recording.get("source"):
            return ONE_TAG
        if not set(recording.get("blocked") or ()) <= {"integration", "dataplane"}:
            return f"unknown blocked {recording['blocked']!r}"
    if name == "segment-classic" and recording.get("integrationName", "FullStory") != "FullStory":
        return "Classic under another name than its own"
    if name in ("segment-classic", "segment-actions"):
        fsjs = recording.get("fsjs")
        if not (fsjs is None or fsjs == "blocked" or (isinstance(fsjs, dict) and set(fsjs) <= {"delay"})):
            return f"unknown fsjs {fsjs!r}"
    if recording.get("system") == "fullstory-browser":
        for method, *_ in recording["script"]:
            if method not in SDK_STEPS and not method.startswith("FullStory."):
                return f"unknown step {method}"
    if name == "names-cloud" and not {"output", "throws"} & recording.keys():
        return "no expectation"
    return None


@cache
def _lines(name: str) -> list[dict[str, Any]]:
    folders = [FOLDER] if os.environ.get("FSBRIDGE_VECTORS") else [FOLDER, OWN]
    found = []
    for folder in folders:
        path = folder / f"{name}.jsonl"
        if path.exists():
            with path.open(encoding="utf-8") as lines:
                found += [from_json(line) for line in lines if line.strip()]
    return found


def identifier(recording: dict[str, Any]) -> str:
    """A recording's id, for ``pytest.mark.parametrize(..., ids=identifier)``."""
    return str(recording["id"])
