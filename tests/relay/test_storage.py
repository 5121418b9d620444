"""The queue and the order of delivery, taken by themselves; and a disk that is full."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from fsbridge.cloud import Rejected, Unavailable
from fsbridge.relay import lanes
from fsbridge.relay.committer import Committer
from fsbridge.relay.dispatch import Dispatcher
from fsbridge.relay.lanes import Lanes
from fsbridge.relay.metrics import DeliveryMetrics
from fsbridge.relay.queue import Parking, Queue, QueueError, Waiting
from fsbridge.relay.settings import RelaySettings
from fsbridge.relay.tracking import Message

from .running import ROOT, numbers, track, wait_for


def message(number: int, lane: str = "u1") -> Message:
    return Message("track", lane, f"key-{lane}-{number}", f'{{"type":"track","number":{number}}}')


@pytest.fixture
def queue(tmp_path):
    opened = Queue(tmp_path / "queue.db")
    yield opened
    opened.close()


def test_messages_come_back_in_order(queue):
    queue.append([message(1), message(2, "u2")])
    queue.append([message(3)])
    first, second, third = queue.after(0, 10)
    assert [first.key, second.key, third.key] == ["key-u1-1", "key-u2-2", "key-u1-3"]
    assert [each.id for each in queue.of_lane("u1", 0, third.id, 10)] == [first.id, third.id]
    queue.remove([first.id, second.id, third.id])
    assert queue.sizes() == (0, 0)
    queue.append([message(4)])
    assert queue.after(0, 10)[0].id > third.id, "ids are never used twice"


def test_a_resent_message_keeps_its_key_unless_fullstory_remembers_it(queue):
    queue.append([message(1), message(2)])
    first, second = queue.after(0, 10)
    queue.park([Parking(first.id, "half a character \ud800", True), Parking(second.id, "no name", False)])
    assert queue.sizes() == (0, 2)
    assert queue.resend([first.id, second.id, 99]) == 2
    again = queue.after(0, 10)
    assert [each.body for each in again] == [first.body, second.body]
    assert again[0].key != first.key
    assert again[1].key == second.key


def test_a_queue_of_a_newer_release_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "queue.db") as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(QueueError, match="newer release"):
        Queue(tmp_path / "queue.db")


def test_a_commit_for_many_requests(queue):
    async def appended():
        committer = Committer(queue)
        waiting = [asyncio.ensure_future(committer.append([message(number)])) for number in range(100)]
        await asyncio.sleep(0)
        waiting[5].cancel()
        committer.start()
        await asyncio.gather(*waiting, return_exceptions=True)
        committer.stop()

    with ThreadPoolExecutor(1) as own:  # a browser test's loop may be running in this thread
        own.submit(asyncio.run, appended()).result()
    assert [each.key for each in queue.after(0, 1000)] == [f"key-u1-{number}" for number in range(100)]


def test_a_lane_that_is_stuck_takes_little_room(monkeypatch):
    monkeypatch.setattr(lanes, "MAX_OF_LANE", 3)
    held = Lanes()
    for number in range(1, 11):
        held.add(Waiting(number, "u1", "", "body", 0))
    held.add(Waiting(11, "u2", "", "body", 0))
    assert len(held) == 4
    lane = held.take(0)
    assert lane.name == "u1"
    assert held.take(0).name == "u2"
    assert held.take(0) is None
    for _ in range(2):
        held.done(lane)
        assert held.take(0) is lane
    held.done(lane)
    assert held.take(0) is None
    assert held.to_refill.popleft() is lane
    assert lane.rest == 4
    held.refill(lane, [Waiting(number, "u1", "", "body", 0) for number in (4, 5, 6)])
    assert lane.rest == 7
    assert held.take(0).messages[0].id == 4


def test_a_lane_that_failed_waits_for_its_time():
    held = Lanes()
    held.add(Waiting(1, "u1", "", "", 0))
    lane = held.take(0)
    held.sleep(lane, 5)
    assert held.wakes() == 5
    assert held.take(4.9) is None
    assert held.take(5) is lane


class FullStory:
    """One that fails on the messages of some users."""

    def __init__(self, **failures):
        self.failures = failures
        self.taken = []

    async def send(self, message, idempotency_key=None, *, again=False):
        user = idempotency_key.split("-")[1]
        await asyncio.sleep(0)
        if user in self.failures:
            raise self.failures[user]
        self.taken.append((user, message["number"]))
        return 1


@pytest.fixture
def dispatch(queue):
    """A function that runs ``scenario(dispatcher)`` while messages are delivered."""

    def run(fullstory, scenario, **options):
        settings = RelaySettings(frozenset(), "", None, **{"max_backoff": 0.01, "workers": 4, **options})

        async def main():
            dispatcher = Dispatcher(settings, queue, fullstory.send, DeliveryMetrics())
            dispatcher.start()
            try:
                async with asyncio.timeout(60):
                    await scenario(dispatcher)
            finally:
                await dispatcher.stop()
            assert not dispatcher.broken()

        with ThreadPoolExecutor(1) as own:  # a browser test's loop may be running in this thread
            own.submit(asyncio.run, main()).result()

    return run


async def until(condition):
    while not condition():
        await asyncio.sleep(0.01)


def test_many_more_messages_of_a_user_than_fit(queue, dispatch, monkeypatch):
    monkeypatch.setattr(lanes, "MAX_MESSAGES", 50)
    queue.append([message(number, f"u{number % 3}") for number in range(1500)])
    fullstory = FullStory()
    dispatch(fullstory, lambda _: until(lambda: len(fullstory.taken) == 1500))
    for user in range(3):
        assert [number for name, number in fullstory.taken if name == f"u{user}"] == list(range(user, 1500, 3))
    assert queue.sizes() == (0, 0)


def test_many_more_users_that_are_stuck_than_fit(queue, dispatch, monkeypatch):
    monkeypatch.setattr(lanes, "MAX_MESSAGES", 50)
    stuck = {f"stuck{number}": Unavailable("again", status=503) for number in range(200)}
    for number in range(2):
        queue.append([message(number, user) for user in stuck])
    queue.append([message(number) for number in range(5)])
    fullstory = FullStory(**stuck)

    async def scenario(_):
        await until(lambda: len(fullstory.taken) == 5)
        fullstory.failures.clear()
        await until(lambda: len(fullstory.taken) == 405)

    dispatch(fullstory, scenario, max_backoff=0.2)
    for user in stuck:
        assert [number for name, number in fullstory.taken if name == user] == [0, 1]


def test_what_fails_while_others_are_taken_is_parked_in_the_end(queue, dispatch):
    queue.append([message(1, "poison"), message(2, "poison")])
    fullstory = FullStory(poison=Unavailable("again", status=500))

    async def scenario(dispatcher):
        await until(lambda: dispatcher.trouble == "HTTP 500")
        await asyncio.sleep(0.6)
        assert queue.sizes() == (2, 0), "an outage parks nothing"
        for number in range(1000):
            queue.append([message(number)])
            if queue.sizes()[1]:
                break
            await asyncio.sleep(0.005)

    dispatch(fullstory, scenario, max_attempts=3)
    assert next(queue.parked()).reason.startswith("still failing while FullStory took others")


def test_whatever_goes_wrong_with_a_message_the_next_one_is_sent(queue, dispatch):
    bodies = ["", "{", "[]", "null", "Infinity", "[" * 100_000, '{"type": 5}', "nul\\0"]
    unreadable = [Message("track", f"odd{n}", f"key-odd{n}-1", body) for n, body in enumerate(bodies)]
    queue.append([*unreadable, message(1, "bug"), message(2, "bad"), message(3)])
    fullstory = FullStory(bug=ZeroDivisionError("secret"), bad=Rejected("no such thing"))
    dispatch(fullstory, lambda _: until(lambda: queue.sizes() == (0, 10)), workers=2)
    reasons = [each.reason for each in queue.parked()]
    assert reasons[-2:] == ["unexpected error: ZeroDivisionError", "no such thing"]
    assert all(reason.startswith("unexpected error: ") for reason in reasons[:-1])
    assert fullstory.taken == [("u1", 3)]


def test_keys_of_messages_with_several_requests(queue, dispatch):
    partly, wholly, held = Rejected("one of two", status=400), Rejected("both", status=400), Rejected("no name")
    partly.taken = 1
    held.others = [Rejected("bad key", status=401)]
    queue.append([message(1, "partly"), message(2, "wholly"), message(3, "held")])
    fullstory = FullStory(partly=partly, wholly=wholly, held=held)
    dispatch(fullstory, lambda _: until(lambda: queue.sizes() == (1, 2)))
    assert queue.after(0, 10)[0].key == "key-held-3", "with another API key it may be taken"
    queue.resend([each.id for each in queue.parked()])
    keys = [each.key for each in queue.after(0, 10)]
    assert "key-partly-1" in keys, "or what was taken would be taken again"
    assert "key-wholly-2" not in keys, "or it would be rejected again"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MB. To mount one takes root's rights."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(relay, refusals=5):
    """Send until the queue takes no more; how many messages it took."""
    taken = refused = 0
    while refused < refusals:
        batch = [track("u1", number, context={"filler": "x" * 10_000}) for number in range(taken, taken + 40)]
        response = relay.post("/v1/batch", {"batch": batch})
        if response.status_code == 200:
            taken += 40
        else:
            assert response.status_code == 503
            assert response.json()["code"] == "queue_unavailable"
            assert int(response.headers["Retry-After"]) > 0
            refused += 1
    return taken


@pytest.mark.parametrize("others", [False, True])
def test_a_full_disk_heals(small_disk, make_relay, api, others):
    """``others``: it is other programs that fill the disk."""
    relay = make_relay()
    relay.queue = small_disk / "relay.db"
    api.down()
    relay.start()
    if others:
        taken = 200
        relay.post("/v1/batch", {"batch": [track("u1", number) for number in range(taken)]})
        filler = small_disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
    else:
        taken = fill(relay)
        assert taken > 500
        assert requests.get(relay.url + "/healthz", timeout=30).status_code == 503
    api.up()
    wait_for(lambda: relay.metric("messages_waiting ") == 0, 60)
    assert numbers(api.accepted, "u1") == list(range(taken)), "what was acknowledged, and nothing else"
    assert len({each.key for each in api.requests}) == taken
    if others:
        filler.unlink()
    wait_for(lambda: relay.health()["status"] == "ok")
    wait_for(lambda: relay.post("/v1/track", track("u1", taken)).status_code == 200)
    relay.kill()
    relay.start()
    wait_for(lambda: numbers(api.accepted, "u1") == list(range(taken + 1)))
    assert len(api.accepted) == taken + 1, "nothing comes again after a restart"


def test_a_queue_with_a_limit(make_relay, api):
    relay = make_relay("--max-queue", "2MB")
    api.down()
    relay.start()
    taken = fill(relay)
    assert 100 < taken < 400
    assert "--max-queue" in relay.health()["status"]
    api.up()
    wait_for(lambda: relay.metric("messages_waiting ") == 0)
    assert relay.health()["status"] == "ok"
    assert numbers(api.accepted, "u1") == list(range(taken))


def test_the_log_is_folded_and_the_file_shrinks(tmp_path):
    queue, other = Queue(tmp_path / "queue.db"), Queue(tmp_path / "queue.db", durable=False)
    rows = [Message("track", "u1", str(number), "x" * 10_000) for number in range(200)]
    for _ in range(20):
        queue.append(rows)
        other.maintain()
    assert queue.log_size() < 25 << 20, "though nothing was delivered"
    size = (tmp_path / "queue.db").stat().st_size
    assert size > 40_000_000
    while waiting := other.after(0, 500):
        other.remove([each.id for each in waiting])
    for _ in range(20):
        other.maintain()
    assert (tmp_path / "queue.db").stat().st_size < size / 3
    queue.close()
    other.close()


def test_nobody_else_can_read_the_queue(make_relay, api):
    relay = make_relay()
    relay.queue.write_bytes(b"")
    relay.queue.chmod(0o644)
    relay.start()
    relay.post("/v1/track", track("u1", 1))
    files = [file for file in relay.queue.parent.iterdir() if file.name.startswith("relay.db")]
    assert {file.name for file in files} >= {"relay.db", "relay.db-wal", "relay.db-shm", "relay.db.lock"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert "others could read the queue" in relay.log.read_text()


def test_a_lock_that_is_a_symbolic_link_is_refused(make_relay, tmp_path):
    relay = make_relay()
    precious = tmp_path / "precious"
    precious.write_text("content")
    (tmp_path / "relay.db.lock").symlink_to(precious)
    relay.start(wait=False)
    assert relay.wait() == 2
    assert precious.read_text() == "content"


@pytest.mark.parametrize("fate", ["deleted", "replaced", "corrupt"])
def test_a_queue_that_is_gone_acknowledges_nothing(relay, api, fate):
    assert relay.post("/v1/track", track("u1", 1)).status_code == 200
    if fate == "corrupt":
        for name in ("relay.db", "relay.db-wal"):
            with relay.queue.with_name(name).open("r+b") as file:
                file.write(b"no database at all" * 10_000)
    else:
        relay.queue.unlink()
    if fate == "replaced":
        relay.queue.touch()
    wait_for(lambda: requests.get(relay.url + "/healthz", timeout=30).status_code == 503)
    assert "queue" in relay.health()["status"]
    if fate != "corrupt":  # which may be any part of it
        assert relay.post("/v1/track", track("u1", 3)).status_code == 503


def test_a_second_connection_takes_no_locks_away(tmp_path):
    """Without its locks another process takes the queue for unused, and deletes the files that both share."""
    script = """
import subprocess, sys
from pathlib import Path
from fsbridge.relay.queue import Message, Queue
path = Path(sys.argv[1])
first, second = Queue(path), Queue(path)
open_it = f"from fsbridge.relay.queue import Queue; from pathlib import Path; Queue(Path({str(path)!r})).sizes()"
for number in range(3):
    first.append([Message("track", "u1", "key", "{}")] * 100)
    before = Path(f"{path}-shm").stat().st_ino, Path(f"{path}-wal").stat().st_ino
    subprocess.run([sys.executable, "-c", open_it], check=True)
    assert before == (Path(f"{path}-shm").stat().st_ino, Path(f"{path}-wal").stat().st_ino)
assert second.sizes() == (300, 0)
"""
    subprocess.run([sys.executable, "-c", script, tmp_path / "queue.db"], cwd=ROOT, check=True)
