"""Diagnostics in a real browser, on both interpreters: said in debug mode only, and the calls go out all the same."""

from typing import Any

import pytest
from playwright.sync_api import Page

from fsbridge.testing import FullStory
from tests.e2e.conftest import ShopSite

from .shop import ORG, Console, html_page, tag, wait_for, wait_until

pytestmark = pytest.mark.parametrize("runtime", ["micropython", "pyodide"])

ODD = """
  const throws = { get x() { throw new Error("boom"); } };
  analytics.track("A".repeat(300), { n: 1 });
  analytics.track("Cart", { "2nd": 1, items: [{ sku: "a" }], big: "é".repeat(300000), cycle: window.cycle });
  analytics.track("Thrower", throws);
  analytics.identify("u1");
  analytics.identify("u2");
"""


@pytest.mark.parametrize("switch", ["attribute", "debug", "off"])
def test_what_fullstory_would_not_take_is_said(
    page: Page, site: ShopSite, fullstory: FullStory, runtime: str, switch: Any
) -> None:
    console = Console(page)
    data = {"diagnostics": ""} if switch == "attribute" else {}
    debug = "analytics.debug();" if switch == "debug" else ""
    page.goto(site.page("/", html_page(tag("segment-actions", org=ORG, runtime=runtime, **data), debug + ODD)))
    wait_until(page, "!['loading', 'queueing'].includes(fsbridge.status)")
    fullstory.wait_for_event("Cart")
    said = [text.removeprefix("[fsbridge] ") for text in console.written]
    expected = [
        "its name has 300 characters",
        'event "Cart": property "2nd" is rejected',
        'event "Cart": property "items" is an array of objects',
        'event "Cart": 586 KB, most of it in property "big"',
        'identity "u2": the visitor was "u1" before',
    ]
    for part in expected:
        assert len([text for text in said if part in text]) == (switch != "off"), said
    assert console.thrown == []
    assert fullstory.identity == "u2"


def test_a_mistake_in_a_subscription_is_said_and_the_others_go_on(
    page: Page, site: ShopSite, fullstory: FullStory, runtime: str
) -> None:
    console = Console(page)
    good = {
        "name": "Good",
        "enabled": True,
        "subscribe": 'type = "track"',
        "partnerAction": "trackEventV2",
        "mapping": {"name": {"@path": "$.event"}},
    }
    bad = [{**good, "name": "Bad", "subscribe": "("}, {**good, "mapping": {"name": {"@path": 5}}, "name": "Worse"}]
    settings = {"orgId": ORG, "subscriptions": [*bad, {**good, "partnerAction": "trackEvent"}]}
    html = html_page(tag("segment-actions", settings, runtime=runtime), 'analytics.track("Clicked")')
    page.goto(site.page("/", html))
    wait_until(page, "!['loading', 'queueing'].includes(fsbridge.status)")
    fullstory.wait_for_event("Clicked")

    def said() -> list[str]:
        return [text for text in console.written if " failed: " not in text]

    wait_for(page, lambda: len(said()) == 2)
    assert [text.split(": ")[0] for text in said()] == [
        "[fsbridge] subscription 1 'Bad'",
        "[fsbridge] subscription 2 'Worse'",
    ]
    assert "/name/@path should be a string" in said()[1]
    assert console.thrown == []
