"""The delivering process, so that delivery takes no time from the process that acknowledges."""

from __future__ import annotations

import asyncio
import os
import signal
from multiprocessing.connection import Connection

from ..cloud import AsyncCloud
from ..cloud.ordered import new_loop
from . import logs
from .dispatch import Dispatcher
from .metrics import DeliveryMetrics
from .queue import Queue
from .queue.opening import opened
from .settings import RelaySettings

REPORT, STOP = "report", "stop"
"""What the other process says. A report is answered with the fields of `supervisor.Report`."""

_CLAIM_POLL = 0.05
_NICER = 5
"""Where processors are short, acknowledging goes first: messages on disk can wait."""


def client(settings: RelaySettings) -> AsyncCloud:
    """What delivers: it tries once, and when to try again is decided here. Raises SettingsError."""
    return AsyncCloud(
        settings.api_key,
        settings=dict(settings.destination),
        base_url=settings.base_url,
        timeout=settings.timeout,
        retry_for=0,
        connections=settings.workers,
    )


def main(settings: RelaySettings, pipe: Connection) -> None:
    """Deliver until the other process says so, or is gone."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # meant for the other one, which says what to do
    if hasattr(os, "nice"):
        os.nice(_NICER)
    logs.configure()
    try:
        queue = opened(settings.queue, durable=False, make=False, wait=False)
        if _claimed(queue, pipe):
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(_deliver(settings, queue, pipe))
        queue.close()
    except EOFError:
        os._exit(1)  # at once: what is under way goes out again, under the same key


def _claimed(queue: Queue, pipe: Connection) -> bool:
    """Wait until this process may deliver from the queue. False to stop."""
    while reason := queue.claim():
        if pipe.poll(_CLAIM_POLL):
            if pipe.recv() == STOP:
                return False
            pipe.send(("", reason, b""))
    return True


async def _deliver(settings: RelaySettings, queue: Queue, pipe: Connection) -> None:
    metrics = DeliveryMetrics()
    async with client(settings) as cloud:
        dispatcher = Dispatcher(settings, queue, cloud.send, metrics)
        over = asyncio.get_running_loop().create_future()

        def asked() -> None:
            try:
                if pipe.recv() == STOP:
                    over.set_result(None)
                else:
                    pipe.send((dispatcher.broken(), dispatcher.trouble, metrics.text()))
            except (EOFError, OSError):
                os._exit(1)

        asyncio.get_running_loop().add_reader(pipe.fileno(), asked)
        dispatcher.start()
        await over
        asyncio.get_running_loop().remove_reader(pipe.fileno())
        await dispatcher.stop()
