"""What a relay takes arrives at FullStory: in order, once, through outages, restarts and rejections."""

import itertools
import json
import os
import resource
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests import standin
from tests.relay.running import RelayProcess
from tests.standin import Answer, FullStoryAPI

from .running import AUTH, WRITE_KEY, numbers, track, wait_for

OUTAGE = float(os.environ.get("FSBRIDGE_OUTAGE_SECONDS", "2"))
"""How long FullStory is away; 60 for the whole story."""


@pytest.fixture
def where(either: Any) -> Any:
    return either


def test_messages_arrive_as_the_destination_maps_them(relay: RelayProcess, api: FullStoryAPI) -> None:
    assert relay.post("/v1/identify", {"userId": "u1", "traits": {"name": "Ada", "plan": "pro"}}).status_code == 200
    assert relay.post("/v1/track", track("u1", 1)).json() == {"success": True}
    assert relay.post("/v1/page", {"userId": "u1", "name": "Home"}).status_code == 200
    wait_for(lambda: len(api.accepted) == 2 and relay.metric("messages_ignored_total") == 1)
    identify, event = api.accepted
    assert identify.path == "/v2/users"
    assert identify.json["display_name"] == "Ada"
    assert event.json["user"] == {"uid": "u1"}
    assert event.json["timestamp"] == "2024-03-05T10:11:12.000Z"
    assert event.key != identify.key
    assert relay.metric("messages_acknowledged_total") == 3
    assert relay.metric("messages_delivered_total") == 2
    wait_for(lambda: relay.metric("messages_waiting ") == 0)


def test_the_same_message_twice_is_one_event(relay: RelayProcess, api: FullStoryAPI) -> None:
    for _ in range(2):
        relay.post("/v1/batch", {"batch": [track("u1", 1)], "sentAt": str(time.time())})
    wait_for(lambda: len(api.requests) == 2)
    assert len(api.accepted) == 1


def test_different_messages_with_the_same_id_are_all_taken(relay: RelayProcess, api: FullStoryAPI) -> None:
    relay.post("/v1/batch", {"batch": [track("u1", 1, messageId="same"), track("u1", 2, messageId="same")]})
    wait_for(lambda: numbers(api.accepted, "u1") == [1, 2])


def test_order_holds_per_user_through_failures(relay: RelayProcess, api: FullStoryAPI) -> None:
    api.script(*[Answer(500), Answer(429, headers={"Retry-After": "0"}), Answer(cut="after"), Answer(cut="before")] * 5)
    users = [f"u{number}" for number in range(10)]
    for start in range(0, 60, 20):
        batch = [track(user, number) for number in range(start, start + 20) for user in users]
        assert relay.post("/v1/batch", {"batch": batch}).status_code == 200
    wait_for(lambda: len(api.accepted) == 600)
    for user in users:
        assert numbers(api.accepted, user) == list(range(60))


def test_an_outage_loses_nothing(relay: RelayProcess, api: FullStoryAPI) -> None:
    api.down()
    begun = time.monotonic()
    sent = 0
    while time.monotonic() - begun < OUTAGE:
        batch = [track(f"u{number}", sent) for number in range(10)]
        assert relay.post("/v1/batch", {"batch": batch}).status_code == 200
        sent += 1
        time.sleep(0.05)
    wait_for(lambda: relay.health()["delivery"] == "unreachable: Connection refused")
    assert relay.health()["status"] == "ok"
    api.up()
    wait_for(lambda: len(api.accepted) == 10 * sent)
    assert all(numbers(api.accepted, f"u{number}") == list(range(sent)) for number in range(10))
    wait_for(lambda: relay.health()["delivery"] == "ok")


def test_retry_after_is_honoured_by_all(relay: RelayProcess, api: FullStoryAPI) -> None:
    api.script(Answer(429, headers={"Retry-After": "1"}))
    relay.post("/v1/track", track("u1", 1))
    wait_for(lambda: "FullStory takes no messages" in relay.log.read_text())
    relay.post("/v1/track", track("u2", 1))
    wait_for(lambda: len(api.accepted) == 2)
    assert min(received.at for received in api.requests[1:]) - api.requests[0].at >= 1


def test_a_hanging_answer_is_given_up_and_tried_again(
    make_relay: Callable[..., RelayProcess], api: FullStoryAPI
) -> None:
    relay = make_relay("--timeout", "0.5")
    relay.start()
    api.script(Answer(hang=True))
    relay.post("/v1/track", track("u1", 1))
    relay.post("/v1/track", track("u1", 2))
    wait_for(lambda: numbers(api.accepted, "u1") == [1, 2])
    wait_for(lambda: relay.metric("messages_waiting ") == 0)
    assert len({received.key for received in api.requests}) == 2


def test_what_fullstory_rejects_is_parked_and_can_be_resent(relay: RelayProcess, api: FullStoryAPI) -> None:
    api.script(Answer(400, {"message": "name is reserved", "code": "invalid"}))
    relay.post("/v1/batch", {"batch": [track("u1", 1), track("u1", 2)]})
    wait_for(lambda: numbers(api.accepted, "u1") == [2] and relay.metric("parked_messages") == 1)
    (parked,) = map(json.loads, relay.command("list", "--json").splitlines())
    assert "name is reserved" in parked["reason"]
    assert parked["message"]["properties"] == {"number": 1}
    assert "name is reserved" in relay.command("list")
    rejected = api.requests[0].key
    assert relay.command("resend", str(parked["id"])) == "Resent: 1\n"
    wait_for(lambda: numbers(api.accepted, "u1") == [2, 1])
    assert api.accepted[-1].key != rejected, "FullStory would answer that key with the rejection"
    assert relay.command("list") == ""


