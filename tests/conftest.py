"""The browser and the build that all tests share."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hatchling.builders.wheel import WheelBuilder
from hypothesis import settings
from playwright.sync_api import Browser, Playwright, expect

from fsbridge.build import build_web
from tools import npm
from tools.browser import CHROMIUM, OWN, installed, launch_options, without_windows

from . import wire
from .summary import pytest_terminal_summary as pytest_terminal_summary

# A busy machine is no fault of an example's.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

ROOT = Path(__file__).parents[1]
PATIENCE = 120_000
"""Milliseconds for what a page does: Playwright's own 30 s, and 5 s for `expect`, are too short on a busy machine."""

expect.set_options(timeout=PATIENCE)


def patient(browser: Browser) -> Browser:
    """A browser whose pages are waited for with patience."""
    browser.on("context", lambda context: context.set_default_timeout(PATIENCE))
    return browser


@pytest.fixture(scope="session")
def browser(browser: Browser) -> Browser:
    """Playwright's, with patience."""
    return patient(browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], playwright: Playwright) -> dict[str, Any]:
    """The Chromium that ``nox -s tests`` found, else Playwright's own, else an installed one; without windows."""
    own = Path(playwright.chromium.executable_path).exists()
    chromium = os.environ.get(CHROMIUM) or next(iter([] if own else installed()), OWN)
    options = launch_options(without_windows(chromium))
    options["args"] = [*options["args"], "--ignore-certificate-errors"]
    by = {"server": f"http://{wire.proxy()}", "bypass": "127.0.0.1,localhost"}
    return {**browser_type_launch_args, **options, "proxy": by}


def once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], Any]) -> Path:
    """A folder that ``build`` writes, the first time that any worker asks for it."""
    own = factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with FileLock(shared / f"{name}.lock"):
        if not (shared / name).exists():
            build(shared / name)
    return shared / name


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `build_web` writes."""
    return once(tmp_path_factory, "web", lambda out: build_web(out, npm.provision(), for_release=False))


def make_wheel(folder: Path) -> Path:
    npm.provision()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(wheel)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (wheel,) = once(tmp_path_factory, "wheel", make_wheel).glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def site_packages(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The wheel, unpacked where nothing else is."""

    def unpack(folder: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)

    return once(tmp_path_factory, "site-packages", unpack)
