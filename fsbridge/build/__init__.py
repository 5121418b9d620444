"""Build what a site serves: the tag, the interpreters and the browser's part of this package.

`build_web` fills one folder, which goes to any static host under any path:

| file | what it is |
|---|---|
| ``fsbridge.js`` | the tag; finds everything else beside itself |
| ``fsbridge-consent.js`` | the tag, with the consent platforms that ``data-consent`` may name |
| ``fsbridge.zip`` | for PyScript and Pyodide pages: the package's sources, ``files = {"…/fsbridge.zip" = "./*"}`` |
| ``fsbridge/`` | ``micropython.js``, which starts MicroPython from ``<destination>.snapshot`` or ``all.snapshot`` |
| | ``inspector.js``, the panel that ``fsbridge.inspect()`` shows |
| | ``first.wasm``, what of MicroPython the first calls need, and ``second.wasm``, the rest |
| | ``<destination>.second.snapshot``, the modules that come with that |
| | ``pyodide.js``, which starts Pyodide from ``pyodide.snapshot`` or, with ``fsbridge.zip``, without |
| ``micropython/`` | for PyScript pages: ``micropython.js`` and ``micropython.wasm``, MicroPython as it comes |
| ``pyodide/`` | ``pyodide.js``, ``pyodide-lock.json``, ``pyodide.asm.{js,wasm}``, ``python_stdlib.zip`` |

That is a build for development. A release differs in what makes visits fast: the folders' names end in a hash of what
is in them, so that browsers may keep them for ever, a copy of the tag has such a name too, files have precompressed
``.br`` and ``.gz`` copies beside them, and ``INSTALL.md`` holds the lines to paste.

The interpreters come from npm packages; their versions are pinned in ``web/package.json``, nowhere else. A wheel
carries the release with MicroPython ready-made, in ``fsbridge/prebuilt`` (``hatch_build.py``): that is only copied.
"""

import json
import os
import shutil
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from . import archives, interpreter, npm, release, scripts, snapshot, stamp
from .archives import PACKAGE, browser_sources
from .errors import BuildError
from .release import KEEP

__all__ = [
    "INTERPRETERS",
    "KEEP",
    "PREBUILT",
    "RUNTIMES",
    "BuildError",
    "browser_sources",
    "build_web",
    "copy_file",
    "pinned_versions",
    "web_sources",
]

INTERPRETERS = {
    "micropython": ("@micropython/micropython-webassembly-pyscript", ("micropython.mjs", "micropython.wasm")),
    "pyodide": (
        "pyodide",
        ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"),
    ),
}
"""Folder in the build → npm package, and the files of it that a page loads. Modules are called ``.js`` there, because
web servers don't know ``.mjs`` and browsers don't run what isn't said to be JavaScript."""

RUNTIMES = tuple(INTERPRETERS)

PREBUILT = PACKAGE / "prebuilt"
"""A wheel's release of MicroPython alone; nothing is there in a checkout."""


def web_sources() -> Path:
    """The folder with ``tag/`` and ``package.json``: inside an installed package, or ``web/`` of a checkout."""
    for folder in (PACKAGE / "web", PACKAGE.parent / "web"):
        if (folder / "package.json").is_file():
            return folder
    raise BuildError("web/package.json is missing: this is neither a checkout nor a whole installation of fsbridge.")


def pinned_versions() -> dict[str, str]:
    """The versions of the interpreters' npm packages."""
    described = json.loads((web_sources() / "package.json").read_text(encoding="utf-8"))
    return dict(described["dependencies"])


def build_web(
    out: Path,
    node_modules: Path | None = None,
    runtimes: Collection[str] = RUNTIMES,
    *,
    for_release: bool = True,
    keep: int = KEEP,
) -> str:
    """Write everything a site has to serve into ``out``, replacing what an earlier build left there.

    An installed wheel's release of MicroPython alone is copied from `PREBUILT`, without Node.js, npm or a compiler.
    Everything else is built. ``node_modules`` is where ``npm ci`` put the packages of ``web/package.json``; without it
    that is done first, in a checkout's ``web/``, else in a cache folder of the user's. A release keeps the files with
    hashed names of the last ``keep`` builds that it replaces, which pages in caches still ask for.
    ``runtimes`` are those that the tag can start, by default MicroPython if it is among them. Without ``for_release``
    names are plain and nothing is compressed: done in seconds, where a release takes most of a minute. The same inputs
    give the same bytes.

    Returns the text of ``INSTALL.md``, which tells how to serve a release; without ``for_release`` an empty one. Raises
    BuildError when an npm package or a tool is missing or has another version than pinned; an earlier build stays.
    """
    if for_release and not node_modules and list(runtimes) == ["micropython"] and PREBUILT.is_dir():
        return _replace(out, lambda fresh: _copied(fresh, out, keep))
    web = web_sources()
    node_modules = node_modules or npm.provision(web, checkout=web.parent == PACKAGE.parent)
    for runtime in runtimes:
        _check(node_modules, INTERPRETERS[runtime][0], web)

    def build(fresh: Path) -> str:
        names = _write(fresh, web, node_modules, runtimes, for_release)
        return release.finish(fresh, names, out, keep) if for_release else ""

    return _replace(out, build)


