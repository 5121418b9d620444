"""What commands are given: messages, line by line."""

from __future__ import annotations

import gzip
import json
import math
import sys
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ..messages import TYPES
from ..runtime import from_json, is_plain, type_of

WRONG_SETTINGS = 2

BROKEN = (OSError, EOFError, zlib.error)
"""What reading an input may raise."""

MAX_LINE = 1_000_000
"""Bytes. No message is nearly as long, and memory stays constant whatever a file holds."""


def lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, counted from 1. Of one that is too long there is just the beginning."""
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        yield number, line if len(line) == MAX_LINE else _without_mark(line)
        while len(line) == MAX_LINE and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE)


def _without_mark(line: bytes) -> bytes:
    """A line without the byte order marks at its beginning, which files that were put together have anywhere."""
    while line.startswith(BOM_UTF8):
        line = line[len(BOM_UTF8) :]
    return line


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


def message_from(line: bytes) -> Any:
    """The message of one line. Raises ValueError with what is wrong."""
    if len(line) == MAX_LINE and not line.endswith(b"\n"):
        raise ValueError(f"the line is longer than {MAX_LINE:,} bytes")
    try:
        message = json.loads(
            line.decode().rstrip("\r\n"), parse_int=_number, parse_float=_number, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"invalid JSON: {error.msg.removesuffix(' at')} at character {error.colno}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"invalid UTF-8: byte {error.start + 1} can't be read") from error
    except RecursionError as error:
        raise ValueError("not a message: it is nested too deeply") from error
    if not is_plain(message):
        raise ValueError(
            f"not a message: a JSON object is expected, not {_SPOKEN.get(type_of(message), type_of(message))}"
        )
    if "type" not in message:
        raise ValueError("not a message: its type is missing")
    if message["type"] not in TYPES:
        raise ValueError(f"not a message: its type is {json.dumps(message['type'])}; known: {', '.join(TYPES)}")
    return message


_SPOKEN = {"array": "an array", "string": "a string", "number": "a number", "boolean": "a boolean"}


def _number(digits: str) -> Any:
    """A number as JavaScript has it, but for those that it takes for infinite: they would arrive as null."""
    if math.isinf(float(digits)):
        shown = digits if len(digits) <= 20 else f"{digits[:20]}… ({len(digits)} digits)"
        raise ValueError(f"the number {shown} is too large")
    return from_json(digits)


def _refuse(constant: str) -> Any:
    raise ValueError(f"invalid JSON: {constant} is not a number in JSON")
