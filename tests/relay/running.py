"""`fsbridge relay` as a process of its own, to be talked to, stopped and killed."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests import standin

ROOT = Path(__file__).parent.parent.parent
WRITE_KEY = "write-key-of-tests"
AUTH = (WRITE_KEY, "")


class RelayProcess:
    """A relay in ``folder`` that delivers to ``fullstory``; it keeps its queue and port over restarts."""

    def __init__(self, folder: Path, fullstory: str, *options: str) -> None:
        self.queue = folder / "relay.db"
        self.log = folder / "relay.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._options = ["--base-url", fullstory, "--max-backoff", "0.2", *options]
        self._process: subprocess.Popen | None = None
        self._before: list[str] = []

    def limit_files(self, number: int) -> None:
        """Let it open no more files than that; before it starts."""
        self._before = ["sh", "-c", f'ulimit -n {number} && exec "$@"', "sh"]

    def start(self, wait: bool = True) -> None:
        environment = {**os.environ, "FSBRIDGE_WRITE_KEYS": WRITE_KEY, "FULLSTORY_API_KEY": standin.KEY}
        command = [sys.executable, "-m", "fsbridge", "relay", "--queue", str(self.queue), "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._before, *command, *self._options], cwd=ROOT, env=environment, stderr=log
            )
        if wait:
            self.wait_until_up()

    def wait_until_up(self, seconds: float = 120) -> None:
        wait_for(lambda: self._process.poll() is not None or answers(self.port), seconds)
        assert self._process.poll() is None, self.log.read_text()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(60)

    def wait(self) -> int:
        """Its exit status, in the end."""
        return self._process.wait(60)

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def post(self, path: str, document: object = None, **options) -> requests.Response:
        return requests.post(self.url + path, json=document, timeout=60, **{"auth": AUTH, **options})

    def health(self) -> dict:
        return requests.get(self.url + "/healthz", timeout=60).json()

    def metric(self, name: str) -> float:
        """The sum of a metric over all labels."""
        lines = requests.get(self.url + "/metrics", timeout=60).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"fsbridge_relay_{name}"))

    def command(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "fsbridge", "relay", "--queue", str(self.queue), *arguments]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout

    def logged(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def track(user: str, number: int, **fields) -> dict:
    """A track message as SDKs make it, the ``number``th of a user."""
    return {
        "type": "track",
        "event": "Clicked",
        "userId": user,
        "messageId": f"{user}-{number}",
        "timestamp": "2024-03-05T10:11:12.000Z",
        "properties": {"number": number},
        **fields,
    }


def numbers(accepted, user: str) -> list[int]:
    """The numbers of a user's messages in the order in which FullStory took them."""
    bodies = [received.json for received in accepted if received.path == "/v2/events"]
    return [body["properties"]["number"] for body in bodies if body.get("user") == {"uid": user}]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.02)
