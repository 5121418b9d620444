"""The tracking API as clients meet it: authentication, limits, faults of requests, CORS."""

import base64
import gzip
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from fsbridge.messages import TYPES
from tests.standin import FullStoryAPI

from .running import AUTH, WRITE_KEY, RelayProcess, track, wait_for

ORIGIN = "https://shop.example"


@pytest.fixture(scope="module")
def fullstory() -> Iterator[FullStoryAPI]:
    with FullStoryAPI() as api:
        yield api


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, fullstory: FullStoryAPI) -> Iterator[RelayProcess]:
    process = RelayProcess(tmp_path_factory.mktemp("relay"), fullstory.url, "--origin", ORIGIN)
    process.start()
    yield process
    process.end()


def post(relay: RelayProcess, path: str, data: Any, headers: Any = None, auth: Any = AUTH) -> Any:
    return requests.post(relay.url + path, data=data, headers=headers, auth=auth, timeout=30)


def refused(response: Any, status: Any, code: str) -> Any:
    """Assert an answer with this error, and return its text."""
    answer = response.json()
    assert (response.status_code, answer["code"], answer["success"]) == (status, code, False)
    assert WRITE_KEY not in response.text
    return answer["message"]


@pytest.mark.parametrize("name", TYPES)
def test_every_type_has_a_path_long_and_short(relay: RelayProcess, name: str) -> None:
    for path in (f"/v1/{name}", f"/v1/{name[0]}"):
        assert relay.post(path, {"userId": "u1", "event": "E"}).json() == {"success": True}


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/import", "/v1/b"])
def test_batches(relay: RelayProcess, path: str) -> None:
    assert relay.post(path, {"batch": [track("u2", 1), {"type": "page", "userId": "u2"}]}).status_code == 200
    assert relay.post(path, {"batch": []}).status_code == 200


def test_context_of_a_batch_goes_for_its_messages(relay: RelayProcess, fullstory: FullStoryAPI) -> None:
    everything = {"integrations": {"All": False}, "batch": [track("u3", 1), track("u3", 2, integrations={"All": True})]}
    assert relay.post("/v1/batch", everything).status_code == 200
    wait_for(lambda: [received for received in fullstory.accepted if b'"u3"' in received.body])
    (only,) = [received.json for received in fullstory.accepted if b'"u3"' in received.body]
    assert only["properties"] == {"number": 2}


def test_the_write_key_may_stand_in_the_body_or_the_address(relay: RelayProcess) -> None:
    assert relay.post("/v1/t", {**track("u1", 2), "writeKey": WRITE_KEY}, auth=None).status_code == 200
    assert relay.post("/v1/b", {"batch": [track("u1", 3)], "writeKey": WRITE_KEY}, auth=None).status_code == 200
    assert relay.post(f"/beacon/v1/batch?writeKey={WRITE_KEY}", {"batch": []}, auth=None).status_code == 200
    assert not any(WRITE_KEY.encode() in file.read_bytes() for file in relay.queue.parent.iterdir())


@pytest.mark.parametrize(
    ("headers", "document", "code"),
    [
        ({}, {"event": "E"}, "no_write_key"),
        ({}, {"writeKey": "other"}, "unknown_write_key"),
        ({}, {"writeKey": 5}, "unknown_write_key"),
        ({"Authorization": "Basic " + base64.b64encode(b"other:").decode()}, {}, "unknown_write_key"),
        (
            {"Authorization": "Basic " + base64.b64encode(b"other:").decode()},
            {"writeKey": WRITE_KEY},
            "unknown_write_key",
        ),
        ({"Authorization": f"Basic {WRITE_KEY}"}, {}, "bad_authorization"),
        ({"Authorization": f"Bearer {WRITE_KEY}"}, {}, "bad_authorization"),
    ],
)
def test_unknown_write_keys_are_refused(relay: RelayProcess, headers: Any, document: Any, code: str) -> None:
    refused(post(relay, "/v1/track", json.dumps(document), headers, auth=None), 401, code)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b"\x00" * 100,
    ],
)
def test_malformed_json(relay: RelayProcess, data: Any) -> None:
    assert refused(post(relay, "/v1/track", data), 400, "bad_json")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("text", "must be an object, and is string"),
        (None, "must be an object, and is missing"),
        ({"userId": "u1"}, "type must be one of identify, track, page, screen, group, alias, and is missing"),
        ({"type": "delete"}, "and is another text"),
        ({"type": ["track"]}, "and is array"),
        (track("u1", 1, userId={"a": 1}), "userId must be a text, and is object"),
        (track("u1", 1, anonymousId=True), "anonymousId must be a text, and is boolean"),
        (track("u1", 1, messageId=[]), "messageId must be a text, and is array"),
        (track("u1", 1, event=5), "event must be a text, and is number"),
        (track("u1", 1, properties="p"), "properties must be an object, and is string"),
        (track("u1", 1, traits=[]), "traits must be an object, and is array"),
        (track("u1", 1, context=1), "context must be an object, and is number"),
        (track("u1", 1, timestamp={}), "timestamp must be a date as text, and is object"),
        (track("u1", 1, properties={"long": "x" * (33 << 10)}), "bytes, and 32768 are taken"),
    ],
)
def test_a_wrong_message_is_refused_and_the_others_are_taken(
    relay: RelayProcess, fullstory: FullStoryAPI, message: Any, reason: Any
) -> None:
    good = track(f"good-{time.time_ns()}", 1)
    response = relay.post("/v1/batch", {"batch": [good, message]})
    answer = response.json()
    assert response.status_code in (400, 413)
    assert reason in answer["message"]
    assert "message 1: " in answer["message"]
    wait_for(lambda: any(good["userId"].encode() in received.body for received in fullstory.accepted))


