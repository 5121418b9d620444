"""``python -m fsbridge.build OUT_DIR``: a release with all runtimes, for ``nox -s build``."""

import argparse
from pathlib import Path

from . import build_web

parser = argparse.ArgumentParser(prog="python -m fsbridge.build", description="Build a release with all runtimes.")
parser.add_argument("out", type=Path, metavar="OUT_DIR", help="where to write it")
print(build_web(parser.parse_args().out))
