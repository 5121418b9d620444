"""The client: what goes out, what comes back, and everything that may go wrong in between."""

import datetime
import decimal
import email.utils
import logging
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fsbridge import SettingsError
from fsbridge.cloud import Cloud, CloudError, Rejected, Unavailable, keys
from tests.standin import KEY, Answer, FullStoryAPI

V1 = {
    "subscriptions": [
        {
            "subscribe": 'type = "track"',
            "partnerAction": "trackEvent",
            "mapping": {name: {"@path": f"$.{name}"} for name in ("userId", "timestamp", "properties")}
            | {"name": {"@path": "$.event"}},
        }
    ]
}
TRACK = {"type": "track", "userId": "u1", "event": "Clicked", "messageId": "m1", "properties": {"n": 1}}


def test_track_identify_and_what_they_send(cloud: Cloud, api: FullStoryAPI) -> None:
    assert cloud.identify("u1", {"plan": "premium", "email": "ada@example.com"}) == 1
    moment = datetime.datetime(2024, 3, 5, 10, 11, 12, 123_000, datetime.UTC)
    assert (
        cloud.track("u1", "Order Completed", {"price": decimal.Decimal("99.95"), "at": moment}, timestamp=moment) == 1
    )
    user, event = api.accepted
    assert (user.method, user.path) == ("POST", "/v2/users")
    assert user.json == {
        "uid": "u1",
        "email": "ada@example.com",
        "properties": {"plan": "premium", "email": "ada@example.com"},
    }
    assert event.json == {
        "name": "Order Completed",
        "properties": {"price": 99.95, "at": "2024-03-05T10:11:12.123Z"},
        "user": {"uid": "u1"},
        "timestamp": "2024-03-05T10:11:12.123Z",
    }
    assert event.headers["authorization"] == f"Basic {KEY}"
    assert event.headers["integration-source"] == "segment"
    assert uuid.UUID(event.key) != uuid.UUID(user.key)


def test_now_is_the_time_of_an_event(cloud: Cloud, api: FullStoryAPI) -> None:
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    cloud.track(None, "Clicked", anonymousId="a1")
    moment = datetime.datetime.fromisoformat(api.accepted[0].json["timestamp"])
    assert before < moment < before + datetime.timedelta(seconds=30)


def test_messages_that_make_no_request(cloud: Cloud, api: FullStoryAPI) -> None:
    assert cloud.send({"type": "page", "userId": "u1"}) == 0
    assert cloud.send({**TRACK, "integrations": {"All": False}}) == 0
    assert cloud.send({**TRACK, "integrations": {"Fullstory Cloud Mode (Actions)": False}}) == 0
    assert api.requests == []


def test_a_message_sent_twice_is_taken_once_and_a_borrowed_id_loses_nothing(cloud: Cloud, api: FullStoryAPI) -> None:
    cloud.send(TRACK)
    cloud.send(dict(TRACK))
    cloud.send({**TRACK, "event": "Another"})
    assert [each.json["name"] for each in api.accepted] == ["Clicked", "Another"]
    assert len(api.requests) == 3


