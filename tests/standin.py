"""A stand-in for FullStory's HTTP API on loopback: checks requests against the documented shapes, and fails as told.

    with FullStoryAPI() as api:
        api.script(429, Answer(503), Answer(cut="after"))     # what the next requests meet; then all goes well
        cloud = Cloud("key", base_url=api.url)
        …
        api.requests       # every attempt that arrived, in order
        api.accepted       # what FullStory would have done: each idempotency key once

Idempotency is FullStory's: of a key the first answer is kept and given again, a different body is an error, and a
repetition while the first is still at it is a conflict. As a process of its own: ``python -m tests.standin --port 0``
prints its address, keeps counts only, and tells them at ``/standin``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "na1.stand-in-key"


@dataclass
class Answer:
    """How one request fares: an answer instead of FullStory's own, late (``delay`` seconds), or none at all.

    ``cut`` closes the connection "before" or "after" the request was executed, ``hang`` never answers it (executed all
    the same). Without a status the request is executed as usual.
    """

    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    cut: str = ""
    hang: bool = False
    reason: str | None = None


@dataclass
class Received:
    """One request as it arrived; ``path`` with its query, ``key`` its Idempotency-Key."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def key(self) -> str | None:
        return self.headers.get("idempotency-key")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


FAILURES = [
    Answer(429, headers={"Retry-After": "0"}),
    Answer(408),
    Answer(500),
    Answer(503),
    Answer(cut="before"),
    Answer(cut="after"),
    Answer(delay=0.05),
]


class Refused(Exception):
    """An answer with an error; the arguments are status, message, code."""


