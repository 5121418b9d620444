"""The queue's contract: messages that wait for FullStory, and parked ones, kept through whatever happens to a relay.

`embedded` keeps them in a file and needs no server; `cluster` keeps them in NATS JetStream, for relays on several
machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:  # the command line knows queues without the relay's packages
    from ..tracking import Message


class Waiting(NamedTuple):
    """A message that waits for delivery. Ids grow along a lane; ``tried``: it may have gone out before, from a relay
    that was stopped.
    """

    id: int
    lane: str
    key: str
    body: str
    received: float
    tried: bool = False


class Parking(NamedTuple):
    """A message that is to be parked: ``remembered`` when FullStory goes on answering its key with the rejection."""

    message: Waiting
    reason: str
    remembered: bool


class Parked(NamedTuple):
    """A parked message: times are seconds since 1970."""

    id: int
    received: float
    parked: float
    reason: str
    body: str


class QueueError(Exception):
    """The queue can't be used at the moment. The text says why."""


class Queue(Protocol):
    """One user of the queue, for one thread at a time. All that fails raises QueueError."""

    def append(self, messages: Sequence[Message]) -> None:
        """Put messages at the end, for good. With none it tells whether that would work.

        What was not acknowledged may be there all the same, in part: to append it again is harmless, for its keys.
        """

    def oldest(self) -> float | None:
        """When the oldest waiting message was received, in seconds since 1970."""

    def sizes(self) -> tuple[int, int]:
        """How many messages wait, and how many are parked."""

    def close(self) -> None:
        """End the use, in an order that lets others go on at once."""

    # To deliver

    def claim(self) -> str:
        """Ask to deliver from this queue. The reason why that can't be at the moment; empty when it may begin."""

    def maintain(self) -> bool:
        """What has to be done each second. True when lanes that `next` gave have become another relay's: those that
        `owns` denies, which are to be forgotten before the next call.
        """

    def owns(self, lane: str) -> bool:
        """Whether this process may, at this moment, deliver what it has of a lane. If not, it won't until `next` gives
        its messages again.
        """

    def next(self, limit: int) -> list[Waiting]:
        """Messages that were not given before, about ``limit`` of them, each lane's in order."""

    def of_lane(self, lane: str, first: int, limit: int) -> list[Waiting]:
        """Messages of one lane that `next` gave before and that still wait, from the id ``first`` on."""

    def remove(self, messages: Iterable[Waiting]) -> None:
        """Forget messages that FullStory has."""

    def park(self, parkings: Iterable[Parking]) -> None:
        """Park messages."""

    # For operators

    def parked(self) -> Iterator[Parked]:
        """The parked messages, oldest first."""

    def resend(self, ids: Sequence[int]) -> int:
        """Put parked messages at the end of the queue, in their order; returns how many there were.

        What FullStory remembers as rejected gets a new key, since it would be answered with the rejection again.
        """

    def drop(self, ids: Sequence[int]) -> int:
        """Delete parked messages; returns how many there were."""
