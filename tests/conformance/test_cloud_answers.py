"""What FullStory's answers lead to: the client's requests and errors against those of the vendor's destination."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fsbridge.cloud import Cloud, CloudError, Rejected, Unavailable
from fsbridge.runtime import raw_get
from tests.standin import Answer, FullStoryAPI

from .recordings import identifier, recordings
from .tagged import decode
from .test_cloud import messages, settings_of

ANSWERED = [each for each in recordings("fullstory-cloud") if "responses" in each]


@pytest.mark.parametrize("recording", ANSWERED, ids=identifier)
def test_recording(recording: dict[str, Any], record_property: Any) -> None:
    expected = recording["expect"]
    with FullStoryAPI() as api:
        api.script(*map(answer, recording["responses"]))
        error = outcome(recording, api)
        made = [sent(each) for each in api.requests]
    responses = recording["responses"][: len(expected["requests"])]
    statuses = [each.get("status", 0) for each in responses]
    if statuses[0] in (301, 302, 303) and len(expected["requests"]) > 1:
        # The vendor repeats the request as a GET without its body, and takes that for success.
        record_property("deviation", "nothing_is_lost_in_a_redirect")
        assert (len(made), error and error.status) == (1, statuses[0])
        return
    if len(expected["requests"]) > 1 and statuses[0] not in range(200, 400):
        # The vendor goes on to the next subscription; here the first is tried again before that.
        record_property("deviation", "retries")
        assert made == [wanted(expected["requests"][0])]
        return
    assert made == list(map(wanted, expected["requests"]))
    if "error" not in expected:
        assert error is None
        return
    assert error is not None
    status = None if 0 in statuses or "delayMs" in responses[0] else statuses[-1]
    assert error.status == status
    assert isinstance(error, Unavailable if status is None or status in (408, 429) or status >= 500 else Rejected)
    body = responses[-1].get("body")
    if status is not None and body is None and not expected["error"]["message"].isdigit():
        assert expected["error"]["message"].endswith(error.text)


def answer(recorded: dict[str, Any]) -> Answer:
    if "networkError" in recorded:
        return Answer(cut="before")
    if "delayMs" in recorded:
        return Answer(hang=True)
    headers = recorded.get("headers", {})
    where = headers.get("location", "").removeprefix("https://api.fullstory.com")
    headers = {**headers, "location": where} if where else headers
    return Answer(recorded["status"], recorded.get("body"), headers, reason=recorded.get("statusText"))


def outcome(recording: dict[str, Any], api: FullStoryAPI) -> CloudError | None:
    key = raw_get(decode(recording["settings"]), "apiKey")
    settings = settings_of(recording)
    timeout = 1 if any("delayMs" in each for each in recording["responses"]) else 60
    with Cloud(key, settings=settings, base_url=api.url, retry_for=0, timeout=timeout) as cloud:
        try:
            if recording.get("operation") == "testAuthentication":
                cloud.me()
            elif recording.get("operation") == "onDelete":
                cloud.delete_user(raw_get(decode(recording.get("event") or {}), "userId"))
            else:
                for message in messages(recording):
                    cloud.send(message)
        except CloudError as error:
            return error
    return None


def sent(received: Any) -> dict[str, Any]:
    """A request as it arrived, in the recordings' form."""
    names = ("authorization", "content-type", "integration-source")
    result = {
        "method": received.method,
        "url": "https://api.fullstory.com" + received.path,
        "headers": {name: received.headers[name] for name in names},
    }
    return {**result, "json": received.json} if received.body else result


def wanted(recorded: dict[str, Any]) -> dict[str, Any]:
    return {name: json.loads(json.dumps(recorded[name])) for name in recorded}
