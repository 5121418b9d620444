"""Every recording of Segment's cloud mode: the requests that the vendor's destination made, or its error.

What a server answers and what follows (errors of HTTP, redirects) is the client's affair and not looked at here.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from fsbridge import settings
from fsbridge.cloud import destination as segment_cloud
from fsbridge.cloud.destination import ACTIONS, DEFAULT_MAPPINGS, PayloadError, Request, SegmentCloud
from fsbridge.runtime import UNDEFINED, from_json, raw_get

from .recordings import identifier, recordings
from .tagged import decode, differences

EVERYTHING = 'type != "-"'
OF_CLIENT = ("HTTPError", "TimeoutError")
"""Errors that answers make, or their absence."""


@pytest.mark.parametrize("recording", recordings("fullstory-cloud"), ids=identifier)
def test_recording(recording: dict[str, Any], record_property: Any) -> None:
    requests, errors = outcome(recording)
    expected = recording["expect"]
    if recording.get("operation") == "onBatch" and "error" in expected:
        # The vendor's actions refuse batches as a whole. Here messages are mapped one by one, as Segment sends them.
        record_property("deviation", "messages_one_by_one")
        assert len(requests) + len(errors) == len(recording["events"])
        return
    found = compare_requests(recording, requests) + compare_errors(recording, errors)
    assert not found, recording["title"] + "\n" + "\n".join(found)


def outcome(recording: dict[str, Any]) -> tuple[list[dict[str, Any]], list[PayloadError]]:
    """What we make of a recording: requests as they go out, and errors."""
    try:
        authorization = segment_cloud.authorization(raw_get(decode(recording["settings"]), "apiKey"))
        requests, errors = mapped(recording)
        return [sent(request, authorization) for request in requests], errors
    except PayloadError as error:
        return [], [error]


def mapped(recording: dict[str, Any]) -> tuple[list[Request], list[PayloadError]]:
    """The requests and errors of a recording's operation, action or subscriptions."""
    operation = recording.get("operation")
    if operation == "testAuthentication":
        return [segment_cloud.me()], []
    if operation == "onDelete":
        return [segment_cloud.delete_user(raw_get(decode(recording.get("event") or {}), "userId"))], []
    destination = SegmentCloud(settings.whole(SegmentCloud.settings, settings_of(recording)))
    outcomes = [destination.requests(message) for message in messages(recording)]
    return [one for each, _ in outcomes for one in each], [one for _, each in outcomes for one in each]


def settings_of(recording: dict[str, Any]) -> dict[str, Any]:
    """The destination's settings; an action alone is a subscription to every message."""
    if "action" not in recording:
        return {key: decode(recording[key]) for key in ("subscription", "subscriptions") if key in recording}
    action = recording["action"]
    mapping = dict(DEFAULT_MAPPINGS.get(action, {})) if recording.get("useDefaultMappings", True) else {}
    mapping.update(decode(recording.get("mapping") or {}))
    return {"subscriptions": [{"subscribe": EVERYTHING, "partnerAction": action, "mapping": mapping}]}


def messages(recording: dict[str, Any]) -> list[Any]:
    """The recording's message, or the messages of its batch."""
    return [decode(event) for event in recording.get("events") or [recording.get("event") or {}]]


def sent(request: Request, authorization: str) -> dict[str, Any]:
    """A request in the recordings' form, its body after the way through JSON."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    result = {
        "method": request.method,
        "url": segment_cloud.API + request.path,
        "headers": {**headers, "authorization": authorization},
    }
    body = request.body()
    return result if body is None else {**result, "json": from_json(body.decode())}


def compare_requests(recording: dict[str, Any], requests: list[dict[str, Any]]) -> list[str]:
    """What tells our requests from the recorded ones, a line each."""
    expected = recording["expect"].get("requests", [])
    redirects = [answer for answer in recording.get("responses", []) if "location" in answer.get("headers", {})]
    if redirects:
        expected = expected[: -len(redirects)]
    problems = differences(from_json(json.dumps(expected)), requests, "requests")
    results = recording["expect"].get("results") or []
    done = [result for result in results if result.get("output") == "Action Executed"]
    if results and len(done) != len(requests):
        problems.append(f"{len(done)} actions were executed, {len(requests)} requests made")
    return problems


def compare_errors(recording: dict[str, Any], errors: list[PayloadError]) -> list[str]:
    """What tells our error from the recorded one, a line each."""
    expected = recording["expect"].get("error")
    if expected is None or expected["name"] in OF_CLIENT or recording.get("responses"):
        return [f"unexpected: {error}" for error in errors]
    if not errors:
        return [f"expected {expected}, got no error"]
    error = errors[0]
    if "legal HTTP header" in expected.get("message", ""):
        # The vendor's text holds the key, and where it tests the key, a preface.
        key = recording["settings"]["apiKey"]
        return [] if error.name == "TypeError" and key not in str(error) else [f"expected {expected}, got {error!r}"]
    actual = {"name": error.name, "errors": error.errors} if "errors" in expected else {"name": error.name}
    if not expected.get("engine") and "message" in expected:
        actual["message"] = str(error)
    return differences({key: expected[key] for key in actual}, actual, "error")


@pytest.mark.parametrize("action", ACTIONS)
def test_default_mappings_are_recorded(action: str) -> None:
    """The test above takes our default mappings for an action alone: they have to show in the recordings."""
    alone = [each for each in recordings("fullstory-cloud") if each.get("action") == action and "mapping" not in each]
    assert len(alone) >= 20 or not recordings("fullstory-cloud")
    assert UNDEFINED not in DEFAULT_MAPPINGS[action].values()
