"""The queue and the order of delivery, taken by themselves; and a disk that is full."""

import asyncio
import resource
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fsbridge.relay.delivery import Delivery

from fsbridge.cloud import Rejected, Unavailable
from fsbridge.relay import lanes
from fsbridge.relay.committer import Committer
from fsbridge.relay.lanes import Lanes
from fsbridge.relay.metrics import DeliveryMetrics
from fsbridge.relay.queue import Parking, Queue, Waiting
from fsbridge.relay.settings import RelaySettings
from fsbridge.relay.tracking import Message

from .running import numbers, track, wait_for


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
    with pytest.raises(sqlite3.DatabaseError, match="newer release"):
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
    monkeypatch.setattr(lanes, "MOST_OF_LANE", 3)
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


class Sender:
    """A FullStory that fails on the messages of some users."""

    def __init__(self, **failures):
        self.failures = failures
        self.taken = []
        self._lock = threading.Lock()

    def send(self, message, idempotency_key=None, *, again=False):
        user = idempotency_key.split("-")[1]
        if user in self.failures:
            raise self.failures[user]
        with self._lock:
            self.taken.append((user, message["number"]))
        return 1


def delivering(queue, sender, **options):
    settings = RelaySettings(frozenset(), "", None, max_backoff=0.01, workers=4, **options)
    return Delivery(settings, queue, sender, DeliveryMetrics())


def test_many_more_messages_of_a_user_than_fit(queue, monkeypatch):
    monkeypatch.setattr(lanes, "MOST_MESSAGES", 50)
    queue.append([message(number, f"u{number % 3}") for number in range(1500)])
    sender = Sender()
    delivery = delivering(queue, sender)
    delivery.start()
    wait_for(lambda: len(sender.taken) == 1500)
    delivery.stop()
    for user in range(3):
        assert [number for name, number in sender.taken if name == f"u{user}"] == list(range(user, 1500, 3))
    assert queue.sizes() == (0, 0)


def test_what_fails_while_others_are_taken_is_parked_in_the_end(queue):
    queue.append([message(1, "poison"), message(2, "poison")])
    sender = Sender(poison=Unavailable("again", status=500))
    delivery = delivering(queue, sender, patience=3)
    delivery.start()
    wait_for(lambda: delivery.trouble == "HTTP 500")
    threading.Event().wait(0.6)
    assert queue.sizes() == (2, 0), "an outage parks nothing"
    for number in range(1000):
        queue.append([message(number)])
        if queue.sizes()[1]:
            break
        threading.Event().wait(0.005)
    delivery.stop()
    assert next(queue.parked()).reason.startswith("still failing while FullStory took others")


def test_whatever_goes_wrong_with_a_message_the_next_one_is_sent(queue):
    queue.append([message(1, "bug"), message(2, "bad"), message(3)])
    delivery = delivering(queue, Sender(bug=ZeroDivisionError("secret"), bad=Rejected("no such thing")))
    delivery.start()
    wait_for(lambda: queue.sizes() == (0, 2))
    delivery.stop()
    assert {each.reason for each in queue.parked()} == {"unexpected error: ZeroDivisionError", "no such thing"}


def test_keys_of_messages_with_several_requests(queue):
    partly, wholly, held = Rejected("one of two", status=400), Rejected("both", status=400), Rejected("no name")
    partly.taken = 1
    held.others = [Rejected("bad key", status=401)]
    queue.append([message(1, "partly"), message(2, "wholly"), message(3, "held")])
    delivery = delivering(queue, Sender(partly=partly, wholly=wholly, held=held))
    delivery.start()
    wait_for(lambda: queue.sizes() == (1, 2))
    delivery.stop()
    assert queue.after(0, 10)[0].key == "key-held-3", "with another API key it may be taken"
    queue.resend([each.id for each in queue.parked()])
    keys = [each.key for each in queue.after(0, 10)]
    assert "key-partly-1" in keys, "or what was taken would be taken again"
    assert "key-wholly-2" not in keys, "or it would be rejected again"


def test_a_full_disk(make_relay, api):
    relay = make_relay()
    most = 2 << 20  # for every file that the relay writes
    relay.preexec = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    api.down()
    relay.start()
    taken = refused = 0
    while refused < 20:
        batch = [track("u1", number, context={"filler": "x" * 1000}) for number in range(taken, taken + 20)]
        response = relay.post("/v1/batch", {"batch": batch})
        if response.status_code == 200:
            taken += 20
        else:
            assert response.status_code == 503
            assert response.json()["code"] == "queue_unavailable"
            assert int(response.headers["Retry-After"]) > 0
            refused += 1
    assert taken > 0
    assert relay.health()["status"] == "the queue can't be written"
    relay.kill()
    relay.preexec = None
    api.up()
    relay.start()
    wait_for(lambda: relay.metric("messages_waiting ") == 0)
    assert numbers(api.accepted, "u1") == list(range(taken)), "what was acknowledged, and nothing else"
