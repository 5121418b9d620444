"""A stand-in for FullStory, and relays that deliver to it."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fsbridge.relay.queue.address import parsed
from tests.standin import FullStoryAPI
from tools import nats

from .running import RelayProcess
from .servers import Servers

NUMBERS = itertools.count()


@pytest.fixture
def api() -> Iterator[FullStoryAPI]:
    with FullStoryAPI() as fullstory:
        yield fullstory


@pytest.fixture
def where() -> None:
    """The queue of relays, if it isn't a file of their own: a module may have another fixture of this name."""
    return None


@pytest.fixture
def make_relay(tmp_path: Path, api: FullStoryAPI, where: Any) -> Iterator[Callable[..., RelayProcess]]:
    """A function that makes a relay with these options; it isn't started yet."""
    made = []

    def make(*options: Any) -> RelayProcess:
        made.append(RelayProcess(tmp_path, api.url, *options))
        made[-1].queue = where or made[-1].queue
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def relay(make_relay: Callable[..., RelayProcess]) -> RelayProcess:
    """A relay that runs."""
    started = make_relay()
    started.start()
    return started


@pytest.fixture(scope="session")
def nats_server() -> Any:
    """The path of a nats-server. Without one the tests that want it are skipped, but for CI, where they fail."""
    path = nats.installed()
    if not path and os.environ.get("CI"):
        pytest.fail(nats.NONE)
    if not path:
        pytest.skip(nats.NONE)
    return path


@pytest.fixture(scope="session")
def one_server(nats_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A NATS server that is alone."""
    with Servers(tmp_path_factory.mktemp("nats"), 1) as servers:
        yield servers


@pytest.fixture(params=["embedded", "cluster"])
def either(request: pytest.FixtureRequest) -> str | None:
    """The address of a new queue in NATS, and None for a file: for tests of what both do."""
    if request.param == "embedded":
        return None
    servers = request.getfixturevalue("one_server")
    return f"{servers.url}/test{next(NUMBERS)}"


@pytest.fixture
def place(either: Any, tmp_path: Path) -> Any:
    """A new queue of either kind."""
    return parsed(either, partitions=2) if either else tmp_path / "queue.db"
