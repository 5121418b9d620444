"""Who delivers from which partition of a queue in NATS: one relay at a time, whatever the others believe."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from nats.aio.client import Client

from fsbridge.relay.dispatch import Dispatcher
from fsbridge.relay.lanes import Lanes
from fsbridge.relay.metrics import DeliveryMetrics
from fsbridge.relay.queue import Parking, QueueError, Waiting, cluster, connection, leases, partition
from fsbridge.relay.queue.address import Cluster, parsed
from fsbridge.relay.queue.connection import Connection
from fsbridge.relay.queue.opening import opened
from fsbridge.relay.settings import RelaySettings
from fsbridge.relay.tracking import Message
from tests.standin import FullStoryAPI
from tools import nats

from .conftest import NUMBERS
from .running import RelayProcess, numbers, track, wait_for
from .servers import Servers

PARTITIONS = 4


def message(number: int, lane: str = "u1") -> Message:
    return Message("track", lane, f"key-{lane}-{number}", f'{{"type":"track","number":{number}}}')


@pytest.fixture
def make_queue(one_server: Any) -> Iterator[Any]:
    """A function that opens the same queue again, as another relay."""
    name = f"leases{next(NUMBERS)}"
    queues = []

    def make(partitions: Any = PARTITIONS) -> Any:
        queues.append(opened(parsed(f"{one_server.url}/{name}", partitions)))
        return queues[-1]

    setattr(make, "opened", queues)  # noqa: B010
    yield make
    for queue in queues:
        queue.close()


class Clock:
    """Time that passes when a test says so: on a machine that is busy no lease ends but those that are to."""

    def __init__(self) -> None:
        self._now = 1000.0

    def __call__(self) -> float:
        return self._now

    def forward(self, seconds: float) -> None:
        self._now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (leases, partition, cluster):
        monkeypatch.setattr(module, "now", clock)
    return clock


def held(queue: Any) -> set[int]:
    queue.maintain()
    return set(queue._leases.held)


def read(queue: Any, number: Any) -> Any:
    found = []

    def enough() -> Any:
        queue.maintain()
        found.extend(queue.next(1000))
        return len(found) >= number

    wait_for(enough)
    return found


def test_relays_share_the_partitions(make_queue: Any, clock: Clock) -> None:
    one = make_queue()
    wait_for(lambda: held(one) == set(range(PARTITIONS)))
    two = make_queue()

    def shared() -> bool:
        halves = held(one), held(two)
        return all(len(half) == PARTITIONS // 2 for half in halves) and set.union(*halves) == set(range(PARTITIONS))

    wait_for(shared)
    make_queue.opened.remove(two)
    two.close()
    wait_for(lambda: held(one) == set(range(PARTITIONS)))


def test_a_relay_that_was_paused_does_nothing_any_more(make_queue: Any, clock: Clock) -> None:
    one = make_queue()
    wait_for(lambda: held(one) == set(range(PARTITIONS)))
    one.append([message(number) for number in range(4)])
    first, second, third, _ = read(one, 4)
    one.remove([first])
    one.maintain()
    assert one.owns("u1")
    one.remove([second])  # which it can't say any more
    two = make_queue()
    two.maintain()
    clock.forward(leases.LEASE + 1)
    found = read(two, 3)
    assert [each.key for each in found] == ["key-u1-1", "key-u1-2", "key-u1-3"], "in order, from the cursor on"
    assert all(each.tried for each in found)
    assert not one.owns("u1")
    one.park([Parking(third, "paused", False)])
    assert list(two.parked()) == []
    assert one.maintain(), "it learns that what it has is another's"
    two.remove(found[:2])
    two.maintain()
    assert two.sizes() == (1, 0)
    one.remove([third])  # an answer that came late
    one.maintain()
    assert two.sizes() == (1, 0)


def test_what_a_paused_relay_writes_is_refused(make_queue: Any, clock: Clock) -> None:
    """Also when it believes that its time isn't over."""
    one = make_queue()
    wait_for(lambda: held(one) == set(range(PARTITIONS)))
    one.append([message(number) for number in range(3)])
    mine = read(one, 3)
    for each in one._leases.held.values():
        each.until += 3600
    two = make_queue()
    two.maintain()
    clock.forward(leases.LEASE + 1)
    assert len(read(two, 3)) == 3
    one.remove(mine)
    assert one.maintain()
    assert not one.owns("u1")
    two.maintain()
    assert two.sizes() == (3, 0), "the cursor stays where it was"


