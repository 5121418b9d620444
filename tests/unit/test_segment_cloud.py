"""Cloud mode's destination: what recordings don't say: settings, errors beside requests, the key, and bad input."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from fsbridge import SettingsError, connect
from fsbridge.cli import commands
from fsbridge.cloud import timestamps
from fsbridge.cloud.destination import HEADERS, PayloadError, SegmentCloud, authorization, delete_user, me
from fsbridge.destinations import configured
from fsbridge.runtime import NULL, UNDEFINED
from fsbridge.runtime.cpython import BigInt, Date
from fsbridge.testing.simulated import SimulatedWindow

KEY = "na1.S3cr3tK3y"
TRACK = {"type": "track", "event": "Clicked", "userId": "u1", "properties": {"a b": 1}}
NAME_ALONE = {"subscribe": 'type = "track"', "partnerAction": "trackEventV2", "mapping": {"name": {"@path": "$.event"}}}


def cloud(*subscriptions: Any, **settings: Any) -> SegmentCloud:
    if subscriptions:
        settings["subscriptions"] = list(subscriptions)
    return configured(SegmentCloud, settings)


def test_without_subscriptions_the_presets_apply() -> None:
    (request,), errors = cloud().requests(TRACK)
    assert errors == []
    assert (request.method, request.path, request.headers) == ("POST", "/v2/events", HEADERS)
    assert request.json == {"name": "Clicked", "properties": {"ab": 1}, "user": {"uid": "u1"}}
    assert json.loads(request.body()) == request.json
    assert cloud().requests({"type": "page", "name": "Home"}) == ([], [])


def test_a_subscription_that_fails_stops_no_other() -> None:
    failing = {**NAME_ALONE, "name": "Of nothing", "mapping": {"name": {"@path": "$.nothing"}}}
    wrong = {**NAME_ALONE, "mapping": {"name": {"@bogus": 1}}}
    requests, errors = cloud(failing, NAME_ALONE, wrong).requests(TRACK)
    assert [request.json["name"] for request in requests] == ["Clicked"]
    assert [str(error) for error in errors] == [
        "The root value is missing the required field 'name'.",
        "/name has an invalid directive: @bogus.",
    ]
    assert [error.subscription for error in errors] == ["subscription 1 'Of nothing'", "subscription 3 without a name"]


def test_disabled_subscriptions_do_nothing() -> None:
    assert cloud({**NAME_ALONE, "enabled": False}).requests(TRACK) == ([], [])
    assert len(cloud({**NAME_ALONE, "enabled": True}, NAME_ALONE).requests(TRACK)[0]) == 2


def test_calls_report_what_failed() -> None:
    heard: list[Any] = []
    destination = cloud({**NAME_ALONE, "name": "Mine"})
    assert destination.calls({"type": "track"}, heard.append) == []
    assert heard == ["subscription 1 'Mine' failed: The root value is missing the required field 'name'."]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"subscriptions": [NAME_ALONE] * 51}, "has 51 mappings; a destination takes at most 50"),
        ({"subscriptions": "all"}, "accepted: a list"),
        ({"subscription": [NAME_ALONE]}, "accepted: an object"),
        ({"subscribtions": []}, "did you mean 'subscriptions'?"),
        ({"subscriptions": [{**NAME_ALONE, "mapping": {}}]}, "/name is missing, and trackEventV2 requires it"),
        (
            {"subscriptions": [{**NAME_ALONE, "partnerAction": "trackEvent"}]},
            "/userId is missing, and trackEvent requires it",
        ),
        ({"subscriptions": [{**NAME_ALONE, "partnerAction": "trackEvents"}]}, "did you mean 'trackEvent'?"),
        ({"subscriptions": [{**NAME_ALONE, "subscribe": "type = 'track"}]}, "unterminated string at character 8"),
    ],
)
def test_wrong_settings_are_named(settings: Any, said: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        configured(SegmentCloud, {"apiKey": KEY, **settings}, strict=True)
    assert said in str(caught.value)
    assert KEY not in str(caught.value)


def test_pages_are_refused() -> None:
    with pytest.raises(SettingsError, match="segment-cloud works on servers only"):
        connect("segment-cloud", apiKey=KEY, window=SimulatedWindow())  # type: ignore[call-overload]
    with pytest.raises(SettingsError, match="unknown destination 'segment-clod'") as caught:
        connect("segment-clod", window=SimulatedWindow())  # type: ignore[call-overload]
    assert "segment-cloud" not in str(caught.value)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (NULL, "the message is null"),
        ([], "data must be an object, got array"),
        ({**TRACK, "userId": UNDEFINED, "event": 5}, ""),
        ({**TRACK, "event": Date(0)}, "Name must be a string but it was an object."),
        (
            {**TRACK, "properties": None, "timestamp": BigInt(5)},
            "Timestamp must be a string or number but it was a big",
        ),
        ({**TRACK, "timestamp": [[]]}, "Timestamp must be a string or number but it was an array."),
        ({**TRACK, "event": [NULL]}, ""),
    ],
)
def test_odd_messages(event: str, said: Any) -> None:
    requests, errors = cloud({**NAME_ALONE, "subscribe": 'type != "-"', "mapping": FULL}).requests(event)
    assert len(requests) + len(errors) == 1
    assert "".join(str(error) for error in errors).startswith(said)
    assert bool(errors) == bool(said)


FULL = {
    name: {"@path": "$." + path} for name, path in [("name", "event"), ("timestamp", "timestamp"), ("userId", "userId")]
}


def test_payload_that_is_no_object() -> None:
    everything = {**NAME_ALONE, "mapping": {"__segment_internal_directive": {"@if": {"exists": True, "then": "text"}}}}
    _, (error,) = cloud(everything).requests(TRACK)
    assert (error.name, str(error)) == ("AggregateAjvError", "The root value must be an object but it was a string.")


def test_body_that_json_cannot_hold() -> None:
    (request,), _ = cloud().requests({**TRACK, "properties": {"n": BigInt(1)}})
    with pytest.raises(PayloadError, match="BigInt") as caught:
        request.body()
    assert caught.value.name == "TypeError"


def test_half_a_character_goes_out_as_an_escape() -> None:
    (request,), _ = cloud().requests({**TRACK, "event": "\ud800"})
    assert b'"name":"\\ud800"' in request.body()


@pytest.mark.parametrize("key", [KEY + "\n", "ключ-" + KEY, {"key": KEY}, [KEY, KEY], UNDEFINED])
def test_the_key_is_in_no_error(key: str) -> None:
    with pytest.raises(PayloadError) as caught:
        authorization(key)
    assert KEY not in str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is None


def test_the_key_is_in_no_request() -> None:
    destination = configured(SegmentCloud, {"apiKey": KEY})
    (request,), _ = destination.requests(TRACK)
    held = [
        destination,
        vars(destination),
        request,
        request.headers,
        request.path,
        request.body(),
        me(),
        delete_user("u"),
    ]
    assert KEY not in "".join(map(repr, held))
    assert authorization(KEY) == f"Basic {KEY}"


@pytest.mark.parametrize(("user_id", "path"), [("a b&c", "a%20b%26c"), (7, "7"), ("é'", "%C3%A9%27")])
def test_deletion(user_id: Any, path: str) -> None:
    request = delete_user(user_id)
    assert (request.method, request.path, request.body()) == ("DELETE", f"/v2/users?uid={path}", None)


@pytest.mark.parametrize("user_id", [UNDEFINED, NULL, "", 0, False])
def test_deletion_of_nobody(user_id: Any) -> None:
    with pytest.raises(PayloadError, match="User Id is required for user deletion"):
        delete_user(user_id)


# What Node.js makes of such texts.
@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Mar 5 2024 3:00 PM EST", "2024-03-05T20:00:00.000Z"),
        ("Tue Mar 05 2024 10:11:12 GMT+0100 (CET)", "2024-03-05T09:11:12.000Z"),
        ("5 march 2024 10:11:12.5", "2024-03-05T10:11:12.500Z"),
        ("2024-03-05 10:11 GMT+5:30", "2024-03-05T04:41:00.000Z"),
        ("12/25/24", "2024-12-25T00:00:00.000Z"),
        ("-000001-01-01T00:00:00Z", "-000001-01-01T00:00:00.000Z"),
        ("2024-03-05T10:11:12 GMT", None),
        ("2024-03-05T24:00:01Z", None),
        ("March 5th, 2024", None),
        ("2024 x", None),
        ("", None),
    ],
)
def test_timestamps(text: str, iso: Any) -> None:
    assert timestamps.iso(text) == iso
    assert timestamps.is_date_like(text) is (iso is not None)


@given(st.datetimes(min_value=datetime(100, 1, 1)), st.integers(-839, 839))
def test_any_moment_in_any_zone(moment: Any, minutes: int) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    shown = f"{moment.year:04d}" + moment.strftime("-%m-%dT%H:%M:%S") + f".{moment.microsecond // 1000:03d}"
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    since = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1)
    assert timestamps.iso(shown) == timestamps.iso(shown + "Z") == shown + "Z"
    assert timestamps.iso(shown + offset) == timestamps.iso(round(since) - minutes * 60_000)
    assert timestamps.iso(round(since)) == shown + "Z"


@given(st.text(st.sampled_from("0123456789-+:. /TZtz()APMGMar,é"), max_size=25))
def test_any_text_is_a_date_or_none(text: str) -> None:
    found = timestamps.iso(text)
    assert found is None or timestamps.iso(found) == found


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(UNDEFINED),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@hypothesis_settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["userId", "event", "properties", "timestamp", "traits", "anonymousId"]), JSON_VALUES
    )
)
def test_any_message_has_requests_or_an_error(message: Any) -> None:
    everything = [
        {
            "subscribe": 'type != "-"',
            "partnerAction": action,
            "mapping": {name: {"@path": f"$.{name}"} for name in fields},
        }
        for action, fields in {
            "trackEvent": ["userId", "name", "properties", "timestamp", "useRecentSession", "sessionUrl"],
            "trackEventV2": ["userId", "name", "properties", "timestamp", "useRecentSession", "sessionUrl"],
            "identifyUser": ["userId", "anonymousId", "email", "displayName", "traits"],
            "identifyUserV2": ["uid", "anonymousId", "email", "displayName", "properties"],
        }.items()
    ]
    message = {**message, "name": message.get("event"), "uid": message.get("userId"), "email": message.get("timestamp")}
    requests, errors = cloud(*everything).requests(message)
    assert len(requests) + len(errors) == 4
    assert all(error.name == "AggregateAjvError" or error.name == "URIError" for error in errors)
    for request in requests:
        json.loads(request.body())
        assert request.path.isascii()


def test_dry_run() -> None:
    lines = [TRACK, {"type": "identify", "userId": "u1", "traits": {"n": 1.0}}, {"type": "page"}, {"type": "track"}]
    lines.append({**TRACK, "integrations": {"Fullstory Cloud Mode (Actions)": False}})
    given_lines = "\n".join(map(json.dumps, lines))
    arguments = ["map", "--destination", "segment-cloud", "--settings", json.dumps({"apiKey": KEY})]
    result = CliRunner().invoke(commands, arguments, input=given_lines)
    headers = {"Content-Type": "application/json", "Integration-Source": "segment"}
    event = {"name": "Clicked", "properties": {"ab": 1}, "user": {"uid": "u1"}}
    user = {"uid": "u1", "properties": {"n": 1}}
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"line": 1, "requests": [{"method": "POST", "path": "/v2/events", "headers": headers, "json": event}]},
        {"line": 2, "requests": [{"method": "POST", "path": "/v2/users", "headers": headers, "json": user}]},
        {"line": 3, "requests": []},
        {"line": 4, "requests": []},
        {"line": 5, "requests": []},
    ]
    missing = "The root value is missing the required field 'name'."
    assert result.stderr.splitlines()[0] == f"line 4: subscription 1 'Track Event' failed: {missing}"
    assert result.exit_code == 1
    pretty = CliRunner().invoke(commands, [*arguments, "--pretty"], input=given_lines)
    assert 'POST /v2/events {"name": "Clicked",' in pretty.stdout
    assert KEY not in result.output + pretty.output
