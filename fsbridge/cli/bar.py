"""How far a command got, on a terminal; elsewhere it is silent."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class Bar:
    """A bar over the bytes of an input, with lines, lines a second, errors and the time left."""

    def __init__(self, what: str, total: int | None) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn(what),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[lines]:,} lines, {task.fields[rate]:,.0f}/s, {task.fields[errors]:,} rejected"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(what, total=total, lines=0, rate=0.0, errors=0)
        self._began = time.monotonic()
        self._before = -1

    def show(self, position: int, lines: int, errors: int) -> None:
        """``lines`` are done, ``errors`` of them rejected; the input was read up to ``position``."""
        if self._progress.disable:
            return
        self._before = lines if self._before < 0 else self._before  # of an earlier run
        rate = (lines - self._before) / max(time.monotonic() - self._began, 0.001)
        self._progress.update(self._task, completed=position, lines=lines, rate=rate, errors=errors)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._progress.stop()
