"""The tag on pages as they are: scripts added in odd ways, globals taken or patched, policies; and what it says."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from fsbridge.testing import FS, FullStory
from tests.e2e.conftest import ShopSite

from .shop import LIVE, ORG, Console, html_page, tag, wait_until


@pytest.fixture
def console(page: Page) -> Console:
    return Console(page)


@pytest.fixture
def shop(page: Page, site: ShopSite, fullstory: FullStory, console: Console) -> Callable[..., Page]:
    """``shop(*parts)`` opens a page of these parts and waits until all has begun."""

    def open_page(*parts: str, path: str = "/", headers: Any = None, until: str = LIVE) -> Page:
        page.goto(site.page(path, html_page(*parts, title="Shop"), headers))
        wait_until(page, "window.fsbridge && " + until)
        return page

    return open_page


def event(name: str, properties: Any = None) -> Any:
    return FS.event(name, properties or {}, "segment")


# How it gets there


def test_a_script_of_somebody_elses_that_runs_the_tag(shop: Callable[..., Page], fullstory: FullStory) -> None:
    """As jQuery's append and getScript, or a bundle of many scripts do."""
    others = """
      const script = document.createElement("script");
      script.type = "text/plain";
      script.dataset.destination = "segment-classic";
      script.dataset.org = "%s";
      script.src = "/fsbridge/fsbridge.js";
      document.head.append(script);
      fetch("/fsbridge/fsbridge.js").then((response) => response.text()).then((text) => {
        const runner = document.createElement("script");
        runner.dataset.cart = "5";
        runner.text = text;
        document.head.append(runner);
        runner.remove();
        analytics.track("Appended");
      });
    """
    shop(others % ORG)
    fullstory.expect_calls(event("Appended"))


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_what_a_tag_manager_strips_is_said_by_a_global(
    shop: Callable[..., Page], fullstory: FullStory, console: Console, runtime: str
) -> None:
    given = {"destination": "segment-classic", "org": ORG, "trackNamedPages": True, "trackPagesWithEvents": False}
    config = f"window.fsbridgeConfig = {json.dumps({**given, 'runtime': runtime})}"
    shop(config, '<script src="/fsbridge/fsbridge.js"></script>', "analytics.page('Home')")
    assert [call.name for call in fullstory.calls] == ["FS.setVars"]
    assert console.thrown == console.written == []


def test_settings_in_a_global_as_they_are_in_json_and_attributes_over_them(
    shop: Callable[..., Page], fullstory: FullStory
) -> None:
    subscription = {
        "name": "Only one",
        "enabled": True,
        "partnerAction": "trackEvent",
        "subscribe": 'type = "track"',
        "mapping": {"name": "Mapped"},
    }
    config = {"destination": "segment-actions", "org": "o-OTHER-na1", "subscriptions": [subscription]}
    stripped = f'<script src="/fsbridge/fsbridge.js" data-org="{ORG}"></script>'
    shop(f"window.fsbridgeConfig = {json.dumps(config)}", stripped, "analytics.track('Given')")
    assert fullstory.wait_for_event("Mapped")
    assert fullstory.org == ORG


# What a page has done to JavaScript, or does later

TAKEN = {
    "names": """
      var URL = "/api", queueMicrotask = null;
      for (const name of ["Map", "Set", "WeakMap"]) window[name] = class { constructor() { this.name = name; } };
      window.Reflect = { own: true };
    """,
    "names of classes": "class Map {} class Set {} class Reflect {} class URL {} class WeakMap {}",
    "array functions": """
      Array.prototype.reduce = function () { return "Prototype's"; };
      Array.from = function (list) { return [].slice.call(list); };
    """,
    "toJSON": """
      Array.prototype.toJSON = function () { return "[" + this.join() + "]"; };
    """,
    "the clock": "Date.now = () => new Date();",
    "object functions": """
      Object.keys = () => ["patched"]; Object.entries = () => [["patched", 1]]; Object.assign = (target) => target;
      Object.fromEntries = () => ({}); Object.defineProperty = (object) => object;
    """,
    "random values": """
      const refuse = () => { throw new Error("no random values"); };
      Object.defineProperty(window, "crypto", { value: { randomUUID: refuse, getRandomValues: refuse } });
    """,
    "promises": "window.Promise = class Later { then() { return this; } };",
}
LATER = [name for name in TAKEN if name != "names of classes"]  # that would be no syntax

# Without any JavaScript of Playwright's in the page, which needs what is taken here.
TAKES = """
  window.taken = [];
  FS._api = (operation, options) => {
    if (operation === "trackEvent") taken.push(options.name + " " + options.properties.n[1].a);
    else if (options.properties) taken.push(options.properties.uid || options.properties.plan);
  };
  for (const [operation, options] of FS.q) FS._api(operation, options);
  FS.q = null;
"""
CALLS = """
  analytics.track("Early", { n: [1, { a: 2 }] });
  const every = setInterval(() => {
    if (!window.taken) return;
    clearInterval(every);
    analytics.track("Late", { n: [1, { a: 3 }] });
    analytics.identify("user-1", { plan: "premium" });
    console.log("Done: " + taken.join(", "));
  }, 20);
"""


