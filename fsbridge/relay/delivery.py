"""Delivery in the background: each user's messages in order, users side by side, through outages, until they arrive."""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
import time
from typing import Any, Protocol

from ..cloud import CloudError, Rejected, Unavailable
from ..runtime import from_json
from .lanes import MOST_OF_LANE, Lane, Lanes
from .metrics import DeliveryMetrics
from .queue import Parking, Queue, Waiting
from .settings import RelaySettings

FIRST_BACKOFF = 0.5

_KEY_TROUBLE = {401, 403}
"""FullStory's answers that are about the API key and not about a message: the queue waits for a better key."""

_CHUNK = 500
_POLL = 0.05
"""Seconds between looks for new messages, which come from other processes."""

_log = logging.getLogger(__name__)


class Sender(Protocol):
    """What delivers: `fsbridge.cloud.Cloud` without retries of its own."""

    def send(self, message: dict[str, Any], idempotency_key: str | None = None, *, again: bool = False) -> int:
        """Returns how many requests FullStory took. Raises Rejected or Unavailable."""


class Delivery:
    """Empties the queue. One process at a time may do so with a queue, or users' order is lost."""

    def __init__(self, settings: RelaySettings, queue: Queue, sender: Sender, metrics: DeliveryMetrics) -> None:
        self._settings = settings
        self._queue = queue
        self._sender = sender
        self._metrics = metrics
        self._changed = threading.Condition()  # its lock is an RLock
        self._lanes = Lanes()
        self._delivered: list[int] = []
        self._parkings: list[Parking] = []
        self._read = 0
        self._tried = queue.last_id()
        """Messages up to this id may have gone out before, from a relay that was stopped."""
        self._closed_until = 0.0
        self._failures = 0
        """Failed attempts since FullStory last took something."""
        self._taken = 0
        self._queue_failed = False
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._feeder = threading.Thread(target=self._feed, name="feeder", daemon=True)
        self._workers = [
            threading.Thread(target=self._work, name=f"worker {number}", daemon=True)
            for number in range(settings.workers)
        ]
        self.trouble = ""
        """Why nothing is delivered at the moment; empty when all is well."""

    def start(self) -> None:
        """Begin to deliver."""
        for thread in (self._feeder, *self._workers):
            thread.start()

    def stop(self) -> None:
        """Begin nothing new, and wait for what is under way, not longer than the settings' ``grace``."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        deadline = time.monotonic() + self._settings.grace
        for thread in self._workers:
            thread.join(max(deadline - time.monotonic(), 0))
        self._stopped.set()
        self._feeder.join()

    # One thread works with the queue.

    def _feed(self) -> None:
        last = more = False
        while not last:
            if not more:
                self._stopped.wait(_POLL)
            last = self._stopped.is_set()
            try:
                self._settle()
                more = not last and self._bring()
                self._queue_failed = False
            except sqlite3.Error as error:
                if not self._queue_failed:
                    _log.error("the queue can't be used", extra={"fields": {"reason": str(error)}})
                more, self._queue_failed = False, True

    def _settle(self) -> None:
        """Have the queue forget what is done. Should it fail, FullStory may get a second copy under the same key."""
        with self._changed:
            delivered, parkings = self._delivered[:], self._parkings[:]
        if delivered:
            self._queue.remove(delivered)
        if parkings:
            self._queue.park(parkings)
        with self._changed:
            del self._delivered[: len(delivered)]
            del self._parkings[: len(parkings)]

    def _bring(self) -> bool:
        """Read on, if there is room; returns whether there is more."""
        with self._changed:
            lane = self._lanes.to_refill[0] if self._lanes.to_refill else None
            room = self._lanes.has_room()
        if lane is not None:
            assert lane.rest is not None
            messages = self._queue.of_lane(lane.name, lane.rest, self._read, MOST_OF_LANE)
            with self._changed:
                self._lanes.to_refill.popleft()
                self._lanes.refill(lane, messages)
                self._changed.notify_all()
            return True
        messages = self._queue.after(self._read, _CHUNK) if room else []
        with self._changed:
            for message in messages:
                self._lanes.add(message)
                self._read = message.id
            if messages:
                self._changed.notify_all()
        return len(messages) == _CHUNK

    # Many threads send.

    def _work(self) -> None:
        while (lane := self._next()) is not None:
            message = lane.messages[0]
            failure = self._deliver(message, again=lane.failures > 0 or message.id <= self._tried)
            with self._changed:
                if failure is None:
                    self._lanes.done(lane)
                else:
                    self._put_off(lane, failure)
                    self._changed.notify()  # a new time to wake at

    def _next(self) -> Lane | None:
        """Wait for a lane whose turn it is; None when the relay stops."""
        with self._changed:
            while not self._stopping.is_set():
                now = time.monotonic()
                if now < self._closed_until:
                    self._changed.wait(self._closed_until - now)
                    continue
                lane = self._lanes.take(now)
                if lane is not None:
                    return lane
                wakes = self._lanes.wakes()
                self._changed.wait(None if wakes is None else max(wakes - now, 0))
        return None

    def _deliver(self, message: Waiting, again: bool) -> CloudError | None:
        """Try a message; returns the error when it has to be tried again."""
        document = from_json(message.body)
        begun = time.monotonic()
        try:
            requests = self._sender.send(document, idempotency_key=message.key, again=again)
        except Unavailable as error:
            return error
        except Rejected as error:
            statuses = {each.status for each in (error, *error.others)}
            if statuses & _KEY_TROUBLE:
                return error
            # What FullStory took of the message is safe from doubles under the old key only.
            remembered = statuses != {None} and not error.taken
            self._park(message, str(error), error.status, remembered)
            return None
        except Exception as error:
            _log.exception("unexpected error")
            self._park(message, f"unexpected error: {type(error).__name__}")
            return None
        finally:
            self._metrics.delivering.observe(time.monotonic() - begun)
        with self._changed:
            self._delivered.append(message.id)
        if requests:
            self._metrics.delivered.inc()
            self._succeeded()
        else:
            self._metrics.ignored.labels(document["type"]).inc()
        return None

    def _succeeded(self) -> None:
        with self._changed:
            self._taken += 1
            self._failures = 0
            recovered, self.trouble = self.trouble, ""
        if recovered:
            _log.info("FullStory takes messages again")

    def _park(self, message: Waiting, reason: str, status: int | None = None, remembered: bool = False) -> None:
        with self._changed:
            self._parkings.append(Parking(message.id, reason, remembered))
        self._metrics.parked.inc()
        _log.warning("message parked", extra={"fields": {"id": message.id, "status": status}})

    def _put_off(self, lane: Lane, error: CloudError) -> None:
        """Let a lane wait after a failure, and all lanes when FullStory asks for it or takes nothing at all."""
        now = time.monotonic()
        if lane.failures and lane.taken_before != self._taken:
            lane.strikes += 1  # had nothing got through meanwhile, it would say nothing about the message
        lane.failures += 1
        lane.taken_before = self._taken
        self._failures += 1
        self._metrics.retried.labels(error.status or "none").inc()
        if not self.trouble:
            _log.warning("FullStory takes no messages", extra={"fields": {"status": error.status}})
        self.trouble = f"HTTP {error.status}" if error.status else "no answer"
        if lane.strikes >= self._settings.patience:
            self._park(lane.messages[0], f"still failing while FullStory took others: {error}", error.status)
            self._lanes.done(lane)
            return
        asked = getattr(error, "retry_after", None) or 0
        self._lanes.sleep(lane, now + max(self._backoff(lane.failures), asked))
        rounds = self._failures // self._settings.workers
        if asked or rounds:
            self._closed_until = max(self._closed_until, now + max(self._backoff(rounds), asked))

    def _backoff(self, failures: int) -> float:
        """Seconds to wait: about twice as long after each failure."""
        if not failures:
            return 0
        longest: float = min(FIRST_BACKOFF * 2 ** min(failures - 1, 20), self._settings.max_backoff)
        return longest * random.uniform(0.5, 1)
