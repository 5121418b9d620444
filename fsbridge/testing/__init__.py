"""A pytest plugin for Playwright tests: the ``fullstory`` fixture, a FullStory that records and sends nothing.

It works for any page that includes FullStory, with or without fsbridge. Installed from a checkout of fsbridge with
``pip install ".[testing]"``, it is there for every test::

    from fsbridge.testing import FS

    def test_checkout(page, fullstory):
        page.goto("https://shop.example/checkout")
        page.get_by_role("button", name="Buy").click()

        order = fullstory.wait_for_event("Order Completed")
        assert order.properties["price"] == 99.95
        assert fullstory.identity == "user-1"
        assert fullstory.calls[0] == FS.identify("user-1", {"plan": "premium"}, "segment")

The fixture serves pytest-playwright's ``context`` (so its ``page`` too) when the test has one. Anything else made with
Playwright's sync API is served after ``fullstory.attach(context_or_page)``. `FullStory` says what it offers.

With Playwright's async API, use `AsyncFullStory` in the place of the fixture::

    fullstory = AsyncFullStory()
    await fullstory.attach(page)

Without a browser, `fsbridge.testing.simulated` is a page for tests of milliseconds.

Sites that host fs.js themselves name it in pytest's configuration, as Playwright's URL globs, one a line::

    [tool.pytest.ini_options]
    fullstory_scripts = ["https://cdn.acme.example/fs.js*"]

What is waited for has 5,000 milliseconds to arrive, each time that no other ``timeout`` is given; for machines that are
slower than yours, ``fullstory_timeout`` in the same place is another number.
"""

import pytest

from ..runtime.cpython import UNDEFINED
from .async_recorder import AsyncFullStory
from .calls import FS, Call, Event, Operation
from .recorder import FullStory

__all__ = ["FS", "UNDEFINED", "AsyncFullStory", "Call", "Event", "FullStory", "Operation"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the plugin's options."""
    parser.addini("fullstory_scripts", "more URLs (globs) to answer as FullStory's fs.js", type="linelist", default=[])
    parser.addini("fullstory_timeout", "milliseconds to wait for what is to reach FullStory", default="5000")


@pytest.fixture
def fullstory(request: pytest.FixtureRequest) -> FullStory:
    """FullStory for this test's pages: records what they send, sends nothing."""
    option = request.config.getini
    recorder = FullStory(scripts=option("fullstory_scripts"), timeout=_milliseconds(option("fullstory_timeout")))
    if {"context", "page"} & set(request.fixturenames):
        context = request.getfixturevalue("context")
        if hasattr(context, "expose_binding"):  # not some other fixture of that name
            recorder.attach(context)
    return recorder


def _milliseconds(given: str) -> float:
    try:
        if (milliseconds := float(given)) >= 0:
            return milliseconds
    except ValueError:
        pass
    raise pytest.UsageError(f"fullstory_timeout is {given!r}; it must be a number of milliseconds, like 5000")
