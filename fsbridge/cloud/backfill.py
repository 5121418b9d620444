"""Past messages by FullStory's batch imports: jobs of up to 50,000 users or events, followed until they are done."""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..runtime import from_json, to_json
from .direct import FullStory
from .errors import CloudError, Rejected, Unavailable
from .ordered import each

MAX_IN_BATCH = 50_000
MAX_BYTES = 16_000_000
"""Of one batch, which is held in memory."""

MAX_OPERATIONS = 400_000
MAX_JOBS = 50
"""In progress at a time. FullStory answers 429 from 500,000 operations and 200 batches of an org on."""

_BATCHES = uuid.UUID("0b2a8f0e-3c0f-4a55-9c5c-0d6a8d1f8a1e")
"""The namespace of idempotency keys, which follow from what is in a batch: a run that is repeated doubles nothing."""


@dataclass
class Backfilled:
    """What became of the messages: their number, the users and events that were imported, the batches, the failures."""

    messages: int = 0
    users: int = 0
    events: int = 0
    batches: int = 0
    rejected: int = 0


@dataclass
class _Job:
    path: str
    id: str
    size: int


@dataclass
class _Batch:
    """What is collected for one job, each under a key that later ones replace."""

    path: str
    items: dict[Any, bytes] = field(default_factory=dict)
    size: int = 0

    def put(self, key: Any, body: bytes) -> None:
        self.size += len(body) + 1 - len(self.items.get(key, b""))
        self.items[key] = body


async def backfill(
    fullstory: FullStory,
    messages: Iterable[Any] | AsyncIterable[Any],
    on_rejected: Callable[[Any, Rejected], None] | None = None,
    *,
    batch_size: int = MAX_IN_BATCH,
    job_timeout: float = 3600,
    poll_every: float = 5,
    on_progress: Callable[[Backfilled], None] | None = None,
) -> Backfilled:
    """Import ``messages`` in batches of up to ``batch_size``; what became of them, after all jobs are done.

    Only V2 actions can be imported. Jobs of events run side by side, those of users one after the other; of one user
    in a batch the properties are put together, later ones winning, so that the order of messages holds.
    ``on_rejected(what, error)`` hears of a message that makes no importable request and of the users and events that
    FullStory reports as failed (``what`` is then the user or event as sent); without it the first one is raised in the
    end. ``on_progress(so far)`` hears of each batch and each job.

    Sending the same messages in the same order with the same ``batch_size`` again within 24 hours doubles nothing.
    Raises Unavailable when FullStory is unreachable or a job takes longer than ``job_timeout`` seconds, and Rejected
    for a batch that is refused as a whole.
    """
    if not 1 <= batch_size <= MAX_IN_BATCH:
        raise ValueError(f"batch_size must be from 1 to {MAX_IN_BATCH:,}, and is {batch_size!r}.")
    return await _Backfill(fullstory, on_rejected, batch_size, job_timeout, poll_every, on_progress).run(messages)


