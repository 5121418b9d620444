"""A Chromium for Playwright: its own download where that works, else an installed one, else the system's package.

python -m tools.browser    finds or installs one and prints its path ("playwright" for Playwright's own)

`CHROMIUM` is the environment variable that hands the outcome on to the test run.
"""

import os
import shutil
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, sync_playwright

CHROMIUM = "FSBRIDGE_CHROMIUM"
OWN = "playwright"
SHELL = "chromium-headless-shell"
"""The Debian package and command of a Chromium that has no windows, as Playwright's own: a page costs half there."""

# Chromium loads two pages of its own for each new window's address bar: nearly half of what a test's window costs. The
# last switch of a name counts, so what Playwright switches off is here, too (in its version 1.65).
FEATURES = (
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,"
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch"
)

FLAGS = [
    "--no-sandbox",  # containers and root have no sandbox
    # The browser's own errands: none of a test's business, and noise where there is no network.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--disable-features={FEATURES}",
]

DOWNLOAD_SECONDS = 60
INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
NONE = """\
No Chromium for the browser tests. Tried: Playwright's download, an installed chromium or Chrome, apt-get.
Install one of them and try again, or set FSBRIDGE_CHROMIUM to the path of a Chromium."""


def launch_options(chromium: str) -> dict[str, Any]:
    """Arguments of Playwright's ``launch`` for a browser as `provision` names it."""
    return {"args": FLAGS} if chromium == OWN else {"args": FLAGS, "executable_path": chromium}


def without_windows(chromium: str) -> str:
    """The Chromium without windows that is installed beside this one, else this one."""
    shell = Path(chromium).with_name(SHELL)
    return str(shell) if shell.exists() else chromium


def starts(chromium: str) -> bool:
    """Whether this browser is there and runs."""
    try:
        with sync_playwright() as playwright:
            playwright.chromium.launch(**launch_options(chromium), timeout=120_000).close()
    except Error:
        return False
    return True


def installed(names: tuple[str, ...] = INSTALLED, places: tuple[str, ...] = PLACES) -> list[str]:
    """The paths of installed browsers, found by their commands' names or where they usually are."""
    paths = [shutil.which(name) for name in names] + [path for path in places if os.path.exists(path)]
    return [path for path in paths if path]


def provision() -> str:
    """A browser by the rule above, installing where need be. Exits with a message when none can be had."""
    chosen = os.environ.get(CHROMIUM)
    if chosen:
        return chosen
    _download()
    for chromium in [OWN, *installed()]:
        if starts(chromium):
            return chromium
    install_package("chromium")
    install_package(SHELL)
    for chromium in installed():
        if starts(chromium):
            return chromium
    raise SystemExit(NONE)


def _download() -> None:
    # Does nothing when it is there already.
    _run([sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"], DOWNLOAD_SECONDS)


def install_package(*names: str) -> None:
    """Install packages of the system's, where that has apt-get."""
    update_packages()
    _apt_get(900, "install", "-y", "--no-install-recommends", *names)


@cache
def update_packages() -> None:
    """Renew what the system knows of its packages, where that has apt-get."""
    _apt_get(300, "update")


def _apt_get(seconds: float, *command: str) -> None:
    if shutil.which("apt-get"):
        _run([*([] if os.geteuid() == 0 else ["sudo", "-n"]), "apt-get", *command], seconds)


def _run(command: list[str], seconds: float) -> None:
    """Run an installer for ``seconds`` at most; whether it worked shows when the browser is started."""
    # What it prints would drown the answer on standard output. A session of its own: an installer has children.
    process = subprocess.Popen(command, stdout=sys.stderr, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        print(f"Gave up after {seconds:.0f} s: {' '.join(command)}", file=sys.stderr)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


if __name__ == "__main__":
    chromium = provision()
    print(f"Browser tests use {chromium}.", file=sys.stderr)
    print(chromium)
