"""The durable queue: messages that wait for FullStory, and parked ones, in one SQLite file.

SQLite rather than a queue library: those keep one order for all, while a message here waits for its own user's only;
and none of them writes what concurrent requests bring in one transaction.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from .tracking import Message

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of arrival; never used twice
    lane TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    received REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_lane ON messages (lane, id);
CREATE TABLE IF NOT EXISTS parked (
    id INTEGER PRIMARY KEY, -- as it was among the messages
    lane TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    received REAL NOT NULL,
    parked REAL NOT NULL,
    reason TEXT NOT NULL,
    remembered INTEGER NOT NULL -- whether FullStory answers the key with this rejection for a day
);
"""
_VERSION = 1
_MOST_LOG = 16 << 20

# Rows come and go as one JSON text: a single statement, which locks the file as shortly as can be.
_APPEND = """
INSERT INTO messages (lane, key, body, received)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), ?2 FROM json_each(?1)
"""
_REMOVE = "DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?))"
_PARK = """
INSERT OR REPLACE INTO parked SELECT id, lane, key, body, received, ?, ?, ? FROM messages WHERE id = ?
"""


class Waiting(NamedTuple):
    """A message that waits for delivery."""

    id: int
    lane: str
    key: str
    body: str
    received: float


class Parking(NamedTuple):
    """A message that is to be parked: ``remembered`` when FullStory goes on answering its key with the rejection."""

    id: int
    reason: str
    remembered: bool


class Parked(NamedTuple):
    """A parked message: times are seconds since 1970."""

    id: int
    received: float
    parked: float
    reason: str
    body: str


class Queue:
    """One connection to the file, for one thread at a time."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        """``durable`` commits return when they are on disk; others survive the end of the process, not the machine's.

        Others also fold the log into the file from time to time, which would make the durable ones wait.
        """
        self._database = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute(f"PRAGMA journal_size_limit = {_MOST_LOG}")
        if durable:
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute("PRAGMA wal_autocheckpoint = 0")
        else:
            self._database.execute("PRAGMA synchronous = NORMAL")
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise sqlite3.DatabaseError(f"{path} was written by a newer release")
        if version < _VERSION:
            self._database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")

    def close(self) -> None:
        """Close the connection; the last one to close also folds the log into the file."""
        self._database.close()

    # All that writes is a transaction, and raises sqlite3.Error when nothing was written.

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def append(self, messages: Sequence[Message]) -> None:
        """Put messages at the end."""
        rows = json.dumps([(message.lane, message.key, message.body) for message in messages])
        self._database.execute(_APPEND, (rows, time.time()))

    def remove(self, ids: Iterable[int]) -> None:
        """Forget messages that FullStory has."""
        self._database.execute(_REMOVE, (json.dumps(list(ids)),))

    def park(self, parkings: Iterable[Parking]) -> None:
        """Put messages aside."""
        with self._transaction():
            for parking in parkings:
                reason = parking.reason.encode("utf-8", "replace").decode()
                self._database.execute(_PARK, (time.time(), reason, parking.remembered, parking.id))
                self._database.execute("DELETE FROM messages WHERE id = ?", (parking.id,))

    def after(self, id: int, limit: int) -> list[Waiting]:
        """The next messages behind ``id``, in order."""
        found = self._database.execute(
            "SELECT id, lane, key, body, received FROM messages WHERE id > ? ORDER BY id LIMIT ?", (id, limit)
        )
        return [Waiting(*row) for row in found]

    def of_lane(self, lane: str, first: int, last: int, limit: int) -> list[Waiting]:
        """The next messages of one user, from ``first`` to ``last``, both included."""
        found = self._database.execute(
            "SELECT id, lane, key, body, received FROM messages WHERE lane = ? AND id BETWEEN ? AND ? "
            "ORDER BY id LIMIT ?",
            (lane, first, last, limit),
        )
        return [Waiting(*row) for row in found]

    def last_id(self) -> int:
        """The id of the newest message; 0 without one."""
        return int(self._database.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()[0])

    def oldest(self) -> float | None:
        """When the oldest waiting message was received."""
        found = self._database.execute("SELECT received FROM messages ORDER BY id LIMIT 1").fetchone()
        return found[0] if found else None

    def sizes(self) -> tuple[int, int]:
        """How many messages wait, and how many are parked."""
        waiting = self._database.execute("SELECT count(*) FROM messages").fetchone()[0]
        return waiting, self._database.execute("SELECT count(*) FROM parked").fetchone()[0]

    def parked(self, ids: Sequence[int] = ()) -> Iterator[Parked]:
        """The parked messages, or those of them with these ids, oldest first."""
        yield from map(
            Parked._make,
            self._database.execute(
                "SELECT id, received, parked, reason, body FROM parked "
                "WHERE ?1 = '[]' OR id IN (SELECT value FROM json_each(?1)) ORDER BY id",
                (json.dumps(ids),),
            ),
        )

    def resend(self, ids: Sequence[int]) -> int:
        """Put parked messages at the end of the queue, in their order; returns how many there were.

        What FullStory remembers as rejected gets a new key, since it would be answered with the rejection again.
        """
        found = 0
        with self._transaction():
            for id in sorted(ids):
                row = self._database.execute(
                    "DELETE FROM parked WHERE id = ? RETURNING lane, key, body, received, remembered", (id,)
                ).fetchone()
                if row:
                    found += 1
                    lane, key, body, received, remembered = row
                    key = str(uuid.uuid4()) if remembered else key
                    self._database.execute(
                        "INSERT INTO messages (lane, key, body, received) VALUES (?, ?, ?, ?)",
                        (lane, key, body, received),
                    )
        return found

    def drop(self, ids: Sequence[int]) -> int:
        """Delete parked messages; returns how many there were."""
        with self._transaction():
            return self._database.execute(
                "DELETE FROM parked WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
            ).rowcount
