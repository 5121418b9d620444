"""Which message may go next: in order for each user, users in turn, and nobody before their time.

Holds a bounded part of the queue in memory. Not locked: its owner sees to that.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable

from .queue import Waiting

MAX_MESSAGES = 10_000
MAX_BYTES = 32 << 20
MAX_OF_LANE = 100
"""So a user whose messages are stuck takes little room from others."""

MAX_LANES = 100_000
"""Users of whom at least the name is in memory."""


class Lane:
    """The messages of one user that are in memory; ``rest`` is the id of the first one that was left on disk.

    Of the first message: how often it failed, how often of that (``strikes``) after FullStory had taken others since
    the time before, and how many messages had been taken by then.
    """

    __slots__ = ("failures", "messages", "name", "rest", "strikes", "taken_before")

    def __init__(self, name: str) -> None:
        self.name = name
        self.messages: deque[Waiting] = deque()
        self.rest: int | None = None
        self.forget_failures()

    def forget_failures(self) -> None:
        """Begin anew, with another message at the head."""
        self.failures = 0
        self.strikes = 0
        self.taken_before = 0


class Lanes:
    """All lanes: those that are ready wait in line, those that failed for their time, then in a line of their own."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._again: deque[Lane] = deque()
        self._turn = False
        self._asleep: list[tuple[float, int, Lane]] = []
        self._number = itertools.count()
        self._messages = 0
        self._bytes = 0
        self.to_refill: deque[Lane] = deque()
        """Lanes that have messages on disk only, and whose turn it is."""

    def __len__(self) -> int:
        return self._messages

    def has_room(self) -> bool:
        """Whether more messages may be brought into memory."""
        within = self._messages < MAX_MESSAGES and self._bytes < MAX_BYTES
        return within and len(self._lanes) < MAX_LANES

    def make_room(self) -> bool:
        """Leave on disk what is in memory of lanes that wait for their time; whether that made room.

        However many users' messages are stuck, those of others get through.
        """
        for _, _, lane in self._asleep:
            if lane.messages:
                lane.rest = lane.messages[0].id
                self._empty(lane)
        return self.has_room()

    def _empty(self, lane: Lane) -> None:
        self._messages -= len(lane.messages)
        self._bytes -= sum(len(message.body) for message in lane.messages)
        lane.messages.clear()

    def add(self, message: Waiting) -> None:
        """Put a message behind the others of its lane, or leave it on disk when there are too many."""
        lane = self._lanes.get(message.lane)
        if lane is None:
            lane = self._lanes[message.lane] = Lane(message.lane)
            self._ready.append(lane)
        if lane.rest is None and len(lane.messages) < MAX_OF_LANE:
            self._hold(lane, message)
        elif lane.rest is None:
            lane.rest = message.id

    def refill(self, lane: Lane, messages: list[Waiting]) -> None:
        """Give a lane of `to_refill` the next messages that are on disk; fewer than MAX_OF_LANE are all of them."""
        lane.rest = messages[-1].id + 1 if len(messages) == MAX_OF_LANE else None
        for message in messages:
            self._hold(lane, message)
        if messages:
            (self._again if lane.failures else self._ready).append(lane)
        else:
            del self._lanes[lane.name]

    def _hold(self, lane: Lane, message: Waiting) -> None:
        lane.messages.append(message)
        self._messages += 1
        self._bytes += len(message.body)

    def take(self, now: float) -> Lane | None:
        """The lane whose turn it is, until `done` or `sleep`; None when there is none."""
        while self._asleep and self._asleep[0][0] <= now:
            lane = heapq.heappop(self._asleep)[2]
            (self._again if lane.messages else self.to_refill).append(lane)
        self._turn = not self._turn  # so that neither those that failed nor new ones keep the others waiting
        lines = (self._ready, self._again) if self._turn else (self._again, self._ready)
        return next((line.popleft() for line in lines if line), None)

    def wakes(self) -> float | None:
        """When the next lane's time comes."""
        return self._asleep[0][0] if self._asleep else None

    def done(self, lane: Lane) -> None:
        """The first message of a lane that was taken is done; the lane goes to the end of the line."""
        if not self._has(lane):
            return
        message = lane.messages.popleft()
        self._messages -= 1
        self._bytes -= len(message.body)
        lane.forget_failures()
        if lane.messages:
            self._ready.append(lane)
        elif lane.rest is not None:
            self.to_refill.append(lane)
        else:
            del self._lanes[lane.name]

    def sleep(self, lane: Lane, until: float) -> None:
        """The first message of a lane that was taken failed; it is not to be tried before ``until``."""
        if not self._has(lane):
            return
        heapq.heappush(self._asleep, (until, next(self._number), lane))

    # Lanes that have become another relay's

    def forget(self, lane: Lane) -> None:
        """Forget a lane that was taken."""
        if self._has(lane):
            self._empty(lane)
            del self._lanes[lane.name]

    def keep(self, owned: Callable[[str], bool]) -> None:
        """Forget all lanes but those whose names are ``owned``; of those that are taken `done` is no news then."""
        for lane in [each for each in self._lanes.values() if not owned(each.name)]:
            self.forget(lane)
        self._ready = deque(filter(self._has, self._ready))
        self._again = deque(filter(self._has, self._again))
        self.to_refill = deque(filter(self._has, self.to_refill))
        self._asleep = [each for each in self._asleep if self._has(each[2])]
        heapq.heapify(self._asleep)

    def _has(self, lane: Lane) -> bool:
        return self._lanes.get(lane.name) is lane
