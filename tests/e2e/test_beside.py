"""Beside a vendor's SDK: both it and FullStory get everything, whichever comes first."""

import json
from pathlib import Path

import pytest

from fsbridge.testing import FS
from tools import npm

from .shop import ORG, Console, html_page, tag, wait_until
from .test_tag import SEGMENT_SNIPPET

SETTINGS = {"integrations": {"Segment.io": {"apiKey": "key", "apiHost": "api.example/v1"}}, "plan": {}}
SNIPPET = SEGMENT_SNIPPET.replace('"reset",', '"reset", "register",')
LOAD = """
analytics._writeKey = "key";
analytics._loadOptions = {};
analytics._cdn = "https://cdn.example";
const sdk = document.createElement("script");
sdk.async = true;
sdk.src = "/sdk/standalone.js";
document.head.append(sdk);
"""
CALLS = "analytics.page('Home'); analytics.identify('u1', { plan: 'free' }); analytics.track('Order', { price: 1 })"


@pytest.fixture
def console(page):
    return Console(page)


@pytest.fixture(params=["@segment/analytics-next", "analytics-next-older"])
def segment(request, page, site):
    """Messages that Segment got: the SDK is served, and its network answered."""
    modules = npm.provision(Path(__file__).parent)
    site.mount("/sdk/", modules / request.param / "dist/umd")
    got = []

    def take(route):
        body = json.loads(route.request.post_data or "{}")
        got.extend(
            (each["type"], each.get("event") or each.get("name"))
            for each in body.get("batch", [body])
            if "type" in each
        )
        route.fulfill(json={"success": True}, headers={"Access-Control-Allow-Origin": "*"})

    page.route("https://api.example/**", take)
    page.route("https://*.segment.*/**", take)
    page.route(
        "https://cdn.example/**",
        lambda route: route.fulfill(json=SETTINGS, headers={"Access-Control-Allow-Origin": "*"}),
    )
    return got


def beside(destination="segment-classic", **data):
    return tag(destination, org=ORG, **data).replace("fsbridge.js", "fsbridge-beside.js")


def expected(late):
    return [
        FS.identify("u1", {"plan": "free"}, "segment"),
        FS.event("Order", {"price": 1}, "segment"),
        *[FS.event(name, {}, "segment") for name in late],
    ]


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
@pytest.mark.parametrize("order", ["above", "below"])
def test_the_tag_and_segments_snippet(page, site, fullstory, console, segment, order, runtime):
    parts = [beside(runtime=runtime), SNIPPET + CALLS + ";" + LOAD]
    page.goto(site.page("/", html_page(*(parts if order == "above" else parts[::-1]))))
    wait_until(page, "window.fsbridge && fsbridge.status === 'ready' && !!analytics.queue")
    page.evaluate("() => { analytics.track('Late') }")
    fullstory.expect_calls(*expected(["Late"]))
    page.wait_for_timeout(500)
    assert segment == [("page", "Home"), ("identify", None), ("track", "Order"), ("track", "Late")]
    assert console.thrown == console.written == []


def test_an_instance_that_the_page_attaches(page, site, fullstory, console, segment):
    module = """
      window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: "key", cdnURL: "https://cdn.example" }).then(([own]) => {
        own.page("Home");
        window.done = fsbridge.attach(own);
        own.identify("u1", { plan: "free" });
        own.track("Order", { price: 1 });
      });
    """
    page.goto(site.page("/", html_page("<script src='/sdk/index.js'></script>", beside(), module)))
    wait_until(page, "window.fsbridge && fsbridge.status === 'ready'")
    fullstory.expect_calls(*expected([]))
    assert page.evaluate("typeof window.analytics") == "undefined"
    page.wait_for_timeout(500)
    assert segment == [("page", "Home"), ("identify", None), ("track", "Order")]


def test_filters_name_us_as_they_name_the_vendors_own(page, site, fullstory, console, segment):
    calls = "analytics.track('Hidden', {}, { integrations: { FullStory: false } }); analytics.track('Shown', {})"
    page.goto(site.page("/", html_page(SNIPPET + calls + ";" + LOAD, beside())))
    fullstory.wait_for_event("Shown")
    fullstory.expect_calls(FS.event("Shown", {}, "segment"))


def test_without_a_destination_id(page, site, console):
    page.goto(site.page("/", html_page(beside("rudderstack"))))
    wait_until(page, "window.fsbridge && fsbridge.status === 'failed'")
    assert "data-destination-id is missing" in console.written[0]


def test_without_an_sdk_it_waits(page, site, console):
    page.goto(site.page("/", html_page(beside())))
    wait_until(page, "window.fsbridge && fsbridge.status === 'queueing'")
    assert console.thrown == console.written == []
