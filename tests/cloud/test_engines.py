"""Both HTTP engines: peers that don't play fair, processes that fork, and `AsyncCloud`."""

import asyncio
import datetime
import decimal
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fsbridge.cloud import AsyncCloud, Cloud, Rejected, Unavailable
from tests.standin import KEY, Answer, FullStoryAPI

TRACK = {"type": "track", "userId": "u1", "event": "Clicked", "messageId": "m1", "properties": {"n": 1}}


def run(coroutine: Any) -> Any:
    with ThreadPoolExecutor(1) as own:  # a browser test's loop may be running in this thread
        return own.submit(asyncio.run, coroutine).result()


class Peer:
    """A server that takes one connection after the other and does ``behave(connection)``."""

    def __init__(self, behave: Any) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._behave = behave
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
                with connection:
                    connection.recv(1 << 16)
                    self._behave(connection)
            except OSError:
                if self._listening.fileno() < 0:
                    return

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> Any:
        self._listening.close()


def dripping(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def dripping_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"y")
        time.sleep(0.05)


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 65536)


def endless_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n" * 1000)


def no_http(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH\r\n")


@pytest.fixture(params=["Cloud", "AsyncCloud", "send_many"])
def sent(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """A function that sends one message, in each of the ways that there are."""

    def send(url: str) -> Any:
        options: dict[str, Any] = {"base_url": url, "timeout": 1, "retry_for": 0}
        if request.param == "AsyncCloud":

            async def main() -> Any:
                async with AsyncCloud(KEY, **options) as cloud:
                    return await cloud.send(TRACK)

            return run(main())
        with Cloud(KEY, **options) as cloud:
            return cloud.send(TRACK) if request.param == "Cloud" else cloud.send_many([TRACK]).requests

    return send


@pytest.mark.parametrize("behave", [dripping, dripping_headers, endless, endless_headers, no_http])
def test_a_peer_that_does_not_play_fair_is_given_up(sent: Callable[[str], Any], behave: Any) -> None:
    with Peer(behave) as peer, pytest.raises(Unavailable):
        sent(peer.url)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(200, "<html>Log in</html>", {"Content-Type": "text/html"}), Unavailable),
        (Answer(200, "fine", {"Content-Type": "text/plain"}), Unavailable),
        (Answer(307, None, {"Location": "http://localhost:1/v2/events"}), Rejected),
        (Answer(308, None, {"Location": "//evil.example/v2/events"}), Rejected),
        (Answer(307, None, {"Location": "ftp://127.0.0.1/v2/events"}), Rejected),
        (Answer(303, None, {"Location": "/v2/events"}), Rejected),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_answer_that_is_not_fullstorys_is_no_success(
    sent: Callable[[str], Any], api: FullStoryAPI, answer: Any, error: Any
) -> None:
    api.always(answer)
    with pytest.raises(error):
        sent(api.url)
    assert len(api.requests) == 1


def test_a_redirect_in_circles_ends(sent: Callable[[str], Any], api: FullStoryAPI) -> None:
    api.always(Answer(307, None, {"Location": "/v2/events"}))
    with pytest.raises(Rejected):
        sent(api.url)
    assert len(api.requests) < 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_each_process_has_its_own_connections(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    cloud = connect()
    cloud.send(TRACK)
    children = []
    for child in range(4):
        process = os.fork()
        if not process:
            status = 1
            try:
                for number in range(20):
                    cloud.track(f"child{child}", "Clicked", {"n": number})
                cloud.send_many({**TRACK, "messageId": f"{child}-{n}", "userId": "many"} for n in range(5))
                status = 0
            finally:
                os._exit(status)
        children.append(process)
    for number in range(20):
        cloud.track("parent", "Clicked", {"n": number})
    assert [os.waitpid(process, 0)[1] for process in children] == [0] * 4
    assert len(api.accepted) == 1 + 5 * 20 + 4 * 5
    assert len(api.accepted) == len({each.key for each in api.accepted})


BAD = [
    10**400,
    -(10**400),
    datetime.datetime.min,
    datetime.datetime.max.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=-12))),
    decimal.Decimal("1E+400"),
    decimal.Decimal("1E+999999"),
    decimal.Decimal("sNaN"),
    object(),
    b"bytes",
    {1: {2: object}},
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: repr(bad)[:20])
@pytest.mark.parametrize("place", ["properties", "context", "userId", "timestamp", "event"])
def test_one_bad_message_stops_no_others(
    connect: Callable[..., Cloud], api: FullStoryAPI, bad: Any, place: str
) -> None:
    properties = {"n": 1, "bad": bad} if place == "properties" else {"n": 1}
    odd = {**TRACK, "properties": properties, **({} if place == "properties" else {place: bad})}
    messages = [{**TRACK, "messageId": "a"}, odd, {**TRACK, "messageId": "b", "properties": {"n": 2}}]
    heard = []
    cloud = connect()
    sent = cloud.send_many(messages, lambda index, message, error: heard.append((index, error is None)))
    assert sent.messages == 3
    assert {(0, True), (2, True)} <= set(heard)
    rejected = []
    done = cloud.backfill(messages, lambda message, error: rejected.append(error), batch_size=10, poll_every=0.01)
    assert done.messages == 3
    assert done.events == 3 - len(rejected)


def test_async_order_and_parallel(api: FullStoryAPI) -> None:
    async def main() -> Any:
        async with AsyncCloud(KEY, base_url=api.url, retry_for=30, timeout=5) as cloud:
            assert await cloud.identify("u1", {"plan": "premium"}) == 1
            assert await cloud.track("u1", "Clicked") == 1
            assert (await cloud.me())["orgId"] == "1ABC"

            async def messages() -> AsyncIterator[dict[str, Any]]:
                for index in range(200):
                    yield {**TRACK, "messageId": f"m{index}", "userId": f"u{index % 7}", "properties": {"i": index}}
                    await asyncio.sleep(0)

            sent = await cloud.send_many(messages(), window=50)
            await asyncio.gather(*(cloud.track(f"v{n}", "Clicked") for n in range(100)))
            done = await cloud.backfill([{**TRACK, "messageId": "x"}], poll_every=0.01)
            await cloud.delete_user("u1")
            return sent, done

    sent, done = run(main())
    assert (sent.messages, sent.requests, done.events) == (200, 200, 1)
    orders = [each.json for each in api.accepted if b'"i":' in each.body]
    for user in range(7):
        mine = [each["properties"]["i"] for each in orders if each["user"]["uid"] == f"u{user}"]
        assert mine == list(range(user, 200, 7))


def test_async_rejections_and_outages(api: FullStoryAPI) -> None:
    async def main() -> Any:
        async with AsyncCloud(KEY, base_url=api.url, retry_for=0, timeout=5) as cloud:
            api.script(400)
            with pytest.raises(Rejected):
                await cloud.send_many([TRACK, {**TRACK, "messageId": "m2"}])
            api.always(503)
            with pytest.raises(Unavailable):
                await cloud.send_many({**TRACK, "messageId": str(n)} for n in range(5000))
            api.always(None)
            return await cloud.send({**TRACK, "messageId": "after"})

    assert run(main()) == 1
    assert len(api.requests) < 100


def test_a_slow_iterable_keeps_nothing_waiting(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    arrived = []

    def messages() -> Iterator[dict[str, Any]]:
        yield TRACK
        deadline = time.monotonic() + 120
        while not api.accepted and time.monotonic() < deadline:
            time.sleep(0.01)
        arrived.append(len(api.accepted))
        yield {**TRACK, "messageId": "m2"}

    assert connect().send_many(messages()).requests == 2
    assert arrived == [1]
