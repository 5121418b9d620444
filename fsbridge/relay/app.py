"""The relay's HTTP API: ``/v1/…`` for SDKs, ``/healthz`` and ``/metrics`` for operators."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import bodies, tracking
from .bodies import Refused
from .committer import Committer
from .deliverer import Deliverer
from .metrics import FrontMetrics
from .queue import Queue
from .settings import RelaySettings
from .tracking import Wrong

Found = TypeVar("Found")

_PREFLIGHT_SECONDS = 3600
_MOST_REASONS = 5
_RETRY_AFTER = 5


class Relay:
    """A relay with all its parts; ``app`` is for an ASGI server, whose lifespan events start and stop the rest."""

    def __init__(self, settings: RelaySettings) -> None:
        self.settings = settings
        self.metrics = FrontMetrics()
        self._writing = Queue(settings.queue)
        self._looking = Queue(settings.queue)
        self.committer = Committer(self._writing)
        self.deliverer = Deliverer(settings)
        self._looks = asyncio.Lock()
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["POST"],
            allow_headers=["*"],
            max_age=_PREFLIGHT_SECONDS,
        )
        self.app = Starlette(
            routes=[
                Route("/v1/{end}", self._v1, methods=["POST"]),
                Route("/beacon/v1/{end}", self._v1, methods=["POST"]),  # RudderStack's, with ?writeKey=
                Route("/healthz", self._healthz),
                Route("/metrics", self._metrics),
            ],
            middleware=[cors] if settings.origins else [],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self.committer.start()
        self.deliverer.start()
        try:
            yield
        finally:
            await asyncio.to_thread(self.committer.stop)
            await asyncio.to_thread(self.deliverer.stop)

    async def _v1(self, request: Request) -> Response:
        begun = time.monotonic()
        try:
            answer = await self._taken(request)
        except Refused as refused:
            self.metrics.refused.labels(refused.code).inc()
            answer = _refusal(refused)
        self.metrics.answering.observe(time.monotonic() - begun)
        return answer

    async def _taken(self, request: Request) -> Response:
        """Read, check and store; the answer for messages that are on disk."""
        end: str = request.path_params["end"]
        if end not in tracking.TYPE_OF and end not in tracking.BATCHES:
            raise Refused(404, "unknown_path", f"/v1/{end[:40]} is unknown.")
        given = tracking.key_of_header(request.headers.get("authorization")) or request.query_params.get("writeKey")
        key = tracking.checked_key(given, self.settings.write_keys) if given else ""
        body = await bodies.read(request, self.settings.max_batch, self.settings.slowest)
        document = tracking.parsed(body)
        key = key or tracking.checked_key(document.get("writeKey"), self.settings.write_keys)
        taken, wrong = tracking.messages(end, document, key, self.settings.max_message)
        if taken:
            try:
                await self.committer.append(taken)
            except sqlite3.Error:
                raise Refused(503, "queue_unavailable", "The message can't be stored now; nothing of it was.") from None
            for message in taken:
                self.metrics.acknowledged.labels(message.type).inc()
        if wrong:
            raise _refused_messages(wrong, len(taken))
        return JSONResponse({"success": True})

    async def _healthz(self, request: Request) -> Response:
        """200 while messages can be taken, whether or not FullStory takes them; else 503."""
        healthy = not self.committer.failure
        oldest = await self._look(Queue.oldest)
        report = await asyncio.to_thread(self.deliverer.report)
        return JSONResponse(
            {
                "status": "ok" if healthy else "the queue can't be written",
                "delivery": report.trouble or "ok",
                "oldest_message_seconds": _age(oldest),
            },
            200 if healthy else 503,
        )

    async def _metrics(self, request: Request) -> Response:
        waiting, parked = await self._look(Queue.sizes)
        self.metrics.waiting.set(waiting)
        self.metrics.aside.set(parked)
        self.metrics.oldest.set(_age(await self._look(Queue.oldest)))
        report = await asyncio.to_thread(self.deliverer.report)
        return Response(self.metrics.text() + report.metrics, media_type=CONTENT_TYPE_LATEST)

    async def _look(self, at: Callable[[Queue], Found]) -> Found:
        async with self._looks:
            return await asyncio.to_thread(at, self._looking)

    def close(self) -> None:
        """Close the queue, when the server has stopped."""
        self._writing.close()
        self._looking.close()


def _age(received: float | None) -> float:
    return 0 if received is None else round(max(time.time() - received, 0), 3)


def _refused_messages(wrong: list[Wrong], taken: int) -> Refused:
    named = "; ".join(f"message {each.place}: {each.reason}" for each in wrong[:_MOST_REASONS])
    stored = f" The {taken} others are stored." if taken else ""
    too_large = all(each.too_large for each in wrong)
    status, code = (413, "message_too_large") if too_large else (400, "bad_message")
    return Refused(status, code, f"{len(wrong)} of {len(wrong) + taken} refused: {named}.{stored}")


def _refusal(refused: Refused) -> Response:
    headers = {}
    if refused.status in (408, 413):
        headers["Connection"] = "close"  # there may be more of the body
    if refused.status == 503:
        headers["Retry-After"] = str(_RETRY_AFTER)
    return JSONResponse({"success": False, "code": refused.code, "message": refused.reason}, refused.status, headers)
