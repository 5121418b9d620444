"""The vendors' own SDKs, pointed at the relay."""

import shutil
import subprocess
from pathlib import Path

import pytest
import rudderstack.analytics.client
import segment.analytics.client

from tests.relay.running import RelayProcess
from tests.standin import FullStoryAPI
from tools import npm

from .running import WRITE_KEY, numbers, wait_for

HERE = Path(__file__).parent
EVENTS = 20
ALL = EVENTS + 5
"""Messages of a round: identify, the events, page, screen, group, alias."""


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("vendor", ["segment", "rudderstack"])
def test_python(relay: RelayProcess, api: FullStoryAPI, vendor: str, gzipped: bool) -> None:
    module = {"segment": segment, "rudderstack": rudderstack}[vendor].analytics.client
    problems = []
    client = module.Client(
        WRITE_KEY,
        host=relay.url,
        gzip=gzipped,
        upload_size=7,
        upload_interval=0.1,
        on_error=lambda error, items: problems.append(error),
    )
    client.identify("ada", {"name": "Ada", "plan": "pro"})
    for number in range(EVENTS):
        client.track("ada", "Clicked", {"number": number})
    client.page("ada", None, "Home")
    client.screen("ada", None, "Start")
    client.group("ada", "g1", {"seats": 3})
    client.alias("anonymous-1", "ada")
    client.shutdown()
    assert not problems
    arrived(relay, api)


def test_node(relay: RelayProcess, api: FullStoryAPI) -> None:
    npm.provision(HERE)
    node = shutil.which("node", path=str(npm.find_npm().parent))
    # An import looks for packages beside the script.
    subprocess.run([node, HERE / "segment.mjs", relay.url, WRITE_KEY], check=True, timeout=60)
    arrived(relay, api)


def arrived(relay: RelayProcess, api: FullStoryAPI) -> None:
    """Assert that FullStory got the round's identify and events, in order, and that all was acknowledged."""
    wait_for(lambda: len(api.accepted) == EVENTS + 1)
    assert relay.metric("messages_acknowledged_total") == ALL
    assert api.accepted[0].path == "/v2/users"
    assert api.accepted[0].json["uid"] == "ada"
    assert api.accepted[0].json["properties"]["plan"] == "pro"
    assert numbers(api.accepted, "ada") == list(range(EVENTS))
    assert all("timestamp" in received.json for received in api.accepted[1:])
    wait_for(lambda: relay.metric("messages_ignored_total") == 4)
    assert relay.metric("parked_messages") == 0


@pytest.mark.parametrize("vendor", ["segment", "rudderstack"])
def test_a_wrong_write_key_is_an_error_of_the_sdk(relay: RelayProcess, vendor: str) -> None:
    module = {"segment": segment, "rudderstack": rudderstack}[vendor].analytics.client
    problems = []
    client = module.Client("other", host=relay.url, on_error=lambda error, items: problems.append(error))
    client.track("ada", "Clicked", {})
    client.shutdown()
    (problem,) = problems
    assert problem.status == 401
    assert problem.code == "unknown_write_key"
