"""The demo shop and its panel for everybody: axe finds nothing, in light and dark, on a desktop and on a phone."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from .test_demo import wait_for_status

SIZES = {"desktop": (1280, 4000), "phone": (360, 4000)}
"""Tall ones: axe can't tell the background of what is partly scrolled out of sight."""

# What axe finds, and text over a picture, whose contrast it can't decide: the hero's gradient is looked at over each of
# its colours instead.
LOOK = """async () => {
  const { violations, incomplete } = await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"] });
  const pictured = ({ any }) => any.some(({ data }) => ["bgGradient", "bgImage"].includes(data?.messageKey));
  const undecided = incomplete.map(({ id, nodes }) => ({ id, nodes: nodes.filter(pictured) }));
  return [...violations, ...undecided].flatMap(({ id, nodes }) =>
    nodes.map(({ target, any }) => `${id} ${target}: ${any.map(({ message }) => message).join(" ")}`));
}"""
GRADIENT = """place => {
  const hero = document.querySelector(".hero");
  hero.style.background = "";
  const colors = getComputedStyle(hero).backgroundImage.match(/rgb\\([^)]*\\)/g);
  hero.style.background = colors.at(place);
}"""


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")], ids="-".join)
def visitor(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of one size and colour scheme, without movement."""
    size, scheme = request.param
    width, height = SIZES[size]
    viewport = {"width": width, "height": height}
    context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    yield context.new_page()
    context.close()


@pytest.fixture
def findings(visitor: Page, axe: str) -> Callable[[], list[str]]:
    """What axe finds on the page as it is."""

    def look() -> list[str]:
        visitor.wait_for_timeout(300)  # transitions of the shop's end
        if not visitor.evaluate("'axe' in window"):
            visitor.evaluate(axe)
        found: set[str] = set()
        for place in (0, -1):
            visitor.evaluate(GRADIENT, place)
            found.update(visitor.evaluate(LOOK))
        return sorted(found)

    return look


def open_panel(page: Page) -> None:
    """Unfold the panel, which is folded on a phone, and everything in it."""
    if page.locator("#panel-body").is_hidden():
        page.click("#handle")
    for drawer in page.locator(".drawer:not([open]) > summary").all()[::-1]:
        drawer.click()


def put_into_cart(page: Page) -> None:
    """Also where the open panel is over the shop."""
    page.locator("[data-product=wax] .add").evaluate("button => button.click()")


def test_the_shop(visitor: Page, shop: str, findings: Callable[[], list[str]]) -> None:
    visitor.goto(f"{shop}?destination=segment-actions")
    wait_for_status(visitor, "ready")
    assert findings() == []
    for opener in ("[data-product=cowboy] .picture", "#sign-in", "#open-cart"):
        visitor.locator(opener).click()
        assert findings() == []
        visitor.keyboard.press("Escape")


@pytest.mark.parametrize("destination", ["segment-actions", "rudderstack"])
def test_the_panel(visitor: Page, shop: str, findings: Callable[[], list[str]], destination: str) -> None:
    visitor.goto(f"{shop}?destination={destination}")
    wait_for_status(visitor, "ready")
    put_into_cart(visitor)
    open_panel(visitor)
    assert findings() == []
    for call in visitor.locator("#calls > li > details > summary").all():
        call.click()
    assert findings() == []


def test_a_blocked_fs_js(visitor: Page, shop: str, findings: Callable[[], list[str]]) -> None:
    visitor.route("https://edge.fullstory.com/**", lambda route: route.abort())
    visitor.goto(f"{shop}?destination=segment-clasic&org=o-1ABC-na1")
    wait_for_status(visitor, "blocked")
    put_into_cart(visitor)
    open_panel(visitor)
    assert findings() == []


def test_a_failed_start(visitor: Page, shop: str, findings: Callable[[], list[str]]) -> None:
    visitor.route(re.compile(r"/fsbridge/(?!fsbridge\.js)"), lambda route: route.abort())
    visitor.goto(shop)
    wait_for_status(visitor, "failed")
    put_into_cart(visitor)
    open_panel(visitor)
    assert findings() == []


def test_axe_would_have_seen(visitor: Page, shop: str, findings: Callable[[], Any]) -> None:
    """A pale chip is found: the check can fail."""
    visitor.goto(shop)
    wait_for_status(visitor, "ready")
    visitor.evaluate("document.querySelector('#status').style.color = '#777'")
    assert [each for each in findings() if each.startswith("color-contrast #status")]