def test_parked_messages_can_be_dropped(relay: RelayProcess, api: FullStoryAPI) -> None:
    api.script(400, 400)
    relay.post("/v1/batch", {"batch": [track("u1", 1), track("u1", 2)]})
    wait_for(lambda: relay.metric("parked_messages") == 2)
    assert relay.command("drop", "--all") == "Dropped: 2\n"
    assert relay.command("list") == ""


def test_a_message_that_no_request_can_be_made_of_is_parked(relay: RelayProcess, api: FullStoryAPI) -> None:
    relay.post("/v1/track", {"userId": "u1", "properties": {}})
    wait_for(lambda: relay.metric("parked_messages") == 1)
    assert "missing the required field 'name'" in relay.command("list")


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_api_key_parks_nothing(relay: RelayProcess, api: FullStoryAPI, status: Any) -> None:
    api.always(Answer(status, {"message": f"not with {standin.KEY}", "code": "unauthorized"}))
    relay.post("/v1/batch", {"batch": [track("u1", 1), track("u1", 2)]})
    wait_for(lambda: relay.health()["delivery"] == f"HTTP {status}")
    api.always(None)
    wait_for(lambda: numbers(api.accepted, "u1") == [1, 2])
    assert relay.metric("messages_parked_total") == 0


def test_stopping_loses_nothing(relay: RelayProcess, api: FullStoryAPI) -> None:
    api.always(Answer(delay=0.5))  # all of it would take a quarter of a minute
    sent = {f"u{number}": list(range(20)) for number in range(20)}
    relay.post("/v1/batch", {"batch": [track(user, number) for number in range(20) for user in sent]})
    wait_for(lambda: api.accepted)
    assert relay.stop() == 0
    before = len(api.accepted)
    assert len({received.key for received in api.requests}) == before == len(api.requests), "all were finished"
    assert before < 400
    api.always(None)
    relay.start()
    wait_for(lambda: len(api.accepted) == 400)
    assert len(api.requests) == 400, "nothing that was finished went out again"
    assert {user: numbers(api.accepted, user) for user in sent} == sent


@pytest.mark.parametrize("where", [None])  # a file
def test_two_relays_with_one_queue_deliver_one_after_the_other(
    relay: RelayProcess, make_relay: Callable[..., RelayProcess], api: FullStoryAPI
) -> None:
    wait_for(lambda: relay.health()["delivery"] == "ok")  # this one has the queue
    other = make_relay()
    other.start()
    wait_for(lambda: other.health()["delivery"] == "another relay delivers from this queue")
    other.post("/v1/track", track("u1", 1))
    wait_for(lambda: len(api.accepted) == 1)
    relay.kill()
    wait_for(lambda: other.health()["delivery"] == "ok")
    other.post("/v1/track", track("u1", 2))
    wait_for(lambda: numbers(api.accepted, "u1") == [1, 2])


def test_the_delivering_process_is_replaced_when_it_dies(relay: RelayProcess, api: FullStoryAPI) -> None:
    relay.post("/v1/track", track("u1", 1))
    wait_for(lambda: api.accepted)
    subprocess.run(["pkill", "-9", "-P", str(relay.pid), "-f", "spawn_main"], check=True)
    relay.post("/v1/track", track("u1", 2))
    wait_for(lambda: numbers(api.accepted, "u1") == [1, 2])
    assert "the delivering process ended" in relay.log.read_text()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux sets the limits of another process")
@pytest.mark.parametrize("where", [None])
def test_health_tells_when_no_delivering_process_can_be_started(relay: RelayProcess, api: FullStoryAPI) -> None:
    with requests.Session() as session:  # whose connection is there before

        def status() -> int:
            return session.get(relay.url + "/healthz", timeout=60).status_code

        wait_for(lambda: status() == 200)
        used = {int(name) for name in os.listdir(f"/proc/{relay.pid}/fd")}
        full = next(number for number in itertools.count() if number not in used)
        before = resource.prlimit(relay.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(relay.pid, resource.RLIMIT_NOFILE, (full, before[1]))
        subprocess.run(["pkill", "-9", "-P", str(relay.pid), "-f", "spawn_main"], check=True)
        wait_for(lambda: status() == 503)
        answer = session.get(relay.url + "/healthz", timeout=60).json()
        assert "the delivering process has not answered" in answer["status"]
        assert session.post(relay.url + "/v1/track", json=track("u1", 1), auth=AUTH, timeout=60).status_code == 200
        resource.prlimit(relay.pid, resource.RLIMIT_NOFILE, before)
        wait_for(lambda: status() == 200)
        wait_for(lambda: numbers(api.accepted, "u1") == [1])


def test_no_secret_and_no_content_in_logs(relay: RelayProcess, api: FullStoryAPI) -> None:
    api.script(400, 500, Answer(403, {"message": f"key {standin.KEY} is bad"}), Answer(cut="before"))
    secret = "content-of-a-message"
    relay.post("/v1/batch", {"batch": [track(secret, 1, event=secret, properties={secret: secret})] * 3})
    relay.post("/v1/track", track(secret, 1), auth=("unknown-key-given", ""))
    relay.post("/v1/track", data=b"{" + secret.encode())
    wait_for(lambda: relay.metric("messages_waiting ") == 0)
    assert relay.stop() == 0
    assert relay.logged()
    logged = relay.log.read_text()
    for hidden in (standin.KEY, WRITE_KEY, secret, "unknown-key-given"):
        assert hidden not in logged
