"""What strangers and bad clients do to the relay: it stays up, stays small, and loses nothing of others."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.standin import Answer, FullStoryAPI

from .running import AUTH, WRITE_KEY, RelayProcess, numbers, track, wait_for

TIMEOUT = 1
"""Seconds that a client has with the relay that is impatient."""

BASIC = "Authorization: Basic d3JpdGUta2V5LW9mLXRlc3RzOg=="


@pytest.fixture(scope="module")
def fullstory() -> Iterator[FullStoryAPI]:
    with FullStoryAPI() as api:
        yield api


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, fullstory: FullStoryAPI) -> Iterator[RelayProcess]:
    process = RelayProcess(tmp_path_factory.mktemp("relay"), fullstory.url, "--workers", "2", "--origin", "*")
    process.start()
    yield process
    process.end()


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory, fullstory: FullStoryAPI) -> Iterator[RelayProcess]:
    process = RelayProcess(tmp_path_factory.mktemp("relay"), fullstory.url, "--client-timeout", str(TIMEOUT))
    process.start()
    yield process
    process.end()


def post(relay: RelayProcess, path: str, text: Any, **options: Any) -> Any:
    return requests.post(relay.url + path, data=text, timeout=60, **{"auth": AUTH, **options})


def memory(relay: RelayProcess) -> Any:
    """MB of the process that takes requests."""
    with open(f"/proc/{relay.pid}/status", encoding="utf-8") as status:
        return int(status.read().partition("VmRSS:")[2].split()[0]) / 1024


def connected(relay: RelayProcess, *texts: str) -> Any:
    """A connection on which these texts were sent."""
    made = socket.create_connection(("127.0.0.1", relay.port))
    made.settimeout(60)
    for text in texts:
        made.sendall(text if isinstance(text, bytes) else text.encode())
    return made


def ends(connection: socket.socket, seconds: float = TIMEOUT + 60) -> bool:
    """Whether the relay ends a connection within that time."""
    connection.settimeout(seconds)
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "number",
    ["1e400", "-1e400", "NaN", "Infinity", "-Infinity", "9" * 310, "-" + "9" * 310, "9" * 5000, "1" * 20 + "e99999"],
)
def test_numbers_beyond_json_are_null_and_cost_no_other_message(
    relay: RelayProcess, fullstory: FullStoryAPI, number: Any
) -> None:
    user = f"numbers-{time.time_ns()}"
    others = ",".join(json.dumps(track(user, each)) for each in range(99))
    odd = json.dumps(track(user, 99)).replace('"number": 99', f'"number": 99, "v": {number}, "a": [{number}]')
    assert post(relay, "/v1/batch", f'{{"batch": [{others}, {odd}]}}').status_code == 200
    wait_for(lambda: numbers(fullstory.accepted, user) == list(range(100)))
    last = next(each for each in reversed(fullstory.accepted) if user.encode() in each.body)
    assert last.json["properties"]["v"] is None
    assert last.json["properties"]["a"] == {"0": None}
    assert relay.health()["status"] == "ok"


@pytest.mark.parametrize("name", ["userId", "messageId", "timestamp", "originalTimestamp"])
@pytest.mark.parametrize("number", ["1e400", "9" * 400, "-0", "1e-999", "1e22"])
def test_odd_numbers_where_texts_belong_stop_nobody(
    relay: RelayProcess, fullstory: FullStoryAPI, name: str, number: Any
) -> None:
    user = f"odd-{time.time_ns()}"
    odd = json.dumps(track(user, 1))
    before = json.dumps({**json.loads(odd), name: "HERE"}).replace('"HERE"', number)
    assert post(relay, "/v1/track", before).status_code == 200
    assert relay.post("/v1/track", track(user, 2)).status_code == 200
    wait_for(lambda: 2 in numbers(fullstory.accepted, user))


def test_deep_messages_stop_nobody(relay: RelayProcess, fullstory: FullStoryAPI) -> None:
    user = f"deep-{time.time_ns()}"
    for depth in (100, 300, 450, 500, 700, 900, 960, 990, 5000):
        deep = json.dumps(track(user, 0)).replace('"number": 0', '"d": ' + "[" * depth + "]" * depth)
        assert post(relay, "/v1/track", deep).status_code in (200, 400)
    relay.post("/v1/track", track(user, 1))
    wait_for(lambda: b'"number":1' in fullstory.accepted[-1].body)


def test_context_is_not_multiplied_without_limit(relay: RelayProcess) -> None:
    commons: list[dict[str, Any]] = [
        {"context": {"x": "y" * 30_000}},
        {"integrations": {f"n{n}": {} for n in range(2000)}},
    ]
    for common in commons:
        bomb = gzip.compress(
            json.dumps({**common, "batch": [{"type": "track", "event": "e", "userId": "u"}] * 2500}).encode()
        )
        assert len(bomb) < 20_000
        before, size = memory(relay), relay.queue.stat().st_size
        answer = post(relay, "/v1/batch", bomb, headers={"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert memory(relay) - before < 100
        assert relay.queue.stat().st_size - size < 2 << 20


def test_strangers_get_nothing_unpacked(relay: RelayProcess) -> None:
    empty = gzip.compress(b"") * 20_000
    zipped = {"Content-Encoding": "gzip"}
    for text in (gzip.compress(b" " * 400_000), empty, b"no gzip"):
        assert post(relay, "/v1/batch", text, headers=zipped, auth=None).json()["code"] == "no_write_key"
    assert "members" in post(relay, "/v1/batch", empty, headers=zipped).json()["message"]
    for text in (b"[" * 100_000, b"{", b"[1e400]"):
        assert post(relay, "/v1/batch", text, auth=None).json()["code"] == "no_write_key"


REQUEST = f"POST /v1/track HTTP/1.1\r\nHost: r\r\n{BASIC}\r\nContent-Length: "


@pytest.mark.parametrize(
    "texts",
    [
        [""],
        ["\r\n"],
        ["GET /healthz HTTP/1.1\r\nHost: r\r\n\r\n", "\r\n"],
        ["GET /healthz HTTP/1.1\r\nHost: r\r\n\r\n", "GET /hea"],
        [REQUEST + "2\r\n\r\n{}", "\r\n"],
        ["POST /v1/track HTTP/1.1\r\nHost: r\r\nAuthorization: Basic eA==\r\nContent-Length: 99\r\n\r\n{"],  # 401
        ["POST /v1/nothing HTTP/1.1\r\nHost: r\r\nContent-Length: 99\r\n\r\n{"],  # 404
        [
            f"POST /v1/track HTTP/1.1\r\nHost: r\r\n{BASIC}\r\nContent-Encoding: br\r\nContent-Length: 9\r\n\r\n{{"
        ],  # 415
        [REQUEST + "99\r\n\r\n{"],
        [f"POST /v1/track HTTP/1.1\r\nHost: r\r\n{BASIC}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{{"],
        ["GET /v1/track HTTP/1.1\r\nHost: r\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"],
    ],
    ids=range(11),
)
def test_every_state_of_a_connection_ends(impatient: RelayProcess, texts: str) -> None:
    with connected(impatient) as connection:
        with suppress(ConnectionError):  # it may have ended already
            for text in texts:
                connection.sendall(text.encode())
                time.sleep(0.1)
        assert ends(connection)


def test_answers_that_nobody_reads_end_too(impatient: RelayProcess) -> None:
    asked = b"GET /metrics HTTP/1.1\r\nHost: r\r\n\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", impatient.port))
        connection.settimeout(TIMEOUT + 60)
        ended = False
        begun = time.monotonic()
        while time.monotonic() - begun < TIMEOUT + 60 and not ended:
            try:
                connection.sendall(asked * 100)
                time.sleep(0.1)
            except ConnectionError:
                ended = True
            except TimeoutError:
                break
        assert ended


@pytest.mark.parametrize("silent", ["", "POST /v1/track HTTP/1.1\r\nHost: r\r\nX: "])
def test_thousands_of_silent_connections_keep_nobody_out(tmp_path: Path, fullstory: FullStoryAPI, silent: Any) -> None:
    relay = RelayProcess(tmp_path, fullstory.url, "--client-timeout", "60")
    relay.limit_files(300)
    relay.start()
    try:
        with ExitStack() as stack:
            for _ in range(600):
                stack.enter_context(connected(relay, silent))
            for number in range(5):
                assert relay.post("/v1/track", track("u1", number)).status_code == 200
            assert relay.health()["status"] == "ok"
    finally:
        relay.end()


def test_slow_bodies_keep_nobody_out(tmp_path: Path, fullstory: FullStoryAPI) -> None:
    relay = RelayProcess(tmp_path, fullstory.url, "--client-timeout", "60")
    relay.limit_files(300)
    relay.start()
    try:
        with ExitStack() as stack:
            for _ in range(400):
                stack.enter_context(connected(relay, REQUEST + "99\r\n\r\n{"))
            assert relay.health()["status"] == "ok"
            assert relay.post("/v1/track", track("u1", 1)).status_code == 200
    finally:
        relay.end()


@pytest.mark.parametrize(
    ("beginning", "endless"),
    [
        ("GET /healthz HTTP/1.1\r\nHost: r\r\n", "X: " + "y" * 1000 + "\r\n"),
        ("GET /healthz HTTP/1.1\r\nHost: r\r\nX: ", "y" * 1000),
        ("GET /", "y" * 1000),
        ("GET /healthz HTTP/1.1\r\nHost: r\r\n", "x:\r\n" * 250),
        (
            f"POST /v1/track HTTP/1.1\r\nHost: r\r\n{BASIC}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n",
            "X: y\r\n" * 160,
        ),
        (
            f"POST /v1/track HTTP/1.1\r\nHost: r\r\n{BASIC}\r\nTransfer-Encoding: chunked\r\n\r\n",
            "1;" + "x" * 900 + "\r\na\r\n",
        ),
    ],
    ids=["headers", "one header", "path", "empty headers", "trailers", "chunk extensions"],
)
def test_heads_have_a_limit(relay: RelayProcess, beginning: Any, endless: Any) -> None:
    before = memory(relay)
    sent = 0
    with connected(relay, beginning) as connection:
        try:
            while sent < 50 << 20:
                connection.sendall(endless.encode() * 20)
                sent += 20 * len(endless)
        except ConnectionError:
            pass
    assert sent < 20 << 20
    assert memory(relay) - before < 50
    assert relay.health()["status"] == "ok"


@pytest.mark.parametrize(
    "twice", ["Host: r\r\nHost: evil", "Host: r\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity"]
)
def test_headers_that_may_be_there_once(relay: RelayProcess, twice: Any) -> None:
    with connected(relay, f"POST /v1/track HTTP/1.1\r\n{twice}\r\nContent-Length: 0\r\n\r\n") as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", ["/v1/track/", "/v1/batch/", "/healthz/", "/v1/", "//evil.example/v1/track"])
def test_no_redirect_to_what_the_client_calls_us(relay: RelayProcess, path: str) -> None:
    answer = post(relay, path, "{}", headers={"Host": "evil.example"}, allow_redirects=False)
    assert answer.status_code in (404, 405)
    assert "evil" not in answer.text + str(answer.headers)


def test_a_number_and_its_text_are_one_user(relay: RelayProcess, fullstory: FullStoryAPI) -> None:
    user = int(time.time())
    for number, spelled in enumerate([user, float(user), str(user)] * 10):
        assert relay.post("/v1/track", track(str(number), number, userId=spelled)).status_code == 200
    wait_for(lambda: numbers(fullstory.accepted, str(user)) == list(range(30)))


def test_the_key_follows_from_what_is_stored(relay: RelayProcess, fullstory: FullStoryAPI) -> None:
    user = f"keys-{time.time_ns()}"
    message = {name: value for name, value in track(user, 1).items() if name != "timestamp"}
    for _ in range(2):
        assert relay.post("/v1/track", message).status_code == 200
        time.sleep(0.05)
    wait_for(lambda: len([each for each in fullstory.requests if user.encode() in each.body]) == 2)
    first, second = (each for each in fullstory.requests if user.encode() in each.body)
    assert first.body != second.body
    assert first.key != second.key
    assert user not in relay.command("list", "--json")


def test_many_attackers_at_once(relay: RelayProcess, fullstory: FullStoryAPI) -> None:
    """While all of the above goes on, a good client's messages arrive in order."""
    user = f"good-{time.time_ns()}"
    enough = threading.Event()

    def attack(text: Any) -> None:
        while not enough.is_set():
            try:
                with connected(relay, text) as connection:
                    connection.settimeout(0.2)
                    connection.recv(100)
            except OSError:
                pass

    texts = [REQUEST + "99\r\n\r\n{", "GET / HTTP/1.1\r\n" + "x:\r\n" * 9000, REQUEST + "2\r\n\r\n{}" * 500]
    attackers = [threading.Thread(target=attack, args=(text,), daemon=True) for text in texts]
    for each in attackers:
        each.start()
    for number in range(30):
        assert relay.post("/v1/track", track(user, number)).status_code == 200
    enough.set()
    wait_for(lambda: numbers(fullstory.accepted, user) == list(range(30)))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, "<html>Log in</html>", {"Content-Type": "text/html"}),
        Answer(307, None, {"Location": "http://localhost:1/v2/events"}),
        Answer(308, None, {"Location": "https://evil.example/v2/events"}),
        Answer(429, None, {"Retry-After": "0"}),
        Answer(200, "x" * (9 << 20)),
    ],
    ids=["login page", "307", "308", "429", "endless"],
)
def test_a_peer_that_is_not_fullstory_takes_nothing(
    make_relay: Callable[..., RelayProcess], api: FullStoryAPI, answer: Any
) -> None:
    relay = make_relay()
    relay.start()
    api.always(answer)
    relay.post("/v1/batch", {"batch": [track("u1", 1), track("u1", 2)]})
    wait_for(lambda: relay.health()["delivery"] not in ("ok", "the delivering process is starting"))
    assert relay.metric("messages_delivered_total") == 0
    assert relay.metric("messages_parked_total") == 0
    api.always(None)
    wait_for(lambda: numbers(api.accepted, "u1") == [1, 2])


def test_browser_sdks_are_told_to_send_here(relay: RelayProcess) -> None:
    origin = {"Origin": "https://shop.example"}
    settings = requests.get(f"{relay.url}/v1/projects/{WRITE_KEY}/settings", headers=origin, timeout=60)
    assert settings.headers["Access-Control-Allow-Origin"] == "*"
    assert settings.json()["integrations"]["Segment.io"]["apiHost"] == f"127.0.0.1:{relay.port}/v1"
    for path in ("/sourceConfig", "/sourceConfig/"):
        config = requests.get(relay.url + path, params={"writeKey": WRITE_KEY}, headers=origin, timeout=60)
        assert config.headers["Access-Control-Allow-Origin"] == "*"
        assert config.json()["source"]["destinations"] == []
    assert requests.get(f"{relay.url}/v1/projects/other/settings", timeout=60).status_code == 401
    assert requests.get(f"{relay.url}/sourceConfig?writeKey=other", timeout=60).status_code == 401
