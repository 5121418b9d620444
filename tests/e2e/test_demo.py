"""The demo shop: clicked through in a browser, and what its panel shows of it."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fsbridge.testing import FullStory

from .shop import Console, wait_until
from .visitor import Visitor

RUNTIMES = {"micropython": "MicroPython", "pyodide": "Pyodide"}


@pytest.fixture
def visit(page: Page, shop: str) -> Iterator[Callable[..., None]]:
    """Opens the shop with choices, waits until the bridge is live; at the end nothing was asked of another host."""
    console, elsewhere = Console(page), []
    page.on("request", lambda request: None if request.url.startswith(shop) else elsewhere.append(request.url))

    def open_shop(status: Any = "ready", **choices: Any) -> None:
        page.goto(f"{shop}?{'&'.join(f'{name}={value}' for name, value in choices.items())}")
        wait_for_status(page, status)

    yield open_shop
    assert elsewhere == []
    assert console.thrown == []
    assert console.written == []


def wait_for_status(page: Page, status: Any) -> None:
    page.locator(f"#status[data-status={status}]").wait_for()


def panel(page: Page, wanted: Any) -> Any:
    """The calls in the panel, oldest first, once there are ``wanted``: [(page call, time, [FullStory calls])]."""
    page.locator(f"#calls > li:nth-child({wanted})").wait_for()
    found = []
    for item in reversed(page.locator("#calls > li").all()):
        # Only the summaries: each call on one line.
        lines = [line.text_content() for line in item.locator("ul summary code").all()]
        call = item.locator("> details > summary")
        found.append((call.locator("code").text_content(), call.locator(".time").text_content(), lines))
    assert len(found) == wanted
    return found


def fact(page: Page, name: str) -> Any:
    return page.locator(f"#facts dt:text-is('{name}') + dd").text_content()


def wait_for_fact(page: Page, name: str, text: str) -> None:
    expect(page.locator(f"#facts dt:text-is('{name}') + dd")).to_have_text(text)


def deliveries(page: Page, wanted: Any, state: Any = None) -> Any:
    """What the panel says became of the FullStory calls, once it says it of ``wanted`` (in this ``state``)."""
    labels = page.locator("#calls .delivery" + (f"[data-state={state}]" if state else ""))
    expect(labels).to_have_count(wanted)
    return labels.all_text_contents()


def order(page: Page) -> None:
    """Look at a product, buy it."""
    page.click("[data-product=cowboy] .picture")
    page.click("#product .button")
    page.click("#open-cart")
    page.click("#order")


def sign_in(page: Page) -> None:
    page.click("#sign-in")
    page.press("#account [name=email]", "Enter")


BOOTS = 'name: "Yellow cowboy boots", category: "Boots", price: 99.95, currency: "EUR"'


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_segment_actions(page: Page, visit: Callable[..., None], runtime: str) -> None:
    visit(destination="segment-actions", runtime=runtime)
    sign_in(page)
    order(page)
    first, identify, viewed, added, cart, completed = panel(page, 6)

    assert first[0] == "analytics.page()"
    assert re.fullmatch(r"queued [\d.]+ ms", first[1])
    assert first[2][0].startswith('FS("setProperties", {type: "page", properties: {path: "/"')

    assert (
        identify[0] == 'analytics.identify("user-1001", {name: "Ada Brook", email: "ada@example.com", plan: "premium"})'
    )
    assert re.fullmatch(r"(under )?[\d.]+ ms", identify[1])
    assert identify[2][0].startswith('FS("setIdentity", {uid: "user-1001", properties: {name: "Ada Brook"')
    assert identify[2][0].endswith('}}, "segment-browser-actions")')

    assert viewed[0] == f'analytics.track("Product Viewed", {{product_id: "cowboy", {BOOTS}}})'
    assert viewed[2] == [
        f'FS("trackEvent", {{name: "Product Viewed", properties: {{product_id: "cowboy", {BOOTS}}}}}, '
        '"segment-browser-actions")'
    ]
    assert added[0] == f'analytics.track("Product Added", {{product_id: "cowboy", {BOOTS}, quantity: 1}})'
    assert 'pageName: "Cart"' in cart[2][0]
    assert completed[0].startswith('analytics.track("Order Completed", {order_id: "P')
    assert f'products: [{{product_id: "cowboy", {BOOTS}, quantity: 1}}]' in completed[2][0]

    assert RUNTIMES[runtime] in fact(page, "Python")
    assert page.evaluate("fsbridge.status") == "ready"
    # What the panel shows has arrived: the six calls and the two that set FullStory up.
    wait_for_fact(page, "fs.js", "local stand-in, it has taken 8 operations; nothing is sent")
    assert deliveries(page, 6) == ["delivered"] * 6


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_segment_classic(page: Page, visit: Callable[..., None], runtime: str) -> None:
    visit(destination="segment-classic", runtime=runtime, trackNamedPages="true")
    page.click("#newsletter button")
    page.click("a[href='#care']:not(.button)")
    first, newsletter, care = panel(page, 3)

    assert first[2] == []  # a page without a name
    assert "sends none" in page.locator("#calls > li").last.text_content()
    assert re.fullmatch(r'FS\.setUserVars\(\{.*segmentAnonymousId_str: "[-\w]{36}".*\}, "segment"\)', newsletter[2][0])
    assert "newsletter: true, shoeSize: 42" in newsletter[2][0]
    assert care[0] == 'analytics.page("Shop", "Care")'
    assert care[2][0].startswith('FS.event("Viewed Shop Care Page", {')
    assert care[2][1].startswith('FS.setVars("page", {')

    tag = page.locator("#tag").text_content()
    assert 'data-destination="segment-classic"' in tag
    assert 'data-track-named-pages="true"' in tag
    assert ('data-runtime="pyodide"' in tag) == (runtime == "pyodide")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_rudderstack(page: Page, visit: Callable[..., None], runtime: str) -> None:
    visit(destination="rudderstack", runtime=runtime)
    sign_in(page)
    order(page)
    page.click("#sign-out")
    first, identify, _, _, cart, completed, reset = panel(page, 7)

    assert first[0] == "rudderanalytics.page()"
    assert first[1].startswith("queued ")
    assert first[2][0].startswith('FS.event("Viewed a Page", {')
    assert identify[2][0].startswith('FS.identify("user-1001", {')
    assert cart[2][0].startswith('FS.event("Viewed a Page", {')
    assert completed[0].startswith('rudderanalytics.track("Order Completed", {order_id: "P')
    assert completed[2][0].startswith('FS.event("Order Completed", {orderId: "P')
    assert (reset[0], reset[2]) == ("rudderanalytics.reset()", [])


@pytest.mark.parametrize(
    ("destination", "api", "expected"),
    [
        ("segment-classic", "analytics", [0, 1]),  # a page without a name is not sent
        ("segment-actions", "analytics", [1, 1]),
        ("rudderstack", "rudderanalytics", [1, 1]),
        # Page properties and an event
        ("segment-classic&source=rudderanalytics&trackAllPages=true", "rudderanalytics", [2, 1]),
        ("segment-classic&source=rudderanalytics", "rudderanalytics", [0, 1]),
    ],
)
def test_each_queued_call_has_its_own_fullstory_calls(
    page: Page, visit: Callable[..., None], destination: str, api: str, expected: Any
) -> None:
    visit()
    page.evaluate("localStorage.setItem('shop-customer', JSON.stringify({id: 'u1', traits: {plan: 'free'}}))")
    visit(destination=destination)
    calls = panel(page, 2)
    assert [call for call, _, _ in calls] == [f"{api}.page()", f'{api}.identify("u1", {{plan: "free"}})']
    assert [len(fullstory) for _, _, fullstory in calls] == expected
    assert all(time.startswith("queued ") for _, time, _ in calls)


def test_choices_are_in_the_address(page: Page, visit: Callable[..., None]) -> None:
    visit()
    page.select_option("#choices [name=destination]", "segment-classic")
    page.wait_for_url("**/?destination=segment-classic&runtime=micropython")
    wait_for_status(page, "ready")
    page.click("#settings-drawer > summary")
    page.check("#settings [name=trackAllPages]")
    page.click("#settings button")
    page.wait_for_url("**/?destination=segment-classic&runtime=micropython&trackAllPages=true")
    wait_for_status(page, "ready")
    assert panel(page, 1)[0][2][1].startswith('FS.setVars("page", {')
    page.select_option("#choices [name=source]", "rudderanalytics")
    page.wait_for_url("**&source=rudderanalytics&trackAllPages=true")
    wait_for_status(page, "ready")
    assert panel(page, 1)[0][0] == "rudderanalytics.page()"


def test_every_setting_has_a_field(page: Page, visit: Callable[..., None], shop: str) -> None:
    table = json.loads(page.request.get(shop + "settings.json").text())
    assert [each["name"] for each in table] == ["segment-classic", "segment-actions", "rudderstack"]
    for destination in table:
        visit(destination=destination["name"])
        fields = page.locator("#settings [name]").evaluate_all("all => all.map((field) => field.name)")
        names = [setting["name"] for setting in destination["settings"] if setting["name"] != destination["org"]]
        assert fields == ["org", *names]


def test_a_call_of_ones_own(page: Page, visit: Callable[..., None]) -> None:
    visit(destination="segment-classic")
    page.click("#own-drawer > summary")
    page.fill("#own [name=arguments]", '["Tried", {"when": null, "n": 1}]')
    page.click("#own button")
    assert panel(page, 2)[1][2] == ['FS.event("Tried", {when: null, n: 1}, "segment")']
    page.fill("#own [name=arguments]", "Tried")
    page.click("#own button")
    assert "isn’t JSON" in page.locator("#own .problem").text_content()
    page.fill("#own [name=arguments]", '{"event": "Tried"}')
    page.click("#own button")
    assert "into a list" in page.locator("#own .problem").text_content()
    panel(page, 2)


def test_a_wrong_setting_is_said(page: Page, shop: str) -> None:
    page.goto(f"{shop}?destination=segment-classic&trackAllPages=perhaps")
    wait_for_status(page, "ready")
    expect(page.locator("#notices p")).to_have_count(1)
    assert "'trackAllPages' is 'perhaps'" in page.locator("#notices").text_content()


def test_a_failed_start_is_said(page: Page, shop: str) -> None:
    page.route(re.compile(r"/fsbridge/(?!fsbridge\.js)"), lambda route: route.abort())
    page.goto(shop)
    wait_for_status(page, "failed")
    expect(page.locator("#problem")).not_to_be_empty()
    page.click("[data-product=wax] .add")
    panel(page, 2)
    assert page.locator("#calls .hint").all_text_contents() == ["Not delivered: fsbridge isn’t running."] * 2


def test_an_org_loads_fullstorys_own_script(page: Page, fullstory: FullStory, shop: str) -> None:
    page.goto(f"{shop}?destination=segment-classic&org=o-1ABC-na1")
    wait_for_status(page, "ready")
    page.click("[data-product=wax] .add")
    fullstory.wait_for_event("Product Added", {"product_id": "wax"})
    assert fullstory.org == "o-1ABC-na1"
    wait_for_fact(page, "fs.js", "FullStory’s own, org o-1ABC-na1")
    assert panel(page, 2)[1][2][0].startswith('FS.event("Product Added"')


def test_a_blocked_script_is_said_with_what_to_do(page: Page, fullstory: FullStory, shop: str) -> None:
    fullstory.block()
    page.goto(f"{shop}?destination=segment-actions&org=o-1ABC-na1")
    wait_for_status(page, "blocked")
    page.click("[data-product=wax] .add")
    assert deliveries(page, 2, "blocked") == ["not delivered"] * 2
    expect(page.locator("#sum")).to_have_text("2 undelivered")
    wait_for_fact(page, "fs.js", "FullStory’s own, org o-1ABC-na1, blocked")
    reason = page.locator("#problem").text_content()
    assert "allow edge.fullstory.com there and reload" in reason
    assert "the setting “script”" in reason
    assert page.get_attribute("#status", "title") == reason
    assert page.locator("#notices p").count() == 0  # once is enough


@pytest.mark.parametrize(
    ("destination", "host", "advice"),
    [
        (
            "segment-actions&script=cdn.acme.example/fs.js",
            "https://cdn.acme.example",
            "Content Security Policy forbids it",
        ),
        ("segment-classic", "https://edge.fullstory.com", "edge.fullstory.com answers 404 for it"),
    ],
)
def test_the_reason_for_blocking_is_told_apart(page: Page, shop: str, destination: str, host: str, advice: str) -> None:
    page.route(f"{host}/**", lambda route: route.fulfill(status=404, headers={"Access-Control-Allow-Origin": "*"}))
    page.goto(f"{shop}?destination={destination}&org=o-1ABC-na1")
    wait_for_status(page, "blocked")
    expect(page.locator("#problem")).to_contain_text(advice)


def test_calls_wait_for_fs_js_and_are_delivered_when_it_comes(page: Page, fullstory: FullStory, shop: str) -> None:
    with fullstory.delayed():
        page.goto(f"{shop}?destination=segment-actions&org=o-1ABC-na1", wait_until="commit")
        page.locator("[data-product=wax] .add").click()
        assert deliveries(page, 2, "waiting") == ["waiting for fs.js"] * 2
        wait_for_fact(page, "fs.js", "FullStory’s own, org o-1ABC-na1, not there yet")
    assert deliveries(page, 2, "delivered") == ["delivered"] * 2
    page.click("[data-product=socks] .add")
    assert deliveries(page, 3, "delivered") == ["delivered"] * 3
    assert len(fullstory.events("Product Added")) == 2


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("?destination=segment-clasic", "There is no destination “segment-clasic”: this is segment-actions."),
        ("?runtime=cpython", "There is no runtime “cpython”: this is micropython."),
        ("?source=segment", "There is no source “segment”: this is analytics.js."),
        (
            "?destination=rudderstack&trackNamedPages=true",
            "rudderstack has no setting “trackNamedPages”: it is left out.",
        ),
    ],
)
def test_what_the_address_asks_for_in_vain_is_said(page: Page, shop: str, address: str, said: Any) -> None:
    page.goto(shop + address)
    wait_for_status(page, "ready")
    assert page.locator("#notices p").count() == 1
    assert page.locator("#notices").text_content().startswith(said)


def test_subscriptions_begin_with_an_example_that_works(page: Page, visit: Callable[..., None]) -> None:
    visit(destination="segment-actions")
    page.click("#settings-drawer > summary")
    field = page.locator("#settings [name=subscriptions]")
    assert '"@template"' in field.get_attribute("placeholder")
    page.get_by_role("button", name="Start from this example").click()
    page.get_by_role("button", name="Reload with these settings").click()
    page.wait_for_url("**&subscriptions=**")
    wait_for_status(page, "ready")
    sign_in(page)
    for product in ("cowboy", "wax"):
        page.click(f"[data-product={product}] .add")
    page.click("#open-cart")
    page.click("#order")
    sent = [made for _, _, made in panel(page, 6)]
    assert [len(made) for made in sent] == [0, 1, 1, 1, 0, 1]
    assert sent[1][0].startswith('FS("setIdentity", {uid: "user-1001"')
    assert sent[2][0].startswith('FS("trackEvent", {name: "Boots added", properties: {product_id: "cowboy"')
    assert sent[3][0].startswith('FS("trackEvent", {name: "Care added"')
    for part in ('name: "Large order"', 'order: "P', "total: 118.85", 'title: "EUR 118.85"'):
        assert part in sent[5][0]


@pytest.mark.parametrize("name", ["whitelistedEvents", "blacklistedEvents"])
def test_examples_of_lists_of_events_work(page: Page, visit: Callable[..., None], name: str) -> None:
    visit(destination="rudderstack", eventFilteringOption=name)
    page.click("#settings-drawer > summary")
    both = page.locator("#settings > div", has=page.locator(f"[name={name}]"))
    both.get_by_role("button").click()
    page.get_by_role("button", name="Reload with these settings").click()
    page.wait_for_url(f"**&{name}=**")
    wait_for_status(page, "ready")
    page.click("[data-product=wax] .picture")  # Product Viewed
    page.click("#product .button")  # Product Added
    assert [len(made) for _, _, made in panel(page, 3)] == [1, 0, 1]


def test_a_setting_that_is_no_json_is_said_before_anything_loads(page: Page, visit: Callable[..., None]) -> None:
    visit(destination="segment-actions")
    before = page.url
    page.click("#settings-drawer > summary")
    page.fill("#settings [name=subscriptions]", "[{]")
    page.click("#settings .button")
    assert page.locator("#settings .problem").text_content().startswith("subscriptions isn’t JSON: ")
    assert page.url == before


# Of what is to be tapped and is in sight: what is too small for a finger, links in the middle of text apart.
TOO_SMALL = """[...document.querySelectorAll("a, button, input, select, summary")]
  .filter((each) => each.checkVisibility() && !each.closest("p"))
  .map((each) => [each.closest("label") || each, each.outerHTML.slice(0, 60)])
  .map(([each, html]) => [each.getBoundingClientRect(), html])
  .filter(([{ width, height }]) => width && (width < 24 || height < 24))
  .map(([{ width, height }, html]) => `${width} x ${height}: ${html}`)"""


NARROWEST = 447
"""Pixels: WebKit's MiniBrowser, for its buttons."""


