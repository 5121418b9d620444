"""A piece of the disk held back, so that a queue that has filled the disk can still be emptied."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from ...cloud.private import secured

MAX_BYTES = 16 << 20
_SHARE = 8
"""Of small disks, an eighth."""


class Reserve:
    """The file ``QUEUE.reserve``. While it isn't held nothing may be put into the queue.

    Deleting needs some of the disk, too, before it gives any back: when there is none left the reserve is given up,
    and taken again when there is room. All processes that work with a queue see the same file.
    """

    def __init__(self, queue: Path) -> None:
        self._path = Path(f"{queue}.reserve")
        self.size = min(MAX_BYTES, shutil.disk_usage(queue.parent).total // _SHARE)
        """Bytes."""

    def held(self) -> bool:
        """Whether it is there, in whole."""
        try:
            return self._path.stat().st_size >= self.size
        except OSError:
            return False

    def take(self) -> bool:
        """Take it where there is room for it and as much again; whether it is held now."""
        if self.held():
            return True
        with suppress(OSError):
            self.give_up()
            if shutil.disk_usage(self._path.parent).free < 2 * self.size:
                return False
            beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
            try:
                secured(beside)
                with beside.open("r+b") as file:
                    _fill(file.fileno(), self.size)
                beside.replace(self._path)
            finally:
                beside.unlink(missing_ok=True)
        return self.held()

    def give_up(self) -> bool:
        """Give it back to the disk; whether it was there."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def _fill(descriptor: int, size: int) -> None:
    """Have a file take up ``size`` bytes of the disk."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    block = b"\0" * (1 << 20)
    for _ in range(size // len(block)):
        os.write(descriptor, block)
    os.write(descriptor, b"\0" * (size % len(block)))
