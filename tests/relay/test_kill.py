"""kill -9 under load: what was acknowledged arrives, once, and each user's in order."""

import os
import random
import threading
import time

import pytest
import requests

from tests.standin import FullStoryAPI

from .running import RelayProcess, numbers, track, wait_for

KILLS = int(os.environ.get("FSBRIDGE_KILLS", "52"))
SEED = int(os.environ.get("FSBRIDGE_SEED", random.SystemRandom().randrange(2**32)))
PARTS = 2
USERS_OF_CLIENT = 4
BATCH = 12


class Client(threading.Thread):
    """Sends batches of its own users' messages, each until it is acknowledged, as SDKs do."""

    def __init__(self, relay: RelayProcess, name: str) -> None:
        super().__init__(daemon=True)
        self.users = [f"{name}-{number}" for number in range(USERS_OF_CLIENT)]
        self.acknowledged = 0
        self.refused: list[str] = []
        self.enough = threading.Event()
        self._relay = relay

    def run(self) -> None:
        while not self.enough.is_set():
            each = range(self.acknowledged, self.acknowledged + BATCH // USERS_OF_CLIENT)
            batch = [track(user, number) for number in each for user in self.users]
            while not self._sent(batch):
                time.sleep(0.02)
            self.acknowledged = each.stop
            time.sleep(0.02)

    def _sent(self, batch: list[dict]) -> bool:
        try:
            response = self._relay.post("/v1/batch", {"batch": batch})
        except requests.RequestException:
            return False
        if response.status_code not in (200, 503):
            self.refused.append(response.text)
        return response.status_code == 200


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_kill(part, tmp_path):
    seed = SEED + part
    print(f"FSBRIDGE_SEED={SEED}")
    chance = random.Random(seed)
    with FullStoryAPI(chaos=0.02, seed=seed) as api:
        relay = RelayProcess(tmp_path, api.url, "--workers", "4")
        relay.start()
        clients = [Client(relay, f"client{number}") for number in range(2)]
        for client in clients:
            client.start()
        try:
            for _ in range(KILLS // PARTS):
                time.sleep(chance.uniform(0, 0.4))
                relay.kill()
                relay.start()
            for client in clients:
                client.enough.set()
            for client in clients:
                client.join(60)
            wait_for(lambda: relay.metric("messages_waiting ") == 0, 120)
        finally:
            relay.end()
        assert not any(client.refused for client in clients)
        assert sum(client.acknowledged for client in clients) > KILLS // PARTS, "there was load"
        assert len({received.key for received in api.accepted}) == len(api.accepted)
        for client in clients:
            for user in client.users:
                assert numbers(api.accepted, user) == list(range(client.acknowledged))
