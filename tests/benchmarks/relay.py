"""The relay end to end, on loopback: how fast it acknowledges while it delivers, and what it delivers meanwhile.

python -m tests.benchmarks.relay --rate 2000 --seconds 10
"""

import argparse
import base64
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.relay.running import ROOT, WRITE_KEY, RelayProcess, track

BATCH = 100
USERS = 500
CLIENTS = 8


def measure(rate: float, seconds: float) -> dict[str, float]:
    """Send ``rate`` messages a second in batches of 100 for ``seconds``.

    The result: messages acknowledged a second, percentiles of the time to an answer in milliseconds, messages that were
    delivered a second meanwhile, and the memory of the relay's processes in MB.
    """
    command = [sys.executable, "-m", "tests.standin"]
    with (
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as standin,
        tempfile.TemporaryDirectory() as folder,
    ):
        relay = RelayProcess(Path(folder), standin.stdout.readline().strip())
        relay.start()
        try:
            relay.post("/v1/track", track("warm", 0))
            bodies = [_batch(number) for number in range(int(rate * seconds / BATCH))]
            begun = time.monotonic()
            times = _send(relay.port, bodies, rate)
            took = time.monotonic() - begun
            delivered = relay.metric("messages_delivered_total")
            memory = sum(map(_memory, _family(relay.pid)))
        finally:
            relay.end()
            standin.kill()
    times.sort()
    return {
        "acknowledged/s": len(times) * BATCH / took,
        "p50 ms": times[len(times) // 2] * 1000,
        "p99 ms": times[int(len(times) * 0.99)] * 1000,
        "max ms": times[-1] * 1000,
        "delivered/s": delivered / took,
        "MB": memory,
    }


def _batch(number: int) -> bytes:
    first = number * BATCH
    batch = [track(f"u{each % USERS}", each) for each in range(first, first + BATCH)]
    return json.dumps({"batch": batch}).encode()


def _send(port: int, bodies: list[bytes], rate: float) -> list[float]:
    """Send each body at its time, from a few clients; the seconds that each took."""
    headers = {"Authorization": "Basic " + base64.b64encode(f"{WRITE_KEY}:".encode()).decode()}
    begun = time.monotonic()
    taken: list[float] = []
    numbers = iter(range(len(bodies)))
    lock = threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            time.sleep(max(begun + number * BATCH / rate - time.monotonic(), 0))
            sent = time.perf_counter()
            connection.request("POST", "/v1/batch", bodies[number], headers)
            response = connection.getresponse()
            response.read()
            taken.append(time.perf_counter() - sent)
            assert response.status == 200

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    assert len(taken) == len(bodies)
    return taken


def _family(pid: int) -> list[int]:
    """A process and its children, on Linux."""
    children = [
        child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [pid, *map(int, children)]


def _memory(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=float, default=2000, help="messages a second")
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    for name, value in measure(given.rate, given.seconds).items():
        print(f"{name:16}{value:10.1f}")


if __name__ == "__main__":
    main()
