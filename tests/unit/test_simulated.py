"""The simulated page: what tests see of it, and what pages do to it."""

import re
from typing import Any

import pytest

from fsbridge import connect
from fsbridge.runtime import invoke, keys, raw_get, raw_has, raw_put
from fsbridge.runtime.cpython import Array
from fsbridge.testing.simulated import SimulatedWindow


def names(page: SimulatedWindow) -> list[Any]:
    return [call["args"][0] for call in page.calls if call["call"] == "FS.event"]


@pytest.mark.parametrize(
    ("destination", "name"), [("segment-classic", "analytics"), ("rudderstack", "rudderanalytics")]
)
def test_expose_performs_what_a_vendors_snippet_buffered(destination: str, name: str) -> None:
    page = SimulatedWindow()
    setattr(page, name, [["track", "Early", {"n": 1}], ["track", "Second"]])
    buffer = getattr(page, name)
    raw_put(buffer, "invoked", True)  # snippets keep their own notes and the vendor's methods on the buffer
    connect(destination, org="o-1ABC-na1", window=page, expose=True)  # type: ignore[call-overload]
    assert names(page) == ["Early", "Second"]
    invoke(buffer, "push", ["track", "Late"])
    page.settle()
    assert names(page) == ["Early", "Second", "Late"]


def test_an_array_takes_properties_and_stays_an_array() -> None:
    array = Array([1, 2])
    raw_put(array, "push", "mine")
    raw_put(array, 2, 3)
    assert (array, raw_get(array, "length"), raw_get(array, "push")) == ([1, 2, 3], 3, "mine")
    assert keys(array) == ["0", "1", "2", "push"]
    assert raw_has(array, "push")
    assert not raw_has(array, "pop")


def test_the_console_storage_and_cookies_can_be_looked_at() -> None:
    page = SimulatedWindow("https://shop.example/")
    analytics = connect("segment-classic", org="o-1ABC-na1", window=page)
    analytics.identify("u1", {"plan": "free"})
    assert page.localStorage.entries["ajs_user_id"] == '"u1"'
    assert "ajs_anonymous_id" in page.cookies.values
    page.console.warn("careful", 1)
    assert page.console.lines[-1] == ("warn", "careful 1")


def test_the_next_page_has_the_same_browser_and_time() -> None:
    first = SimulatedWindow("https://shop.example/one")
    first.document.cookie = "a=1; path=/"
    first.localStorage.setItem("b", "2")
    first.sessionStorage.setItem("c", "3")
    first.settle(500)
    second = first.navigate("https://shop.example/two", title="Two")
    assert (second.document.cookie, second.document.title) == ("a=1", "Two")
    assert (second.localStorage.entries, second.sessionStorage.entries) == ({"b": "2"}, {"c": "3"})
    assert second.now == first.now
    assert second.calls == []


def test_time_passes_when_a_test_lets_it() -> None:
    page = SimulatedWindow()
    before, heard = page.Date.now(), []
    page.setTimeout(lambda: heard.append(page.Date.now() - before), 250)
    page.settle(100)
    assert (heard, page.Date.now()) == ([], before + 100)
    page.settle(1000)
    assert heard == [250]


def test_random_values_are_a_browsers() -> None:
    crypto = SimulatedWindow().crypto
    version_4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(version_4, crypto.randomUUID())
    filled = crypto.getRandomValues([0] * 64)
    assert len(set(filled)) > 1
    assert all(0 <= octet < 256 for octet in filled)


def test_a_page_moves_within_itself() -> None:
    page = SimulatedWindow("https://shop.example/one")
    location = page.location
    page.history.pushState(None, "", "two?x=1#y")
    assert (location.href, location.search, location.hash) == ("https://shop.example/two?x=1#y", "?x=1", "#y")
    assert page.location is location


@pytest.mark.parametrize("beside", [False, None])
@pytest.mark.parametrize("destination", ["segment-classic", "segment-actions", "rudderstack"])
def test_not_beside_is_by_itself_though_a_vendors_snippet_is_there(destination: Any, beside: Any) -> None:
    page = SimulatedWindow()
    for name in ("analytics", "rudderanalytics"):
        raw_put(page, name, Array([]))
    analytics = connect(destination, org="o-1ABC-na1", window=page, beside=beside)
    analytics.track("Ordered")
    analytics.identify("user-1")
    assert "Ordered" in str(page.calls)
    assert "user-1" in str(page.calls)
    assert all(len(raw_get(page, name)) == 0 for name in ("analytics", "rudderanalytics"))
