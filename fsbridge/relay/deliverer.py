"""Delivery in a process of its own, so that it takes no time from the one that acknowledges."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import NamedTuple

from filelock import FileLock, Timeout

from ..cloud import Cloud
from . import logs
from .delivery import Delivery
from .metrics import DeliveryMetrics
from .queue import Queue
from .settings import RelaySettings

_REPORT, _STOP = "report", "stop"
_PATIENCE = 2.0
_RESTART = 1.0
_LOCK_POLL = 0.05
_NICER = 5
"""Where processors are short, acknowledging goes first: messages on disk can wait."""

_log = logging.getLogger(__name__)


class Report(NamedTuple):
    """How delivery is doing: why nothing is delivered, empty when all is well, and its metrics."""

    trouble: str = "no answer from the delivering process"
    metrics: bytes = b""


class Deliverer:
    """The delivering process: started, asked, replaced should it die, and stopped."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self._context = multiprocessing.get_context("spawn")
        self._pipe: Connection | None = None
        self._process: multiprocessing.process.BaseProcess | None = None
        self._asking = threading.Lock()
        self._stopping = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start the process, and see to it that there is one from now on."""
        self._supervisor.start()

    def report(self) -> Report:
        """Ask how it is doing; waits for the answer, though not for long."""
        with self._asking:
            pipe = self._pipe
            with suppress(OSError, EOFError):
                if pipe is not None:
                    while pipe.poll():
                        pipe.recv()  # an answer to an earlier question, too late
                    pipe.send(_REPORT)
                    if pipe.poll(_PATIENCE):
                        return Report(*pipe.recv())
        return Report()

    def stop(self) -> None:
        """Have it finish what is under way, and wait for that."""
        with self._asking:
            self._stopping.set()
            if self._pipe is not None:
                with suppress(OSError):
                    self._pipe.send(_STOP)
        self._supervisor.join(self._settings.grace + _PATIENCE)
        if self._supervisor.is_alive() and self._process is not None:
            self._process.kill()
            self._supervisor.join()

    def _supervise(self) -> None:
        while True:
            with self._asking:
                if self._stopping.is_set():
                    return
                self._pipe, theirs = self._context.Pipe()
                self._process = self._context.Process(target=deliver, args=(self._settings, theirs), daemon=True)
                self._process.start()
                theirs.close()
            self._process.join()
            if not self._stopping.is_set():
                _log.error("the delivering process ended", extra={"fields": {"status": self._process.exitcode}})
                self._stopping.wait(_RESTART)


def sender(settings: RelaySettings) -> Cloud:
    """The client that delivers: it tries once, and when to try again is decided here. Raises SettingsError."""
    return Cloud(
        settings.api_key,
        settings=dict(settings.destination),
        base_url=settings.base_url,
        timeout=settings.timeout,
        retry_for=0,
        connections=settings.workers,
    )


def deliver(settings: RelaySettings, pipe: Connection) -> None:
    """Be the delivering process until the other one says so, or is gone."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # meant for the other one, which says what to do
    if hasattr(os, "nice"):
        os.nice(_NICER)
    logs.configure()
    lock = FileLock(f"{settings.queue}.lock")
    try:
        while not _acquired(lock):
            if pipe.poll(_LOCK_POLL):
                if pipe.recv() == _STOP:
                    return
                pipe.send(("another relay delivers from this queue", b""))
        _empty(settings, pipe)
    except EOFError:
        os._exit(1)  # at once: what is under way goes out again, under the same key


def _acquired(lock: FileLock) -> bool:
    """Whether this is the only process that delivers: two would not keep users' order."""
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True


def _empty(settings: RelaySettings, pipe: Connection) -> None:
    metrics = DeliveryMetrics()
    queue = Queue(settings.queue, durable=False)
    with sender(settings) as cloud:
        delivery = Delivery(settings, queue, cloud, metrics)
        delivery.start()
        while pipe.recv() != _STOP:
            pipe.send((delivery.trouble, metrics.text()))
        delivery.stop()
    queue.close()
