"""A stand-in for FullStory, and relays that deliver to it."""

import pytest

from tests.standin import FullStoryAPI

from .running import RelayProcess


@pytest.fixture
def api():
    with FullStoryAPI() as fullstory:
        yield fullstory


@pytest.fixture
def make_relay(tmp_path, api):
    """A function that makes a relay with these options; it isn't started yet."""
    made = []

    def make(*options):
        made.append(RelayProcess(tmp_path, api.url, *options))
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def relay(make_relay):
    """A relay that runs."""
    started = make_relay()
    started.start()
    return started
