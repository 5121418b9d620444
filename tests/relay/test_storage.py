"""The embedded queue and the order of delivery, taken by themselves; and a disk that is full."""

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from fsbridge.relay import lanes
from fsbridge.relay.lanes import Lanes
from fsbridge.relay.queue import QueueError, Waiting
from fsbridge.relay.queue.embedded import EmbeddedQueue
from fsbridge.relay.tracking import Message
from tests.relay.running import RelayProcess
from tests.standin import FullStoryAPI

from .running import ROOT, numbers, track, wait_for


def test_a_queue_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "queue.db") as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(QueueError, match="newer release"):
        EmbeddedQueue(tmp_path / "queue.db")


def test_a_lane_that_is_stuck_takes_little_room(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_lane_that_failed_waits_for_its_time() -> None:
    held = Lanes()
    held.add(Waiting(1, "u1", "", "", 0))
    lane = held.take(0)
    held.sleep(lane, 5)
    assert held.wakes() == 5
    assert held.take(4.9) is None
    assert held.take(5) is lane


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Any]:
    """A file system of 24 MB. To mount one takes root's rights."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def takes(relay: RelayProcess) -> bool:
    """Whether it says that it takes messages."""
    return requests.get(relay.url + "/healthz", timeout=30).status_code == 200


def fill(relay: RelayProcess) -> int:
    """Send until the relay says that it takes no more, and has refused some; how many messages it took.

    A batch may be refused where a smaller one would fit, or before what delivers has made room.
    """
    taken = refused = 0
    while refused < 5 or takes(relay):
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
def test_a_full_disk_heals(
    small_disk: Any, make_relay: Callable[..., RelayProcess], api: FullStoryAPI, others: Any
) -> None:
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
    api.up()
    wait_for(lambda: relay.metric("messages_waiting ") == 0)
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


def test_a_queue_with_a_limit(make_relay: Callable[..., RelayProcess], api: FullStoryAPI) -> None:
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


def test_the_log_is_folded_and_the_file_shrinks(tmp_path: Path) -> None:
    queue, other = EmbeddedQueue(tmp_path / "queue.db"), EmbeddedQueue(tmp_path / "queue.db", durable=False)
    rows = [Message("track", "u1", str(number), "x" * 10_000) for number in range(200)]
    for _ in range(20):
        queue.append(rows)
        other.maintain()
    assert queue.log_size() < 25 << 20, "though nothing was delivered"
    size = (tmp_path / "queue.db").stat().st_size
    assert size > 40_000_000
    while waiting := other.next(500):
        other.remove(waiting)
    for _ in range(20):
        other.maintain()
    assert (tmp_path / "queue.db").stat().st_size < size / 3
    queue.close()
    other.close()


def test_nobody_else_can_read_the_queue(make_relay: Callable[..., RelayProcess], api: FullStoryAPI) -> None:
    relay = make_relay()
    relay.queue.write_bytes(b"")
    relay.queue.chmod(0o644)
    relay.start()
    relay.post("/v1/track", track("u1", 1))
    files = [file for file in relay.queue.parent.iterdir() if file.name.startswith("relay.db")]
    assert {file.name for file in files} >= {"relay.db", "relay.db-wal", "relay.db-shm", "relay.db.lock"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert "others could read the queue" in relay.log.read_text()


def test_a_lock_that_is_a_symbolic_link_is_refused(make_relay: Callable[..., RelayProcess], tmp_path: Path) -> None:
    relay = make_relay()
    precious = tmp_path / "precious"
    precious.write_text("content")
    (tmp_path / "relay.db.lock").symlink_to(precious)
    relay.start(wait=False)
    assert relay.wait() == 2
    assert precious.read_text() == "content"


@pytest.mark.parametrize("fate", ["deleted", "replaced", "corrupt"])
def test_a_queue_that_is_gone_acknowledges_nothing(relay: RelayProcess, api: FullStoryAPI, fate: Any) -> None:
    assert relay.post("/v1/track", track("u1", 1)).status_code == 200
    if fate == "corrupt":
        for name in ("relay.db", "relay.db-wal"):
            with relay.queue.with_name(name).open("r+b") as file:
                file.write(b"no database at all" * 10_000)
    else:
        relay.queue.unlink()
    if fate == "replaced":
        relay.queue.touch()
    wait_for(lambda: not takes(relay))
    assert "queue" in relay.health()["status"]
    if fate != "corrupt":  # which may be any part of it
        assert relay.post("/v1/track", track("u1", 3)).status_code == 503


def test_a_second_connection_takes_no_locks_away(tmp_path: Path) -> None:
    """Without its locks another process takes the queue for unused, and deletes the files that both share."""
    script = '''
import subprocess, sys
from pathlib import Path
from fsbridge.relay.queue.embedded import EmbeddedQueue as Queue
from fsbridge.relay.tracking import Message
path = Path(sys.argv[1])
first, second = Queue(path), Queue(path)
open_it = f"""
from pathlib import Path
from fsbridge.relay.queue.embedded import EmbeddedQueue
EmbeddedQueue(Path({str(path)!r})).sizes()
"""
for number in range(3):
    first.append([Message("track", "u1", "key", "{}")] * 100)
    before = Path(f"{path}-shm").stat().st_ino, Path(f"{path}-wal").stat().st_ino
    subprocess.run([sys.executable, "-c", open_it], check=True)
    assert before == (Path(f"{path}-shm").stat().st_ino, Path(f"{path}-wal").stat().st_ino)
assert second.sizes() == (300, 0)
'''
    subprocess.run([sys.executable, "-c", script, tmp_path / "queue.db"], cwd=ROOT, check=True)
