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
import json
import subprocess
import tempfile
from pathlib import Path

from .archives import Image
from .errors import BuildError, reason
from .node import find_node


@functools.cache
def pyodide(web: Path, package: Path, archive: bytes) -> bytes:
    """Pyodide's snapshot, compressed by gzip, which browsers undo whatever the host serves.

    ``web`` is the folder with the tag; ``package`` that of the npm package; ``archive`` a zip of fsbridge's sources.
    The same arguments give the same bytes. Takes some seconds; a second call with the same arguments none. Raises
    BuildError when Node.js is missing or a module can't be in a snapshot.
    """
    (made,) = _make(1, web / "snapshots/pyodide.mjs", package, archive)
    return gzip.compress(made, 9, mtime=0)


def micropython(web: Path, package: Path, image: Image, modules: tuple[str, ...]) -> tuple[bytes, bytes]:
    """MicroPython's two snapshots with an ``image`` of modules; else like `pyodide`.

    The first has these ``modules`` imported, with what they import; the second has the code of all others, for when
    they are imported.
    """
    places = json.dumps({name: module.places() for name, module in image.modules.items()}).encode()
    first, second = _make(
        2, web / "snapshots/micropython.mjs", package / "micropython.wasm", image.content, places, *modules
    )
    return first, second


def _make(count: int, script: Path, *arguments: Path | bytes | str) -> list[bytes]:
    """What the script writes to its first ``count`` arguments, given these others; bytes are handed over in files."""
    node = find_node()
    with tempfile.TemporaryDirectory() as folder:
        made = [Path(folder, f"made{index}") for index in range(count)]
        command = [node, str(script), *map(str, made)]
        for index, argument in enumerate(arguments):
            if isinstance(argument, bytes):
                given = Path(folder, f"given{index}")
                given.write_bytes(argument)
                argument = given
            command.append(str(argument))
        run = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=300)
        if run.returncode or not all(file.is_file() for file in made):
            raise BuildError(f"A memory snapshot could not be made with {node}: {reason(run.stderr)}")
        return [file.read_bytes() for file in made]
