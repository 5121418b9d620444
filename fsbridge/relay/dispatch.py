"""Delivery: each user's messages in order, users side by side, through outages, until they arrive."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable
from typing import Any, Protocol

from ..cloud import CloudError, Rejected, Unavailable
from ..runtime import from_json
from .lanes import MAX_OF_LANE, Lane, Lanes
from .metrics import DeliveryMetrics
from .queue import Parking, Queue, QueueError, Waiting
from .settings import RelaySettings

FIRST_BACKOFF = 0.5
"""Seconds."""

_CHUNK = 500
_POLL = 0.05
_MAINTENANCE = 1.0
"""Seconds between checks for new messages, which come from other processes, and between rounds of maintenance."""

_MAX_SILENCE = 60.0
"""Seconds without progress, beyond what requests may take, until delivery counts as broken."""

_log = logging.getLogger(__name__)


class Send(Protocol):
    """What delivers a message: `fsbridge.cloud.AsyncCloud.send` without retries of its own."""

    def __call__(
        self, message: dict[str, Any], idempotency_key: str | None = None, *, again: bool = False
    ) -> Awaitable[int]:
        """How many requests FullStory took. Raises Rejected or Unavailable."""


class Dispatcher:
    """Empties the queue. One at a time may do so with a queue, or users' order is lost."""

    def __init__(self, settings: RelaySettings, queue: Queue, send: Send, metrics: DeliveryMetrics) -> None:
        self._settings = settings
        self._queue = queue
        self._send = send
        self._metrics = metrics
        self._lanes = Lanes()
        self._delivered: list[Waiting] = []
        self._parkings: list[Parking] = []
        self._closed_until = 0.0
        self._failures = 0
        """Failed attempts since FullStory last took something."""
        self._taken = 0
        self._stopping = self._stopped = False
        self._changed = asyncio.Event()
        self._queue_trouble = ""
        self._fed = self._stepped = time.monotonic()
        """When there was last progress: with the queue, and with a message."""
        self._under_way = 0
        self.trouble = ""
        """Why FullStory takes nothing at the moment; empty when all is well."""

    def start(self) -> None:
        """Begin to deliver."""
        self._feeder = asyncio.create_task(self._feed())
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._settings.workers)]

    async def stop(self) -> None:
        """Begin nothing new, and wait for what is under way, not longer than the settings' ``grace``."""
        self._stopping = True
        self._notify()
        await asyncio.wait(self._workers, timeout=self._settings.grace)
        self._stopped = True
        await asyncio.wait([self._feeder])  # whatever became of it

    def broken(self) -> str:
        """What is wrong with delivery itself; empty while it makes progress."""
        now = time.monotonic()
        if self._queue_trouble:
            return f"the queue can't be used: {self._queue_trouble}"
        if any(task.done() for task in (self._feeder, *self._workers)) and not self._stopping:
            return "a part of delivery has ended"
        if now - self._fed > _MAX_SILENCE:
            return f"the queue has not answered for {now - self._fed:.0f} s"
        if self._under_way and now - self._stepped > self._settings.timeout + _MAX_SILENCE:
            return f"no message was done with for {now - self._stepped:.0f} s"
        return ""

    # Workers

    async def _work(self) -> None:
        while (lane := await self._next()) is not None:
            if not self._queue.owns(lane.name):
                self._lanes.forget(lane)  # it is another relay's by now
                continue
            message = lane.messages[0]
            if not self._under_way:
                self._stepped = time.monotonic()
            self._under_way += 1
            try:
                pause = await self._attempt(lane, message)
            except Exception as error:  # whatever it is, it must not stop the worker
                _log.exception("unexpected error")
                self._park(message, f"unexpected error: {type(error).__name__}")
                pause = None
            if pause is None:
                self._lanes.done(lane)
            else:
                self._lanes.sleep(lane, time.monotonic() + pause)
                self._notify()  # a new time to wake at
            self._under_way -= 1
            self._stepped = time.monotonic()

    async def _next(self) -> Lane | None:
        """Wait for a lane whose turn it is; None when the relay stops."""
        while not self._stopping:
            now = time.monotonic()
            until: float | None = self._closed_until
            if now >= self._closed_until:
                lane = self._lanes.take(now)
                if lane is not None:
                    return lane
                until = self._lanes.wakes()
            await self._wait(None if until is None else max(until - now, 0))
        return None

    async def _attempt(self, lane: Lane, message: Waiting) -> float | None:
        """Try a message: the seconds to wait for the next attempt, None when it is done with."""
        again = lane.failures > 0 or message.tried
        begun = time.monotonic()
        try:
            document = from_json(message.body)
            requests = await self._send(document, message.key, again=again)
        except Unavailable as error:
            return self._pause(lane, message, error)
        except Rejected as error:
            statuses = {each.status for each in (error, *error.others)}
            if any(map(_is_about_us, statuses)):
                return self._pause(lane, message, error)
            # What FullStory took of the message is safe from doubles under the old key only.
            remembered = statuses != {None} and not error.taken
            self._park(message, str(error), error.status, remembered)
            return None
        finally:
            self._metrics.delivering.observe(time.monotonic() - begun)
        self._delivered.append(message)
        if requests:
            self._metrics.delivered.inc()
            self._succeeded()
        else:
            self._metrics.ignored.labels(document["type"]).inc()
        return None

    def _succeeded(self) -> None:
        self._taken += 1
        self._failures = 0
        if self.trouble:
            self.trouble = ""
            _log.info("FullStory takes messages again")

    def _park(self, message: Waiting, reason: str, status: int | None = None, remembered: bool = False) -> None:
        self._parkings.append(Parking(message, reason, remembered))
        self._metrics.parked.inc()
        _log.warning("message parked", extra={"fields": {"id": message.id, "status": status}})

    def _pause(self, lane: Lane, message: Waiting, error: CloudError) -> float | None:
        """The seconds that a lane waits after a failure; all wait when FullStory asks for it or takes nothing at all.

        None for a message that fails while others are taken, again and again: it is parked.
        """
        if lane.failures and lane.taken_before != self._taken:
            lane.strikes += 1  # had nothing got through meanwhile, it would say nothing about the message
        lane.failures += 1
        lane.taken_before = self._taken
        self._failures += 1
        self._metrics.retried.labels(error.status or "none").inc()
        if not self.trouble:
            _log.warning("FullStory takes no messages", extra={"fields": {"status": error.status}})
        refused = error.status is not None and error.status >= 300
        self.trouble = f"HTTP {error.status}" if refused else error.text
        if lane.strikes >= self._settings.max_attempts:
            self._park(message, f"still failing while FullStory took others: {error}", error.status)
            return None
        asked = getattr(error, "retry_after", None) or 0
        rounds = self._failures // self._settings.workers
        if asked or rounds:
            until = time.monotonic() + max(self._backoff(rounds), asked)
            self._closed_until = max(self._closed_until, until)
        return max(self._backoff(lane.failures), asked)

    def _backoff(self, failures: int) -> float:
        """Seconds to wait: about twice as long after each failure."""
        if not failures:
            return 0
        longest: float = min(FIRST_BACKOFF * 2 ** min(failures - 1, 20), self._settings.max_backoff)
        return longest * random.uniform(0.5, 1)

    # The queue, which answers in a thread

    async def _feed(self) -> None:
        maintained = 0.0
        last = more = False
        while not last:
            if not more:
                await asyncio.sleep(_POLL)
            last = self._stopped
            steps = [self._settle]
            if time.monotonic() - maintained > _MAINTENANCE:
                maintained = time.monotonic()
                steps.append(self._maintain)
            if not last:
                steps.append(self._bring)
            trouble = ""
            for step in steps:
                try:
                    more = await step()
                except Exception as error:  # it may work again later, and the other steps may work now
                    more = False
                    trouble = trouble or (str(error) if isinstance(error, QueueError) else type(error).__name__)
            if trouble and not self._queue_trouble:
                _log.error("the queue can't be used", extra={"fields": {"reason": trouble}})
            self._queue_trouble = trouble
            self._fed = time.monotonic()

    async def _settle(self) -> bool:
        """Have the queue forget what is done. Should it fail, FullStory may get a second copy under the same key."""
        if self._delivered:
            delivered, self._delivered = self._delivered, []
            try:
                await asyncio.to_thread(self._queue.remove, delivered)
            except BaseException:
                self._delivered += delivered
                raise
        if self._parkings:
            parkings, self._parkings = self._parkings, []
            try:
                await asyncio.to_thread(self._queue.park, parkings)
            except BaseException:
                self._parkings += parkings
                raise
        return False

    async def _maintain(self) -> bool:
        if await asyncio.to_thread(self._queue.maintain):
            self._lanes.keep(self._queue.owns)
        return False

    async def _bring(self) -> bool:
        """Read on, where there is room; whether there may be more."""
        lanes = self._lanes
        if lanes.to_refill:
            lane = lanes.to_refill[0]
            assert lane.rest is not None
            messages = await asyncio.to_thread(self._queue.of_lane, lane.name, lane.rest, MAX_OF_LANE)
            lanes.to_refill.popleft()
            lanes.refill(lane, messages)
            self._notify()
            return True
        if not lanes.has_room() and not lanes.make_room():
            return False
        messages = await asyncio.to_thread(self._queue.next, _CHUNK)
        for message in messages:
            lanes.add(message)
        if messages:
            self._notify()
        return bool(messages)

    # Waiting

    def _notify(self) -> None:
        """Wake all who wait."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wait(self, seconds: float | None) -> None:
        """Wait until something changes, at most so long."""
        changed = self._changed
        try:
            async with asyncio.timeout(seconds):
                await changed.wait()
        except TimeoutError:
            pass


def _is_about_us(status: int | None) -> bool:
    """Whether a status is about the API key or the address, not about a message: the queue waits for better ones."""
    return status in (401, 403) or (status is not None and 300 <= status < 400)