def test_a_delivering_process_that_replaces_another_goes_on_at_once(one_server: Any, clock: Clock) -> None:
    place = parsed(f"{one_server.url}/again{next(NUMBERS)}", PARTITIONS)
    before, after = opened(place), opened(place)
    wait_for(lambda: held(before) == set(range(PARTITIONS)))
    before.append([message(1)])
    assert [each.key for each in read(after, 1)] == ["key-u1-1"]
    for queue in (before, after):
        queue.close()


def test_one_stuck_user_keeps_nobody_elses_messages(make_queue: Any, clock: Clock) -> None:
    queue = make_queue(1)
    queue.append([message(0, "stuck")])
    for number in range(1200):
        queue.append([message(number, "fine")])
    found = read(queue, 1201)
    queue.remove([each for each in found if each.lane == "fine"])
    queue.maintain()
    assert queue.sizes() == (1, 0)
    queue.maintain()
    state = queue._leases.held[0].kept
    assert state["cursor"] == 1
    assert len(state["done"]) <= 200, "what is finished behind it is deleted, and needn't be remembered"
    make_queue.opened.remove(queue)
    queue.close()
    other = make_queue(1)
    assert [each.lane for each in read(other, 1)] == ["stuck"]


def test_what_is_deleted_may_be_deleted_again(make_queue: Any) -> None:
    """As it is when an answer gets lost."""
    queue = make_queue(1)
    for number in range(3):
        queue.append([message(number)])
    delete, stream = queue._jetstream.delete, queue._streams[0]
    assert [queue._connection.call(delete(stream, seq)) for seq in (2, 2, 9)] == [True, False, False]


def test_a_stream_keeps_its_newest_entry(make_queue: Any, clock: Clock) -> None:
    """Servers that end while a stream is empty may count anew; what is kept is neither waiting nor sent again."""
    queue = make_queue(1)
    for number in range(5):
        queue.append([message(number)])
    queue.remove(read(queue, 5))
    for _ in range(2):
        queue.maintain()
        assert queue.sizes() == (0, 0)
        assert queue.oldest() is None
    (state,) = queue._connection.call(queue._look())[:-1]
    assert (state["messages"], state["last_seq"]) == (1, 5)
    make_queue.opened.remove(queue)
    queue.close()
    other = make_queue(1)
    other.append([message(5)])
    assert [each.key for each in read(other, 1)] == ["key-u1-5"]
    assert other.sizes() == (1, 0)
    assert time.time() - other.oldest() < 60


def test_a_lease_that_was_over_for_a_moment_is_taken_anew(make_queue: Any, clock: Clock) -> None:
    """What was forgotten in that moment is read again."""
    queue = make_queue(1)
    queue.append([message(number) for number in range(3)])
    first = read(queue, 3)[0]
    queue.remove([first])
    queue._leases.held[0].until = 0
    assert not queue.owns("u1")
    queue._leases.held[0].until = clock() + 60
    assert not queue.owns("u1"), "though it would be renewed in time"
    assert queue.maintain()
    assert [each.key for each in read(queue, 2)] == ["key-u1-1", "key-u1-2"]
    assert queue.owns("u1")


def test_order_holds_while_leases_come_and_go(make_queue: Any) -> None:
    queue = make_queue()
    users = [f"u{number}" for number in range(20)]
    taken: list[str] = []

    async def send(message: dict[str, Any], idempotency_key: str | None = None, *, again: bool = False) -> int:
        await asyncio.sleep(0.002)
        taken.append(str(idempotency_key))
        return 1

    async def main() -> None:
        settings = RelaySettings(frozenset(), "", Path("unused"), workers=4)
        dispatcher = Dispatcher(settings, queue, send, DeliveryMetrics())
        dispatcher.start()
        for number in range(60):
            await asyncio.to_thread(queue.append, [message(number, user) for user in users])
            await asyncio.sleep(0.05)
            if number % 5 == 0 and queue._leases is not None:
                for each in list(queue._leases.held.values())[: number % 3 + 1]:
                    each.until = 0
        async with asyncio.timeout(100):
            while len(set(taken)) < 1200 or (await asyncio.to_thread(queue.sizes)) != (0, 0):
                await asyncio.sleep(0.1)
        await dispatcher.stop()

    with ThreadPoolExecutor(1) as own:  # a browser test's loop may be running in this thread
        own.submit(asyncio.run, main()).result()
    for user in users:
        first_times = list(dict.fromkeys(key for key in taken if key.split("-")[1] == user))
        assert first_times == [f"key-{user}-{number}" for number in range(60)]


