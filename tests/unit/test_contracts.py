"""What sources and destinations owe each other."""

from typing import Any

import pytest

from fsbridge import connect, destinations
from fsbridge.browser import sources
from fsbridge.contracts import Destination, Source
from fsbridge.runtime import UNDEFINED
from fsbridge.runtime.cpython import Function
from fsbridge.testing.simulated import SimulatedWindow

GOOD = {"enabled": True, "subscribe": 'type = "track"', "partnerAction": "trackEvent", "mapping": {"name": "E"}}
LOAD_OPTIONS = [
    ("segment-classic", {"disableAutoISOConversion": True}),
    ("segment-classic", {"integrations": {"FullStory": {"trackAllPages": True}}}),
    ("segment-actions", {"integrations": {"Fullstory (Actions)": {"subscriptions": [GOOD]}}}),
]


@pytest.mark.parametrize("name", destinations.NAMES)
def test_a_destination_says_all_that_the_contract_asks(name: str) -> None:
    kind = destinations.find(name)
    assert issubclass(kind, Destination)
    assert kind.name == name
    assert kind.source in sources.NAMES
    assert kind.org in [setting.name for setting in kind.settings]
    for plugin in destinations.make(name, {"org": "o-1"}).plugins:
        assert plugin.integration
        assert set(plugin.types) <= {"identify", "track", "page"}


@pytest.mark.parametrize("name", sources.NAMES)
def test_a_source_says_all_that_the_contract_asks(name: str) -> None:
    kind = sources.find(name)
    assert issubclass(kind, Source)
    assert kind.api == name
    assert not set(kind.methods) & set(kind.unsupported)


@pytest.mark.parametrize(("name", "options"), LOAD_OPTIONS)
def test_load_options_change_no_destination_but_give_another(name: str, options: Any) -> None:
    destination = destinations.make(name, {"org": "o-1"})
    before = dict(vars(destination))
    other = destination.configured(options, pytest.fail)
    assert other is not destination
    assert vars(destination) == before


def test_undefined_in_load_options_is_the_default_and_not_the_setting() -> None:
    destination = destinations.make("segment-classic", {"org": "o-1", "debug": True, "trackPagesWithEvents": False})
    own = {"debug": UNDEFINED, "trackPagesWithEvents": UNDEFINED, "trackAllPages": None}
    options = destination.configured({"integrations": {"FullStory": own}}, pytest.fail).options
    assert options["org"] == "o-1"
    assert [options[name] for name in own] == [False, True, None]


@pytest.mark.parametrize("name", destinations.NAMES)
def test_without_a_word_of_it_in_the_load_options_it_stays(name: str) -> None:
    destination = destinations.make(name, {"org": "o-1"})
    assert destination.configured({"integrations": {"All": True, "Other": {"a": 1}}}, pytest.fail) is destination


@pytest.mark.parametrize(("name", "options"), LOAD_OPTIONS)
def test_destination_middleware_outlives_load_options(name: str, options: Any) -> None:
    window = SimulatedWindow()
    analytics = connect(name, org="o-1", window=window, expose=True)  # type: ignore[call-overload]
    window.analytics["addDestinationMiddleware"].body(["*", Function(lambda args: None)])  # drops everything
    analytics.load("wk", options)
    analytics.track("Secret")
    assert window.calls == []
