"""Many messages: order per user, users in parallel, back-pressure, batch imports, and faults at random."""

import itertools
import os
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fsbridge.cloud import Cloud, Rejected, Unavailable
from fsbridge.cloud.ordered import lane
from fsbridge.cloud.threaded import Driven, OrderedThread
from tests.standin import KEY, Answer, FullStoryAPI


def track(index: int, users: int = 20, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "userId": f"u{index % users}", "event": "E", "properties": {"i": index}, **fields}


def per_user(api: FullStoryAPI) -> Any:
    orders = defaultdict(list)
    for each in api.accepted:
        orders[each.json["user"]["uid"]].append(each.json["properties"]["i"])
    return orders


def test_all_arrive_once_and_in_order_through_random_faults(connect: Callable[..., Cloud]) -> None:
    with FullStoryAPI(chaos=0.2, seed=7) as api:
        cloud = connect(base_url=api.url, retry_for=30)
        sent = cloud.send_many(track(index) for index in range(400))
        assert (sent.messages, sent.requests, sent.rejected) == (400, 400, 0)
        assert per_user(api) == {f"u{user}": list(range(user, 400, 20)) for user in range(20)}
        assert len(api.requests) > 420


def test_users_in_parallel(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    api.always(Answer(delay=1))
    connect(connections=10).send_many(track(index, users=10) for index in range(20))
    assert api.most_at_once == 10


def test_rejections_stop_nothing_and_are_told(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    cloud = connect()
    messages = [track(index, event="" if index % 5 == 2 else "E") for index in range(20)]
    messages[3]["properties"]["bad"] = object()
    with pytest.raises(Rejected, match="required field 'name'") as caught:
        cloud.send_many(messages)
    assert len(caught.value.others) == 4
    heard = []
    sent = cloud.send_many(messages, lambda index, message, error: heard.append((index, bool(error))))
    assert sorted(heard) == [(index, index % 5 == 2 or index == 3) for index in range(20)]
    assert (sent.messages, sent.rejected) == (20, 5)


def test_an_outage_stops_and_is_told(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    api.always(503)
    read = 0

    def messages() -> Iterator[Any]:
        nonlocal read
        for index in range(100_000):
            read += 1
            yield track(index)

    with pytest.raises(Unavailable):
        connect(retry_for=0).send_many(messages())
    assert read < 2_000


def test_no_more_is_read_than_the_window_holds(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    read = itertools.count()

    def messages() -> Iterator[dict[str, Any]]:
        for index in range(300):
            next(read)
            yield track(index, users=1)

    cloud = connect()
    seen: list[Any] = []

    def first_answer(index: int, message: Any, error: Any) -> None:
        if not seen:
            time.sleep(0.5)  # time enough to read more than it should
            seen.append(next(read))

    cloud.send_many(messages(), first_answer, window=50)
    assert seen[0] <= 52
    assert per_user(api) == {"u0": list(range(300))}


def test_lanes() -> None:
    assert lane({"userId": "u"}) == lane({"userId": "u", "anonymousId": "a"}) != lane({"anonymousId": "u"})
    assert lane({"userId": "", "anonymousId": "a"}) == lane({"userId": None, "anonymousId": "a"})
    assert lane({"userId": 7}) == lane({"userId": "7"})
    assert lane({}) is lane([]) is lane({"userId": {}}) is None


def test_ordered_begins_nothing_after_a_failure() -> None:
    done = []

    async def work(item: Any) -> None:
        if item == 3:
            raise ValueError("three")
        done.append(item)

    with pytest.raises(ValueError, match="three"), OrderedThread(work, Driven(), 2, window=4) as ordered:  # noqa: PT012
        for item in range(100):
            ordered.put("one", item)
    assert done == [0, 1, 2]


def test_what_stops_sending_ends_the_waiting_for_other_attempts(
    connect: Callable[..., Cloud], api: FullStoryAPI
) -> None:
    api.always(Answer(503))
    cloud = connect(retry_for=600)
    begun = time.monotonic()

    def messages() -> Any:
        yield identify(1)
        while time.monotonic() - begun < 60 and len(api.requests) < 2:
            time.sleep(0.01)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cloud.send_many(messages())
    assert time.monotonic() - begun < 60


def test_sockets_beyond_what_select_can_watch(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert connect().send_many([identify(index) for index in range(100)]).requests == 100
    finally:
        for each in files:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def identify(index: int, **traits: Any) -> Any:
    return {"type": "identify", "userId": f"u{index % 10}", "traits": traits}


def imported(api: FullStoryAPI, what: str) -> Any:
    return [item for each in api.accepted if what in each.path for item in each.json["requests"]]


def test_backfill(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    messages = [track(index) if index % 3 else identify(index, n=index, **{f"p{index}": 1}) for index in range(90)]
    messages[10]["event"] = "x" * 300
    messages[20]["event"] = None
    messages[31]["event"] = messages[41 - 1]["event"] = "y" * 300
    rejected = []
    progress: list[Any] = []
    options: dict[str, Any] = {"batch_size": 25, "poll_every": 0.05}

    def note(what: Any, error: Any) -> None:
        rejected.append((what.get("type") or what["name"][0], str(error)))

    done = connect().backfill(messages, note, on_progress=progress.append, **options)
    assert (done.messages, done.users, done.events, done.batches, done.rejected) == (90, 10, 56, 4, 4)
    assert sorted(rejected) == [
        ("track", "subscription 1 'Track Event' failed: The root value is missing the required field 'name'."),
        *[(letter, "name must have 1 to 250 characters") for letter in "xyy"],
    ]
    assert [item["properties"]["i"] for item in imported(api, "events")] == [
        index for index in range(90) if index % 3 and index != 20
    ]
    users = {item["uid"]: item for item in imported(api, "users")}
    assert users["u0"]["properties"] == {"n": 60, "p0": 1, "p30": 1, "p60": 1}
    assert progress
    before = len(api.accepted)
    connect().backfill(messages, lambda what, error: None, **options)
    assert len(api.accepted) == before, "the same again doubles nothing"
    with pytest.raises(Rejected, match="required field 'name'"):
        connect().backfill(messages, **options)


def test_jobs_of_users_run_one_after_the_other(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    api.job_polls = 3
    connect().backfill((identify(index, n=index) for index in range(10)), batch_size=3, poll_every=0.02)
    trail = [each.path.removeprefix("/v2/users/batch") for each in api.requests]
    assert trail == [step for job in range(1, 5) for step in ["", *[f"/job-{job}"] * 4]]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"batch_size": 50_001}, ValueError, "from 1 to 50,000"),
        ({"job_timeout": 0.1, "poll_every": 0.05}, Unavailable, "job job-1 is still PROCESSING"),
    ],
)
def test_backfill_that_does_not_end_well(
    connect: Callable[..., Cloud], api: FullStoryAPI, options: Any, error: Any, said: Any
) -> None:
    api.job_polls = 10_000
    with pytest.raises(error, match=said):
        connect().backfill([track(1)], **options)


def test_backfill_knows_v2_only(connect: Callable[..., Cloud], api: FullStoryAPI) -> None:
    mapping = {"userId": {"@path": "$.userId"}, "name": {"@path": "$.event"}}
    one = {"subscribe": 'type = "track"', "partnerAction": "trackEvent", "mapping": mapping}
    with pytest.raises(Rejected, match="V1 actions can't be imported"):
        connect(settings={"subscriptions": [one]}).backfill([track(1)])
    assert api.requests == []


def test_backfill_refused_as_a_whole(connect: Callable[..., Cloud]) -> None:
    with FullStoryAPI() as api:
        api.api_key = KEY + "x"
        with pytest.raises(Rejected, match="HTTP 401"):
            connect(base_url=api.url).backfill([track(1)])