def test_partitions_are_settled_once(make_queue: Any, one_server: Any) -> None:
    queue = make_queue()
    with pytest.raises(QueueError, match="made with 4 partitions, not 5"):
        make_queue(5)
    other = make_queue(None)
    other.append([message(1)])
    assert queue.sizes() == (1, 0)


def test_lanes_of_others_are_forgotten() -> None:
    lanes = Lanes()
    for number, lane in enumerate(["a", "b", "c", "a", "b", "c"]):
        lanes.add(Waiting(number, lane, "", "body", 0))
    taken = lanes.take(0)
    asleep = lanes.take(0)
    lanes.sleep(asleep, 5)
    lanes.keep(lambda lane: lane == "c")
    assert len(lanes) == 2
    lanes.done(taken)  # no news any more
    assert lanes.wakes() is None
    assert lanes.take(10).name == "c"
    assert lanes.take(10) is None
    lanes.add(Waiting(7, "a", "", "body", 0))
    assert lanes.take(10).messages[0].id == 7


# As processes

SECRET = "s3cret-of-nats"


@pytest.fixture
def locked_server(nats_server: Any, tmp_path: Path) -> Iterator[Any]:
    """A server that wants credentials."""
    more = f"""
accounts {{ one {{ jetstream: enabled, users: [{{ user: "relay", password: "{SECRET}/@," }}] }} }}
"""
    with Servers(tmp_path, 1, more) as servers:
        yield servers


def test_credentials_are_used_and_shown_nowhere(
    locked_server: Any, make_relay: Callable[..., RelayProcess], api: FullStoryAPI
) -> None:
    relay = make_relay()
    host = locked_server.url.removeprefix("nats://")
    relay.queue = f"nats://relay:{SECRET}%2F%40%2C@{host}"
    relay.start()
    relay.post("/v1/track", track("u1", 1))
    wait_for(lambda: numbers(api.accepted, "u1") == [1])
    assert relay.stop() == 0
    relay.queue = f"nats://relay:wrong-{SECRET}@{host}"

    def refused() -> bool:
        """Whether it says why; the server may close the connection before its reason is read."""
        relay.start(wait=False)
        assert relay.wait() == 2
        return "uthorization" in relay.log.read_text()

    wait_for(refused)
    logged = relay.log.read_text()
    assert "can't be used" in logged
    assert "R=1" in logged
    assert "uthorization" in logged
    assert SECRET not in logged


