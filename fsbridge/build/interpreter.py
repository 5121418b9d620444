"""MicroPython in two parts: what the first calls need, and the rest, which comes after them (``web/interpreter/``)."""

import functools
import subprocess
import tempfile
from pathlib import Path

from .errors import BuildError, reason
from .node import find_node


@functools.cache
def parts(web: Path, program: Path) -> dict[str, bytes]:
    """The parts of the interpreter ``program``, "first" and "second". The same program gives the same bytes.

    ``web`` is the folder with the tag. Raises BuildError when Node.js is missing or the recorded profile is another
    interpreter's.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, name) for name in ("first", "second")}
        command = [find_node(), str(web / "interpreter/parts.mjs"), *map(str, files.values()), str(program)]
        run = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=300)
        if run.returncode:
            raise BuildError(f"MicroPython could not be split: {reason(run.stderr)}")
        return {name: file.read_bytes() for name, file in files.items()}
