"""Which relay delivers from which partition: leases in a bucket, each a key that is only written as of its revision.

A relay's partitions are its own for HOLD seconds after it last began to write their keys. Others take one whose key
they have seen unchanged for LEASE seconds, or which was given back. So clocks need not agree, a relay that was paused
finds its time over, and what it writes then is refused.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from . import QueueError
from .jetstream import JetStream, Overtaken
from .partition import Partition, now

HOLD = 10.0
LEASE = 15.0
RENEWAL = 2.0
"""Seconds; longer than a cluster takes to find a new leader, mostly."""

_AT_ONCE = 50
"""Entries that are deleted at the same time."""

_log = logging.getLogger(__name__)


class Leases:
    """The partitions of one relay. For the connection's event loop, except `held`."""

    def __init__(self, jetstream: JetStream, bucket: str, streams: list[str], relay: str) -> None:
        self._jetstream = jetstream
        self._bucket = bucket
        self._streams = streams
        self._relay = relay
        self._seen: dict[str, tuple[int, float]] = {}
        """Of each key of others the revision, and when that was first seen."""
        self._announced = 0.0
        self.held: dict[int, Partition] = {}

    async def maintain(self) -> bool:
        """Renew, and save how far delivery is; else take more, or give back. Whether some are held no more."""
        if await self._renew():
            return True
        share = -(-len(self._streams) // (await self._others() + 1))
        excess = sorted(self.held)[share:]
        if excess:
            await self._give_back(excess)
            return True
        await self._take(share)
        return False

    async def end(self) -> None:
        """Give everything back."""
        await self._give_back(list(self.held))
        await self._jetstream.forget(self._bucket, self._key(f"relay.{self._relay}"))

    # One's own

    async def _renew(self) -> bool:
        renewed = await asyncio.gather(*(self._renewed(each) for each in list(self.held.values())))
        lost = [number for number, fine in zip(list(self.held), renewed, strict=True) if not fine]
        for number in lost:
            del self.held[number]
        if lost:
            _log.warning("partitions are another relay's by now", extra={"fields": {"partitions": lost}})
        return bool(lost)

    async def _renewed(self, partition: Partition) -> bool:
        """Save a partition's state, if there is news or it is time; whether it is still held."""
        begun = now()
        with suppress(QueueError):
            if not await self._saved(partition, begun):
                return False
        return partition.valid()

    async def _saved(self, partition: Partition, begun: float) -> bool:
        """Save it; False when that shows that it is another's, or isn't what it was."""
        await self._thin(partition)
        state = partition.state()
        if state == partition.kept and begun - partition.saved < RENEWAL:
            return True
        if state == partition.kept and await self._last(partition.number) + 1 < partition.read:
            return False  # what it has read is no more: to be taken anew
        try:
            await self._write(partition, state, self._relay)
        except Overtaken:
            found = await self._read(partition.number)
            if found is None or found[1]["relay"] != self._relay:
                return False
            partition.revision = found[0]  # it was this relay, whose request seemed to fail
        else:
            partition.saved = begun
            partition.until = begun + HOLD
            await self._forget(partition)
        return True

    async def _write(self, partition: Partition, state: dict[str, Any], relay: str) -> None:
        value = json.dumps({"relay": relay, **state}, separators=(",", ":")).encode()
        key = self._key(str(partition.number))
        partition.revision = await self._jetstream.put(key, value, partition.revision)
        partition.kept = state

    async def _forget(self, partition: Partition) -> None:
        """Delete what is before the cursor. Nothing depends on it but the disk."""
        first = min(partition.kept["cursor"], partition.read - 1)
        if first > partition.purged:
            with suppress(QueueError):
                await self._jetstream.purge(self._streams[partition.number], first)
                partition.purged = first

    async def _thin(self, partition: Partition) -> None:
        """Delete what is finished behind an entry that isn't, when it is too much to be remembered."""
        stream = self._streams[partition.number]
        finished = partition.too_many()
        with suppress(QueueError):
            for first in range(0, len(finished), _AT_ONCE):
                some = finished[first : first + _AT_ONCE]
                await asyncio.gather(*(self._jetstream.delete(stream, seq) for seq in some))
                partition.deleted(some)

    async def _give_back(self, numbers: Iterable[int]) -> None:
        await asyncio.gather(*(self._given_back(self.held.pop(number)) for number in numbers))

    async def _given_back(self, partition: Partition) -> None:
        with suppress(QueueError):  # or its time will be over
            await self._write(partition, partition.state(), "")
            await self._forget(partition)

    # Others'

    async def _others(self) -> int:
        """How many other relays are alive. This one says that it is."""
        if now() - self._announced > RENEWAL:
            await self._jetstream.put(self._key(f"relay.{self._relay}"), b"{}")
            self._announced = now()
        subjects = (await self._jetstream.info(self._bucket, self._key("relay.*")))["state"].get("subjects") or {}
        relays = {subject.rpartition(".")[2] for subject in subjects} - {self._relay}
        alive = 0
        for relay in relays:
            found = await self._jetstream.last(self._bucket, self._key(f"relay.{relay}"))
            if found is not None and not self._over(found.subject, found.seq):
                alive += 1
            elif found is not None:
                await self._jetstream.forget(self._bucket, found.subject)
                del self._seen[found.subject]
        return alive

    async def _take(self, share: int) -> None:
        free = [number for number in range(len(self._streams)) if number not in self.held]
        if free and len(self.held) < share:
            # From different places on, so that relays that start together don't always meet.
            first = hash(self._relay) % len(free)
            looked = await asyncio.gather(*(self._read(number) for number in free[first:] + free[:first]))
            for number, found in zip(free[first:] + free[:first], looked, strict=True):
                if len(self.held) < share:
                    await self._taken(number, *(found or (0, {"relay": ""})))

    async def _taken(self, number: int, revision: int, value: dict[str, Any]) -> None:
        """Take a partition, if it is nobody's, or its relay is gone, or it is this relay's from an earlier life."""
        relay = value.pop("relay")
        if relay not in ("", self._relay) and not self._over(self._key(str(number)), revision):
            return
        begun = now()
        try:
            last = await self._last(number)
            if value.get("cursor", 1) > last + 1:
                _log.error("a partition has lost messages, or was made anew", extra={"fields": {"partition": number}})
                value = {}
            partition = Partition(number, revision, value, tried=last)
            await self._write(partition, value, self._relay)
            partition.tried = await self._last(number)  # up to the end of the other relay's time
            found = await self._read(number)
            if found is None or found[0] != partition.revision:
                return  # servers let two writes pass that arrive at the same moment
        except QueueError:
            return
        partition.saved = begun
        partition.until = begun + HOLD
        self.held[number] = partition

    def _over(self, key: str, revision: int) -> bool:
        """Whether a key has been seen unchanged for so long that who wrote it is gone."""
        before, since = self._seen.get(key, (None, 0.0))
        if before != revision:
            self._seen[key] = revision, now()
            return False
        return now() - since > LEASE

    async def _last(self, number: int) -> int:
        """The number of a partition's newest entry."""
        return int((await self._jetstream.info(self._streams[number]))["state"]["last_seq"])

    async def _read(self, number: int) -> tuple[int, dict[str, Any]] | None:
        """Revision and value of a partition's key; None for a new one."""
        found = await self._jetstream.last(self._bucket, self._key(str(number)))
        return None if found is None else (found.seq, json.loads(found.data))

    def _key(self, key: str) -> str:
        return f"$KV.{self._bucket.removeprefix('KV_')}.{key}"
