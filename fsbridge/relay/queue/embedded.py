"""The embedded queue: one SQLite file, from which one relay at a time delivers.

SQLite rather than a queue library: those keep one order for all, while a message here waits for its own user's only;
and none of them writes what concurrent requests bring in one transaction.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ...cloud.private import secured
from ..tracking import Message
from . import Parked, Parking, QueueError, Waiting
from .reserve import Reserve

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
_VERSION = 2
_MAX_LOG = 4 << 20
"""Bytes that SQLite's log keeps when it is begun anew; less than what has it folded, or it would be each time."""

_MAX_FREE = 2_500
_PAGES_AT_A_TIME = 2_000
_PAGES_ON_A_FULL_DISK = 100
"""Pages of 4 KB: how many may lie unused in the file, and how many are given back to the disk at a time."""

_log = logging.getLogger(__name__)

# Rows come and go as one JSON text: a single statement, which locks the file as shortly as can be.
_APPEND = """
INSERT INTO messages (lane, key, body, received)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), ?2 FROM json_each(?1)
"""
_REMOVE = "DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?))"
_PARK = """
INSERT OR REPLACE INTO parked SELECT id, lane, key, body, received, ?, ?, ? FROM messages WHERE id = ?
"""


class EmbeddedQueue:
    """One connection to the file."""

    def __init__(self, path: Path, *, durable: bool = True, max_bytes: int | None = None) -> None:
        """``durable`` commits return when they are on disk; others survive the end of the process, not the machine's.

        ``max_bytes`` is how many bytes the file may hold before no more messages are taken.
        """
        self._path = path = path.resolve()
        self._max_bytes = max_bytes
        self._read = 0
        self._tried: int | None = None
        self._lock = FileLock(f"{path}.lock", thread_local=False)
        try:
            secured(Path(f"{path}.lock"))
            for name in (path, *(other for end in ("-wal", "-shm") if (other := Path(f"{path}{end}")).exists())):
                if secured(name):
                    _log.warning("others could read the queue; from now on its owner only")
            self._file = path.stat()
            self.reserve = Reserve(path)
            self.reserve.take()
        except OSError as error:
            raise QueueError(error.strerror or "no such file") from None
        try:
            with _told():
                self._open(durable)
        except QueueError:
            if not self.reserve.give_up():
                raise
            with _told():  # even this takes some of the disk
                self._open(durable)

    def _open(self, durable: bool) -> None:
        self._database = sqlite3.connect(self._path, timeout=10, isolation_level=None, check_same_thread=False)
        execute = self._database.execute
        execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts for a new file
        execute("PRAGMA journal_mode = WAL")
        execute(f"PRAGMA journal_size_limit = {min(_MAX_LOG, self.reserve.size // 4)}")
        execute("PRAGMA wal_autocheckpoint = 0")  # see `maintain`
        execute("PRAGMA temp_store = MEMORY")
        execute("PRAGMA secure_delete = OFF")  # or deleting would write as much as it deletes
        execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        version = execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise QueueError("it was written by a newer release")
        if version == 1:
            execute("VACUUM")  # once, which makes room for the list of pages that can be given back
        if version < _VERSION:
            self._database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")

    def close(self) -> None:
        """Close the connection; the last one to close also folds the log into the file."""
        with _told():
            self._database.close()
        self._lock.release()

    def check(self) -> None:
        """Raise QueueError where the file was deleted or replaced: what is written would go nowhere."""
        try:
            found = os.stat(self._path)
        except OSError as error:
            raise QueueError(f"its file is gone: {error.strerror}") from None
        if (found.st_dev, found.st_ino) != (self._file.st_dev, self._file.st_ino):
            raise QueueError("another file has taken its place")

    def claim(self) -> str:
        """One process at a time delivers: two would not keep users' order."""
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return "another relay delivers from this queue"
        return ""

    def owns(self, lane: str) -> bool:
        """All lanes, until the process ends."""
        return True

    # Maintenance

    def maintain(self) -> bool:
        """Fold the log into the file, and give unused pages back to the disk, some at a time."""
        self.check()
        held = self.reserve.take()
        with self._making_room(), _told():
            self._fold()
            free, pages = self._pages()
            if free > (_MAX_FREE if held else 0) and (free * 2 > pages or not held):
                # A script, because execute() would give back one page and think that it is done.
                number = _PAGES_AT_A_TIME if held else _PAGES_ON_A_FULL_DISK
                self._database.executescript(f"PRAGMA incremental_vacuum({number})")
                self._fold()
        return False

    def _fold(self) -> None:
        self._database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        if self.log_size() > self.reserve.size // 2:  # those who write meanwhile keep it from being begun anew
            self._database.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()

    def log_size(self) -> int:
        """Bytes of the log."""
        try:
            return os.stat(f"{self._path}-wal").st_size
        except OSError:
            return 0

    def _pages(self) -> tuple[int, int]:
        free = self._database.execute("PRAGMA freelist_count").fetchone()[0]
        return free, self._database.execute("PRAGMA page_count").fetchone()[0]

    def _check_room(self) -> None:
        if not self.reserve.held():
            raise QueueError("the disk is full")
        if self._max_bytes is not None:
            free, pages = self._pages()
            if (pages - free) * self._database.execute("PRAGMA page_size").fetchone()[0] >= self._max_bytes:
                raise QueueError(f"it holds the {self._max_bytes:,} bytes that --max-queue allows")
        if self.log_size() > self.reserve.size // 2:  # nobody else does it, or not fast enough
            self._fold()

    # All that writes is a transaction.

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _told():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _making_room(self) -> Iterator[None]:
        """For what has to work on a full disk: a failure gives up the reserve and empties the log for the next time."""
        try:
            yield
        except QueueError:
            if self.reserve.give_up():
                _log.warning("the queue's reserve was given up: the disk is full")
            with suppress(sqlite3.Error):
                self._database.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
            raise

    def append(self, messages: Sequence[Message]) -> None:
        """Put messages at the end."""
        self.check()
        rows = json.dumps([(message.lane, message.key, message.body) for message in messages])
        with _told():
            self._check_room()
            self._database.execute(_APPEND, (rows, time.time()))

    def remove(self, messages: Iterable[Waiting]) -> None:
        """Forget messages that FullStory has."""
        with self._making_room(), _told():
            self._database.execute(_REMOVE, (json.dumps([message.id for message in messages]),))

    def park(self, parkings: Iterable[Parking]) -> None:
        """Park messages."""
        with self._making_room(), self._transaction():
            for parking in parkings:
                id = parking.message.id
                reason = parking.reason.encode("utf-8", "replace").decode()
                self._database.execute(_PARK, (time.time(), reason, parking.remembered, id))
                self._database.execute("DELETE FROM messages WHERE id = ?", (id,))

    def next(self, limit: int) -> list[Waiting]:
        """The next messages in the order of arrival."""
        if self._tried is None:
            self._tried = self._value("SELECT coalesce(max(id), 0) FROM messages")
        found = self._waiting("id > ? ORDER BY id LIMIT ?", self._read, limit)
        if found:
            self._read = found[-1].id
        return found

    def of_lane(self, lane: str, first: int, limit: int) -> list[Waiting]:
        """Those of one lane that `next` gave before."""
        return self._waiting("lane = ? AND id BETWEEN ? AND ? ORDER BY id LIMIT ?", lane, first, self._read, limit)

    def _waiting(self, which: str, *values: object) -> list[Waiting]:
        with _told():
            select = f"SELECT id, lane, key, body, received, id <= ? FROM messages WHERE {which}"
            return [Waiting(*row) for row in self._database.execute(select, (self._tried, *values))]

    def oldest(self) -> float | None:
        """When the oldest waiting message was received, in seconds since 1970."""
        oldest: float | None = self._value(
            "SELECT min(received) FROM (SELECT received FROM messages ORDER BY id LIMIT 1)"
        )
        return oldest

    def sizes(self) -> tuple[int, int]:
        """How many messages wait, and how many are parked."""
        return self._value("SELECT count(*) FROM messages"), self._value("SELECT count(*) FROM parked")

    def _value(self, select: str) -> Any:
        with _told():
            return self._database.execute(select).fetchone()[0]

    def parked(self) -> Iterator[Parked]:
        """The parked messages, oldest first."""
        with _told():
            yield from map(
                Parked._make,
                self._database.execute("SELECT id, received, parked, reason, body FROM parked ORDER BY id"),
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


@contextmanager
def _told() -> Iterator[None]:
    """The database's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise QueueError(str(error)) from error
