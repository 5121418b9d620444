"""The front's side of delivery: a process of its own, started, asked, replaced should it die, and stopped."""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import NamedTuple

from . import delivering
from .settings import RelaySettings

_ANSWER_TIMEOUT = 2.0
_RESTART = 1.0
_MAX_SILENCE = 15.0
"""Seconds: to wait for an answer, between two starts, and without any answer until the process counts as broken."""

_log = logging.getLogger(__name__)


class Report(NamedTuple):
    """How delivery is doing: what is ``broken`` in the relay itself, why FullStory takes nothing (``trouble``), its
    metrics. Both texts are empty when all is well.
    """

    broken: str = ""
    trouble: str = ""
    metrics: bytes = b""


class Supervisor:
    """Sees to it that there is a delivering process."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self._context = multiprocessing.get_context("spawn")
        self._pipe: Connection | None = None
        self._process: multiprocessing.process.BaseProcess | None = None
        self._asking = threading.Lock()
        self._answered = time.monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start the process, and see to it that there is one from now on."""
        self._thread.start()

    def report(self) -> Report:
        """Ask how it is doing; waits for the answer, though not for long."""
        with self._asking:
            pipe = self._pipe
            with suppress(OSError, EOFError):
                if pipe is not None:
                    while pipe.poll():
                        pipe.recv()  # an answer to an earlier question, too late
                    pipe.send(delivering.REPORT)
                    if pipe.poll(_ANSWER_TIMEOUT):
                        report = Report(*pipe.recv())
                        self._answered = time.monotonic()
                        return report
            silent = time.monotonic() - self._answered
        if silent > _MAX_SILENCE or not self._thread.is_alive():
            return Report(broken=f"the delivering process has not answered for {silent:.0f} s")
        return Report(trouble="the delivering process is starting")

    def stop(self) -> None:
        """Have it finish what is under way, and wait for that."""
        with self._asking:
            self._stopping.set()
            if self._pipe is not None:
                with suppress(OSError):
                    self._pipe.send(delivering.STOP)
        self._thread.join(self._settings.grace + _ANSWER_TIMEOUT)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                status = self._one_life()
            except Exception as error:  # no more file descriptors, no more processes: there may be some later
                _log.error("no delivering process can be started", extra={"fields": {"error": type(error).__name__}})
            else:
                if not self._stopping.is_set():
                    _log.error("the delivering process ended", extra={"fields": {"status": status}})
            self._stopping.wait(_RESTART)

    def _one_life(self) -> int | None:
        """Start a process and wait for its end; its exit status."""
        with self._asking:
            if self._stopping.is_set():
                return None
            if self._pipe is not None:
                self._pipe.close()
            self._pipe, theirs = self._context.Pipe()
            try:
                process = self._context.Process(target=delivering.main, args=(self._settings, theirs), daemon=True)
                process.start()
            finally:
                theirs.close()
            self._process = process
        process.join()
        status = process.exitcode
        return status
