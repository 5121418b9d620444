"""MicroPython in two parts: what the first calls need, and the rest, which comes after them (``web/interpreter/``)."""

import functools
import subprocess
import tempfile
from pathlib import Path

from .errors import BuildError, reason
from .node import find_node, need


@functools.cache
def parts(web: Path, node_modules: Path, program: Path) -> tuple[bytes, bytes]:
    """The first and the second part of the interpreter ``program``. The same program gives the same bytes.

    ``web`` is the folder with the tag. Raises BuildError when Node.js or Binaryen is missing, or the recorded profile
    is another interpreter's.
    """
    need(web, node_modules, "binaryen")
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        script = web / "interpreter/parts.mjs"
        command = [find_node(), *map(str, (script, node_modules, first, second, program))]
        run = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=300)
        if run.returncode:
            raise BuildError(f"MicroPython could not be split: {reason(run.stderr)}")
        return first.read_bytes(), second.read_bytes()
