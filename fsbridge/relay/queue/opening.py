"""`opened`: a queue by where it is."""

from __future__ import annotations

from pathlib import Path

from . import Queue
from .address import Cluster


def opened(
    where: Path | Cluster, *, max_bytes: int | None = None, durable: bool = True, make: bool = True, wait: bool = True
) -> Queue:
    """The queue at ``where``. Raises QueueError.

    ``make`` it, if it is in a cluster and isn't there yet; a file is always made.

    ``max_bytes`` is what it may hold before no more messages are taken. What a file is told returns when it is on disk,
    unless it isn't to be ``durable``. A cluster is waited for, unless not told to: `Queue.claim` then tells.
    """
    if isinstance(where, Cluster):
        from .cluster import ClusterQueue

        return ClusterQueue(where, max_bytes=max_bytes, make=make, wait=wait)
    from .embedded import EmbeddedQueue

    return EmbeddedQueue(where, max_bytes=max_bytes, durable=durable)
