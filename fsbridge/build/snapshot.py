"""Pyodide's memory with fsbridge imported, for the tag to start from: made once in Node.js, restored by every visit.

Pages that start from it neither load Python's standard library nor compile a line of Python. ``web/snapshot.mjs`` takes
the snapshot and says what the file looks like, ``web/pyodide.mjs`` restores it.

What is in the snapshot is the same for every visitor. `random` is seeded anew; what comes from the operating system
(``os.urandom``, ``secrets``, ``uuid``) comes from the page's ``crypto`` as ever. The seed of string hashes is fixed.
Clocks and local time are the page's; only the constants ``time.timezone`` and ``time.tzname`` say UTC.
Modules that nobody had imported aren't there: the interpreter has fsbridge and what that needs, and no standard library
beyond. Of JavaScript, modules may hold on import built-in objects and functions (``js.Reflect.get``), arrays of them,
and the global object.
"""

import functools
import gzip
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .errors import BuildError


@functools.cache
def make(script: Path, pyodide: Path, archive: bytes) -> bytes:
    """The snapshot, compressed by gzip, which browsers undo whatever the host serves.

    ``script`` is ``web/snapshot.mjs``; ``pyodide`` the folder of its npm package; ``archive`` a zip of the package's
    sources. The same arguments give the same bytes. Takes some seconds; a second call with the same arguments none.
    Raises BuildError when Node.js is missing or a module can't be in a snapshot.
    """
    node = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if not node:
        raise BuildError("Node.js 20 or later is needed to make Pyodide's memory snapshot: https://nodejs.org")
    with tempfile.TemporaryDirectory() as folder:
        zipped, out = Path(folder, "fsbridge.zip"), Path(folder, "snapshot")
        zipped.write_bytes(archive)
        command = [node, str(script), str(pyodide), str(zipped), str(out)]
        run = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=300)
        if run.returncode or not out.is_file():
            raise BuildError(f"Pyodide's memory snapshot could not be made with {node}:\n{run.stderr[-2000:]}")
        return gzip.compress(out.read_bytes(), 9, mtime=0)
