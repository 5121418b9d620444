"""Relays that share a queue in a cluster of three NATS servers; servers and relays are killed, paused and cut off."""

import contextlib
import os
import random
import signal
import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fsbridge.relay.queue import QueueError
from fsbridge.relay.queue.address import parsed
from fsbridge.relay.queue.cluster import SAFE
from fsbridge.relay.queue.opening import opened
from fsbridge.relay.tracking import Message
from tests.standin import FullStoryAPI
from tools import nats

from .running import PATIENCE, Client, RelayProcess, numbers, wait_for
from .servers import Servers

ACTS = int(os.environ.get("FSBRIDGE_ACTS", "30"))
"""How many failures are staged."""
SEED = int(os.environ.get("FSBRIDGE_SEED", random.SystemRandom().randrange(2**32)))
RELAYS, CLIENTS, USERS_OF_CLIENT, ROUNDS = 2, 2, 5, 3
PARTITIONS = 6


class Chaos:
    """What may happen, drawn by ``chance``. At most one server is missing at a time: with two there is no majority."""

    def __init__(self, servers: Servers, relays: list[RelayProcess], streams: list[str], seed: int) -> None:
        self.done: list[str] = []
        self._servers = servers
        self._relays = relays
        self._streams = streams
        self._seed = seed

    def run(self, acts: int) -> None:
        """Half of the acts happen to servers, half to relays, side by side."""
        sides = [self._server_kill, self._leader_kill, self._server_pause, self._server_cut_off]
        others = [self._relay_kill, self._relay_pause, self._relay_stop, self._deliverer_kill]
        failures: list[BaseException] = []

        def side(possible: Any, seed: Any) -> None:
            chance = random.Random(seed)
            try:
                for _ in range((acts + 1) // 2):
                    act = chance.choice(possible)
                    self.done.append(act.__name__)
                    act(chance)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=side, args=each) for each in ((sides, self._seed), (others, self._seed + 1))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _server_kill(self, chance: Any) -> None:
        self._kill(chance.randrange(3), chance)

    def _leader_kill(self, chance: Any) -> None:
        self._kill(self._servers.leader(chance.choice(self._streams)), chance)

    def _kill(self, number: int, chance: Any) -> None:
        self._servers.kill(number)
        time.sleep(chance.uniform(0, 4))
        self._servers.start(number)
        self._servers.wait_until_up()

    def _server_pause(self, chance: Any) -> None:
        number = chance.randrange(3)
        self._servers.pause(number)
        time.sleep(chance.uniform(0, 8))
        self._servers.resume(number)
        self._servers.wait_until_up()

    def _server_cut_off(self, chance: Any) -> None:
        number = chance.randrange(3)
        self._servers.cut_off(number)
        time.sleep(chance.uniform(0, 8))
        self._servers.heal(number)
        self._servers.wait_until_up()

    def _relay_kill(self, chance: Any) -> None:
        relay = chance.choice(self._relays)
        relay.kill()
        time.sleep(chance.uniform(0, 2))
        self._restart(relay)

    def _relay_stop(self, chance: Any) -> None:
        relay = chance.choice(self._relays)
        relay.stop()
        self._restart(relay)

    def _relay_pause(self, chance: Any) -> None:
        family = chance.choice(self._relays).family()
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(chance.uniform(0, 22))  # longer than its leases
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _deliverer_kill(self, chance: Any) -> None:
        for pid in chance.choice(self._relays).family()[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(chance.uniform(0, 2))

    def _restart(self, relay: RelayProcess) -> None:
        """Start a relay, again where the cluster had no answer for it, as whatever runs relays does."""

        def up() -> bool:
            relay.start(wait=False)
            with contextlib.suppress(AssertionError):
                relay.wait_until_up()
                return True

        wait_for(up, 200)


def test_a_leader_that_is_cut_off_acknowledges_nothing(nats_server: str, tmp_path: Path) -> None:
    """Nor does it when it is asked again, for what it has heard of but nobody else has."""
    with Servers(tmp_path, 3) as servers:
        with closing(opened(parsed(f"{servers.url}/cut", 1))) as queue:
            queue.append([Message("track", "u1", "key-1", "{}")])
        leader = servers.leader("fsbridge-cut-0")
        with closing(opened(parsed(f"nats://127.0.0.1:{servers.ports[leader]}/cut"))) as alone:
            servers.cut_off(leader)
            with pytest.raises(QueueError):
                alone.append([Message("track", "u1", "key-2", "{}")])
        servers.heal(leader)


def test_a_server_that_is_cut_off_is_left(nats_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.sample", lambda hosts, number: list(hosts))
    with Servers(tmp_path, 3) as servers:
        with closing(opened(parsed(f"{servers.url}/left", 1))) as queue:
            queue.append([Message("track", "u1", "key-1", "{}")])
        servers.cut_off(0)
        wait_for(lambda: servers.refuses(0))
        with closing(opened(parsed(f"{servers.url}/left"), make=False)) as operators:
            assert list(operators.parked()) == []


@pytest.mark.timeout(3600)
def test_whatever_happens(nats_server: Any, tmp_path: Path) -> None:
    if nats.version(nats_server) < SAFE:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{nats_server} is too old: it loses messages")
    print(f"FSBRIDGE_SEED={SEED} FSBRIDGE_ACTS={ACTS}")
    chance = random.Random(SEED)
    with Servers(tmp_path, 3) as servers, FullStoryAPI(chaos=0.02, seed=SEED) as api:
        relays = [relay_of(tmp_path / f"relay{number}", servers, api) for number in range(RELAYS)]
        try:
            for relay in relays:
                relay.start()
            clients = [
                Client(
                    partial(random.Random(SEED + number).choice, relays),  # SDKs behind a proxy
                    f"client{number}",
                    USERS_OF_CLIENT,
                    ROUNDS,
                    timeout=5,
                    pause=0.05,
                )
                for number in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            chaos = Chaos(
                servers, relays, [f"fsbridge-relay-{number}" for number in range(PARTITIONS)], chance.randrange(2**32)
            )
            chaos.run(ACTS)
            for client in clients:
                client.enough.set()
            for client in clients:
                client.join(PATIENCE)
                assert not client.is_alive(), [relay.health() for relay in relays]
            wait_for(lambda: relays[0].metric("messages_waiting ") == 0, 180)
            parked = relays[0].command("list")
        finally:
            for relay in relays:
                relay.end()
        print(chaos.done, [client.acknowledged for client in clients])
        assert not any(client.refused for client in clients)
        assert parked == "", "no key with another body, for one"
        assert all(client.acknowledged > len(chaos.done) for client in clients), "there was load"
        assert len({received.key for received in api.accepted}) == len(api.accepted)
        for client in clients:
            for user in client.users:
                found = numbers(api.accepted, user)
                assert set(range(client.acknowledged)) - set(found) == set(), "nothing is lost"
                assert found == list(range(client.acknowledged)), "in order"


def relay_of(folder: Path, servers: Servers, api: FullStoryAPI) -> RelayProcess:
    folder.mkdir()
    relay = RelayProcess(folder, api.url, "--workers", "4", "--partitions", str(PARTITIONS))
    relay.queue = servers.url
    return relay
