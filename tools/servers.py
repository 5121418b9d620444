"""nginx and Caddy for the tests of their configurations: installed ones, else the system's packages, only unpacked.

python -m tools.servers    finds or unpacks them and prints the folders that they are in, as in PATH

`SERVERS` is the environment variable that hands the outcome on to the test run. Nothing is installed, for that would
start the servers.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.browser import update_packages

SERVERS = "FSBRIDGE_SERVERS"
NAMES = ("nginx", "caddy")
UNPACKED = Path(__file__).parent.parent / "build" / "servers"
NONE = "No %s for the tests of its configuration: they are SKIPPED. Tried: an installed one, apt-get download."


def folders() -> str:
    """Where to look for them, as in PATH."""
    unpacked = [str(UNPACKED / folder) for folder in ("usr/sbin", "usr/bin")]
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *unpacked])


def installed(name: str) -> str | None:
    """The path of a server, None where there is none."""
    return shutil.which(name, path=os.environ.get(SERVERS) or folders())


def provision() -> str:
    """The folders, with both servers in them where they can be had. In CI it is an error where they can't."""
    for name in NAMES:
        if not installed(name) and not _unpack(name):
            update_packages()
            _unpack(name)
        if not installed(name):
            print(NONE % name, file=sys.stderr)
            if os.environ.get("CI"):
                raise SystemExit(1)
    return folders()


def _unpack(name: str) -> bool:
    """Fetch the package of that name and unpack it; whether that worked."""
    if not shutil.which("apt-get"):
        return False
    UNPACKED.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["apt-get", "download", name], cwd=UNPACKED, stdout=sys.stderr, timeout=300).returncode:
        return False
    (package,) = UNPACKED.glob(f"{name}_*.deb")
    subprocess.run(["dpkg-deb", "--extract", package, UNPACKED], check=True)
    package.unlink()
    return True


if __name__ == "__main__":
    print(provision())
