"""The source rudderanalytics beyond its recordings: its parts, starting without load, whatever a page may pass in."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsbridge import destinations
from fsbridge.browser.bridge import Bridge
from fsbridge.browser.page import Page
from fsbridge.browser.sources.rudderanalytics import RudderAnalytics, legacy, urls
from fsbridge.browser.sources.rudderanalytics.consent import Consent
from fsbridge.browser.sources.rudderanalytics.options import LoadOptions
from fsbridge.browser.sources.rudderanalytics.values import merged, taken
from fsbridge.runtime import NULL, UNDEFINED
from fsbridge.runtime.cpython import BigInt, Date, Function, JsError
from fsbridge.testing.simulated import SimulatedWindow

LOAD = ["key", "https://shop.example/dp"]


def bridge_on(window: SimulatedWindow, **given: Any) -> Bridge:
    return Bridge(Page(window), destinations.make("rudderstack", {"fs_org": "o-1", **given}))


def names(window: SimulatedWindow) -> list[Any]:
    return [call["args"][0] if call["args"] else call["call"] for call in window.calls]


# The legacy encryption


@given(st.binary(max_size=200))
def test_md5(message: bytes) -> None:
    assert legacy.md5(message) == hashlib.md5(message).digest()


@settings(max_examples=30)
@given(st.text(max_size=60), st.binary(min_size=8, max_size=8))
def test_legacy_round_trip(text: str, salt: bytes) -> None:
    assert legacy.decrypt(legacy.encrypt(text, salt)) == text


def test_legacy_reads_what_the_old_sdk_wrote() -> None:
    assert legacy.decrypt("U2FsdGVkX18BAgMEBQYHCNu+c5LE+MGLF+/dq35xMns=") == '"anon-l"'


@pytest.mark.parametrize("text", ["", "abc", "U2FsdGVkX18=", "QUJD" * 20])
def test_legacy_refuses_other_text(text: str) -> None:
    with pytest.raises(ValueError):
        legacy.decrypt(text)


# Values


def test_merging_goes_deep_and_by_index() -> None:
    old = {"a": {"x": 1, "y": 2}, "l": ["a", "b"], "s": 1}
    assert merged(old, {"a": {"y": 3}, "l": ["c"], "s": {"z": 1}}) == {
        "a": {"x": 1, "y": 3},
        "l": ["c", "b"],
        "s": {"z": 1},
    }


def test_arrays_inside_arrays_become_objects() -> None:
    assert merged({"l": [[1, 2]]}, {"l": [[3]]}) == {"l": [{"0": 3, "1": 2}]}


def test_taking_marks_cycles_and_big_integers() -> None:
    value: dict[str, Any] = {"n": BigInt(5), "twice": {"a": 1}}
    value["again"] = value["twice"]
    value["self"] = value
    expected = {"n": "[BigInt]", "twice": {"a": 1}, "again": {"a": 1}, "self": "[Circular Reference]"}
    assert taken(value) == expected
    assert value["n"] == BigInt(5)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example", ("https://shop.example", "shop.example", "/", "")),
        ("HTTPS://Shop.Example:443/A b?q='1'#h", ("https://shop.example", "shop.example", "/A%20b", "?q=%271%27")),
        ("http://u:p@h.example:8080/x?", ("http://h.example:8080", "h.example:8080", "/x", "")),
        ("android-app://com.google.android/", ("null", "com.google.android", "/", "")),
    ],
)
def test_url_parts(url: str, expected: tuple[str, ...]) -> None:
    parts = urls.parse(url)
    assert parts is not None
    assert (parts.origin, parts.host, parts.path, parts.search) == expected


@pytest.mark.parametrize("url", ["", "$direct", "/relative", "no scheme", "https://"])
def test_no_url(url: str) -> None:
    assert urls.parse(url) is None


def test_query_strings_decode_as_forms() -> None:
    assert urls.query_pairs("?a=b+c&d=%C3%A9&e=%zz&f") == [("a", "b c"), ("d", "é"), ("e", "%zz"), ("f", "")]


# Starting


def test_calls_need_no_load() -> None:
    window = SimulatedWindow()
    bridge_on(window).call("track", ["A"])
    assert names(window) == ["A"]


def test_a_load_that_comes_later_still_counts() -> None:
    window = SimulatedWindow()
    bridge = bridge_on(window)
    bridge.call("track", ["A"])
    bridge.call("load", [*LOAD, {"integrations": {"All": False}}])
    bridge.call("track", ["B"])
    assert names(window) == ["A"]


def test_replaying_puts_load_and_consent_first_and_keeps_the_rest_in_order() -> None:
    window = SimulatedWindow("https://shop.example/?ajs_event=Landed")
    bridge = bridge_on(window, consentManagement=[{"provider": "custom", "consents": [{"consent": "a"}]}])
    options = {
        "consentManagement": {"enabled": True, "provider": "custom"},
        "preConsent": {"enabled": True, "events": {"delivery": "buffer"}},
    }
    consent = {"consentManagement": {"allowedConsentIds": ["a"]}, "trackConsent": True}
    moment = Page(window).moment()
    calls = [("track", ["A"]), ("consent", [consent]), ("track", ["B"]), ("load", [*LOAD, options])]
    bridge.source.replay([(method, args, moment) for method, args in calls], bridge.call)
    assert names(window) == ["Landed", "A", "B", "Consent Management Interaction"]


def test_a_call_keeps_the_page_of_its_moment() -> None:
    window = SimulatedWindow("https://shop.example/one", title="One")
    bridge = bridge_on(window)
    moment = Page(window).moment()
    window.history.pushState(None, "", "/two")
    bridge.call("page", [], moment)
    bridge.call("page", [])
    assert [call["args"][1]["path"] for call in window.calls] == ["/one", "/two"]


def test_any_destination_can_be_fed() -> None:
    window = SimulatedWindow()
    bridge = Bridge(Page(window), destinations.make("segment-classic", {"org": "o-1"}), source="rudderanalytics")
    bridge.call("identify", ["u1", {"plan": "pro"}])
    assert window.calls == [{"call": "FS.identify", "args": ["u1", {"plan": "pro"}, "segment"]}]


def test_a_hash_may_come_after_the_timeout() -> None:
    window = SimulatedWindow()
    bridge = bridge_on(window)
    bridge.call("load", [*LOAD, {"integrations": {"Fullstory": {"crossDomainSupport": True}}}])
    window.settle(10_000)
    window.localStorage.setItem("tata_customer_hash", "h")
    window.settle(10_000)
    assert [call["call"] for call in window.calls] == ["FS.shutdown", "FS.restart", "FS.setUserVars", "FS.restart"]
    assert window.calls[2]["args"] == [{"uid": "h", "displayName": "h"}]


def test_a_failing_callback_harms_nobody() -> None:
    def fail(args: Any) -> Any:
        raise JsError("boom")

    window = SimulatedWindow()
    bridge = bridge_on(window)
    bridge.call("track", ["A", Function(fail)])
    bridge.call("ready", [Function(fail)])
    bridge.call("track", ["B"])
    assert names(window) == ["A", "B"]


# Consent managers


def consent_on(window: SimulatedWindow, provider: str) -> Consent:
    return Consent(Page(window), LoadOptions({"consentManagement": {"enabled": True, "provider": provider}}))


def needs(provider: str, *ids: str) -> dict[str, Any]:
    return {"consentManagement": [{"provider": provider, "consents": [{"consent": each} for each in ids]}]}


def test_one_trust_is_asked() -> None:
    window = SimulatedWindow()
    window.OnetrustActiveGroups = ",C1,"
    groups = {"Groups": [{"CustomGroupId": "C1"}, {"CustomGroupId": "C2"}]}
    window.OneTrust = {"GetDomainData": Function(lambda args: groups)}
    consent = consent_on(window, "oneTrust")
    assert consent.allows(needs("oneTrust", "C1"))
    assert not consent.allows(needs("oneTrust", "C1", "C2"))
    assert not consent.allows({"oneTrustCookieCategories": [{"oneTrustCookieCategory": "C2"}]})


def test_ketch_is_asked() -> None:
    window = SimulatedWindow()
    window.ketchConsent = {"analytics": True, "ads": False}
    consent = consent_on(window, "ketch")
    assert consent.allows(needs("ketch", "analytics"))
    assert not consent.allows(needs("ketch", "ads"))
    assert consent.allows({"ketchConsentPurposes": [{"purpose": "ads"}, {"purpose": "analytics"}]})


def test_iubenda_is_asked() -> None:
    window = SimulatedWindow()
    window.document.cookie = "_iub_cs-123=%7B%22purposes%22%3A%7B%224%22%3Atrue%2C%225%22%3Afalse%7D%7D"
    consent = consent_on(window, "iubenda")
    assert consent.allows(needs("iubenda", "4"))
    assert not consent.allows(needs("iubenda", "5"))


@pytest.mark.parametrize("provider", ["oneTrust", "ketch", "iubenda"])
def test_a_manager_that_is_not_there_says_nothing(provider: str) -> None:
    assert consent_on(SimulatedWindow(), provider).allows(needs(provider, "x"))


# Whatever a page passes in

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from([UNDEFINED, NULL, BigInt(3), Date(0.0), Date(float("nan")), JsError("x")]),
    st.builds(lambda: Function(lambda args: UNDEFINED)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["a", "traits", "context", "integrations", "page", "entries", "name", "__proto__"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(RudderAnalytics.methods), st.lists(VALUES, max_size=5)), max_size=5))
def test_no_input_throws_or_blocks_the_next_call(calls: list[tuple[str, list[Any]]]) -> None:
    window = SimulatedWindow()
    bridge = bridge_on(window)
    for method, args in calls:
        if method not in ("load", "consent"):
            bridge.call(method, args)
    bridge.call("track", ["The End"])
    assert names(window)[-1] == "The End"


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_no_options_throw(options: Any, consent: Any) -> None:
    window = SimulatedWindow()
    bridge = bridge_on(window)
    bridge.call("load", [*LOAD, options])
    bridge.call("consent", [consent])
    bridge.call("track", ["A"])
    assert not [line for line in window.console.lines if "rudderanalytics." in line[1] and "needs" not in line[1]]


def test_what_is_stored_waits_for_the_first_call_but_not_for_the_pages_functions() -> None:
    window = SimulatedWindow("https://shop.example/")
    seen: list[Any] = []

    def look(what: str) -> Any:
        seen.append((what, "rl_anonymous_id" in window.cookies.values))
        return UNDEFINED

    def replayed(*calls: tuple[str, list[Any]]) -> list[Any]:
        seen.clear()
        bridge = bridge_on(window)
        window.FS.properties["event"].body = lambda args: look("delivered")
        bridge.replay([(method, args, Page(window).moment()) for method, args in calls])
        look("after")
        window.cookies.values.clear()
        return seen

    load: tuple[str, list[Any]] = ("load", ["key", "https://data.example"])
    callback = Function(lambda args: look("callback"))
    assert replayed(load, ("track", ["Early"])) == [("delivered", False), ("after", True)]
    assert replayed(("ready", [callback]), load) == [("callback", True), ("after", True)]


OPTIONS = (
    "onLoaded context integrations useGlobalIntegrationsConfigInEvents plugins sourceConfigurationOverride "
    "sourceConfigurationOverride.destinations consentManagement consentManagement.enabled consentManagement.provider "
    "consentManagement.allowedConsentIds preConsent preConsent.enabled preConsent.storage preConsent.storage.strategy "
    "preConsent.events preConsent.events.delivery anonymousIdOptions anonymousIdOptions.autoCapture "
    "anonymousIdOptions.autoCapture.source externalAnonymousIdCookieName storage storage.type storage.entries "
    "storage.entries.userId storage.entries.userId.type storage.cookie storage.cookie.maxage storage.cookie.domain "
    "storage.cookie.path storage.cookie.samesite storage.cookie.secure storage.encryption storage.encryption.version "
    "storage.migrate sameSiteCookie secureCookie sameDomainCookiesOnly setCookieDomain sessions sessions.autoTrack "
    "sessions.timeout sessions.cutOff sessions.cutOff.duration logLevel"
).split()


@pytest.mark.parametrize("value", [UNDEFINED, NULL, "", 0, -1.5, "text", [], [NULL], {}, False, True], ids=repr)
@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_of_load_of_another_type_stops_nothing(name: str, value: Any) -> None:
    options: dict[str, Any] = {"consentManagement": {"enabled": True, "provider": "custom", "allowedConsentIds": ["a"]}}
    *parents, last = name.split(".")
    inner = options
    for key in parents:
        inner = inner.setdefault(key, {})
    inner[last] = value
    window = SimulatedWindow()
    bridge = bridge_on(window)
    moment = Page(window).moment()
    calls = [("track", ["A"]), ("load", [*LOAD, options]), ("identify", ["u1", {"a": 1}])]
    bridge.replay([(method, args, moment) for method, args in calls])
    assert not [line for _, line in window.console.lines if "rudderanalytics." in line]
    assert names(window) == ([] if name == "plugins" and isinstance(value, list) else ["A", "u1"])
