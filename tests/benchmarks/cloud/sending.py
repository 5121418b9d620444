"""`fsbridge send` of a file of many lines, watched: its memory over time."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import requests

from tests import standin

from .work import memory

ROOT = Path(__file__).parent.parent.parent.parent
EVERY = 0.25
"""Seconds between two looks."""


class Look(NamedTuple):
    """Seconds since the start, lines that FullStory took until then, MB of the process."""

    seconds: float
    lines: int
    MB: float


@contextmanager
def fullstory(*options: str) -> Iterator[str]:
    """A stand-in for FullStory as a process of its own, fresh, so that nothing is a repetition to it; its address."""
    command = [sys.executable, "-m", "tests.standin", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def watch(file: Path) -> list[Look]:
    """Send ``file`` with the command; what was seen meanwhile. Raises CalledProcessError where it fails."""
    environment = {**os.environ, "FULLSTORY_API_KEY": standin.KEY}
    looks = []
    with fullstory() as url:
        command = [sys.executable, "-m", "fsbridge", "send", str(file), "--base-url", url]
        began = time.monotonic()
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            while process.poll() is None:
                try:
                    used = memory(process.pid)
                except (OSError, IndexError):  # it ends right now
                    break
                looks.append(Look(time.monotonic() - began, accepted(url), used))
                time.sleep(EVERY)
            problem = process.stderr.read()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, stderr=problem)
        looks.append(Look(time.monotonic() - began, accepted(url), looks[-1].MB))
    return looks


def accepted(url: str) -> int:
    return int(requests.get(f"{url}/standin", timeout=30).json()["accepted"])


def growth(looks: list[Look]) -> float:
    """Memory in the last fifth of the lines as a multiple of that in the second fifth; the first is the start."""
    lines = looks[-1].lines
    early = [look.MB for look in looks if lines * 0.2 <= look.lines < lines * 0.4]
    late = [look.MB for look in looks if look.lines >= lines * 0.8]
    return statistics.median(late) / statistics.median(early)
