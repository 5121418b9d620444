"""NATS servers on loopback, one or a cluster of three, that can be killed, paused and cut off from one another."""

import asyncio
import itertools
import json
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import requests
from nats.aio.client import Client
from nats.errors import Error

from tests.ports import free_port
from tools import nats

from .running import answers, wait_for

CONFIG = """
server_name: "node{number}"
host: 127.0.0.1
port: {port}
http: "127.0.0.1:{http}"
jetstream {{ store_dir: "{store}" }}
{more}
"""
CLUSTER = """
cluster {{ name: tests, host: 127.0.0.1, port: {own}, advertise: "127.0.0.1:1", routes: [{routes}] }}
"""


class Link:
    """What goes from one server's cluster port to another's, until it is cut: then nothing gets through, silently."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: int) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
        self.port = server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self._flows.clear()

    def heal(self) -> None:
        """Let new connections through; those that were cut off end."""
        for writer in self._writers:
            writer.transport.abort()
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._flows.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            try:
                await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
            finally:
                self._writers.discard(back)
                back.transport.abort()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError


class Servers:
    """``number`` servers with their data in ``folder``. ``more`` is configuration for each."""

    def __init__(self, folder: Path, number: int, more: str = "") -> None:
        self._folder = folder
        self._numbers = range(number)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.ports = [free_port() for _ in self._numbers]
        self._https = [free_port() for _ in self._numbers]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        own = [free_port() for _ in self._numbers]
        pairs = itertools.permutations(self._numbers, 2)
        self._links = {(one, other): Link(self._loop, own[other]) for one, other in pairs}
        for each in self._numbers:
            routes = [f"nats-route://127.0.0.1:{link.port}" for (one, _), link in self._links.items() if one == each]
            cluster = CLUSTER.format(own=own[each], routes=", ".join(map(json.dumps, routes))) if number > 1 else ""
            store = folder / f"node{each}"
            port, http = self.ports[each], self._https[each]
            text = CONFIG.format(number=each, port=port, http=http, store=store, more=more + cluster)
            self._config(each).write_text(text)

    @property
    def url(self) -> str:
        return "nats://" + ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def start(self, number: int) -> None:
        with (self._folder / f"node{number}.log").open("ab") as log:
            command = [nats.installed(), "-c", str(self._config(number))]
            self._processes[number] = subprocess.Popen(command, stderr=log)

    def wait_until_up(self) -> None:
        """Wait until all take connections, and their streams have leaders and are whole."""
        wait_for(lambda: all(map(answers, self.ports)))
        wait_for(lambda: all(map(self._healthy, self._numbers)))

    def pids(self) -> list[int]:
        return [process.pid for process in self._processes.values()]

    def kill(self, number: int) -> None:
        self._processes[number].kill()
        self._processes[number].wait()

    def pause(self, number: int) -> None:
        self._processes[number].send_signal(signal.SIGSTOP)

    def resume(self, number: int) -> None:
        self._processes[number].send_signal(signal.SIGCONT)

    def cut_off(self, number: int) -> None:
        self._each_link(number, Link.cut)

    def heal(self, number: int) -> None:
        self._each_link(number, Link.heal)

    def leader(self, stream: str) -> int:
        """Wait until a stream has a leader; the server that it is."""

        def name() -> Any:
            info = asyncio.run_coroutine_threadsafe(self._info(stream), self._loop).result(20)
            return ((info or {}).get("cluster") or {}).get("leader")

        return int(wait_for(name).removeprefix("node"))

    def refuses(self, number: int) -> bool:
        """Whether a server has noticed that it is cut off from the others."""
        asked = self._info("any", [f"127.0.0.1:{self.ports[number]}"])
        info = asyncio.run_coroutine_threadsafe(asked, self._loop).result(20)
        return bool(info) and info.get("error", {}).get("code") == 503

    async def _info(self, stream: str, servers: list[str] | None = None) -> dict[str, Any] | None:
        servers = servers or self.url.replace("nats://", "").split(",")
        client = Client()
        try:
            await client.connect(servers, allow_reconnect=False, connect_timeout=2)
            info: dict[str, Any] = json.loads((await client.request(f"$JS.API.STREAM.INFO.{stream}", timeout=2)).data)
            return info
        except (Error, OSError, TimeoutError):
            return None
        finally:
            await client.close()

    def _each_link(self, number: int, do: Any) -> None:
        for pair, link in self._links.items():
            if number in pair:
                self._loop.call_soon_threadsafe(do, link)

    def _healthy(self, number: int) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self._https[number]}/healthz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def _config(self, number: int) -> Path:
        return self._folder / f"node{number}.conf"

    def __enter__(self) -> "Servers":
        try:
            for number in self._numbers:
                self.start(number)
            self.wait_until_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for number, process in self._processes.items():
            if process.poll() is None:
                self.resume(number)
                self.kill(number)
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        """End what goes through the links."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
