"""The browser that all tests share."""

import os
from pathlib import Path

import pytest

from tools.browser import CHROMIUM, OWN, installed, launch_options


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args, playwright):
    """The Chromium that ``nox -s tests`` found, else Playwright's own, else an installed one."""
    own = Path(playwright.chromium.executable_path).exists()
    chromium = os.environ.get(CHROMIUM) or next(iter([] if own else installed()), OWN)
    return {**browser_type_launch_args, **launch_options(chromium)}
