"""Relays that share a queue in three NATS servers, all on loopback: what 1, 2 and 4 of them acknowledge and deliver.

python -m tests.benchmarks.cluster --seconds 10
"""

import argparse
import base64
import http.client
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.relay.running import ROOT, WRITE_KEY, RelayProcess, track, wait_for
from tests.relay.servers import Servers

BATCH = 100
USERS = 5000
CLIENTS = 4
RELAYS = (1, 2, 4)


def measure(relays: int, seconds: float) -> dict[str, float]:
    """Have clients send batches of 100 as fast as they are acknowledged, to ``relays`` in turn.

    The result: messages acknowledged and delivered a second, and the CPU time that a message took of the relays, to
    acknowledge it and to deliver it, and of the servers, in microseconds.
    """
    command = [sys.executable, "-m", "tests.standin"]
    with (
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as standin,
        tempfile.TemporaryDirectory() as folder,
        Servers(Path(folder), 3) as servers,
    ):
        url = standin.stdout.readline().strip()
        started = [_relay(Path(folder) / str(number), url, servers) for number in range(relays)]
        try:
            wait_for(lambda: _all_deliver(started))
            fronts = [each.family()[0] for each in started]
            backs = [pid for each in started for pid in each.family()[1:]]
            processes = {"fronts": fronts, "backs": backs, "servers": servers.pids()}
            used = {name: _cpu(pids) for name, pids in processes.items()}
            before = _delivered(started)
            begun = time.monotonic()
            acknowledged = _send([each.port for each in started], seconds)
            took = time.monotonic() - begun
            delivered = _delivered(started) - before
            used = {name: _cpu(pids) - used[name] for name, pids in processes.items()}
        finally:
            for each in started:
                each.end()
            standin.kill()
    return {
        "relays": relays,
        "acknowledged/s": acknowledged / took,
        "delivered/s": delivered / took,
        "CPU to acknowledge, µs": used["fronts"] / acknowledged * 1e6,
        "CPU to deliver, µs": used["backs"] / max(delivered, 1) * 1e6,
        "CPU of the servers, µs": used["servers"] / acknowledged * 1e6,
    }


def _relay(folder: Path, fullstory: str, servers: Servers) -> RelayProcess:
    folder.mkdir()
    relay = RelayProcess(folder, fullstory, "--workers", "32")
    relay.queue = servers.url
    relay.start()
    return relay


def _all_deliver(relays: list[RelayProcess]) -> bool:
    """Send a few messages, and see whether each relay delivers some by now."""
    relays[0].post("/v1/batch", {"batch": [track(f"warm{number}", 0) for number in range(100)]})
    time.sleep(0.5)
    return all(each.metric("messages_delivered_total") for each in relays)


def _delivered(relays: list[RelayProcess]) -> float:
    return sum(each.metric("messages_delivered_total") for each in relays)


def _send(ports: list[int], seconds: float) -> int:
    """Send from a few clients at once; how many messages were acknowledged."""
    headers = {"Authorization": "Basic " + base64.b64encode(f"{WRITE_KEY}:".encode()).decode()}
    users = itertools.cycle(range(USERS))
    templates = [
        json.dumps({"batch": [track(f"u{next(users)}", 0, messageId=f"NUMBER-{n}") for n in range(BATCH)]}).encode()
        for _ in range(USERS // BATCH)
    ]
    end = time.monotonic() + seconds
    taken: list[int] = []

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", ports[number % len(ports)], timeout=60)
        for sent in itertools.count():
            if time.monotonic() > end:
                return
            body = templates[(sent * CLIENTS + number) % len(templates)].replace(b"NUMBER", b"%d-%d" % (number, sent))
            connection.request("POST", "/v1/batch", body, headers)
            response = connection.getresponse()
            response.read()
            assert response.status == 200
            taken.append(BATCH)

    clients = [threading.Thread(target=client, args=[number]) for number in range(CLIENTS)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    return sum(taken)


def _cpu(pids: list[int]) -> float:
    """Seconds of CPU that processes took, on Linux."""
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    for relays in RELAYS:
        print(", ".join(f"{name} {value:,.0f}" for name, value in measure(relays, given.seconds).items()), flush=True)


if __name__ == "__main__":
    main()
