"""Tracked links and forms in a real browser: the page is left, and the call has reached FullStory before."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from fsbridge.testing import FS, FullStory
from tests.e2e.conftest import ShopSite

from .shop import LIVE, ORG, Console, html_page, tag, wait_until

SOURCE = "segment"


@pytest.fixture
def console(page: Page) -> Console:
    return Console(page)


@pytest.fixture
def shop(page: Page, site: ShopSite, fullstory: FullStory) -> Callable[..., Page]:
    """``shop(*parts)`` opens a page with the tag and these parts, and waits until it is live and records."""
    site.page("/next", html_page("<h1>Next</h1>", title="Next"))

    def open_page(*parts: str) -> Page:
        page.goto(site.page("/shop", html_page(tag(org=ORG), *parts)))
        wait_until(page, LIVE)
        return page

    return open_page


def test_a_click_leaves_the_page_after_tracking(
    shop: Callable[..., Page], fullstory: FullStory, console: Console
) -> None:
    page = shop(
        "<a id=buy href='/next?from=shop' data-price=5>Buy</a>",
        "analytics.trackLink(buy, a => 'Clicked ' + a.id, a => ({ price: Number(a.dataset.price) }))",
    )
    page.click("#buy")
    page.wait_for_url("**/next?from=shop")
    fullstory.expect_calls(FS.event("Clicked buy", {"price": 5}, SOURCE))
    assert console.thrown == console.written == []


def test_nodelists_svg_and_modified_clicks(
    shop: Callable[..., Page], fullstory: FullStory, console: Console, context: BrowserContext
) -> None:
    page = shop(
        "<p><a href='#one'>One</a><a href='#two'>Two</a><a href='/next' target=_blank>Tab</a></p>",
        "<svg width=50 height=20><a href='#svg'><rect width=50 height=20></rect></a></svg>",
        "analytics.trackClick(document.querySelectorAll('a'), a => 'Clicked ' + a.getAttribute('href'))",
    )
    page.click("text=One")
    page.wait_for_url("**/shop#one")
    page.click("rect")
    page.wait_for_url("**/shop#svg")
    with context.expect_page():
        page.click("text=Tab")
    with context.expect_page():
        page.click("text=Two", modifiers=["Control"])
    assert page.url.endswith("/shop#svg")
    names = [f"Clicked {address}" for address in ("#one", "#svg", "/next", "#two")]
    fullstory.expect_calls(*[FS.event(name, {}, SOURCE) for name in names])
    assert console.thrown == console.written == []


def test_a_form_is_submitted_after_tracking(shop: Callable[..., Page], fullstory: FullStory, console: Console) -> None:
    page = shop(
        "<form action='/next'><input name=email value='a@b.example'><button>Send</button></form>",
        "analytics.trackForm(document.forms[0], 'Signed Up', form => ({ email: form.elements.email.value }))",
    )
    page.click("button")
    page.wait_for_url("**/next?email=a%40b.example")
    fullstory.expect_calls(FS.event("Signed Up", {"email": "a@b.example"}, SOURCE))
    assert console.thrown == console.written == []


JQUERY = """
  window.jQuery = function (element) {
    return {
      toArray: () => [element],
      submit: (handler) =>
        element.addEventListener("submit", (event) => handler({ preventDefault: () => event.preventDefault() })),
    };
  };
"""


def test_a_page_with_jquery(shop: Callable[..., Page], fullstory: FullStory, console: Console) -> None:
    page = shop(
        "<a href='#there'>There</a><form action='/next'><button>Send</button></form>",
        JQUERY,
        """
        analytics.trackLink(jQuery(document.querySelector("a")), "Link");
        analytics.trackForm(jQuery(document.forms[0]), "Form");
        """,
    )
    page.click("a")
    page.wait_for_url("**/shop#there")
    page.click("button")
    page.wait_for_url("**/next?")
    fullstory.expect_calls(FS.event("Link", {}, SOURCE), FS.event("Form", {}, SOURCE))
    assert console.thrown == console.written == []


def test_slow_middleware_holds_a_link_no_longer_than_the_timeout(
    shop: Callable[..., Page], fullstory: FullStory
) -> None:
    page = shop(
        "<a href='#there'>There</a>",
        "analytics.timeout(50); analytics.addSourceMiddleware(() => new Promise(() => {}))",
        "analytics.trackLink(document.querySelector('a'), 'Clicked')",
    )
    page.click("a")
    page.wait_for_url("**/shop#there")


def test_many_links_and_clicks(shop: Callable[..., Page], fullstory: FullStory, console: Console) -> None:
    page = shop("<p></p>", "document.querySelector('p').innerHTML = '<a href=#>x</a>'.repeat(300)")
    page.evaluate("() => { analytics.trackLink(document.querySelectorAll('a'), 'Clicked') }")
    page.evaluate("() => document.querySelectorAll('a').forEach((link) => link.click())")
    wait_until(page, "location.hash === '' && location.href.endsWith('#')")
    assert len(fullstory.events("Clicked")) == 300
    assert console.thrown == []


def test_methods_chain_before_and_after_we_are_live(
    shop: Callable[..., Page], fullstory: FullStory, console: Console
) -> None:
    page = shop(
        """
        window.heard = [];
        analytics.on("track", (...args) => heard.push(args)).once("page", () => heard.push("page")).debug(false);
        analytics.track("E", { a: 1 }, (context) => heard.push(context.event.event));
        """
    )
    wait_until(page, "heard.length === 2")
    assert page.evaluate("heard") == ["E", ["E", {"a": 1}, None]]
    assert page.evaluate("analytics.on('x', () => {}) === analytics && analytics.initialized")
    assert page.evaluate("analytics.track('F').then((context) => context.event.event)") == "F"
    assert console.thrown == console.written == []


def test_plugins_and_events(shop: Callable[..., Page], fullstory: FullStory, console: Console) -> None:
    page = shop()
    result = page.evaluate("""async () => {
      const rename = async (context) => { await 0; context.updateEvent("properties.plugin", true); return context };
      const drop = (context) => context.event.event === "Drop" ? context.cancel(new Error("no")) : context;
      await analytics.register({ name: "Rename", type: "enrichment", load: async () => {}, track: rename });
      await analytics.register({ name: "Drop", type: "before", load: async () => {}, track: drop });
      await analytics.track("Drop");
      return (await analytics.track("Keep")).event.properties;
    }""")
    assert result == {"plugin": True}
    fullstory.expect_calls(FS.event("Keep", {"plugin": True}, SOURCE))
    assert console.thrown == []