@pytest.fixture
def calls(page: Page, site: ShopSite) -> Any:
    """``calls(*parts)`` is what FullStory gets of `CALLS` on a page of these parts, and what else is on the console."""

    def play(*parts: str) -> Any:
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        headers = {"Access-Control-Allow-Origin": "*"}
        page.route(
            "https://edge.fullstory.com/**",
            lambda route: route.fulfill(body=TAKES, content_type="text/javascript", headers=headers),
        )
        page.goto(site.page("/", html_page(*parts, CALLS)))
        for _ in range(600):
            if said and said[-1].startswith("Done: "):
                break
            page.wait_for_timeout(100)
        return said

    return play


# What the vendors themselves pass through JSON, such as traits, is lost to this with them, too.
ALL_TO_JSON = TAKEN["toJSON"] + "Object.prototype.toJSON = function () { return 'an object'; };"

DONE = ["Done: Early 2, Late 3, user-1, premium"]


@pytest.mark.parametrize("name", TAKEN)
def test_a_page_that_had_changed_javascript_before(calls: Any, name: str) -> None:
    assert calls(TAKEN[name], tag(org=ORG)) == DONE


@pytest.mark.parametrize("name", LATER)
def test_a_page_that_changes_javascript_afterwards(calls: Any, name: str) -> None:
    assert calls(tag(org=ORG), TAKEN[name]) == DONE


@pytest.mark.parametrize("name", ["the clock", "array functions"])
def test_rudderstacks_calls_on_a_page_that_had_changed_javascript(
    shop: Callable[..., Page], fullstory: FullStory, console: Console, name: str
) -> None:
    early = "rudderanalytics.load('key', 'https://data.example'); rudderanalytics.track('Early')"
    page = shop(TAKEN[name], tag("rudderstack", org=ORG), early)
    page.evaluate("() => { rudderanalytics.track('Late') }")
    fullstory.wait_for_event("Late")
    assert [call.args[0] for call in fullstory.calls] == ["Early", "Late"]


@pytest.mark.parametrize("taken", [TAKEN["toJSON"], ALL_TO_JSON, TAKEN["the clock"]])
def test_calls_left_behind_on_a_page_that_had_changed_javascript(
    shop: Callable[..., Page], page: Page, site: ShopSite, fullstory: FullStory, taken: Any
) -> None:
    """With an interpreter that never comes."""
    held = tag(org=ORG).replace("data-", 'data-base="/nowhere/" data-', 1)
    page.goto(site.page("/", html_page(taken, held, "analytics.track('Left', { list: [1, { a: [] }] })")))
    shop(tag(org=ORG), path="/next")
    fullstory.expect_calls(event("Left", {"list": [1, {"a": []}]}))
    assert page.evaluate("fsbridge.dropped") == 0


@pytest.mark.parametrize(
    "freeze", ["Object.freeze(analytics)", "Object.seal(analytics)", "Object.freeze(analytics.track)"]
)
def test_a_page_that_freezes(shop: Callable[..., Page], fullstory: FullStory, console: Console, freeze: Any) -> None:
    page = shop(tag(org=ORG), "analytics.track('Early')", freeze, "analytics.track('After')", until="!!window.FS")
    page.evaluate("() => { analytics.track('Late') }")
    fullstory.wait_for_event("Late")
    fullstory.expect_calls(event("Early"), event("After"), event("Late"))
    assert console.thrown == []


def test_an_svg_document(page: Page, site: ShopSite, fullstory: FullStory) -> None:
    """There is no head and no body."""
    svg = f"""<svg xmlns="http://www.w3.org/2000/svg"><title>Shop</title>
      <script href="/fsbridge/fsbridge.js" data-destination="segment-classic" data-org="{ORG}" data-base="/fsbridge/"/>
      <script>analytics.track("Drawn", {{ n: 1 }})</script></svg>"""
    page.goto(site.page("/shop.svg", svg, {"Content-Type": "image/svg+xml"}))
    assert fullstory.wait_for_event("Drawn").properties == {"n": 1}
    assert page.evaluate("fsbridge.status") == "ready"


def test_an_element_with_our_name(shop: Callable[..., Page], fullstory: FullStory, console: Console) -> None:
    shop("<div id='fsbridge'></div>", tag(org=ORG), "analytics.track('Early')")
    fullstory.expect_calls(event("Early"))
    assert console.thrown == console.written == []


# What a page pushes


@pytest.mark.parametrize("live", [False, True])
def test_what_a_page_pushes_is_a_call_on_the_api_or_nothing(
    shop: Callable[..., Page], fullstory: FullStory, console: Console, live: Any
) -> None:
    pushes = """
      const wrong = [
        ["FS", "trackEvent", { name: "Forged", properties: {} }], ["message", { type: "track", event: "Forged" }],
        ["operation", "trackEvent", {}], [""], ["toString"], ["constructor"], [5], [null], [], ["trakc", "E"],
      ];
      analytics.push(...wrong);
      analytics.push(["track", "Fine"]);
    """
    page = shop(tag(org=ORG), "" if live else pushes)
    if live:
        page.evaluate(f"() => {{ {pushes} }}")
    fullstory.wait_for_event("Fine")
    fullstory.expect_calls(event("Fine"))
    assert "[fsbridge] analytics has no method FS" in console.written
    assert console.thrown == []