class FullStoryAPI:
    """The stand-in. ``chaos`` is the share of requests that meet a random failure, drawn with ``seed``."""

    def __init__(
        self, port: int = 0, *, chaos: float = 0, seed: int = 0, keep: bool = True, tls: ssl.SSLContext | None = None
    ) -> None:
        self.port = port
        self.api_key = KEY
        self.role = "ADMIN"
        self.unknown: set[str] = set()
        """User ids that V1 actions and deletion don't know."""
        self.job_polls = 1
        """How often a batch job says PROCESSING before it is done."""
        self.requests: list[Received] = []
        self.accepted: list[Received] = []
        self.counts = {"requests": 0, "accepted": 0, "repeated": 0, "refused": 0}
        self._keep = keep
        self._tls = tls
        self._chaos = chaos
        self._random = random.Random(seed)
        self._script: deque[Answer] = deque()
        self._always: Answer | None = None
        self._answers: dict[str, tuple[bytes, int, Any]] = {}
        self._running: set[str] = set()
        self.most_at_once = 0
        """Of the requests whose answers were late, how many there were at one time."""
        self._jobs: dict[str, dict[str, Any]] = {}
        self._connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def script(self, *answers: Answer | int) -> None:
        """What the next requests meet, one each; a number is a status."""
        self._script.extend(Answer(each) if isinstance(each, int) else each for each in answers)

    def end_script(self) -> None:
        """Meet no more of the script."""
        self._script.clear()

    def always(self, answer: Answer | int | None) -> None:
        """What all requests meet that the script leaves; None: they are executed."""
        self._always = Answer(answer) if isinstance(answer, int) else answer

    def up(self) -> None:
        """Listen, on the same port as before."""

        async def listen() -> None:
            self._server = await self._loop.create_server(
                lambda: Connection(self), "127.0.0.1", self.port, ssl=self._tls
            )
            self.port = self._server.sockets[0].getsockname()[1]

        asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)

    def down(self) -> None:
        """Refuse connections and cut those that are open."""

        async def stop() -> None:
            assert self._server is not None
            self._server.close()
            for connection in list(self._connections):
                connection.cut()

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(10)

    def __enter__(self) -> FullStoryAPI:
        self._thread.start()
        self.up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # One request

    def plan(self) -> Answer:
        if self._script:
            return self._script.popleft()
        if self._always is not None:
            return self._always
        if self._chaos and self._random.random() < self._chaos:
            return self._random.choice(FAILURES)
        return Answer()

    def receive(self, received: Received, connection: Connection) -> None:
        self.counts["requests"] += 1
        if received.path == "/standin":
            return connection.answer(200, self.counts)
        if self._keep:
            self.requests.append(received)
        plan = self.plan()
        if plan.cut == "before":
            return connection.cut()
        if plan.status is not None:
            later(self._loop, plan.delay, lambda: connection.answer(plan.status, plan.body, plan.headers, plan.reason))
            return None
        status, body = self.idempotent(received, plan)
        if plan.cut:
            connection.cut()
        elif not plan.hang:
            later(self._loop, plan.delay, lambda: connection.answer(status, body))
        return None

    def idempotent(self, received: Received, plan: Answer) -> tuple[int, Any]:
        key = received.key
        if key is None or received.method == "GET":
            return self.executed(received)
        what = b" ".join([received.method.encode(), received.path.encode(), received.body])
        if key in self._running:
            return 409, {"message": "A request with this idempotency key is being executed", "code": "conflict"}
        if key in self._answers:
            self.counts["repeated"] += 1
            before, status, body = self._answers[key]
            if before != what:
                return 400, {"message": "The idempotency key was used for another request", "code": "idempotency_error"}
            return status, body
        status, body = self.executed(received)
        if status not in (401, 403):  # nothing was begun
            self._answers[key] = (what, status, body)
        if plan.delay or plan.hang:
            self._running.add(key)
            self.most_at_once = max(self.most_at_once, len(self._running))
            later(self._loop, plan.delay or 0.3, lambda: self._running.discard(key))
        return status, body

    def executed(self, received: Received) -> tuple[int, Any]:
        try:
            if received.headers.get("authorization") != f"Basic {self.api_key}":
                raise Refused(401, "access is unauthorized", "unauthorized")
            body = self.execute(received)
        except Refused as refused:
            self.counts["refused"] += 1
            status, message, code = refused.args
            return status, {"message": message, "code": code}
        if received.method != "GET":
            self.counts["accepted"] += 1
            if self._keep:
                self.accepted.append(received)
        return 200, body

    def execute(self, received: Received) -> Any:
        parts = urlsplit(received.path)
        method, path = received.method, parts.path
        if (method, path) == ("GET", "/me"):
            return {"email": "ada@example.com", "orgId": "1ABC", "role": self.role}
        if (method, path) == ("DELETE", "/v2/users"):
            return self.delete(parse_qs(parts.query).get("uid", [""])[0])
        if method == "GET":
            return self.job(path, parse_qs(parts.query).get("page_token", ["0"])[0])
        if received.headers.get("content-type") != "application/json":
            raise Refused(415, "Content-Type must be application/json", "unsupported_media_type")
        try:
            body = json.loads(received.body)
        except ValueError as error:
            raise Refused(400, "the body is no JSON", "invalid_json") from error
        if path == "/v2/events":
            check_event(body)
            return {}
        if path == "/v2/users":
            check_user(body)
            return {"id": "1", **{name: body[name] for name in ("uid", "display_name") if name in body}}
        if path in ("/v2/events/batch", "/v2/users/batch"):
            return self.start_job(path, body)
        v1 = re.fullmatch(r"/users/v1/individual/([^/]+)/(customevent|customvars)", path)
        if v1 is None or parts.query != "integration=segment":
            raise Refused(404, "Requested resource does not exist", "resource_not_found")
        if unquote(v1[1]) in self.unknown:
            raise Refused(404, "user not found", "user_not_found")
        check_v1(v1[2], body)
        return {}

    def delete(self, uid: str) -> Any:
        if self.role not in ("ADMIN", "ARCHITECT"):
            raise Refused(403, "insufficient permissions", "forbidden")
        if not uid:
            raise Refused(400, "uid is required", "required_field")
        if uid in self.unknown:
            raise Refused(404, "user not found", "user_not_found")
        self.unknown.add(uid)
        return {}

    def start_job(self, path: str, body: Any) -> Any:
        items = body.get("requests") if isinstance(body, dict) and set(body) == {"requests"} else None
        if not isinstance(items, list) or not 1 <= len(items) <= 50_000:
            raise Refused(400, "requests must list 1 to 50000 items", "invalid_requests")
        running = [job for job in self._jobs.values() if job["polls"] > 0]
        if len(running) >= 200 or sum(job["size"] for job in running) >= 500_000:
            raise Refused(429, "too many batches in progress", "too_many_requests")
        what, check = ("event", check_event) if "events" in path else ("user", check_user)
        errors = []
        for item in items:
            try:
                check(item)
            except Refused as refused:
                errors.append({"message": refused.args[1], "code": refused.args[2], what: item})
        name = f"job-{len(self._jobs) + 1}"
        self._jobs[f"{path}/{name}"] = {"polls": self.job_polls, "size": len(items), "errors": errors}
        return {"job": {"id": name, "status": "PROCESSING", "created": "2024-03-05T10:11:12.01Z"}}

    def job(self, path: str, page: str) -> Any:
        job = self._jobs.get(path.removesuffix("/errors"))
        if job is None:
            raise Refused(404, "Requested resource does not exist", "resource_not_found")
        if path.endswith("/errors"):
            first, size = int(page), 2
            more = {"next_page_token": str(first + size)} if first + size < len(job["errors"]) else {}
            return {"results": job["errors"][first : first + size], "total_records": str(len(job["errors"])), **more}
        job["polls"] -= 1
        done = job["polls"] < 0
        about = {"id": path.rpartition("/")[2], "status": "COMPLETED" if done else "PROCESSING"}
        return {"job": about, "imports": job["size"] - len(job["errors"]), "errors": len(job["errors"])}


# The documented shapes


Fields = dict[str, type | tuple[type, ...]]
"""The fields of an object, each with what it may be."""


