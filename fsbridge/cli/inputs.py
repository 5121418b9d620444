"""What commands are given: settings, and messages line by line."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ..messages import TYPES
from ..runtime import from_json, is_plain, kind
from ..settings import SettingsError

WRONG_SETTINGS = 2

BROKEN = (OSError, EOFError, zlib.error)
"""What reading an input may raise."""

LONGEST_LINE = 1_000_000
"""Bytes. No message is nearly as long, and memory stays constant whatever a file holds."""


def lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, counted from 1. Of one that is too long there is just the beginning."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        yield number, line
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)


class Input:
    """A file of messages to read line by line: plain, gzipped, or standard input for "-"."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: IO[bytes] = sys.stdin.buffer if path == "-" else open(path, "rb")  # noqa: SIM115
        self.size = None if path == "-" else Path(path).stat().st_size
        zipped = path != "-" and self._file.read(2) == b"\x1f\x8b"
        if path != "-":
            self._file.seek(0)
        self.text: IO[bytes] = gzip.GzipFile(fileobj=self._file) if zipped else self._file  # type: ignore[assignment]

    def position(self) -> int:
        """How many bytes of the file were read, compressed where it is."""
        return self._file.tell() if self.size is not None else 0


def settings_from(given: str) -> dict[str, Any]:
    """The settings from JSON text or from a file with it."""
    where = "--settings"
    if not given.lstrip().startswith("{"):
        where = f"--settings {given}"
        try:
            given = Path(given).read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            raise SettingsError(f"{where} can't be read: {getattr(error, 'strerror', None) or error}.") from error
    try:
        settings = from_json(given)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{where} is no JSON: {error}.") from error
    if not isinstance(settings, dict):
        raise SettingsError(f"{where} must be a JSON object, and is {kind(settings)}.")
    return settings


def message_from(line: bytes) -> Any:
    """The message of one line. Raises ValueError with what is wrong."""
    if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
        raise ValueError(f"no message: the line is longer than {LONGEST_LINE:,} bytes")
    try:
        message = from_json(line.decode())
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error.msg} at character {error.colno}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"no UTF-8: byte {error.start + 1} can't be read") from error
    except RecursionError as error:
        raise ValueError("no message: it is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"no JSON: {error}") from error
    if not is_plain(message):
        raise ValueError(f"no message: a JSON object is expected, and this is {kind(message)}")
    if "type" not in message:
        raise ValueError("no message: its type is missing")
    if message["type"] not in TYPES:
        raise ValueError(f"no message: its type is {json.dumps(message['type'])}; known: {', '.join(TYPES)}")
    return message
