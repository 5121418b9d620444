"""The project's packages in dist/packages: made, each installed where nothing else is, and tried.

python -m tools.package    makes the wheel, the sdist and the npm package, and tries them
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

from . import npm_package

ROOT = Path(__file__).parent.parent
OUT = ROOT / "dist" / "packages"


def main() -> None:
    """Make and try all of them; what doesn't work ends it."""
    make()
    for package in (_only("*.whl"), _only("*.tar.gz")):
        with tempfile.TemporaryDirectory() as folder:
            try_python(package, Path(folder))
    try_npm(_only("*.tgz"))
    print(f"In {OUT}: {', '.join(sorted(path.name for path in OUT.iterdir()))}", flush=True)


def make(out: Path = OUT) -> None:
    """Make all packages afresh: the sdist of the checkout, the wheel of the sdist, npm's of the wheel."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    _run(sys.executable, "-m", "build", "--outdir", out, ROOT)
    (wheel,) = out.glob("*.whl")
    pack_for_npm(wheel, out)


def pack_for_npm(wheel: Path, out: Path) -> None:
    """Make npm's package of the files in a wheel, so that both serve the same."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith("fsbridge/prebuilt/")])
        npm_package.pack(Path(folder, "fsbridge/prebuilt"), out)


def try_python(package: Path, folder: Path) -> None:
    """Install a wheel or an sdist into an empty environment, and build a site with it: that needs no other tool."""
    _say(f"Trying {package.name}")
    home = folder / "venv"
    venv.create(home, with_pip=True)
    commands = home / ("Scripts" if os.name == "nt" else "bin")
    _run(commands / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package)
    environment = {**os.environ, "PATH": str(commands), "PYTHONPATH": ""}
    _run(commands / "fsbridge", "build", folder / "static" / "fsbridge", cwd=folder, env=environment, quiet=True)
    (tag,) = (folder / "static" / "fsbridge").glob("fsbridge-????????.js")
    written = "import fsbridge.serve; print(fsbridge.serve.tag('segment-classic', org='o-1ABC-na1'))"
    _run(commands / "python", "-c", written, cwd=folder, env=environment, quiet=True)
    _say(f"{package.name} wrote {tag.name} and what it loads")


def try_npm(package: Path) -> None:
    """Install npm's tarball into empty folders, and build pages with it in Vite, webpack and Next.js, for Chromium."""
    _say(f"Trying {package.name}")
    environment = {**os.environ, "FSBRIDGE_TARBALL": str(package), "FSBRIDGE_BUNDLERS": "all"}
    _run(sys.executable, "-m", "pytest", "-q", ROOT / "tests/e2e/test_npm.py", cwd=ROOT, env=environment)


def _only(pattern: str) -> Path:
    (found,) = OUT.glob(pattern)
    return found


def _run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None, quiet: bool = False) -> None:
    done = subprocess.run([str(each) for each in command], cwd=cwd, env=env, capture_output=quiet, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed: {done.stderr if quiet else 'see above'}")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
