"""``python -m fsbridge.build OUT_DIR``: a release with all runtimes, for ``nox -s build``."""

import sys
from pathlib import Path

from . import build_web

print(build_web(Path(sys.argv[1])))