def _copied(fresh: Path, out: Path, keep: int) -> str:
    shutil.copytree(PREBUILT, fresh, dirs_exist_ok=True)
    return release.describe(fresh, release.folders(fresh), out, keep)


def _replace(out: Path, fill: Callable[[Path], str]) -> str:
    """Put a folder that ``fill`` writes in the place of ``out``; what that gives."""
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside it first: a build that fails leaves the earlier one alone.
    with TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        fresh = Path(folder, out.name)
        fresh.mkdir()
        text = fill(fresh)
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)
    return text


def _write(out: Path, web: Path, node_modules: Path, runtimes: Collection[str], for_release: bool) -> dict[str, str]:
    """Write what there is before a release is finished; the folders' names by what they hold."""
    for runtime in runtimes:
        package, files = INTERPRETERS[runtime]
        (out / runtime).mkdir()
        for file in files:
            copy_file(node_modules / package / file, out / runtime)

    sources = browser_sources()
    zipped = archives.zip_archive(sources)
    (out / "fsbridge.zip").write_bytes(zipped)
    (out / "fsbridge").mkdir()
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Node.js does most of it, in processes
        making = [pool.submit(lambda: {"inspector.js": scripts.module(web, "inspector/main.js", node_modules)})]
        if "micropython" in runtimes:
            making.append(pool.submit(_micropython, web, node_modules, sources))
        if "pyodide" in runtimes:
            making.append(pool.submit(_pyodide, web, node_modules, zipped))
    for made in making:
        for name, content in made.result().items():
            (out / "fsbridge" / name).write_bytes(content)

    folders = [*runtimes, "fsbridge"]
    names = {name: release.hashed(out / name) if for_release else name for name in folders}
    for name in scripts.TAGS:
        (out / name).write_bytes(scripts.tag(web, node_modules, names, name))
    return names


def _micropython(web: Path, node_modules: Path, sources: dict[str, str]) -> dict[str, bytes]:
    """MicroPython's files, which bear one build's mark."""
    package = INTERPRETERS["micropython"][0]
    images = archives.images(archives.compiled(sources, pinned_versions()[package]))

    def remembered(name: str) -> tuple[bytes, bytes]:
        return snapshot.micropython(web, node_modules / package, images[name], archives.entries(name))

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Node.js does it, in processes
        parts = pool.submit(interpreter.parts, web, node_modules, node_modules / package / "micropython.wasm")
        snapshots = list(pool.map(remembered, images))
    first, second = parts.result()
    files = {"first.wasm": first, "second.wasm": second}
    for name, (first, second) in zip(images, snapshots, strict=True):
        files.update({f"{name}.snapshot": first, f"{name}.second.snapshot": second})
    host = scripts.module(web, "micropython.js", node_modules, {"build": ""})
    build = stamp.of([*files.values(), host])
    marked = {name: stamp.mark(name, content, build) for name, content in files.items()}
    return {**marked, "micropython.js": scripts.module(web, "micropython.js", node_modules, {"build": build})}


def _pyodide(web: Path, node_modules: Path, zipped: bytes) -> dict[str, bytes]:
    """Pyodide's files."""
    return {
        "fsbridge.zip": zipped,
        "pyodide.js": scripts.module(web, "pyodide.js", node_modules),
        "pyodide.snapshot": snapshot.pyodide(web, node_modules / INTERPRETERS["pyodide"][0], zipped),
    }


def _check(node_modules: Path, package: str, web: Path) -> None:
    pinned = pinned_versions()[package]
    description = node_modules / package / "package.json"
    found = json.loads(description.read_text(encoding="utf-8"))["version"] if description.is_file() else "none"
    if found != pinned:
        raise BuildError(f"{package} {pinned} is needed, found {found} in {node_modules}: run `npm ci` in {web}.")


def copy_file(file: Path, folder: Path) -> None:
    """Copy a file of a package; modules under the name that web servers know, in what they say of each other, too."""
    if file.suffix == ".mjs":
        text = file.read_text(encoding="utf-8").replace("pyodide.asm.mjs", "pyodide.asm.js")
        (folder / f"{file.stem}.js").write_text(text, encoding="utf-8")
    else:
        shutil.copyfile(file, folder / file.name)
