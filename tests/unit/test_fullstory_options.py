"""FullStory's own options beside a vendor's settings: what counts, and that FullStory is found by its other name."""

from typing import Any

import pytest

from fsbridge import SettingsError, connect, destinations
from fsbridge.browser.bridge import Bridge
from fsbridge.browser.page import Page
from fsbridge.browser.report import table
from fsbridge.fullstory_options import OPTIONS
from fsbridge.runtime import NULL, UNDEFINED, make_array, make_object, raw_put
from fsbridge.runtime.cpython import Function
from fsbridge.settings import from_attributes
from fsbridge.testing.simulated import SimulatedWindow

ORG = "o-1ABC-na1"
NAMES = pytest.mark.parametrize("name", destinations.NAMES)
GIVEN = {"text": "x.example", "boolean": True}


def connected(name: str, window: SimulatedWindow, **settings: Any) -> Any:
    analytics: Any = connect(name, org=ORG, window=window, **settings)  # type: ignore[call-overload]
    if name == "rudderstack":
        analytics.load("key", "https://data.example")
    return analytics


def queue(window: SimulatedWindow, namespace: str = "FS") -> Any:
    return getattr(window, namespace).properties["q"]


def told(window: SimulatedWindow) -> Any:
    """What FullStory was told of itself."""
    return [entry[1]["env"] for entry in queue(window) if entry[0] == "init"]


@NAMES
def test_left_out_they_change_nothing(name: str) -> None:
    window, other = SimulatedWindow(recording=False), SimulatedWindow(recording=False)
    connected(name, window)
    connected(name, other, **{option.name: UNDEFINED for option in OPTIONS})
    assert told(window) == told(other)
    assert told(window) == [{"orgId": ORG, "host": "fullstory.com", "script": "edge.fullstory.com/s/fs.js"}, {}]
    said = {key: value for key, value in vars(window).items() if key.startswith("_fs_")}
    assert said == {key: value for key, value in vars(other).items() if key.startswith("_fs_")}
    assert not {"_fs_run_in_iframe", "_fs_cookie_domain", "_fs_capture_on_startup", "_fs_dev_mode"} & set(said)


@NAMES
@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_attribute_is_an_option_too(name: str, option: Any) -> None:
    kind = destinations.find(name)
    hyphens = "".join("-" + char.lower() if char.isupper() else char for char in option.name)
    given = from_attributes(name, kind.settings, [(hyphens, "true" if option.accepts == "boolean" else "x.example")])
    assert given == {option.name: GIVEN[option.accepts]}
    made = destinations.make(name, {"org": ORG, **given})
    if name != "segment-classic" or option.name != "debug":
        assert made.fullstory()[option.name] == GIVEN[option.accepts]


@NAMES
@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_wrong_one_is_told_what_is_accepted(name: str, option: Any) -> None:
    wrong = ["x"] if option.accepts == "boolean" else 5
    accepted = "True or False" if option.accepts == "boolean" else "text"
    with pytest.raises(SettingsError) as error:
        connected(name, SimulatedWindow(), **{option.name: wrong})
    assert f"{name}: setting '{option.name}' is {wrong!r}" in str(error.value)
    assert str(error.value).endswith(f"accepted: {accepted}.")


@NAMES
@pytest.mark.parametrize("option", ["host", "script", "appHost"])
@pytest.mark.parametrize("address", ["https://x.example/fs.js", "//x.example", "x .example"])
def test_an_address_with_a_scheme_is_a_warning(name: str, option: str, address: str) -> None:
    window = SimulatedWindow()
    connected(name, window, **{option: address})
    (line,) = [text for level, text in window.console.lines if "without https://" in text]
    assert f"setting '{option}' is '{address}'; accepted: " in line
    with pytest.raises(SettingsError, match="without https://"):
        connected(name, SimulatedWindow(), strict=True, **{option: address})


def test_host_goes_over_rudderstacks_fs_host() -> None:
    window = SimulatedWindow(recording=False)
    connected("rudderstack", window, fs_host="old.example", host="new.example")
    assert told(window)[0]["host"] == window._fs_host == "new.example"


def test_either_name_makes_classic_capture_only_its_iframe() -> None:
    for name in ("isOuterScript", "recordOnlyThisIFrame"):
        window = SimulatedWindow(recording=False)
        connected("segment-classic", window, **{name: True})
        assert told(window)[1] == {"isOuterScript": True}
        assert window._fs_is_outer_script is True


