"""python -m tools.playground FOLDER    writes the playground there"""

import shutil
import sys
from pathlib import Path

from . import build

out = Path(sys.argv[1])
shutil.rmtree(out, ignore_errors=True)
build(out)
print(f"Built {out}: any static host can serve it.")