class _Backfill:
    def __init__(
        self,
        fullstory: FullStory,
        on_rejected: Callable[[Any, Rejected], None] | None,
        batch_size: int,
        job_timeout: float,
        poll_every: float,
        on_progress: Callable[[Backfilled], None] | None,
    ) -> None:
        self._fullstory = fullstory
        self._on_rejected = on_rejected
        self._batch_size = batch_size
        self._job_timeout = job_timeout
        self._poll_every = poll_every
        self._on_progress = on_progress or (lambda so_far: None)
        self._done = Backfilled()
        self._first: Rejected | None = None
        self._jobs: deque[_Job] = deque()
        self._users = _Batch("/v2/users/batch")
        self._events = _Batch("/v2/events/batch")

    async def run(self, messages: Iterable[Any] | AsyncIterable[Any]) -> Backfilled:
        async for message in each(messages):
            self._done.messages += 1
            try:
                requests, failed = self._fullstory.requests(message)
            except (TypeError, Rejected) as error:
                self._reject(message, error if isinstance(error, Rejected) else Rejected(str(error)))
                continue
            for wrong in failed:
                self._reject(message, Rejected(f"{wrong.subscription} failed: {wrong}"))
            for request in requests:
                try:
                    await self._add(request)
                except (Rejected, ValueError) as error:
                    self._reject(message, error if isinstance(error, Rejected) else Rejected(str(error)))
        for batch in (self._users, self._events):
            await self._start(batch)
        while self._jobs:
            await self._finish(self._jobs.popleft())
        if self._first is not None and self._on_rejected is None:
            raise self._first
        return self._done

    async def _add(self, request: Any) -> None:
        body = request.body()
        if request.path == "/v2/events":
            batch, key = self._events, len(self._events.items)
        elif request.path == "/v2/users":
            user = from_json(body.decode())
            batch, key = self._users, user.get("uid", len(self._users.items))
            if key in batch.items:
                body = _together(from_json(batch.items[key].decode()), user)
        else:
            raise Rejected("V1 actions can't be imported in batches: use V2 actions, or `send`.")
        batch.put(key, body)
        if len(batch.items) >= self._batch_size or batch.size >= MAX_BYTES:
            await self._start(batch)

    async def _start(self, batch: _Batch) -> None:
        """Send what is collected, after as many jobs as make room for it, and as order asks for."""
        if not batch.items:
            return
        size = len(batch.items)
        for job in [job for job in self._jobs if batch is self._users and job.path == batch.path]:
            self._jobs.remove(job)
            await self._finish(job)
        while self._jobs and (
            len(self._jobs) >= MAX_JOBS or sum(job.size for job in self._jobs) + size > MAX_OPERATIONS
        ):
            await self._finish(self._jobs.popleft())
        body = b'{"requests":[' + b",".join(batch.items.values()) + b"]}"
        answer = await self._fullstory.post(batch.path, body, str(uuid.uuid5(_BATCHES, batch.path + body.decode())))
        batch.items.clear()
        batch.size = 0
        about = _object((answer or {}).get("job"))
        if not about.get("id"):
            raise CloudError("FullStory's answer names no job", request=f"POST {batch.path}")
        self._jobs.append(_Job(batch.path, str(about["id"]), size))
        self._done.batches += 1
        self._on_progress(self._done)

    async def _finish(self, job: _Job) -> None:
        """Wait for a job, and account for what it did."""
        path = f"{job.path}/{quote(job.id, safe='')}"
        deadline = time.monotonic() + self._job_timeout
        pause = min(0.1, self._poll_every)
        while True:
            answer = await self._fullstory.get(path) or {}
            about = _object(answer.get("job"))
            if about.get("status") in ("COMPLETED", "FAILED"):
                break
            over = time.monotonic() + pause > deadline
            if over or not await self._fullstory.pause(pause):
                raise Unavailable(f"job {job.id} is still {about.get('status')}", request=f"GET {path}")
            pause = min(pause * 2, self._poll_every)
        failed = 0
        if about["status"] == "FAILED" or answer.get("errors") not in (None, 0, "0", ""):
            async for what, error in self._errors(path, job.size):
                failed += 1
                self._reject(what, error)
        if about["status"] == "FAILED" and not failed:
            raise CloudError(f"job {job.id} failed with all its {job.size} requests", request=f"GET {path}")
        if job.path == self._users.path:
            self._done.users += job.size - failed
        else:
            self._done.events += job.size - failed
        self._on_progress(self._done)

    async def _errors(self, path: str, size: int) -> AsyncIterator[tuple[Any, Rejected]]:
        """What FullStory says of the requests of a job that failed, at most ``size`` of them."""
        told, page = 0, ""
        while told < size:
            answer = await self._fullstory.get(f"{path}/errors{page}") or {}
            results = answer.get("results")
            for result in results[: size - told] if isinstance(results, list) else []:
                result = _object(result)
                told += 1
                what = result.get("event") or result.get("user") or {}
                yield what, Rejected(str(result.get("message") or "failed"), code=str(result.get("code") or ""))
            token = answer.get("next_page_token")
            if not results or not isinstance(token, str) or not token:
                return
            page = f"?page_token={quote(token, safe='')}"

    def _reject(self, what: Any, error: Rejected) -> None:
        self._done.rejected += 1
        self._first = self._first or error
        if self._on_rejected is not None:
            self._on_rejected(what, error)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _together(earlier: dict[str, Any], later: dict[str, Any]) -> bytes:
    """What two messages about a user leave behind."""
    properties = {**earlier.get("properties", {}), **later.get("properties", {})}
    return str(to_json({**earlier, **later, "properties": properties})).encode()
