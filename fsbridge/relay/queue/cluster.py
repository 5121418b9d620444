"""The queue in NATS JetStream: any number of relays put messages into it, and share out who delivers what.

A user's messages are in one partition, a stream: what requests bring at the same time is one entry of it, acknowledged
when a majority of its servers have it. Each partition is delivered by the one relay that holds its lease, in order,
from a cursor that is kept with the lease. Consumers of JetStream aren't used: they have no order that holds
through failures.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from ..tracking import Message
from . import Parked, Parking, QueueError, Waiting
from .address import MAX_PARTITIONS, Cluster
from .connection import Connection
from .jetstream import JetStream, Overtaken, Stored
from .leases import Leases
from .partition import Partition, entries, finished, now, partition_of, place_of

Result = TypeVar("Result")

PARTITIONS = 16
MAX_ENTRY = 256 << 10
_MIN_PAYLOAD = 512 << 10
"""Bytes of an entry, and what servers have to take."""

SAFE = (2, 11)
"""Older servers may lose what they acknowledged when they are killed one after the other."""

MAX_UNFINISHED = 1_000_000
"""Messages that are read and not finished, most of which are in the cluster only."""

_MAX_READS = 16
_POLL = 1.0
"""Seconds between looks for entries of which no news came."""

_START = 15.0
_APPEND = 10.0
_AWAY = 2.0
"""Seconds to wait: for a first answer; for an acknowledgement, which comes late while a new leader is found; and for it
where there is no connection."""

_RETRY = 0.2
_LOOK = 1.0

_NAMESPACE = uuid.UUID("0b6a4b2e-93a2-4e0b-9d5c-6f5f2a5a6b1d")

_log = logging.getLogger(__name__)


class ClusterQueue:
    """One relay's use of the queue, or an operator's."""

    def __init__(self, cluster: Cluster, *, max_bytes: int | None = None, make: bool = True, wait: bool = True) -> None:
        """``make`` what isn't there yet, and log how it is kept. ``wait`` for the cluster's answer; else `claim` tells
        when it has come.
        """
        self._cluster = cluster
        self._max_bytes = max_bytes
        self._make = make
        self._bucket = f"KV_fsbridge-{cluster.name}"
        self._keys = f"$KV.fsbridge-{cluster.name}"
        self._parked = f"fsbridge-{cluster.name}-parked"
        self._subject = f"fsbridge.{cluster.name}"
        self._streams: list[str] = []
        self._bytes: dict[str, int] = {}
        """Of each stream, as of the last look."""
        self._looked = 0.0
        self._warned = False
        self._leases: Leases | None = None
        self._connection = Connection(cluster, self._connected)
        self._jetstream = JetStream(self._connection)
        if wait:
            try:
                self._connection.call(self._patient(self._prepared))
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Give back what is held, and end the connection."""
        try:
            if self._leases is not None:
                self._connection.call(self._leases.end())
        except QueueError:
            pass  # others will notice
        finally:
            self._connection.close()

    # To begin

    async def _connected(self, client: Client) -> None:
        if client.max_payload < _MIN_PAYLOAD:
            raise QueueError(f"its servers' max_payload must be {_MIN_PAYLOAD >> 10} KB at least")
        self._warn(client)
        await client.subscribe(f"{self._subject}.news", cb=self._news)

    def _warn(self, client: Client) -> None:
        found = client.connected_server_version
        with suppress(ValueError):  # of a version like no other
            if self._make and not self._warned and (found.major, found.minor) < SAFE:
                self._warned = True
                _log.warning(
                    f"NATS {found.major}.{found.minor}.{found.patch} may lose acknowledged messages when its servers "
                    f"are killed one after the other: use {'.'.join(map(str, SAFE))} or later",
                    extra={"fields": {"queue": str(self._cluster)}},
                )

    async def _patient(self, attempt: Callable[..., Awaitable[Result]], *arguments: Any) -> Result:
        """Try it again while the cluster has no answer, which it hasn't while it finds a new leader."""
        deadline = time.monotonic() + _START
        while True:
            try:
                return await attempt(*arguments)
            except SettledError:
                raise
            except QueueError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_RETRY)

    async def _prepared(self) -> None:
        """Know the streams, which are made if need be."""
        self._connection.client()
        if self._make:
            await self._jetstream.make(self._bucket, f"{self._keys}.>", max_msgs_per_subject=1, allow_rollup_hdrs=True)
        elif not await self._jetstream.exists(self._bucket):
            raise SettledError("there is none of this name")
        number = await self._partitions()
        streams = [f"fsbridge-{self._cluster.name}-{each}" for each in range(number)]
        if self._make:
            await self._made(streams)
        self._streams = streams

    async def _made(self, streams: list[str]) -> None:
        made = [
            self._jetstream.make(stream, f"{self._subject}.messages.{each}.*") for each, stream in enumerate(streams)
        ]
        kept = self._jetstream.make(self._parked, f"{self._subject}.parked.*", max_msgs_per_subject=1)
        copies = min(await asyncio.gather(kept, *made))
        fields = {"queue": str(self._cluster), "partitions": len(streams), "copies": copies}
        if copies == 1:
            _log.warning("one server keeps the queue (R=1): its disk is the only copy", extra={"fields": fields})
        else:
            _log.info("the cluster keeps the queue", extra={"fields": fields})

    async def _partitions(self) -> int:
        """How many partitions there are, once and for all."""
        key = f"{self._keys}.partitions"
        wanted = self._cluster.partitions
        if self._make:
            with suppress(Overtaken):
                await self._jetstream.put(key, str(wanted or PARTITIONS).encode(), 0)
        found = await self._jetstream.last(self._bucket, key)
        number = int(found.data) if found else 0
        if not 0 < number <= MAX_PARTITIONS:
            raise QueueError("its number of partitions can't be read")
        if wanted not in (None, number):
            raise SettledError(f"it was made with {number} partitions, not {wanted}, and can't change")
        return number

    # To put messages in

    def append(self, messages: Sequence[Message]) -> None:
        """Return when a majority of the servers has them."""
        self._connection.call(self._append(messages))

    async def _append(self, messages: Sequence[Message]) -> None:
        if not messages:
            await self._look()
        elif self._max_bytes is not None and time.monotonic() - self._looked > _LOOK:
            self._looking = asyncio.create_task(self._look(missing=True))  # nobody waits for it
        if self._max_bytes is not None and sum(self._bytes.values()) >= self._max_bytes:
            raise QueueError(f"it holds the {self._max_bytes:,} bytes that --max-queue allows")
        by_partition: dict[int, list[Message]] = defaultdict(list)
        for message in messages:
            by_partition[partition_of(message.lane, len(self._streams))].append(message)
        written = [self._appended(number, each) for number, each in by_partition.items()]
        failed = [each for each in await asyncio.gather(*written, return_exceptions=True) if each is not None]
        if by_partition:
            await self._tell(by_partition)
        if failed:
            raise failed[0]

    async def _appended(self, number: int, messages: list[Message]) -> None:
        """Write to one partition, an entry after the other, so that none overtakes."""
        for count, entry in entries(messages, MAX_ENTRY):
            await self._published(f"{self._subject}.messages.{number}.{count}", entry)
            stream = self._streams[number]
            self._bytes[stream] = self._bytes.get(stream, 0) + len(entry)

    async def _published(self, subject: str, data: bytes, seconds: float = _APPEND) -> None:
        """Try again for some time. An entry may be there twice then, which FullStory takes once, for its keys."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                await self._jetstream.publish(subject, data)
            except QueueError:
                if time.monotonic() > deadline or self._connection.away() > _AWAY:
                    raise
                await asyncio.sleep(_RETRY)
            else:
                return

    async def _tell(self, numbers: Iterable[int]) -> None:
        """Tell those who deliver that there is news. Without it they look each second."""
        with suppress(QueueError, NatsError, OSError):
            await self._connection.client().publish(f"{self._subject}.news", json.dumps(list(numbers)).encode())

    # How much there is

    async def _look(self, missing: bool = False) -> list[dict[str, Any]]:
        """The state of all partitions, then that of what is parked. ``missing``: without those that don't answer."""
        self._looked = time.monotonic()
        names = [*self._streams, self._parked]
        infos = await asyncio.gather(*(self._jetstream.info(name, ">") for name in names), return_exceptions=True)
        states = []
        for name, info in zip(names, infos, strict=True):
            if isinstance(info, QueueError) and missing:
                continue
            if isinstance(info, BaseException):
                raise info
            states.append(info["state"])
            self._bytes[name] = info["state"]["bytes"]
        return states

    def oldest(self) -> float | None:
        """When the oldest entry that isn't finished was received; None without one."""
        return self._connection.call(self._oldest())

    async def _oldest(self) -> float | None:
        waiting = [(number, cursor) for number, (cursor, there) in enumerate((await self._counts())[0]) if there]
        reading = [self._jetstream.next(self._streams[number], cursor) for number, cursor in waiting]
        found = [json.loads(entry.data)[0] for entry in await asyncio.gather(*reading) if entry is not None]
        return min(found, default=None)

    def sizes(self) -> tuple[int, int]:
        """How many messages wait, as of a second ago, and how many are parked."""
        waiting, parked = self._connection.call(self._counts())
        return sum(there for _, there in waiting), parked

    async def _counts(self) -> tuple[list[tuple[int, int]], int]:
        """Of each partition its cursor and how many messages wait; and how many are parked."""
        keys = [f"{self._keys}.{number}" for number in range(len(self._streams))]
        kept = await asyncio.gather(*(self._jetstream.last(self._bucket, key) for key in keys))
        saved = [{} if each is None else json.loads(each.data) for each in kept]
        *states, parked = await self._look()
        waiting = []
        for each, state in zip(saved, states, strict=True):
            subjects = (state.get("subjects") or {}).items()
            there = sum(int(subject.rpartition(".")[2]) * number for subject, number in subjects)
            waiting.append((int(each.get("cursor", 1)), max(there - finished(each), 0)))
        return waiting, int(parked["messages"])

    # To deliver

    def claim(self) -> str:
        """Any number of relays deliver, each from its partitions."""
        try:
            if not self._streams:
                self._connection.call(self._prepared())
        except QueueError as error:
            return f"the queue can't be used: {error}"
        return ""

    def maintain(self) -> bool:
        """Renew the leases, and save how far delivery is."""
        if self._leases is None:
            self._leases = Leases(self._jetstream, self._bucket, self._streams, self._cluster.relay)
        return self._connection.call(self._leases.maintain())

    def owns(self, lane: str) -> bool:
        """Whether the lease of its partition holds."""
        partition = self._partition(partition_of(lane, len(self._streams)))
        return partition is not None and partition.valid()

    def _partition(self, number: int) -> Partition | None:
        return None if self._leases is None else self._leases.held.get(number)

    def next(self, limit: int) -> list[Waiting]:
        """The next entries of all partitions that may have some."""
        if self._leases is None:
            return []
        return self._connection.call(self._next(list(self._leases.held.values()), limit))

    async def _next(self, held: list[Partition], limit: int) -> list[Waiting]:
        messages: list[Waiting] = []
        while len(messages) < limit and sum(each.unfinished for each in held) < MAX_UNFINISHED:
            more = await self._round(held)
            if not more:
                break
            messages += more
        return messages

    async def _round(self, held: list[Partition]) -> list[Waiting]:
        """Messages of some entries of each partition that may have more."""
        due = [each for each in held if each.due <= now() and each.valid()]
        if not due:
            return []
        share = max(_MAX_READS // len(due), 1)
        found = await asyncio.gather(*(self._entries(each, share) for each in due))
        messages = []
        for partition, entries_ in zip(due, found, strict=True):
            for entry in entries_:
                if entry.seq >= partition.read:
                    messages += partition.add(entry.seq, entry.data)
        return messages

    async def _entries(self, partition: Partition, share: int) -> list[Stored]:
        """The next entries of a partition, which are asked for at once: more when there were more."""
        partition.due = now() + _POLL  # news that comes meanwhile overrules it
        number = min(partition.ahead, share)
        stream, first = self._streams[partition.number], partition.read
        asked = [self._jetstream.next(stream, seq) for seq in range(first, first + number)]
        entries_: list[Stored] = []
        for each in await asyncio.gather(*asked, return_exceptions=True):
            if not isinstance(each, Stored):
                partition.ahead = 1
                return entries_  # what follows a gap may have come later
            entries_.append(each)
        partition.ahead = min(2 * partition.ahead, _MAX_READS)
        partition.due = 0
        return entries_

    async def _news(self, message: Msg) -> None:
        for number in json.loads(message.data):
            partition = self._partition(number)
            if partition is not None:
                partition.due = 0

    def of_lane(self, lane: str, first: int, limit: int) -> list[Waiting]:
        """Those of one lane that `next` gave before, read again."""
        partition = self._partition(partition_of(lane, len(self._streams)))
        if partition is None:
            return []
        return self._connection.call(self._again(partition, partition.of_lane(lane, first, limit)))

    async def _again(self, partition: Partition, ids: list[int]) -> list[Waiting]:
        found: list[Waiting] = []
        rows: list[tuple[str, str, str]] = []
        at = received = 0
        for id in ids:
            seq, place = place_of(id)
            if seq != at:
                entry = await self._jetstream.next(self._streams[partition.number], seq)
                if entry is None or entry.seq != seq:
                    raise QueueError("an entry is gone")
                at = seq
                received, rows = json.loads(entry.data)
            found.append(Waiting(id, *rows[place], received, seq <= partition.tried))
        return found

    def remove(self, messages: Iterable[Waiting]) -> None:
        """Forget messages: at the next `maintain`, in the cluster."""
        for message in messages:
            partition = self._partition(partition_of(message.lane, len(self._streams)))
            if partition is not None:
                partition.finish(message)

    def park(self, parkings: Iterable[Parking]) -> None:
        """Park messages, each once, also if it is parked again by who didn't know."""
        for parking in parkings:
            if self.owns(parking.message.lane):
                self._connection.call(self._park(parking))
                self.remove([parking.message])

    async def _park(self, parking: Parking) -> None:
        message = parking.message
        reason = parking.reason.encode("utf-8", "replace").decode()
        row = [message.received, time.time(), reason, parking.remembered, message.lane, message.key, message.body]
        await self._published(f"{self._subject}.parked.{message.id}", json.dumps(row).encode(), seconds=0)

    # For operators

    def parked(self) -> Iterator[Parked]:
        """The parked messages, by when they were parked."""
        seq = 1
        while entry := self._connection.call(self._patient(self._jetstream.next, self._parked, seq)):
            received, parked, reason, _, _, _, body = json.loads(entry.data)
            yield Parked(_id(entry), received, parked, reason, body)
            seq = entry.seq + 1

    def resend(self, ids: Sequence[int]) -> int:
        """Put parked messages at the end of their partitions; the same new key however often it is tried."""
        return sum(self._connection.call(self._resent(id)) for id in sorted(ids))

    async def _resent(self, id: int) -> bool:
        entry = await self._found(id)
        if entry is None:
            return False
        _, _, _, remembered, lane, key, body = json.loads(entry.data)
        if remembered:
            key = str(uuid.uuid5(_NAMESPACE, f"{key} {entry.seq}"))
        number = partition_of(lane, len(self._streams))
        await self._appended(number, [Message("", lane, key, body)])
        await self._tell([number])
        await self._patient(self._jetstream.delete, self._parked, entry.seq)
        return True

    def drop(self, ids: Sequence[int]) -> int:
        """Delete parked messages."""
        return sum(self._connection.call(self._dropped(id)) for id in ids)

    async def _dropped(self, id: int) -> bool:
        entry = await self._found(id)
        if entry is None:
            return False
        await self._patient(self._jetstream.delete, self._parked, entry.seq)
        return True

    async def _found(self, id: int) -> Stored | None:
        return await self._patient(self._jetstream.last, self._parked, f"{self._subject}.parked.{id}")


class SettledError(QueueError):
    """One that no waiting mends."""


def _id(entry: Stored) -> int:
    return int(entry.subject.rpartition(".")[2])
