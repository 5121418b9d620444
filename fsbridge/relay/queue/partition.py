"""A part of the users, of which one relay at a time delivers: what it has read, and what of that is unfinished."""

from __future__ import annotations

import itertools
import json
import time
import zlib
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import Any

from ..tracking import Message
from . import Waiting

_PARTITION_BITS, _PLACE_BITS = 10, 12
MAX_ENTRY_MESSAGES = 1000
MAX_FINISHED = 1000
"""Entries behind an unfinished one that are remembered as finished; when there are more they are deleted."""


def now() -> float:
    """Seconds of a clock that goes on while the machine is suspended, where there is such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def partition_of(lane: str, partitions: int) -> int:
    """Where a lane's messages are: the same for ever."""
    return zlib.crc32(lane.encode()) % partitions


def entries(messages: Iterable[Message], max_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Messages as the stream keeps them, as few entries as can be: each with the number of messages in it."""
    rows: list[str] = []
    size = 0
    for message in messages:
        row = json.dumps([message.lane, message.key, message.body])
        if rows and (size + len(row) > max_bytes or len(rows) == MAX_ENTRY_MESSAGES):
            yield len(rows), _entry(rows)
            rows, size = [], 0
        rows.append(row)
        size += len(row)
    if rows:
        yield len(rows), _entry(rows)


def _entry(rows: list[str]) -> bytes:
    """The moment, and the messages."""
    return f"[{time.time()},[{','.join(rows)}]]".encode()


class Partition:
    """A partition in this relay's hands, as of a ``revision`` of its key in the bucket.

    Its state there is the cursor, the first entry that isn't finished, and what is finished behind it, each entry with
    a mask of its messages: so another relay goes on at the very message.
    """

    def __init__(self, number: int, revision: int, state: dict[str, Any], tried: int) -> None:
        self.number = number
        self.revision = revision
        self.tried = tried
        """Entries up to there may have been under way with another relay."""
        self.until = 0.0
        """Up to when it is surely nobody else's."""
        self._over = False
        self.saved = 0.0
        self.due = 0.0
        """When to look for new entries."""
        self.ahead = 1
        """How many entries to ask for at once."""
        self.read = int(state.get("cursor", 1))
        """Entries before this one were given out."""
        self.purged = 1
        """Entries before this one are deleted."""
        self.kept: dict[str, Any] = state
        """The state that is in the bucket."""
        self._done: dict[int, int] = {int(seq): mask for seq, mask in state.get("done", {}).items()}
        self._unfinished: OrderedDict[int, int] = OrderedDict()
        """Of each entry how many messages are unfinished."""
        self._lanes: dict[str, deque[int]] = {}
        self.unfinished = 0
        """How many messages were given out and aren't finished."""

    def valid(self) -> bool:
        """Whether the lease holds. Once it was seen not to, it is over: messages may have been forgotten since."""
        if now() >= self.until:
            self._over = True
        return not self._over

    # Reading

    def add(self, seq: int, data: bytes) -> list[Waiting]:
        """The unfinished messages of the next entry."""
        self.read = seq + 1
        received, rows = json.loads(data)
        mask = self._done.get(seq, 0)
        found = []
        for place, (lane, key, body) in enumerate(rows):
            if not mask >> place & 1:
                id = ((seq << _PLACE_BITS) + place << _PARTITION_BITS) + self.number
                found.append(Waiting(id, lane, key, body, received, seq <= self.tried))
                self._lanes.setdefault(lane, deque()).append(id)
        self.unfinished += len(found)
        if found:
            self._unfinished[seq] = len(found)
        return found

    def of_lane(self, lane: str, first: int, limit: int) -> list[int]:
        """The ids of a lane's unfinished messages from ``first`` on."""
        behind = itertools.dropwhile(lambda id: id < first, self._lanes.get(lane, ()))
        return list(itertools.islice(behind, limit))

    # Finishing

    def finish(self, message: Waiting) -> None:
        """A message is delivered, or parked."""
        ids = self._lanes.get(message.lane, deque())
        try:
            ids.remove(message.id)  # at its head
        except ValueError:
            return  # it was given out under an earlier lease, and is finished already
        self.unfinished -= 1
        if not ids:
            del self._lanes[message.lane]
        seq, place = place_of(message.id)
        self._unfinished[seq] -= 1
        self._done[seq] = self._done.get(seq, 0) | 1 << place
        if not self._unfinished[seq]:
            del self._unfinished[seq]

    def cursor(self) -> int:
        """The first entry that isn't finished."""
        return next(iter(self._unfinished), self.read)

    def first(self) -> int:
        """The first entry that is to be kept: the newest stays though it is finished.

        Servers that are killed while a stream is empty may forget how far it had counted, and begin again before that.
        """
        return min(self.cursor(), self.read - 1)

    def state(self) -> dict[str, Any]:
        """What a successor has to know."""
        cursor = self.cursor()
        first = self.first()
        self._done = {seq: mask for seq, mask in self._done.items() if seq >= first}
        done = itertools.islice(self._done.items(), MAX_FINISHED)  # without the rest some go out twice, under one key
        return {"cursor": cursor, "done": {str(seq): mask for seq, mask in done}}

    def too_many(self) -> list[int]:
        """Finished entries that are to be deleted, because one before them is stuck, and too many to be remembered."""
        finished = [seq for seq in self._done if seq not in self._unfinished and seq < self.read - 1]
        return finished[:MAX_FINISHED] if len(finished) > MAX_FINISHED else []

    def deleted(self, seqs: Iterable[int]) -> None:
        """Entries of `too_many` that are deleted."""
        for seq in seqs:
            self._done.pop(seq, None)


def finished(state: dict[str, Any]) -> int:
    """How many messages of entries that are still kept are finished, by a partition's state."""
    return sum(int(mask).bit_count() for mask in state.get("done", {}).values())


def place_of(id: int) -> tuple[int, int]:
    """The entry of a message, and its place in there."""
    whole = id >> _PARTITION_BITS
    return whole >> _PLACE_BITS, whole & (1 << _PLACE_BITS) - 1