def test_keys_that_are_given_are_derived_for_further_requests(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    both = [
        {"subscribe": 'type = "track"', "partnerAction": "trackEventV2", "mapping": {"name": name}} for name in "ab"
    ]
    assert connect(settings={"subscriptions": both}).send(TRACK, "key-1") == 2
    assert [(each.key, each.json["name"]) for each in api.accepted] == [("key-1", "a"), ("key-1-2", "b")]


@pytest.mark.parametrize(
    "failure",
    [408, 429, 500, 502, 503, 599, Answer(cut="before"), Answer(cut="after"), Answer(hang=True)],
    ids=lambda failure: str(failure)[:30],
)
def test_what_passes_is_tried_again_with_the_same_key(
    connect: Callable[..., Cloud], api: FullStoryAPI, failure: Any
) -> None:
    api.script(failure, failure)
    assert connect(timeout=0.4).send(TRACK) == 1
    assert len(api.requests) >= 3
    assert len({each.key for each in api.requests}) == 1
    assert len({each.body for each in api.requests}) == 1
    assert len(api.accepted) == 1


def test_a_conflict_with_ones_own_first_attempt_is_waited_for(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    api.script(Answer(delay=0.5))
    assert connect(timeout=0.2).send(TRACK, "k") == 1
    assert len(api.accepted) == 1
    assert len(api.requests) >= 2


@pytest.mark.parametrize("again", [False, True])
def test_a_conflict_on_the_first_attempt(connect: Callable[..., Cloud], api: FullStoryAPI, again: Any) -> None:
    api.script(409)
    with pytest.raises(Unavailable if again else Rejected) as caught:
        connect(retry_for=0).send(TRACK, "k", again=again)
    assert caught.value.status == 409


def test_retry_after_is_honoured(cloud: Cloud, api: FullStoryAPI) -> None:
    api.script(Answer(429, headers={"Retry-After": "1"}))
    cloud.send(TRACK)
    first, second = api.requests
    assert second.at - first.at >= 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("300", 300),
        ("301", 300),
        ("86400000", 300),
        ("10000000000", 300),
        ("9" * 400, None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 300),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("nan", None),
    ],
)
def test_retry_after_is_told(connect: Callable[..., Cloud], api: FullStoryAPI, header: Any, seconds: float) -> None:
    expect_retry_after(connect, api, header, seconds)


@pytest.mark.parametrize(("ahead", "seconds"), [(200, 200), (6000, 300), (-60, None)])
def test_retry_after_as_a_date_is_told(
    connect: Callable[..., Cloud], api: FullStoryAPI, ahead: Any, seconds: float
) -> None:
    header = email.utils.formatdate(time.time() + ahead, usegmt=True)
    expect_retry_after(connect, api, header, seconds)


def expect_retry_after(connect: Callable[..., Cloud], api: FullStoryAPI, header: Any, seconds: float) -> None:
    api.script(Answer(429, body={"message": "slow down", "code": "too_many_requests"}, headers={"Retry-After": header}))
    with pytest.raises(Unavailable, match="HTTP 429: slow down") as caught:
        connect(retry_for=0).send(TRACK)
    assert caught.value.retry_after == (seconds if seconds is None else pytest.approx(seconds, rel=0.2))


