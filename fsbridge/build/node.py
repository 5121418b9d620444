"""Node.js, which bundles the scripts and makes the snapshots."""

import shutil
import sys
from pathlib import Path

from .errors import BuildError


def find_node() -> str:
    """Node.js of this machine, or of this environment. Raises BuildError when there is none."""
    found = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if not found:
        raise BuildError("Node.js 20 or later is needed to build: https://nodejs.org")
    return found


def need(web: Path, node_modules: Path, *packages: str) -> None:
    """Raises BuildError where one of these npm packages of ``web/package.json`` isn't there."""
    for package in packages:
        if not (node_modules / package).is_dir():
            raise BuildError(f"{package} is needed, found none in {node_modules}: run `npm ci` in {web}.")
