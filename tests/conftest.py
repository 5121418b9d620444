"""The browser and the build that all tests share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings
from playwright.sync_api import Playwright, expect

from fsbridge.build import build_web
from tools import npm
from tools.browser import CHROMIUM, OWN, installed, launch_options

from . import wire

# A busy machine is no fault of an example's.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
expect.set_options(timeout=120_000)


@pytest.fixture(autouse=True)
def patience(request: pytest.FixtureRequest) -> None:
    """A page of a busy machine is waited for longer than Playwright would."""
    if "context" in request.fixturenames:
        request.getfixturevalue("context").set_default_timeout(120_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], playwright: Playwright) -> dict[str, Any]:
    """The Chromium that ``nox -s tests`` found, else Playwright's own, else an installed one."""
    own = Path(playwright.chromium.executable_path).exists()
    chromium = os.environ.get(CHROMIUM) or next(iter([] if own else installed()), OWN)
    options = launch_options(chromium)
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