def test_a_wait_beyond_the_limit_is_not_begun(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    api.script(Answer(503, headers={"Retry-After": "3600"}))
    began = time.monotonic()
    with pytest.raises(Unavailable):
        connect(retry_for=200).send(TRACK)
    assert time.monotonic() - began < 60


def test_it_gives_up_in_the_end(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    api.always(500)
    with pytest.raises(Unavailable, match="POST /v2/events: HTTP 500: Internal Server Error") as caught:
        connect(retry_for=3).send(TRACK)
    assert caught.value.status == 500
    assert len(api.requests) > 2


def test_one_attempt_when_retries_are_off(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    api.script(500)
    with pytest.raises(Unavailable):
        connect(retry_for=0).send(TRACK)
    assert len(api.requests) == 1


def test_nobody_there(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    cloud = connect(retry_for=0)
    api.down()
    with pytest.raises(Unavailable, match="unreachable: Connection refused") as caught:
        cloud.send(TRACK)
    api.up()
    assert caught.value.status is None
    assert cloud.send(TRACK) == 1


def test_a_silent_server(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    api.script(Answer(hang=True))
    with pytest.raises(Unavailable, match=r"no answer within 0.2 s"):
        connect(retry_for=0, timeout=0.2).send(TRACK)


def test_closing_ends_all_waiting(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    import threading

    api.always(Answer(503, headers={"Retry-After": "100"}))
    cloud = connect(retry_for=600)
    threading.Timer(0.5, cloud.close).start()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        cloud.send(TRACK)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(400, {"message": "name is required", "code": "required_field"}), "HTTP 400: name is required"),
        (Answer(400, {"error": "bad"}), "HTTP 400: bad"),
        (Answer(401, {"message": "access is unauthorized"}), "access is unauthorized (the API key is wrong"),
        (Answer(403, {"message": "insufficient permissions"}), "(the role of the API key doesn't allow it)"),
        (Answer(404), "HTTP 404: Not Found"),
        (Answer(409), "HTTP 409: Conflict"),
        (Answer(413, "<html>too much</html>", {"Content-Type": "text/html"}), "HTTP 413: "),
        (Answer(422, "just   text\n"), "HTTP 422: just text"),
        (Answer(418), "HTTP 418: I'm a Teapot"),
        (Answer(302, headers={"Location": "https://elsewhere.example/"}), "it redirects to https://elsewhere.example/"),
        (Answer(304), "HTTP 304: Not Modified"),
        (Answer(400, "x" * 9999), "x" * 500 + "…"),
        (Answer(400, "[" * 9999), "[[["),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_fullstory_refuses_is_an_error_in_its_words_and_not_repeated(
    cloud: Cloud, api: FullStoryAPI, answer: Any, said: Any
) -> None:
    api.script(answer)
    with pytest.raises(Rejected) as caught:
        cloud.send(TRACK)
    assert said in str(caught.value)
    assert caught.value.status == answer.status
    assert len(api.requests) == 1


def test_v1_of_a_user_that_fullstory_does_not_know(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    api.unknown.add("u1")
    with pytest.raises(Rejected, match=r"HTTP 404: user not found .*V1 actions need one who was identified") as caught:
        connect(settings=V1).send(TRACK)
    assert (caught.value.code, caught.value.request) == ("user_not_found", "POST /users/v1/individual/u1/customevent")


@pytest.mark.parametrize(
    ("user_id", "path"), [(".", "."), ("..", ".."), ("a/../b", "a%2F..%2Fb"), ("ü%#?", "%C3%BC%25%23%3F")]
)
def test_odd_user_ids_go_out_as_they_are(
    connect: Callable[..., Cloud], api: FullStoryAPI, user_id: Any, path: str
) -> None:
    connect(settings=V1).send({**TRACK, "userId": user_id})
    assert api.accepted[0].path == f"/users/v1/individual/{path}/customevent?integration=segment"


def test_a_mapping_that_fails_sends_nothing(cloud: Cloud, api: FullStoryAPI) -> None:
    with pytest.raises(Rejected, match="The root value is missing the required field 'name'") as caught:
        cloud.send({"type": "track", "userId": "u1"})
    assert (caught.value.status, api.requests) == (None, [])


def test_all_requests_of_a_message_are_tried(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    mapping = {"name": {"@path": "$.event"}}
    each = {"subscribe": 'type = "track"', "partnerAction": "trackEventV2"}
    wrong = {**each, "mapping": {"name": {"@path": "$.nope"}}}
    api.script(400)
    with pytest.raises(Rejected) as caught:
        connect(settings={"subscriptions": [wrong, {**each, "mapping": mapping}, {**each, "mapping": mapping}]}).send(
            TRACK
        )
    assert len(api.requests) == 2
    assert len(api.accepted) == 1
    assert [error.status for error in (caught.value, *caught.value.others)] == [None, 400]


def test_redirects_that_keep_a_request_are_followed(cloud: Cloud, api: FullStoryAPI) -> None:
    api.script(Answer(307, headers={"Location": "/v2/events"}))
    assert cloud.send(TRACK) == 1
    assert len(api.accepted) == 1


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ([], "A message must be a dict, and is list"),
        ({**TRACK, "properties": {"a": [object()]}}, r"properties.a\[0\] is a object"),
        ({**TRACK, "properties": {"b": b"x"}}, "properties.b is a bytes"),
        ({**TRACK, "context": {1: {2: object()}}}, r"context.1.2 is a object"),
    ],
)
def test_values_that_no_message_can_hold(cloud: Cloud, api: FullStoryAPI, message: Any, said: Any) -> None:
    with pytest.raises(TypeError, match=said):
        cloud.send(message)
    assert api.requests == []


@pytest.mark.parametrize("key", ["", "a b", "a\n", "é", "x" * 201])
def test_idempotency_keys_that_no_header_holds(cloud: Cloud, api: FullStoryAPI, key: str) -> None:
    with pytest.raises(ValueError, match="idempotency_key must be"):
        cloud.send(TRACK, key)
    assert api.requests == []


def test_odd_values_in_a_message(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    nested: list[Any] = []
    for _ in range(600):
        nested = [nested]
    cloud = connect(settings=V1)
    for wrong, said in (
        ({"properties": {"deep": nested}}, "nested too deeply"),
        ({"userId": "\ud800"}, "URI malformed"),
    ):
        with pytest.raises(Rejected, match=said):
            cloud.send({**TRACK, **wrong})
    odd = [decimal.Decimal("NaN"), decimal.Decimal("Infinity"), decimal.Decimal("2.50"), 10**30, {1}, uuid.UUID(int=1)]
    properties = {f"p{index}": value for index, value in enumerate(odd)}
    connect().send({**TRACK, "messageId": "\ud800", "properties": {**properties, "half": "\ud800"}})
    assert api.accepted[0].json["properties"] == {
        "p0": None,
        "p1": None,
        "p2": 2.5,
        "p3": 1e30,
        "p4": [1],
        "p5": "00000000-0000-0000-0000-000000000001",
        "half": "\ud800",
    }


def test_me_and_deletion(cloud: Cloud, api: FullStoryAPI) -> None:
    assert cloud.me() == {"email": "ada@example.com", "orgId": "1ABC", "role": "ADMIN"}
    assert cloud.data_centre == "na1"
    cloud.delete_user("zoë & co")
    assert api.accepted[0].path == "/v2/users?uid=zo%C3%AB%20%26%20co"
    assert api.accepted[0].key
    with pytest.raises(Rejected, match=r"HTTP 404: user not found .FullStory doesn't know this user"):
        cloud.delete_user("zoë & co")
    with pytest.raises(Rejected, match="User Id is required"):
        cloud.delete_user("")
    api.role = "USER"
    with pytest.raises(Rejected, match="deleting users needs an Admin's or Architect's API key"):
        cloud.delete_user("other")


def test_a_deletion_whose_answer_got_lost_is_done(cloud: Cloud, api: FullStoryAPI) -> None:
    api.script(Answer(cut="after"), 404)
    cloud.delete_user("u1")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "set FULLSTORY_API_KEY"),
        ("", "There is no API key"),
        ("  ", "There is no API key"),
        (7, "must be text, and is int"),
        ("Basic abc", "leave it out"),
        ("a\nSECRET", "not legal in an HTTP header"),
        ("ключ", "not legal in an HTTP header"),
    ],
)
def test_keys_that_are_none(key: str, said: Any) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        Cloud(key)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"base_url": "api.fullstory.com"}, "The address must be like https://"),
        ({"base_url": "ftp://x"}, "The address must be like https://"),
        ({"timeout": 0}, "timeout must be a number"),
        ({"timeout": None}, "timeout must be a number"),
        ({"retry_for": -1}, "retry_for must be a number"),
        ({"settings": {"subscriptions": "x"}}, "accepted: a list"),
        ({"settings": {"subscription": []}}, "accepted: an object"),
        ({"settings": {"subscription": {"partnerAction": []}}}, "unknown partnerAction"),
        ({"settings": {"subscription": {"partnerAction": {"a": 1}}}}, "unknown partnerAction"),
        ({"write_key": "w"}, "give relay, too"),
        ({"relay": "http://r", "write_key": "w"}, "the relay's own"),
        ({"relay": "http://r", "write_key": ""}, "api_key and settings are the relay's own"),
    ],
)
def test_wrong_settings(options: Any, said: Any) -> None:
    with pytest.raises(SettingsError, match=said):
        Cloud(KEY, **options)


