"""kill -9 under load: what was acknowledged arrives, once, and each user's in order."""

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.standin import FullStoryAPI

from .running import PATIENCE, Client, RelayProcess, numbers, wait_for

KILLS = int(os.environ.get("FSBRIDGE_KILLS", "52"))
SEED = int(os.environ.get("FSBRIDGE_SEED", random.SystemRandom().randrange(2**32)))
PARTS = 2
USERS_OF_CLIENT = 4
BATCH = 12


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_kill(part: Any, tmp_path: Path) -> None:
    seed = SEED + part
    print(f"FSBRIDGE_SEED={SEED}")
    chance = random.Random(seed)
    with FullStoryAPI(chaos=0.02, seed=seed) as api:
        relay = RelayProcess(tmp_path, api.url, "--workers", "4")
        relay.start()
        clients = [
            Client(lambda: relay, f"client{number}", USERS_OF_CLIENT, BATCH // USERS_OF_CLIENT) for number in range(2)
        ]
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
                client.join(PATIENCE)
                assert not client.is_alive(), relay.health()
            wait_for(lambda: relay.metric("messages_waiting ") == 0)
        finally:
            relay.end()
        assert not any(client.refused for client in clients)
        assert sum(client.acknowledged for client in clients) > KILLS // PARTS, "there was load"
        assert len({received.key for received in api.accepted}) == len(api.accepted)
        for client in clients:
            for user in client.users:
                assert numbers(api.accepted, user) == list(range(client.acknowledged))
