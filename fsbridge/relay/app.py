"""The relay's HTTP API: ``/v1/…`` for SDKs, ``/healthz`` and ``/metrics`` for operators."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import bodies, browsers, tracking
from .bodies import Bodies, Refused
from .committer import Committer
from .metrics import FrontMetrics
from .queue import Queue, QueueError
from .queue.opening import opened
from .settings import RelaySettings
from .supervisor import Supervisor
from .tracking import Message, Wrong

Found = TypeVar("Found")

_PREFLIGHT_SECONDS = 3600
_MAX_REASONS = 5
_RETRY_AFTER = 5
_PROBE_TIMEOUT = 3.0
"""Seconds."""


class Relay:
    """A relay with all its parts; ``app`` is for an ASGI server, whose lifespan events start and stop the rest."""

    def __init__(self, settings: RelaySettings) -> None:
        self.settings = settings
        self.metrics = FrontMetrics()
        self._writing = opened(settings.queue, max_bytes=settings.max_queue)
        self._reading = opened(settings.queue, make=False)
        self._one_reader = asyncio.Lock()
        self._bodies = Bodies(settings.max_batch, settings.client_timeout)
        self.committer = Committer(self._writing)
        self.supervisor = Supervisor(settings)
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            max_age=_PREFLIGHT_SECONDS,
        )
        self.app = Starlette(
            routes=[
                Route("/v1/{end}", self._v1, methods=["POST"]),
                Route("/beacon/v1/{end}", self._v1, methods=["POST"]),  # RudderStack's, with ?writeKey=
                Route("/v1/projects/{key}/settings", self._of_segment),
                Route("/sourceConfig", self._of_rudderstack),
                Route("/sourceConfig/", self._of_rudderstack),
                Route("/healthz", self._healthz),
                Route("/metrics", self._metrics),
            ],
            middleware=[cors] if settings.origins else [],
            lifespan=self._lifespan,
        )
        self.app.router.redirect_slashes = False  # to an address made of what the client calls us

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self.committer.start()
        self.supervisor.start()
        try:
            yield
        finally:
            await asyncio.to_thread(self.committer.stop)
            await asyncio.to_thread(self.supervisor.stop)

    async def _v1(self, request: Request) -> Response:
        begun = time.monotonic()
        try:
            answer = await self._taken(request)
        except Refused as refused:
            answer = self._refusal(refused)
        self.metrics.answering.observe(time.monotonic() - begun)
        return answer

    async def _taken(self, request: Request) -> Response:
        """Read, check and store; the answer for messages that are in the queue."""
        messages, wrong = await self._read(request)
        if messages:
            try:
                await self.committer.append(messages)
            except QueueError as error:
                raise Refused(503, "queue_unavailable", f"Not taken: {error}.") from None
            for message in messages:
                self.metrics.acknowledged.labels(message.type).inc()
        if wrong:
            raise _refused_messages(wrong, len(messages))
        return JSONResponse({"success": True})

    async def _read(self, request: Request) -> tuple[list[Message], list[Wrong]]:
        """The messages of a request. Nothing of strangers is unpacked or parsed."""
        end: str = request.path_params["end"]
        if end not in tracking.TYPE_OF and end not in tracking.BATCHES:
            raise Refused(404, "unknown_path", f"/v1/{end[:40]} is unknown.")
        known = self.settings.write_keys
        given = tracking.key_of_header(request.headers.get("authorization")) or request.query_params.get("writeKey")
        key = tracking.checked_key(given, known) if given else ""
        if bodies.encoding(request) == "gzip":
            key = key or tracking.checked_key(None, known)
            body = bodies.decompressed(await self._bodies.received(request), self.settings.max_batch)
        else:
            body = await self._bodies.received(request)
        if not key and not tracking.has_key(body, known):
            named = b'"writeKey"' in body
            raise tracking.unknown_key() if named else tracking.missing_key()
        document = tracking.parsed(body)
        key = key or tracking.checked_key(document.get("writeKey"), known)
        return tracking.messages(end, document, key, self.settings.max_message, self.settings.max_batch)

    def _refusal(self, refused: Refused) -> Response:
        self.metrics.refused.labels(refused.code).inc()
        headers = {}
        if refused.status in (408, 413) or refused.code == "busy":
            headers["Connection"] = "close"  # there may be more of the body
        if refused.status == 503:
            headers["Retry-After"] = str(_RETRY_AFTER)
        body = {"success": False, "code": refused.code, "message": refused.reason}
        return JSONResponse(body, refused.status, headers)

    # What browsers' SDKs ask first

    async def _of_segment(self, request: Request) -> Response:
        public = self.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
        return self._settings_for(request.path_params["key"], lambda key: browsers.segment(key, public))

    async def _of_rudderstack(self, request: Request) -> Response:
        return self._settings_for(request.query_params.get("writeKey"), browsers.rudderstack)

    def _settings_for(self, write_key: str | None, settings: Callable[[str], object]) -> Response:
        try:
            key = tracking.checked_key(write_key, self.settings.write_keys)
        except Refused as refused:
            return self._refusal(refused)
        return JSONResponse(settings(key), headers={"Cache-Control": "no-store"})

    # For operators

    async def _healthz(self, request: Request) -> Response:
        """200 while messages can be taken and the relay itself works, whether or not FullStory does; else 503."""
        trouble = ""
        oldest = None
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT):
                await self.committer.append([])  # which does all that taking messages does
                oldest = await self._query(lambda queue: queue.oldest())
        except QueueError as error:
            trouble = f"the queue can't be used: {error}"
        except TimeoutError:
            trouble = f"the queue has not answered for {_PROBE_TIMEOUT:g} s"
        report = await asyncio.to_thread(self.supervisor.report)
        broken = trouble or report.broken
        return JSONResponse(
            {
                "status": broken or "ok",
                "delivery": report.broken or report.trouble or "ok",
                "oldest_message_seconds": _age(oldest),
            },
            503 if broken else 200,
        )

    async def _metrics(self, request: Request) -> Response:
        with suppress(QueueError):  # which `healthz` tells
            waiting, parked = await self._query(lambda queue: queue.sizes())
            self.metrics.waiting.set(waiting)
            self.metrics.parked.set(parked)
            self.metrics.oldest.set(_age(await self._query(lambda queue: queue.oldest())))
        report = await asyncio.to_thread(self.supervisor.report)
        return Response(self.metrics.text() + report.metrics, media_type=CONTENT_TYPE_LATEST)

    async def _query(self, at: Callable[[Queue], Found]) -> Found:
        async with self._one_reader:
            return await asyncio.to_thread(at, self._reading)

    def close(self) -> None:
        """Close the queue, when the server has stopped."""
        self._writing.close()
        self._reading.close()


def _age(received: float | None) -> float:
    return 0 if received is None else round(max(time.time() - received, 0), 3)


def _refused_messages(wrong: list[Wrong], taken: int) -> Refused:
    named = "; ".join(f"message {each.place}: {each.reason}" for each in wrong[:_MAX_REASONS])
    stored = f" The {taken} others are stored." if taken else ""
    too_large = all(each.too_large for each in wrong)
    status, code = (413, "message_too_large") if too_large else (400, "bad_message")
    return Refused(status, code, f"{len(wrong)} of {len(wrong) + taken} refused: {named}.{stored}")
