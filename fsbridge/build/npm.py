"""npm's packages for a build: in ``web/`` of a checkout, else in a cache folder of the user's."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..extras import missing
from .errors import BuildError

_ABOUT = ("warn ", "code ", "syscall ", "errno ", "path ", "dest ", "A complete log")
"""How the lines begin in which npm says less than in the one that tells what happened."""


def provision(web: Path, *, checkout: bool) -> Path:
    """The node_modules folder with what ``web``'s package-lock.json names, installed where it isn't there yet.

    An installed package isn't written to: its packages have a folder of their own in the user's cache. Raises
    BuildError.
    """
    return install(web if checkout else _cache(web))


def install(folder: Path, npm: str | None = None, *, development: bool = False) -> Path:
    """Run ``npm ci`` in a folder with a package-lock.json, unless that is done; its node_modules.

    With ``development`` the devDependencies are installed, too: in ``web/`` those are what tests need.
    """
    modules, lock = folder / "node_modules", folder / "package-lock.json"
    done = modules / ".package-lock.json"  # npm's own note of what it installed
    is_new = done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime
    if is_new and (not development or _has_development(done) or not _has_development(lock)):
        return modules
    npm = npm or find_npm()
    if not npm:
        raise BuildError("npm is needed, which comes with Node.js 20 or later: https://nodejs.org")
    print(f"Installing npm's packages in {folder}", file=sys.stderr, flush=True)
    environment = {
        **os.environ,
        # npm starts node by name, which may be known to this environment alone.
        "PATH": os.pathsep.join([str(Path(npm).parent), os.environ.get("PATH", "")]),
        # The node of PyPI's wheel would know its built-in certificates only, and not those of a company's proxy.
        "NODE_USE_SYSTEM_CA": "1",
    }
    command = [npm, "ci", "--ignore-scripts", "--no-progress", "--no-audit", "--no-fund"]
    command += [] if development else ["--omit=dev"]
    try:
        run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"npm's packages could not be installed in {folder}: {error}") from error
    if run.returncode:
        raise BuildError(f"npm's packages could not be installed in {folder}: {_reason(run.stderr)}")
    done.touch()
    return modules


def _has_development(lock: Path) -> bool:
    """Whether devDependencies are among the packages of a lock file, or of npm's note."""
    packages = json.loads(lock.read_text(encoding="utf-8")).get("packages", {})
    return any(package.get("dev") for package in packages.values())


def find_npm() -> str | None:
    """npm of this machine, or of this environment."""
    return shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))


def _cache(web: Path) -> Path:
    """The user's folder for the packages that this lock file names, with the files that npm needs."""
    try:
        import platformdirs
    except ImportError as error:
        raise BuildError(missing("platformdirs", "build")) from error
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()[:8]
    folder = platformdirs.user_cache_path("fsbridge", appauthor=False) / f"npm-{lock}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            if not (folder / name).is_file():
                shutil.copyfile(web / name, folder / name)
    except OSError as error:
        raise BuildError(f"npm's packages can't be kept in {folder} ({error}): give --node-modules.") from error
    return folder


def _reason(told: str) -> str:
    """The line of npm's complaint that says what happened."""
    lines = [line.removeprefix("npm ").removeprefix("error").removeprefix("ERR!").strip() for line in told.splitlines()]
    return next((line for line in lines if line and not line.startswith(_ABOUT)), "npm ended without a word")
