"""The queue's contract, which the embedded one and the one in NATS keep alike; and delivery from both."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fsbridge.cloud import Rejected, Unavailable
from fsbridge.relay import lanes
from fsbridge.relay.committer import Committer
from fsbridge.relay.dispatch import Dispatcher
from fsbridge.relay.metrics import DeliveryMetrics
from fsbridge.relay.queue import Parking, QueueError
from fsbridge.relay.queue.opening import opened
from fsbridge.relay.settings import RelaySettings
from fsbridge.relay.tracking import Message

from .running import wait_for


@pytest.fixture
def open_queue(place: Any) -> Iterator[Any]:
    """A function that opens the queue; the one before is closed."""
    queues: list[Any] = []

    def open_it(**options: Any) -> Any:
        for queue in queues:
            queue.close()
        queues[:] = [opened(place, **options)]
        return queues[0]

    yield open_it
    for queue in queues:
        queue.close()


@pytest.fixture
def queue(open_queue: Any) -> Any:
    return open_queue()


def read(queue: Any, number: Any) -> Any:
    """The next messages of a queue that this process delivers from."""
    found = []
    assert queue.claim() == ""

    def enough() -> Any:
        queue.maintain()
        found.extend(queue.next(number))
        return len(found) >= number

    wait_for(enough)
    assert queue.next(number) == []
    return found


def sizes(queue: Any) -> Any:
    queue.maintain()
    return queue.sizes()


def message(number: int, lane: str = "u1") -> Message:
    return Message("track", lane, f"key-{lane}-{number}", f'{{"type":"track","number":{number}}}')


def test_messages_come_back_in_order(queue: Any) -> None:
    assert queue.sizes() == (0, 0)
    assert queue.oldest() is None
    queue.append([message(1), message(2, "u2")])
    queue.append([message(3)])
    found = read(queue, 3)
    first, third = [each for each in found if each.lane == "u1"]
    assert [first.key, third.key] == ["key-u1-1", "key-u1-3"]
    assert {(each.key, each.body) for each in found} == {(each.key, each.body) for each in map(message, (1, 3))} | {
        ("key-u2-2", message(2, "u2").body)
    }
    assert queue.of_lane("u1", first.id, 10) == [first, third]
    assert queue.of_lane("u1", first.id + 1, 10) == [third]
    assert queue.of_lane("u1", first.id, 1) == [first]
    assert all(queue.owns(each.lane) for each in found)
    assert sizes(queue) == (3, 0)
    assert abs(queue.oldest() - first.received) < 1
    queue.remove([first])
    assert queue.of_lane("u1", 0, 10) == [third]
    queue.remove(each for each in found if each is not first)
    assert sizes(queue) == (0, 0)
    assert queue.oldest() is None
    queue.append([message(4)])
    assert read(queue, 1)[0].id > third.id, "ids are never used twice"


def test_who_opens_a_queue_reads_what_is_unfinished(queue: Any, open_queue: Any) -> None:
    queue.append([message(number, f"u{number % 3}") for number in range(30)])
    queue.remove([each for each in read(queue, 30) if '"number":2' not in each.body])
    queue.append([message(30)])
    queue.maintain()
    again = read(open_queue(), 12)
    unfinished = {"key-u1-30", "key-u2-2"} | {f"key-u{number % 3}-{number}" for number in range(20, 30)}
    assert {each.key for each in again} == unfinished, "and nothing else"
    assert all(each.tried for each in again)


def test_what_comes_later_was_not_tried(queue: Any) -> None:
    read(queue, 0)
    queue.append([message(1)])
    assert not read(queue, 1)[0].tried


def test_large_batches(queue: Any) -> None:
    many = [Message("track", f"u{number % 7}", f"key-{number}", "x" * 3000) for number in range(2500)]
    queue.append(many)
    found = read(queue, 2500)
    for lane in {each.lane for each in many}:
        assert [each.key for each in found if each.lane == lane] == [each.key for each in many if each.lane == lane]
    assert len(queue.of_lane("u1", 0, 100)) == 100
    queue.remove(found)
    assert sizes(queue) == (0, 0)


def test_a_resent_message_keeps_its_key_unless_fullstory_remembers_it(queue: Any) -> None:
    queue.append([message(1), message(2)])
    first, second = read(queue, 2)
    queue.park([Parking(first, "half a character \ud800", True), Parking(second, "no name", False)])
    assert sizes(queue) == (0, 2)
    parked = list(queue.parked())
    assert [(each.body, each.reason) for each in parked] == [
        (first.body, "half a character ?"),
        (second.body, "no name"),
    ]
    assert all(first.received <= each.received <= each.parked for each in parked)
    assert [each.id for each in parked] == [first.id, second.id]
    assert queue.resend([first.id, second.id, 99]) == 2
    again = read(queue, 2)
    assert [each.body for each in again] == [first.body, second.body]
    assert again[0].key != first.key
    assert again[1].key == second.key
    assert sizes(queue) == (2, 0)


def test_a_parked_message_can_be_dropped(queue: Any) -> None:
    queue.append([message(1), message(2)])
    first, second = read(queue, 2)
    queue.park([Parking(first, "", False), Parking(second, "", False)])
    assert queue.drop([first.id, 99]) == 1
    assert [each.id for each in queue.parked()] == [second.id]
    assert sizes(queue) == (0, 1)
    assert queue.drop([first.id]) == 0


def test_a_queue_with_a_limit(open_queue: Any) -> None:
    queue = open_queue(max_bytes=1_000_000)

    def fill() -> Any:
        for number in range(30):
            try:
                queue.append([Message("track", "u1", f"key-{number}", "x" * 100_000)])
            except QueueError as error:
                return number, str(error)
        return 30, "it takes more than it may"

    taken, reason = fill()
    assert "1,000,000 bytes that --max-queue allows" in reason
    assert 5 < taken < 15
    with pytest.raises(QueueError, match="--max-queue"):
        queue.append([])
    assert queue.sizes() == (taken, 0)
    queue.remove(read(queue, taken))
    wait_for(lambda: sizes(queue) == (0, 0))
    queue.append([])
    queue.append([message(1)])


def test_a_commit_for_many_requests(queue: Any) -> None:
    async def appended() -> None:
        committer = Committer(queue)
        waiting = [asyncio.ensure_future(committer.append([message(number)])) for number in range(100)]
        await asyncio.sleep(0)
        waiting[5].cancel()
        committer.start()
        await asyncio.gather(*waiting, return_exceptions=True)
        committer.stop()

    with ThreadPoolExecutor(1) as own:  # a browser test's loop may be running in this thread
        own.submit(asyncio.run, appended()).result()
    assert [each.key for each in read(queue, 100)] == [f"key-u1-{number}" for number in range(100)]


class FullStory:
    """One that fails on the messages of some users."""

    def __init__(self, **failures: Any) -> None:
        self.failures = failures
        self.taken: list[Any] = []

    async def send(self, message: Any, idempotency_key: str | None = None, *, again: Any = False) -> int:
        user = idempotency_key.split("-")[1]
        await asyncio.sleep(0)
        if user in self.failures:
            raise self.failures[user]
        self.taken.append((user, message["number"]))
        return 1


@pytest.fixture
def dispatch(queue: Any) -> Any:
    """A function that runs ``scenario(dispatcher)`` while messages are delivered."""

    def run(fullstory: Any, scenario: Any, **options: Any) -> None:
        settings = RelaySettings(frozenset(), "", None, **{"max_backoff": 0.01, "workers": 4, **options})

        async def main() -> None:
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


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def test_many_more_messages_of_a_user_than_fit(queue: Any, dispatch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MAX_MESSAGES", 50)
    queue.append([message(number, f"u{number % 3}") for number in range(1500)])
    fullstory = FullStory()
    dispatch(fullstory, lambda _: until(lambda: len(fullstory.taken) == 1500))
    for user in range(3):
        assert [number for name, number in fullstory.taken if name == f"u{user}"] == list(range(user, 1500, 3))
    assert sizes(queue) == (0, 0)


def test_many_more_users_that_are_stuck_than_fit(queue: Any, dispatch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MAX_MESSAGES", 50)
    stuck = {f"stuck{number}": Unavailable("again", status=503) for number in range(200)}
    for number in range(2):
        queue.append([message(number, user) for user in stuck])
    queue.append([message(number) for number in range(5)])
    fullstory = FullStory(**stuck)

    async def scenario(_: object) -> None:
        await until(lambda: len(fullstory.taken) == 5)
        fullstory.failures.clear()
        await until(lambda: len(fullstory.taken) == 405)

    dispatch(fullstory, scenario, max_backoff=0.2)
    for user in stuck:
        assert [number for name, number in fullstory.taken if name == user] == [0, 1]


def test_what_fails_while_others_are_taken_is_parked_in_the_end(queue: Any, dispatch: Any) -> None:
    queue.append([message(1, "poison"), message(2, "poison")])
    fullstory = FullStory(poison=Unavailable("again", status=500))

    async def scenario(dispatcher: Any) -> None:
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


def test_whatever_goes_wrong_with_a_message_the_next_one_is_sent(queue: Any, dispatch: Any) -> None:
    bodies = ["", "{", "[]", "null", "Infinity", "[" * 100_000, '{"type": 5}', "nul\\0"]
    unreadable = [Message("track", f"odd{n}", f"key-odd{n}-1", body) for n, body in enumerate(bodies)]
    queue.append([*unreadable, message(1, "bug"), message(2, "bad"), message(3)])
    fullstory = FullStory(bug=ZeroDivisionError("secret"), bad=Rejected("no such thing"))
    dispatch(fullstory, lambda _: until(lambda: queue.sizes() == (0, 10)), workers=2)
    reasons = {each.body: each.reason for each in queue.parked()}
    assert reasons.pop(message(1).body) == "unexpected error: ZeroDivisionError"
    assert reasons.pop(message(2).body) == "no such thing"
    assert reasons.keys() == set(bodies)
    assert all(reason.startswith("unexpected error: ") for reason in reasons.values())
    assert fullstory.taken == [("u1", 3)]


def test_keys_of_messages_with_several_requests(queue: Any, dispatch: Any, open_queue: Any) -> None:
    partly, wholly, held = Rejected("one of two", status=400), Rejected("both", status=400), Rejected("no name")
    partly.taken = 1
    held.others = [Rejected("bad key", status=401)]
    queue.append([message(1, "partly"), message(2, "wholly"), message(3, "held")])
    fullstory = FullStory(partly=partly, wholly=wholly, held=held)
    dispatch(fullstory, lambda _: until(lambda: queue.sizes() == (1, 2)))
    queue = open_queue()
    assert read(queue, 1)[0].key == "key-held-3", "with another API key it may be taken"
    queue.resend([each.id for each in queue.parked()])
    keys = [each.key for each in read(queue, 2)]
    assert "key-partly-1" in keys, "or what was taken would be taken again"
    assert "key-wholly-2" not in keys, "or it would be rejected again"


@pytest.mark.parametrize("either", ["embedded"], indirect=True)
@pytest.mark.parametrize("part", ["_feed", "_work"])
def test_delivery_tells_when_a_part_of_it_has_ended_and_stops_all_the_same(
    queue: Any, dispatch: Any, part: str
) -> None:
    async def scenario(dispatcher: Any) -> None:
        assert dispatcher.broken() == ""
        task = next(task for task in asyncio.all_tasks() if f"Dispatcher.{part}" in repr(task.get_coro()))
        task.cancel()
        await until(task.done)
        assert dispatcher.broken() == "a part of delivery has ended"

    dispatch(FullStory(), scenario)