def test_wrong_batches(relay: RelayProcess) -> None:
    batches: list[dict[str, Any]] = [{}, {"batch": None}, {"batch": {}}, {"batch": "[]"}]
    for batch in batches:
        refused(relay.post("/v1/batch", batch), 400, "no_batch")
    assert "2500" in refused(relay.post("/v1/batch", {"batch": [0] * 2501}), 413, "too_many")
    refused(relay.post("/v1/delete", {}), 404, "unknown_path")


def test_limits(relay: RelayProcess) -> None:
    fits = track("u1", 1)
    fits["properties"]["text"] = ""
    fits["properties"]["text"] = "x" * ((32 << 10) - len(json.dumps(fits, separators=(",", ":"))))
    assert relay.post("/v1/track", fits).status_code == 200
    accents = track("u1", 1, properties={"text": "é" * (15 << 10)})  # 90 KB as escapes, 30 KB as UTF-8
    assert relay.post("/v1/track", accents).status_code == 200
    fits["properties"]["text"] += "x"
    refused(relay.post("/v1/track", fits), 413, "message_too_large")
    refused(post(relay, "/v1/batch", b" " * ((500 << 10) + 1)), 413, "too_large")
    refused(post(relay, "/v1/batch", b" " * (10 << 20)), 413, "too_large")
    large = {"batch": [track("u1", number, properties={"text": "x" * 30_000}) for number in range(16)]}
    assert relay.post("/v1/batch", large).status_code == 200


def test_gzip(relay: RelayProcess) -> None:
    good = json.dumps({"batch": [track("u1", 1)]}).encode()
    packed = gzip.compress(good)
    zipped = {"Content-Encoding": "gzip"}
    assert post(relay, "/v1/batch", packed, zipped).status_code == 200
    assert post(relay, "/v1/batch", gzip.compress(good[:9]) + gzip.compress(good[9:]), zipped).status_code == 200
    for bad in (good, packed[:-9], packed[:5], packed + b"more", zlib.compress(good), b"\x1f\x8b"):
        refused(post(relay, "/v1/batch", bad, zipped), 400, "bad_gzip")
    bomb = gzip.compress(b" " * (60 << 20))
    assert len(bomb) < 500 << 10
    refused(post(relay, "/v1/batch", bomb, zipped), 413, "too_large")
    refused(post(relay, "/v1/batch", good, {"Content-Encoding": "br"}), 415, "unsupported_encoding")


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"POST /v1/track HTTP/1.1\r\nHost: re",
        b"POST /v1/track HTTP/1.1\r\nHost: relay\r\nContent-Length: 100\r\n\r\n{",
    ],
)
def test_slow_clients_are_sent_away_and_hinder_nobody(make_relay: Callable[..., RelayProcess], beginning: Any) -> None:
    relay = make_relay("--client-timeout", "3")
    relay.start()
    slow = [socket.create_connection(("127.0.0.1", relay.port)) for _ in range(50)]
    for each in slow:
        each.sendall(beginning)
    for number in range(5):
        assert relay.post("/v1/track", track("u1", number)).status_code == 200
    for each in slow:
        each.settimeout(20)
        assert each.recv(1000).startswith(b"HTTP/1.1 408 ")
        each.close()


def test_a_client_that_goes_away_harms_nobody(relay: RelayProcess) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", relay.port)) as cut:
            cut.sendall(b"POST /v1/track HTTP/1.1\r\nHost: relay\r\nContent-Length: 100\r\n\r\n{")
    assert relay.post("/v1/track", track("u1", 1)).status_code == 200


def test_no_http_at_all(relay: RelayProcess) -> None:
    with socket.create_connection(("127.0.0.1", relay.port)) as other:
        other.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
        assert other.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_cors(relay: RelayProcess) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,content-encoding,anonymousid",
    }
    preflight = requests.options(relay.url + "/v1/track", headers=asked, timeout=60)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    answer = post(relay, "/v1/track", json.dumps(track("u1", 1)), {"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    other = requests.options(relay.url + "/v1/track", headers={**asked, "Origin": "https://evil.example"}, timeout=60)
    assert other.status_code == 400
    assert "Access-Control-Allow-Origin" not in other.headers


def test_many_at_once(relay: RelayProcess) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = pool.map(lambda number: relay.post("/v1/track", track(f"m{number % 7}", number)), range(200))
        assert {answer.status_code for answer in answers} == {200}


def test_metrics_and_health(relay: RelayProcess) -> None:
    assert relay.health()["status"] == "ok"
    acknowledged, refused = map(relay.metric, ("messages_acknowledged_total", "requests_refused_total"))
    assert relay.post("/v1/track", track("u1", 1)).status_code == 200
    assert post(relay, "/v1/track", "[").status_code == 400
    assert relay.metric("messages_acknowledged_total") == acknowledged + 1
    assert relay.metric("requests_refused_total") == refused + 1
    assert requests.get(relay.url + "/v1/track", timeout=60).status_code == 405
