"""Lint and format of the scripts in web/.

python -m tools.biome            says what is wrong with them
python -m tools.biome --write    puts right what it can
"""

import subprocess
import sys

from fsbridge.build.node import find_node

from . import npm

if __name__ == "__main__":
    biome = npm.provision() / "@biomejs/biome/bin/biome"
    sys.exit(subprocess.run([find_node(), str(biome), "check", *sys.argv[1:], "."], cwd=npm.WEB).returncode)
