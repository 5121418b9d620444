"""What these tests share: FullStory's stand-in, and clients that lose no time between two attempts."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fsbridge.cloud import Cloud, transport
from tests.standin import KEY, FullStoryAPI


@pytest.fixture
def api() -> Iterator[FullStoryAPI]:
    with FullStoryAPI() as standin:
        yield standin


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The random waits between attempts, a hundredth as long."""
    monkeypatch.setattr(transport, "FIRST_BACKOFF", transport.FIRST_BACKOFF / 100)
    monkeypatch.setattr(transport, "MAX_BACKOFF", 0.1)
    monkeypatch.delenv("FULLSTORY_API_KEY", raising=False)


@pytest.fixture
def connect(api: FullStoryAPI) -> Iterator[Callable[..., Cloud]]:
    """Makes clients of the stand-in, and closes them."""
    made = []

    def make(key: str = KEY, **options: Any) -> Any:
        made.append(Cloud(key, **{"base_url": api.url, "timeout": 5, "retry_for": 10, **options}))
        return made[-1]

    yield make
    for cloud in made:
        cloud.close()


@pytest.fixture
def cloud(connect: Callable[..., Cloud]) -> Cloud:
    return connect()
