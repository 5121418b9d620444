"""How far a run of ``send`` got, on disk, so that another one can go on exactly there."""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

from ..cloud.private import secured

EVERY = 1.0
"""Seconds between two writes. What was done since is done again after a crash, under the same idempotency keys."""

_PROBE = 65_536


class JournalError(Exception):
    """A run that can't be begun or gone on with. The text says why, and what to do."""


class Journal:
    """The lines of an input that are done, and what became of them.

    ``done`` lines from the beginning are, and some beyond, as users are served in parallel. Each line has a fixed
    idempotency key, and the file of rejected lines is cut back to what the journal knows of, so that a crash between
    two writes neither loses nor doubles anything.
    """

    def __init__(self, path: Path | None, rejected: Path, source: str, settings: str) -> None:
        self._path = path
        self.rejected = rejected
        self._run = uuid.uuid4()
        self._source = source
        self._probe = _probe(source)
        self._settings = hashlib.sha256(settings.encode()).hexdigest()
        self.done = 0
        self._beyond: set[int] = set()
        self.sent = self.requests = self.failed = 0
        self.finished = self.resumed = False
        self._rejected_bytes = rejected.stat().st_size if rejected.exists() else 0
        self._written = 0.0

    def begin(self, resume: bool) -> list[Path]:
        """Go on from what is on disk, or start; the files that others could read until now.

        Raises JournalError where that makes no sense, and OSError.
        """
        path = self._path
        if path is not None and path.exists():
            found = self._read(path)
            if resume:
                self._take(found)
            elif not found.get("finished"):
                raise JournalError(
                    f"{path} tells of a run that did not end. Go on with --resume, or delete it to send all again."
                )
        opened = [each for each in (path, self.rejected) if each is not None and each.exists() and secured(each)]
        self.write()
        return opened

    def key(self, number: int) -> str:
        """The idempotency key of a line."""
        return str(uuid.uuid5(self._run, str(number)))

    def is_done(self, number: int) -> bool:
        """Whether an earlier run did this line."""
        return number <= self.done or number in self._beyond

    def note(self, number: int, requests: int, problem: str | None, line: Any) -> None:
        """A line is done: sent, or rejected because of ``problem``."""
        if problem is None:
            self.sent += 1
            self.requests += requests
        else:
            self.failed += 1
            record = {"line": number, "error": problem, "message": line}
            secured(self.rejected)
            with self.rejected.open("ab") as file:
                file.write(json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
                self._rejected_bytes = file.tell()
        self.pass_by(number)
        if time.monotonic() - self._written > EVERY:
            self.write()

    def pass_by(self, number: int) -> None:
        """Nothing has to be done any more up to and with this line, as soon as the ones before it are done."""
        self._beyond.add(number)
        while self.done + 1 in self._beyond:
            self.done += 1
            self._beyond.remove(self.done)

    def write(self) -> None:
        """Put the state on disk, whole or not at all."""
        self._written = time.monotonic()
        if self._path is None:
            return
        state = {
            "run": str(self._run),
            "input": self._probe,
            "settings": self._settings,
            "done": self.done,
            "beyond": sorted(self._beyond),
            "sent": self.sent,
            "requests": self.requests,
            "rejected": self.failed,
            "rejected_bytes": self._rejected_bytes,
            "finished": self.finished,
        }
        beside = self._path.with_name(self._path.name + ".new")
        beside.unlink(missing_ok=True)  # whoever has made it
        secured(beside)
        with beside.open("w", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            uuid.UUID(found["run"])
            return dict(found)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JournalError(f"{path} is not a progress file of fsbridge.") from error

    def _take(self, found: dict[str, Any]) -> None:
        before = found["input"]
        if self._source != "-" and _probe(self._source, (before or {}).get("bytes", 0)) != before:
            raise JournalError(f"{self._source} is not the file that {self._path} tells of: it begins differently.")
        self._probe = before
        if found["settings"] != self._settings:
            raise JournalError("The settings are not those that the run began with: requests would not be the same.")
        self.resumed = True
        self._run = uuid.UUID(found["run"])
        self.done = found["done"]
        self._beyond = set(found["beyond"])
        self.sent, self.requests, self.failed = found["sent"], found["requests"], found["rejected"]
        if self.rejected.exists() and self.rejected.stat().st_size > found["rejected_bytes"]:
            os.truncate(self.rejected, found["rejected_bytes"])
        self._rejected_bytes = found["rejected_bytes"]


def _probe(source: str, size: int = _PROBE) -> dict[str, Any] | None:
    """What tells a file from others, and doesn't change as it grows: its beginning. None for standard input."""
    if source == "-":
        return None
    with open(source, "rb") as file:
        beginning = file.read(size)
    return {"bytes": len(beginning), "sha256": hashlib.sha256(beginning).hexdigest()}
