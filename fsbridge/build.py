"""Build what a site serves: the tag, the interpreters and the browser's part of this package.

`build_web` fills one folder, which goes to any static host under any path:

| file | what it is |
|---|---|
| ``fsbridge.js`` | the tag; finds everything else beside itself |
| ``fsbridge.json`` | for the tag: the package's sources as ``{"fsbridge/__init__.py": "…", …}`` |
| ``fsbridge.zip`` | for PyScript pages: the same sources, for ``files = {"…/fsbridge.zip" = "./*"}`` |
| ``micropython/`` | ``micropython.mjs``, ``micropython.wasm`` |
| ``pyodide/`` | ``pyodide.mjs``, ``pyodide-lock.json``, ``pyodide.asm.{mjs,wasm}``, ``python_stdlib.zip`` |

The tag's archive is plain JSON because that needs no unpacking code of ours: ``JSON.parse`` and ``FS.writeFile``, the
same for both interpreters, and hosts compress it on the way. (MicroPython has no ``zipfile``.)

The interpreters come from npm packages; their versions are pinned in ``web/package.json``, nowhere else.
"""

import json
import shutil
import sys
import zipfile
from pathlib import Path

PACKAGE = Path(__file__).parent

SERVER_ONLY = set("__main__ build cli cloud cloud_names cpython liquid_engine simulated testing".split())
"""Modules and packages, by name at any depth, that no browser needs."""

INTERPRETERS = {
    "micropython": ("@micropython/micropython-webassembly-pyscript", ("micropython.mjs", "micropython.wasm")),
    "pyodide": (
        "pyodide",
        ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"),
    ),
}
"""Folder in the build → npm package, and the files of it that a page loads."""


class BuildError(Exception):
    """Something the build needs is missing or does not fit; the text says what to do."""


def web_sources() -> Path:
    """The folder with ``fsbridge.js`` and ``package.json``: inside an installed package, or ``web/`` of a checkout."""
    for folder in (PACKAGE / "web", PACKAGE.parent / "web"):
        if (folder / "package.json").is_file():
            return folder
    raise BuildError("web/package.json is missing: this is neither a checkout nor a whole installation of fsbridge.")


def browser_sources() -> dict[str, str]:
    """The modules that run in a browser: path inside the archive → source text."""
    modules = {path: path.relative_to(PACKAGE).with_suffix("").parts for path in PACKAGE.rglob("*.py")}
    return {
        path.relative_to(PACKAGE.parent).as_posix(): path.read_text(encoding="utf-8")
        for path, parts in sorted(modules.items())
        if not SERVER_ONLY.intersection(parts)
    }


def build_web(out: Path, node_modules: Path | None = None) -> None:
    """Write everything a site has to serve into ``out``, replacing what an earlier build left there.

    ``node_modules`` is where ``npm ci`` put the packages of ``web/package.json`` (default: ``web/node_modules``).
    Raises BuildError when one is missing or has another version than pinned.
    """
    web = web_sources()
    node_modules = node_modules or web / "node_modules"
    pinned = json.loads((web / "package.json").read_text(encoding="utf-8"))["dependencies"]

    for package, _ in INTERPRETERS.values():
        found = _version(node_modules / package)
        if found != pinned[package]:
            needed = f"{package} {pinned[package]} is needed, found {found or 'none'} in {node_modules}"
            raise BuildError(f"{needed}: run `npm ci` in {web}.")

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    shutil.copyfile(web / "fsbridge.js", out / "fsbridge.js")
    for name, (package, files) in INTERPRETERS.items():
        (out / name).mkdir()
        for file in files:
            shutil.copyfile(node_modules / package / file, out / name / file)

    sources = browser_sources()
    (out / "fsbridge.json").write_text(json.dumps(sources, ensure_ascii=False), encoding="utf-8")
    _write_zip(out / "fsbridge.zip", sources)


def _version(package: Path) -> str | None:
    description = package / "package.json"
    if not description.is_file():
        return None
    return str(json.loads(description.read_text(encoding="utf-8"))["version"])


def _write_zip(path: Path, sources: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        # PyScript makes only the last folder of a path, so every folder has an entry of its own, parents first.
        folders = {parent.as_posix() for name in sources for parent in Path(name).parents if parent.name}
        # A fixed date: the same sources give the same bytes.
        for folder in sorted(folders):
            archive.writestr(zipfile.ZipInfo(folder + "/"), "")
        for name, text in sources.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)


if __name__ == "__main__":
    build_web(Path(sys.argv[1]))