def check_object(value: Any, fields: Fields, what: str) -> None:
    if not isinstance(value, dict):
        raise Refused(400, f"{what} must be an object", "invalid_type")
    for name, item in value.items():
        if name not in fields:
            raise Refused(400, f"unknown field {name} in {what}", "unknown_field")
        if not isinstance(item, fields[name]) or (isinstance(item, bool) and fields[name] is not bool):
            raise Refused(400, f"{what}.{name} has a wrong type", "invalid_type")


def check_properties(properties: Any, prefix: int = 0) -> None:
    for name, value in properties.items():
        if not re.fullmatch(r"[A-Za-z0-9_]*", name) or prefix + len(name) > 512:
            raise Refused(400, f"property name {name!r} is invalid", "invalid_property_name")
        if isinstance(value, dict):
            check_properties(value, prefix + len(name) + 1)


def check_event(body: Any) -> None:
    text = {"user": dict, "session": dict, "context": dict, "name": str, "timestamp": str, "properties": dict}
    check_object(body, {**text, "schema": dict}, "event")
    if not 1 <= len(body.get("name", "")) <= 250:
        raise Refused(400, "name must have 1 to 250 characters", "invalid_name")
    check_object(body.get("user", {}), {"uid": str, "id": str}, "user")
    check_object(body.get("session", {}), {"id": str, "use_most_recent": bool}, "session")
    if any(len(text) > 256 for text in body.get("user", {}).values()):
        raise Refused(400, "uid is too long", "invalid_uid")
    moment = body.get("timestamp")
    if moment is not None and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", moment):
        raise Refused(400, "timestamp must be ISO 8601", "invalid_timestamp")
    check_properties(body.get("properties", {}))


def check_user(body: Any) -> None:
    fields: Fields = {"uid": str, "id": str, "display_name": str, "email": str, "properties": dict, "schema": dict}
    check_object(body, fields, "user")
    for name, most in (("uid", 256), ("display_name", 256), ("email", 128)):
        if len(body.get(name, "")) > most:
            raise Refused(400, f"{name} is too long", f"invalid_{name}")
    check_properties(body.get("properties", {}))


def check_v1(what: str, body: Any) -> None:
    if what == "customvars":
        if not isinstance(body, dict):
            raise Refused(400, "the body must be an object", "invalid_type")
        return
    check_object(body, {"event": dict}, "body")
    fields: Fields = {
        "event_name": str,
        "event_data": dict,
        "timestamp": str,
        "use_recent_session": bool,
        "session_url": str,
    }
    check_object(body.get("event"), fields, "event")
    if not 1 <= len(body["event"].get("event_name", "")) <= 250:
        raise Refused(400, "event_name must have 1 to 250 characters", "invalid_name")


# HTTP/1.1, as far as clients of an API go


def later(loop: asyncio.AbstractEventLoop, delay: float, action: Any) -> None:
    if delay:
        loop.call_later(delay, action)
    else:
        action()


def unchunked(buffer: bytearray, start: int) -> tuple[bytes, int]:
    """A body in chunks, and how many bytes it takes in ``buffer``; -1 while it isn't all there."""
    body = b""
    at = start
    while (end := buffer.find(b"\r\n", at)) >= 0:
        size = int(buffer[at:end], 16)
        at = end + 2 + size + 2
        body += buffer[end + 2 : at - 2]
        if size == 0 and at <= len(buffer):
            return body, at - start
    return body, -1


class Connection(asyncio.Protocol):
    def __init__(self, api: FullStoryAPI) -> None:
        self._api = api
        self._buffer = bytearray()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._api._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._api._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            if headers.get("transfer-encoding") == "chunked":
                body, size = unchunked(self._buffer, end + 4)
            else:
                size = int(headers.get("content-length", 0))
                body = bytes(self._buffer[end + 4 : end + 4 + size])
            if size < 0 or len(self._buffer) < end + 4 + size:
                return
            del self._buffer[: end + 4 + size]
            method, path, _ = head[0].split(" ")
            self._api.receive(Received(method, path, headers, body, time.time()), self)

    def answer(
        self, status: int | None, body: Any = None, headers: dict[str, str] | None = None, reason: str | None = None
    ) -> None:
        assert status is not None
        content = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
        if reason is None:
            reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
        lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(content)}"]
        given = {"Content-Type": "application/json", **(headers or {})}
        lines += [f"{name}: {value}" for name, value in given.items()]
        self._transport.write("\r\n".join([*lines, "", ""]).encode("latin-1") + content)

    def cut(self) -> None:
        self._transport.abort()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--chaos", type=float, default=0, help="share of requests that fail at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--certificate", help="a file with its key and certificate: then it speaks TLS")
    given = parser.parse_args()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if given.certificate else None
    if tls:
        tls.load_cert_chain(given.certificate)
    with FullStoryAPI(given.port, chaos=given.chaos, seed=given.seed, keep=False, tls=tls) as api:
        print(api.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
