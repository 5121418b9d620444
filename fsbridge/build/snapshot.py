"""The interpreters' memory with fsbridge imported, for the tag to start from: made once, restored by every visit.

Pages that start from a snapshot compile and import nothing, and with Pyodide don't load Python's standard library.
``web/snapshots/`` takes the snapshots, in Node.js, and says what the files look like; ``web/micropython.js`` and
``web/pyodide.js`` restore them.

What is in a snapshot is the same for every visitor. Clocks are the page's. Of JavaScript, modules may hold on import
built-in objects and functions (``js.Reflect.get``), functions bound to such, arrays of them, and the global object;
what they would give JavaScript on import, no page has.

Of Pyodide: `random` is seeded anew; what comes from the operating system (``os.urandom``, ``secrets``, ``uuid``) comes
from the page's ``crypto`` as ever. The seed of string hashes is fixed. The constants ``time.timezone`` and
``time.tzname`` say UTC. Modules that nobody had imported aren't there: the interpreter has fsbridge and what that
needs, and no standard library beyond.
"""

import functools
import gzip
import subprocess
import tempfile
from pathlib import Path

from .errors import BuildError, reason
from .node import find_node


@functools.cache
def pyodide(web: Path, package: Path, archive: bytes) -> bytes:
    """Pyodide's snapshot, compressed by gzip, which browsers undo whatever the host serves.

    ``web`` is the folder with the tag; ``package`` that of the npm package; ``archive`` a zip of fsbridge's sources.
    The same arguments give the same bytes. Takes some seconds; a second call with the same arguments none. Raises
    BuildError when Node.js is missing or a module can't be in a snapshot.
    """
    return gzip.compress(_make(web / "snapshots/pyodide.mjs", package, archive), 9, mtime=0)


@functools.cache
def micropython(web: Path, package: Path, image: bytes, modules: tuple[str, ...]) -> bytes:
    """MicroPython's snapshot with a ROMFS ``image``, of which these ``modules`` are imported; else like `pyodide`."""
    return _make(web / "snapshots/micropython.mjs", package / "micropython.wasm", image, *modules)


def _make(script: Path, *arguments: Path | bytes | str) -> bytes:
    """What the script writes to its first argument, given these others; bytes are handed over in a file."""
    node = find_node()
    with tempfile.TemporaryDirectory() as folder:
        out, given = Path(folder, "snapshot"), Path(folder, "given")
        command = [node, str(script), str(out)]
        for argument in arguments:
            if isinstance(argument, bytes):
                given.write_bytes(argument)
                argument = given
            command.append(str(argument))
        run = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=300)
        if run.returncode or not out.is_file():
            raise BuildError(f"A memory snapshot could not be made with {node}: {reason(run.stderr)}")
        return out.read_bytes()