@pytest.mark.parametrize(
    ("destination", "name", "absent"),
    [
        ("segment-classic", "analytics", ["user"]),
        ("rudderstack", "rudderanalytics", ["getUserId", "getAnonymousId", "getUserTraits", "getSessionId"]),
    ],
)
def test_methods_whose_results_pages_use_are_there_with_python(
    shop: Callable[..., Page], page: Page, site: ShopSite, destination: str, name: str, absent: Any
) -> None:
    has = f"{json.dumps(absent)}.map((method) => typeof {name}[method])"
    calls = f"window.early = {has}; {name}.track('Early'); {name}.load && {name}.load('key', 'https://data.example')"
    shop(tag(destination, org=ORG), calls)
    assert page.evaluate("early") == ["undefined"] * len(absent)
    assert page.evaluate(has) == ["function"] * len(absent)
    shop(tag(destination), path="/failed", until="fsbridge.status === 'failed'")
    assert page.evaluate(has) == ["undefined"] * len(absent)


# Policies


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_a_page_that_enforces_trusted_types(
    page: Page, site: ShopSite, fullstory: FullStory, console: Console, runtime: str
) -> None:
    site.put("/app.js", "analytics.track('Early')")
    policy = "require-trusted-types-for 'script'; trusted-types fsbridge"
    parts = [tag(org=ORG, runtime=runtime), "<script src='/app.js'></script>"]
    page.goto(site.page("/", html_page(*parts), {"Content-Security-Policy": policy}))
    fullstory.wait_for_event("Early")
    assert console.thrown == console.written == []


def test_a_page_that_allows_no_policy_of_ours(shop: Callable[..., Page], site: ShopSite, console: Console) -> None:
    policy = "require-trusted-types-for 'script'; trusted-types 'none'"
    shop(tag(org=ORG), headers={"Content-Security-Policy": policy}, until="fsbridge.status === 'blocked'")
    said = [text for text in console.written if text.startswith("[fsbridge]")]
    assert len(said) == 1
    assert "Trusted Types" in said[0]


# What it says


def test_a_blocked_fs_js_is_one_line(shop: Callable[..., Page], fullstory: FullStory, console: Console) -> None:
    fullstory.block()
    page = shop(tag(org=ORG), "analytics.track('Early')", until="fsbridge.status === 'blocked'")
    page.evaluate("() => { for (let n = 0; n < 5; n++) analytics.track('Late') }")
    said = [text for text in console.written if text.startswith("[fsbridge]")]
    assert len(said) == 1
    assert "https://edge.fullstory.com/s/fs.js could not be loaded" in said[0]


def test_the_status_while_fs_js_is_on_its_way(
    shop: Callable[..., Page], page: Page, fullstory: FullStory, console: Console
) -> None:
    with fullstory.delayed():
        shop(tag(org=ORG), "analytics.track('Early')", until="fsbridge.status === 'queueing'")
        page.evaluate("fsbridge.ready")
    wait_until(page, "fsbridge.status === 'ready'")
    assert console.written == []


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_a_report(shop: Callable[..., Page], page: Page, fullstory: FullStory, runtime: str) -> None:
    said = []
    page.on("console", lambda message: said.append(message.text))
    shop(tag(org=ORG, runtime=runtime, report=""), "fsbridge.report(); analytics.track('Early')")
    wait_until(page, "fsbridge.status === 'ready'")
    page.wait_for_event("console") if len(said) < 2 else None
    page.evaluate("fsbridge.report()")
    assert said[0] == "[fsbridge] loading"
    assert len(said) == 3
    for table in said[1:]:
        lines = dict(line.removeprefix("[fsbridge] ").split("  ", 1) for line in table.splitlines())
        found = {name: text.strip() for name, text in lines.items()}
        assert found["org"] == ORG
        assert found["destination"] == "segment-classic"
        assert found["runtime"].lower() == runtime
        assert found["source"] == "analytics.js"
        assert found["status"].startswith("ready")
        assert (found["FullStory calls made"], found["waiting for fs.js"], found["dropped"]) == ("1", "0", "0")


def test_a_page_that_replaces_each_method_keeps_its_api(
    shop: Callable[..., Page], fullstory: FullStory, console: Console
) -> None:
    shop(
        tag(org=ORG),
        """
        for (const name of Object.keys(analytics)) {
          const own = analytics[name];
          analytics[name] = (...args) => own.apply(analytics, args);
        }
        analytics.track("Wrapped");
        """,
    )
    fullstory.expect_calls(FS.event("Wrapped", {}, "segment"))
    assert console.thrown == []