def test_a_phone_in_each_browser(visitor: Visitor, shop: str, tmp_path: Path) -> None:
    tab = visitor.tab
    tab.goto(shop)
    tab.resize(360, 740)

    def tap(selector: str) -> None:
        tab.evaluate(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
        box = tab.evaluate(f"document.querySelector({selector!r}).getBoundingClientRect().toJSON()")
        tab.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def fits() -> None:
        width, wide = tab.evaluate("[innerWidth, document.documentElement.scrollWidth]")
        assert wide <= width == (NARROWEST if visitor.engine == "webkit" else 360)
        assert tab.evaluate(TOO_SMALL) == []

    wait_until(tab, "document.querySelector('#status').dataset.status === 'ready'")
    fits()
    tap("[data-product=cowboy] .picture")
    wait_until(tab, "document.querySelector('#product .button')?.checkVisibility()")
    fits()
    tap("#product .button")
    wait_until(tab, "document.querySelectorAll('#calls > li').length >= 2")
    tap("#handle")
    wait_until(tab, "document.querySelector('#panel-body').checkVisibility()")
    wait_until(tab, "document.querySelector('#calls').textContent.includes('Product Added')")
    fits()
    tab.screenshot(str(tmp_path / f"{visitor.engine}.png"))


def test_the_panel_stays_open_when_a_choice_loads_the_page_again(page: Page, visit: Callable[..., None]) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    visit(destination="segment-classic")
    expect(page.locator("#panel-body")).to_be_hidden()
    page.click("#handle")
    page.click("#tag-drawer > summary")
    page.select_option("#choices [name=destination]", "rudderstack")
    page.wait_for_url("**/?destination=rudderstack**")
    wait_for_status(page, "ready")
    expect(page.locator("#panel-body")).to_be_visible()
    assert page.get_attribute("#handle", "aria-expanded") == "true"
    assert page.locator(".drawer[open]").evaluate_all("all => all.map(({ id }) => id)") == ["tag-drawer"]
    page.click("#handle")
    page.reload()
    wait_for_status(page, "ready")
    expect(page.locator("#panel-body")).to_be_hidden()
