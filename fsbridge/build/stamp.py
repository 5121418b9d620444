"""A mark of the build in each of MicroPython's files, and a sum: by them files of other builds and damage show."""

import hashlib
import struct
from collections.abc import Iterable

_SECTION = b"build"


def of(contents: Iterable[bytes]) -> str:
    """The mark of a build with these files: eight letters and digits."""
    return hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in contents)).hexdigest()[:8]


def read(program: bytes) -> str:
    """The mark of a ``.wasm`` that has one."""
    return program[-12:-4].decode()


def mark(name: str, content: bytes, build: str) -> bytes:
    """The file with the build's mark, as ``web/micropython.js`` looks for it.

    A ``.wasm`` gets a custom section "build" at its end: the mark, behind zeros that make the file one of whole words,
    and a word. A snapshot gets 16 bytes in front: the mark, how many bytes follow, and a word. Words are little-endian;
    that one makes the sum of all words zero.
    """
    if name.endswith(".wasm"):
        zeros = b"\0" * (-(len(content) + 20) % 4)
        section = bytes([len(_SECTION)]) + _SECTION + zeros + build.encode()
        before, after = content + bytes([0, len(section) + 4]) + section, b""
    else:
        after = content + b"\0" * (-len(content) % 4)
        before = build.encode() + struct.pack("<I", len(after))
    return before + struct.pack("<I", -(_sum(before) + _sum(after)) & 0xFFFFFFFF) + after


def _sum(content: bytes) -> int:
    return sum(struct.unpack(f"<{len(content) // 4}I", content))