def test_options_of_load_change_the_vendors_settings_and_no_others() -> None:
    window = SimulatedWindow(recording=False)
    destination = destinations.make("segment-classic", {"org": ORG, "namespace": "FSX"})
    bridge = Bridge(Page(window), destination)
    own = {"namespace": "Other", "script": "evil.example/fs.js", "trackAllPages": True}
    bridge.call("load", make_array(["key", make_object((("integrations", {"FullStory": own}),))]))
    bridge.call("page", make_array([]))
    operations = [entry[0] for entry in queue(window, "FSX")]
    assert operations == ["init", "init", "trackEvent", "setProperties"]
    assert not hasattr(window, "Other")


@NAMES
def test_another_namespace_has_all_calls_and_fs_none(name: str) -> None:
    window = SimulatedWindow(namespace="FSX")
    window.FS = Function(lambda args: window.calls.append({"call": "another's"}), "FS")
    analytics = connected(name, window, namespace="FSX")
    analytics.identify("u1", {"a": 1})
    analytics.track("E")
    assert [call["call"] for call in window.calls][-1] in ("FS", "FS.event")
    assert len(window.calls) == 2
    assert window._fs_namespace == "FSX"


@NAMES
def test_a_namespace_that_is_taken_is_said(name: str) -> None:
    window = SimulatedWindow(recording=False)
    window.shop = NULL
    connected(name, window, namespace="shop").track("E")
    assert any("FullStory namespace conflict" in text for _, text in window.console.lines)


@pytest.mark.parametrize("given", ["", None, NULL])
def test_an_empty_namespace_is_fs(given: Any) -> None:
    window = SimulatedWindow()
    connected("segment-classic", window, namespace=given).track("E")
    assert len(window.calls) == 1


def make_bridge(name: str, window: SimulatedWindow, **settings: Any) -> Bridge:
    bridge = Bridge(Page(window), destinations.make(name, {"org": ORG, **settings}))
    bridge.call("load", make_array(["key", "https://data.example" if name == "rudderstack" else {}]))
    return bridge


@NAMES
def test_a_withdrawal_stops_the_namespaces_fullstory(name: str) -> None:
    window = SimulatedWindow(namespace="FSX")
    bridge = make_bridge(name, window, namespace="FSX")
    bridge.consent(False)
    bridge.consent(True)
    assert [call["args"] for call in window.calls] == [["shutdown"], ["restart"]]


@NAMES
@pytest.mark.parametrize("manually", [False, True])
def test_manual_capture_is_not_started_by_consent(name: str, manually: bool) -> None:
    window = SimulatedWindow(recording=False)
    bridge = make_bridge(name, window, startCaptureManually=manually)
    bridge.consent(False)
    got = list(queue(window))
    raw_put(window.FS, "_api", Function(lambda args: got.append(args)))
    bridge.consent(True)
    operations = [entry[0] for entry in got if entry[0] != "init"]
    assert operations == (["shutdown", "restart"] if manually else ["shutdown", "start", "restart"])


@NAMES
def test_in_dev_mode_fullstory_stops_and_consent_does_not_restart_it(name: str) -> None:
    window = SimulatedWindow(recording=False)
    bridge = make_bridge(name, window, devMode=True)
    bridge.call("track", make_array(["E"]))
    operations = [entry[0] for entry in queue(window)]
    # Segment's Actions go on calling, in vain.
    assert operations == ["init", "init", "trackEvent", "shutdown"] + ["trackEvent"] * (name == "segment-actions")
    bridge.consent(False)
    bridge.consent(True)
    assert "restart" not in [entry[0] for entry in queue(window)]
    said = [text for level, text in window.console.lines if level == "warn"]
    assert said == ["[fsbridge] FullStory was initialized in devMode and will stop recording"]


def test_the_session_is_the_namespaces() -> None:
    window = SimulatedWindow(recording=False)
    window.FSX = Function(lambda args: "https://app.fullstory.com/x" if args[0] == "getSession" else UNDEFINED, "FSX")
    bridge = make_bridge("segment-classic", window, namespace="FSX")
    assert table(bridge, 0).splitlines()[-2].split() == ["session", "https://app.fullstory.com/x"]
