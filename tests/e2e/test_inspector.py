"""The inspector, over a live page: fsbridge.inspect() and ?fsbridge-inspect."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from fsbridge.build.release import policy
from fsbridge.testing import FullStory

from ..conftest import PATIENCE
from .conftest import ShopSite
from .shop import ORG, Console, html_page, tag, wait_until
from .test_demo_accessible import LOOK

CSP = {"Content-Security-Policy": policy(ORG) + "; default-src 'self'; style-src 'none'"}


def shop(site: ShopSite, runtime: str, **data: Any) -> str:
    page = html_page("<html lang='en'><main><h1>Shop</h1></main>", tag(org=ORG, runtime=runtime, **data))
    return site.page("/shop", page, CSP)


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_it_shows_calls_messages_and_what_fullstory_gets(
    runtime: str, page: Page, site: ShopSite, fullstory: FullStory
) -> None:
    console = Console(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(shop(site, runtime))
    wait_until(page, "fsbridge.status === 'ready'")
    assert not [url for url in asked if "inspector" in url]
    page.evaluate("fsbridge.inspect(); fsbridge.inspect()")
    panel = page.get_by_role("complementary", name="fsbridge inspector")
    expect(panel).to_have_count(1)
    page.evaluate("analytics.track('Bought', { price: 5 })")
    kinds = panel.locator("li .kind")
    expect(kinds).to_have_text(["FullStory", "message", "page"])
    expect(panel.locator("summary code")).to_contain_text(
        ['FS.event("Bought", {price: 5}, "segment")', 'event: "Bought"', 'analytics.track("Bought", {price: 5})'],
    )
    facts = panel.locator("dl")
    expect(facts).to_contain_text("statusready")
    expect(facts).to_contain_text("dropped0")
    expect(facts).to_contain_text("session" + page.evaluate("FS('getSession')"))
    expect(facts).to_contain_text("FullStory calls made1")
    panel.locator("summary").first.click()
    expect(panel.locator("pre").first).to_contain_text("price: 5")
    panel.get_by_role("button", name="Clear").click()
    expect(kinds).to_have_count(0)
    page.evaluate("for (let n = 0; n < 400; n++) analytics.debug(false)")
    expect(kinds).to_have_count(300)
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)
    page.evaluate("analytics.track('Later')")
    assert [event.name for event in fullstory.events] == ["Bought", "Later"]
    assert (console.thrown, console.written) == ([], [])


def test_an_address_asks_for_it_and_calls_that_waited_are_in(page: Page, site: ShopSite, fullstory: FullStory) -> None:
    html = html_page(tag(org=ORG), "<body><script>analytics.track('Early')</script>")
    page.goto(site.page("/shop", html) + "?a=b&fsbridge-inspect")
    panel = page.get_by_role("complementary", name="fsbridge inspector")
    expect(panel.locator("li.FullStory")).to_contain_text("Early")


def test_without_its_file_the_page_goes_on(page: Page, site: ShopSite, fullstory: FullStory) -> None:
    console = Console(page)
    page.goto(shop(site, "micropython"))
    wait_until(page, "fsbridge.status === 'ready'")
    page.route("**/inspector.js", lambda route: route.abort())
    page.evaluate("fsbridge.inspect()")
    page.wait_for_function("true")
    page.evaluate("analytics.track('Bought')")
    fullstory.wait_for_event("Bought")
    assert console.thrown == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme: Any, browser: Browser, site: ShopSite, axe: str) -> None:
    context = browser.new_context(color_scheme=scheme)
    fullstory = FullStory(timeout=PATIENCE)
    fullstory.attach(context)
    page = context.new_page()
    page.goto(site.page("/shop", html_page("<html lang='en'><main><h1>Shop</h1></main>", tag(org=ORG))))
    wait_until(page, "fsbridge.status === 'ready'")
    page.evaluate("fsbridge.inspect()")
    panel = page.get_by_role("complementary", name="fsbridge inspector")
    expect(panel).to_be_visible()
    page.evaluate("analytics.identify('u', { plan: 'premium', logins: 5, since: new Date(0), done: true })")
    panel.locator("summary").first.click()
    page.evaluate(axe)
    assert page.evaluate(LOOK) == []
    context.close()
