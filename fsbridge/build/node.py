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