def test_an_operators_commands_wait_for_a_leader(make_queue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    for number in range(2):
        waiting = Waiting(number << 22, "u1", f"key-{number}", "{}", 1.0)
        queue._connection.call(queue._park(Parking(waiting, "why", remembered=False)))
    asked = Connection.request
    elections = iter([False, False, True] * 100)

    async def request(self: Any, *arguments: Any) -> bytes:
        if next(elections):
            return await asked(self, *arguments)
        raise QueueError("NATS has no leader for it")

    monkeypatch.setattr(Connection, "request", request)
    first, second = [each.id for each in queue.parked()]
    assert queue.resend([first]) == 1
    assert queue.drop([first, second]) == 1
    assert list(queue.parked()) == []


@pytest.mark.parametrize(("safe", "warned"), [(cluster.SAFE, False), ((99, 0), True)])
def test_servers_that_may_lose_messages_are_named(
    make_queue: Any,
    nats_server: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    safe: Any,
    warned: bool,
) -> None:
    number = nats.version(nats_server)
    monkeypatch.setattr(cluster, "SAFE", safe)
    make_queue()
    texts = [record.getMessage() for record in caplog.records]
    wanted = f"NATS {'.'.join(map(str, number))} may lose acknowledged messages"
    assert any(text.startswith(wanted) for text in texts) == (warned or number < safe)


def test_tls(
    nats_server: Any,
    make_relay: Callable[..., RelayProcess],
    api: FullStoryAPI,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = trustme.CA()
    trusted, certificate = tmp_path / "ca.pem", tmp_path / "server.pem"
    authority.cert_pem.write_to_path(str(trusted))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    with Servers(tmp_path, 1, f'tls {{ cert_file: "{certificate}", key_file: "{certificate}" }}') as servers:
        relay = make_relay()
        relay.queue = servers.url.replace("nats://", "tls://")
        relay.start(wait=False)
        assert relay.wait() == 2
        assert "CERTIFICATE_VERIFY_FAILED" in relay.log.read_text()
        relay.log.unlink()
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        relay.start()
        relay.post("/v1/track", track("u1", 1))
        wait_for(lambda: numbers(api.accepted, "u1") == [1])
        assert relay.stop() == 0
        assert all(line["event"] for line in relay.logged()), "nothing that tells nobody anything"


def test_no_server_at_the_start(nats_server: Any, make_relay: Callable[..., RelayProcess], api: FullStoryAPI) -> None:
    relay = make_relay()
    relay.queue = "nats://127.0.0.1:1,127.0.0.1:2"
    relay.start(wait=False)
    assert relay.wait() == 2
    logged = relay.log.read_text()
    assert "nats://127.0.0.1:1,127.0.0.1:2/relay can't be used: no server of 127.0.0.1:1,127.0.0.1:2" in logged


@pytest.mark.parametrize("connects", [True, False])
def test_a_cancellation_that_a_library_hides(monkeypatch: pytest.MonkeyPatch, connects: bool) -> None:
    """The connection ends all the same, whether it had been made meanwhile or not."""
    begun = threading.Event()

    class Hiding(Client):
        async def connect(self, *_: Any, **__: Any) -> None:
            begun.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if not connects:
                    raise OSError("nobody there") from None

        async def close(self) -> None:
            raise AttributeError("it never was a connection")

    async def connected(_: Client) -> None:
        pass

    monkeypatch.setattr(connection, "Client", Hiding)
    made = Connection(Cluster(("127.0.0.1:1",)), connected)
    assert begun.wait(60)
    ending = threading.Thread(target=made.close, daemon=True)
    ending.start()
    ending.join(60)
    assert not ending.is_alive()


def test_servers_that_are_gone_for_a_while(
    nats_server: Any, make_relay: Callable[..., RelayProcess], api: FullStoryAPI, tmp_path: Path
) -> None:
    with Servers(tmp_path, 1) as servers:
        relay = make_relay()
        relay.queue = servers.url
        relay.start()
        api.down()
        assert relay.post("/v1/track", track("u1", 1)).status_code == 200
        servers.kill(0)
        wait_for(lambda: requests.get(relay.url + "/healthz", timeout=30).status_code == 503)
        assert "no server of 127.0.0.1:" in relay.health()["status"]
        refused = relay.post("/v1/track", track("u1", 2))
        assert refused.status_code == 503
        assert refused.json()["code"] == "queue_unavailable"
        api.up()
        servers.start(0)
        wait_for(lambda: relay.health()["status"] == "ok")
        wait_for(lambda: relay.post("/v1/track", track("u1", 2)).status_code == 200)
        wait_for(lambda: numbers(api.accepted, "u1") == [1, 2])
        wait_for(lambda: relay.metric("messages_waiting ") == 0)
        relay.end()


def test_two_relays_take_and_deliver(one_server: Any, tmp_path: Path, api: FullStoryAPI) -> None:
    relays = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        relays.append(RelayProcess(tmp_path / str(number), api.url))
        relays[-1].queue = f"{one_server.url}/two"
        relays[-1].start()
    try:
        users = [f"u{number}" for number in range(40)]
        for number in range(6):
            batch = [track(user, number) for user in users]
            assert relays[number % 2].post("/v1/batch", {"batch": batch}).status_code == 200
        wait_for(lambda: len(api.accepted) == 240)
        assert all(numbers(api.accepted, user) == list(range(6)) for user in users)
        wait_for(lambda: all(relay.metric("messages_waiting ") == 0 for relay in relays))
        wait_for(lambda: _both_deliver(relays, users, api))
    finally:
        for relay in relays:
            relay.end()


def _both_deliver(relays: Any, users: list[str], api: FullStoryAPI) -> bool:
    """Send one more message of each user; whether either relay has delivered something by now."""
    before = len(api.accepted)
    relays[0].post("/v1/batch", {"batch": [track(user, 1000 + before) for user in users]})
    wait_for(lambda: len(api.accepted) == before + len(users))
    return all(relay.metric("messages_delivered_total") for relay in relays)