def test_the_key_from_the_environment(api: FullStoryAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULLSTORY_API_KEY", KEY + "\n")
    with Cloud(base_url=api.url) as cloud:
        assert cloud.me()["role"] == "ADMIN"


def test_no_netrc_stands_in_for_the_key(
    cloud: Cloud, api: FullStoryAPI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert cloud.me()["orgId"] == "1ABC"


def test_a_browser_gets_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "IN_BROWSER", True)
    monkeypatch.setenv("FULLSTORY_API_KEY", KEY)
    for key in (None, KEY):
        with pytest.raises(SettingsError, match=r"Cloud\(relay=") as caught:
            Cloud(key)
        assert KEY not in str(caught.value)


def fields_of(thing: Any) -> Iterator[str]:
    """What is seen of an object of ours by who shows its fields, and theirs."""
    yield repr(thing)
    for value in vars(thing).values():
        if type(value).__module__.startswith("fsbridge.") and hasattr(value, "__dict__"):
            yield from fields_of(value)
        else:
            yield repr(value)


@pytest.mark.parametrize(
    "failure",
    [
        Answer(400, {"message": f"what is {KEY}", "code": KEY}),
        Answer(403, f"Basic {KEY}"),
        Answer(500, f"oh {KEY}"),
        Answer(302, headers={"Location": f"https://e.example/?{KEY}"}),
        Answer(cut="before"),
        Answer(hang=True),
    ],
    ids=lambda failure: str(failure)[:20],
)
def test_the_key_is_in_no_error_and_no_log(
    connect: Callable[..., Cloud], api: FullStoryAPI, failure: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api.always(failure)
    cloud = connect(retry_for=0, timeout=0.3)
    errors = []
    for call in (lambda: cloud.send(TRACK), cloud.me, lambda: cloud.delete_user("u")):
        with pytest.raises(CloudError) as caught:
            call()
        errors.append(caught.value)
    shown = "".join(fields_of(cloud)) + caplog.text
    assert "Transport" in shown
    error: BaseException
    for error in errors:
        shown += "".join(traceback.format_exception(error)) + repr(error) + repr(error.args) + repr(vars(error))
        while error is not None:  # what tools that show local variables would come by
            assert not hasattr(error, "request") or KEY not in repr(vars(error))
            shown += repr(error)
            error = error.__cause__ or error.__context__
    assert KEY not in shown


def test_relay(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    """A relay speaks the tracking API; the stand-in has no such thing, so only what arrives counts here."""
    api.always(Answer(200, {"success": True}))
    cloud = Cloud(relay=api.url, write_key="w-1", retry_for=2)
    assert cloud.track("u1", "Clicked", {"at": datetime.datetime(2024, 3, 5, tzinfo=datetime.UTC)}) == 1
    assert (
        cloud.send_many(
            {**TRACK, "messageId": f"m{i}", "properties": {"text": "x" * 9_000}} for i in range(120)
        ).messages
        == 120
    )
    single, *batches = api.requests
    assert single.path == "/v1/track"
    assert single.headers["authorization"] == "Basic dy0xOg=="
    assert single.json["properties"] == {"at": "2024-03-05T00:00:00.000Z"}
    assert single.json["messageId"]
    assert [each.path for each in batches] == ["/v1/batch"] * 3
    assert [item["messageId"] for each in batches for item in each.json["batch"]] == [f"m{i}" for i in range(120)]
    assert all(len(each.body) < 500_000 for each in batches)
    for refused in (cloud.me, lambda: cloud.delete_user("u"), lambda: cloud.backfill([])):
        with pytest.raises(SettingsError, match="needs an API key"):
            refused()
    with pytest.raises(Rejected, match='its type is "delete"'):
        cloud.send({"type": "delete"})
    api.always(401)
    with pytest.raises(Rejected, match="the relay doesn't know this write key") as caught:
        cloud.send(TRACK)
    assert "w-1" not in str(caught.value)
    cloud.close()
