"""`fsbridge relay` as a process of its own, to be talked to, stopped and killed."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import requests

from tests import standin
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
WRITE_KEY = "write-key-of-tests"
AUTH = (WRITE_KEY, "")
PATIENCE = 120
"""Seconds that a busy machine may take for what takes one."""

Value = TypeVar("Value")


class RelayProcess:
    """A relay in ``folder`` that delivers to ``fullstory``; it keeps its queue and port over restarts."""

    def __init__(self, folder: Path, fullstory: str, *options: str) -> None:
        self.queue: Any = folder / "relay.db"
        self.log = folder / "relay.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._options = ["--base-url", fullstory, "--max-backoff", "0.2", *options]
        self._process: subprocess.Popen[bytes] | None = None
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

    def wait_until_up(self, seconds: float = PATIENCE) -> None:
        wait_for(lambda: self._process.poll() is not None or answers(self.port), seconds)
        assert self._process.poll() is None, self.log.read_text()

    @property
    def pid(self) -> int:
        return self._process.pid

    def family(self) -> list[int]:
        """Its process and the children of that, on Linux."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return [self.pid, *(int(child) for task in tasks for child in (task / "children").read_text().split())]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(PATIENCE)

    def wait(self) -> int:
        """Its exit status, in the end."""
        return self._process.wait(PATIENCE)

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def post(self, path: str, document: object = None, **options: Any) -> requests.Response:
        return requests.post(self.url + path, json=document, **{"auth": AUTH, "timeout": 60, **options})

    def health(self) -> dict[str, Any]:
        health: dict[str, Any] = requests.get(self.url + "/healthz", timeout=60).json()
        return health

    def metric(self, name: str) -> float:
        """The sum of a metric over all labels."""
        lines = requests.get(self.url + "/metrics", timeout=60).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"fsbridge_relay_{name}"))

    def command(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "fsbridge", "relay", "--queue", str(self.queue), *arguments]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


class Client(threading.Thread):
    """Sends batches of its own users' messages, each until it is acknowledged, as SDKs do.

    ``choose()`` gives the relay for an attempt, which takes at most ``timeout`` seconds. A batch has ``rounds``
    messages of each of ``users`` users. ``pause`` seconds are between attempts.
    """

    def __init__(
        self,
        choose: Callable[[], RelayProcess],
        name: str,
        users: int,
        rounds: int,
        timeout: float = 60,
        pause: float = 0.02,
    ) -> None:
        super().__init__(daemon=True)
        self.users = [f"{name}-{number}" for number in range(users)]
        self.acknowledged = 0
        self.refused: list[str] = []
        self.enough = threading.Event()
        self._choose = choose
        self._rounds = rounds
        self._timeout = timeout
        self._pause = pause

    def run(self) -> None:
        while not self.enough.is_set():
            each = range(self.acknowledged, self.acknowledged + self._rounds)
            batch = [track(user, number) for number in each for user in self.users]
            while not self._sent(batch):
                time.sleep(self._pause)
            self.acknowledged = each.stop
            time.sleep(self._pause)

    def _sent(self, batch: list[dict[str, Any]]) -> bool:
        try:
            response = self._choose().post("/v1/batch", {"batch": batch}, timeout=self._timeout)
        except requests.RequestException:
            return False
        if response.status_code not in (200, 503):
            self.refused.append(response.text)
        return response.status_code == 200


def track(user: str, number: int, **fields: Any) -> dict[str, Any]:
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


def numbers(accepted: Any, user: str) -> list[int]:
    """The numbers of a user's messages in the order in which FullStory took them."""
    bodies = [received.json for received in accepted if received.path == "/v2/events"]
    return [body["properties"]["number"] for body in bodies if body.get("user") == {"uid": user}]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], Value], seconds: float = PATIENCE) -> Value:
    """What the condition gives once it holds; asked again, a busy machine may have no answer."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.02)
    return value
