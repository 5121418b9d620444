"""The tag in a real browser, on both interpreters: what FullStory gets of what a page calls."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page

from fsbridge.testing import FS, UNDEFINED, FullStory
from tests.e2e.conftest import ShopSite

from .shop import LIVE, ORG, Console, html_page, rudder_page, tag, wait_until

pytestmark = pytest.mark.parametrize("runtime", ["micropython", "pyodide"])

POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' https://edge.fullstory.com"


@pytest.fixture
def console(page: Page) -> Console:
    return Console(page)


@pytest.fixture
def shop(page: Page, site: ShopSite, fullstory: FullStory, console: Console) -> Callable[..., Page]:
    """``shop(*parts)`` opens a page of these parts and waits until the bridge is live, or has failed."""

    def open_page(*parts: str, path: str = "/", headers: Any = None, title: str = "Shop", until: str = LIVE) -> Page:
        page.goto(site.page(path, html_page(*parts, title=title), headers))
        wait_until(page, until)
        return page

    return open_page


def page_properties(path: str = "/", title: str = "Shop", referrer: str = "", search: str = "") -> dict[str, Any]:
    """The page properties that analytics.js fills in."""
    url = f"https://shop.example{path}{search}"
    return {"path": path, "referrer": referrer, "search": search, "title": title, "url": url}


# The documented examples

ORDER = {
    "order_ID": "2969302398",
    "category": "boots",
    "product_name": "yellow_cowboy_boots",
    "price": 99.95,
    "currency": "EUR",
}


def test_classic_identify_and_track(
    shop: Callable[..., Page], fullstory: FullStory, console: Console, runtime: str
) -> None:
    page = shop(
        tag(org=ORG, runtime=runtime),
        """
        analytics.setAnonymousId("anonymous-1");
        analytics.identify({ plan: "free" });
        analytics.identify("userId123", { plan: "premium", logins: 5 });
        """,
    )
    page.evaluate("order => { analytics.track('Product Purchased', order) }", ORDER)
    page.evaluate("""() => {
      analytics.identify("other", { email: "a@b.example", displayName: "Ann", last_seen: 1 });
      analytics.identify("third", { name: " Bob ", id: 7 });
      analytics.page();
      analytics.page("Home");
      analytics.page("Docs", "Index");
    }""")
    fullstory.expect_calls(
        FS.setUserVars({"plan": "free", "segmentAnonymousId_str": "anonymous-1"}, "segment"),
        FS.identify("userId123", {"plan": "premium", "logins": 5}, "segment"),
        FS.event("Product Purchased", ORDER, "segment"),
        FS.identify("other", {"email": "a@b.example", "displayName": "Ann", "lastSeen": 1}, "segment"),
        FS.identify("third", {"displayName": "Bob"}, "segment"),
    )
    assert fullstory.org == ORG
    assert console.thrown == console.written == []


def test_classic_page_calls_by_the_four_settings(shop: Callable[..., Page], fullstory: FullStory, runtime: str) -> None:
    calls = "analytics.page(); analytics.page('Home'); analytics.page('Docs', 'Index', { lang: 'en' })"
    home = page_properties() | {"name": "Home"}
    docs = page_properties() | {"name": "Index", "category": "Docs", "lang": "en"}
    title = "Docs Index"
    named = [
        FS.setVars("page", {**home, "pageName": "Home"}, "segment"),
        FS.setVars("page", {**docs, "pageName": title}, "segment"),
    ]

    shop(tag(org=ORG, runtime=runtime, track_named_pages="true", track_pages_with_events="false"), calls)
    fullstory.expect_calls(*named)
    fullstory.clear()

    shop(tag(org=ORG, runtime=runtime, track_categorized_pages="", track_pages_with_events="false"), calls)
    fullstory.expect_calls(FS.setVars("page", {**docs, "pageName": "Docs"}, "segment"))
    fullstory.clear()

    every = {"trackAllPages": True, "trackNamedPages": True}  # and an event with each, by default
    shop(tag(org=ORG, runtime=runtime, settings=every), calls)
    fullstory.expect_calls(
        FS.event("Loaded a Page", page_properties(), "segment"),
        FS.setVars("page", page_properties(), "segment"),
        FS.event("Viewed Home Page", home, "segment"),
        named[0],
        FS.event(f"Viewed {title} Page", docs, "segment"),
        named[1],
    )


def test_actions(shop: Callable[..., Page], fullstory: FullStory, console: Console, runtime: str) -> None:
    source = "segment-browser-actions"
    page = shop(
        tag("segment-actions", org=ORG, runtime=runtime),
        "analytics.setAnonymousId('anonymous-1'); analytics.identify('userId123')",
    )
    page.evaluate("() => { analytics.track('Clicked Button'); analytics.page('Retail Page') }")
    identity = {"uid": "userId123", "properties": {"segmentAnonymousId": "anonymous-1"}}
    retail = {"pageName": "Retail Page", **page_properties(), "name": "Retail Page"}
    fullstory.expect_calls(
        FS("setIdentity", identity, source),
        FS("trackEvent", {"name": "Clicked Button", "properties": {}}, source),
        FS("setProperties", {"type": "page", "properties": retail}, source),
    )
    assert console.thrown == console.written == []


def test_rudderstack(shop: Callable[..., Page], fullstory: FullStory, console: Console, runtime: str) -> None:
    page = shop(
        tag("rudderstack", fs_org=None, org=ORG, runtime=runtime),
        """
        rudderanalytics.load("write-key", "https://data.example");
        rudderanalytics.setAnonymousId("anonymous-1");
        rudderanalytics.identify({ plan: "free" });
        rudderanalytics.identify("userId", { name: "John", email: "john@xyz.com" });
        """,
    )
    page.evaluate("""() => {
      rudderanalytics.track("Order Completed", { orderId: "1234567", price: "567", currency: "USD", unit_size: 1 });
      rudderanalytics.page("homepage");
    }""")
    homepage = {**rudder_page(page_properties()), "name": "homepage"}
    fullstory.expect_calls(
        FS.identify("anonymous-1", {"plan": "free"}),
        FS.identify("userId", {"name": "John", "email": "john@xyz.com", "plan": "free"}),
        FS.event("Order Completed", {"orderId": "1234567", "price": "567", "currency": "USD", "unitSize": 1}),
        FS.event("Viewed a Page", homepage),
    )
    assert page.evaluate("rudderanalytics.getUserId() + ' ' + rudderanalytics.getAnonymousId()") == "userId anonymous-1"
    assert console.thrown == console.written == []


# Pages


def test_a_page_under_a_strict_csp(
    page: Page, site: ShopSite, shop: Callable[..., Page], fullstory: FullStory, console: Console, runtime: str
) -> None:
    site.put(
        "/app.js",
        "analytics.track('Queued'); document.querySelector('button').onclick = () => analytics.track('Clicked')",
    )
    html = [tag(org=ORG, runtime=runtime), "<button>Buy</button>", "<script src='/app.js'></script>"]
    shop(*html, headers={"Content-Security-Policy": POLICY})
    page.click("button")
    fullstory.expect_calls(FS.event("Queued", {}, "segment"), FS.event("Clicked", {}, "segment"))
    assert page.evaluate("fsbridge.status") == "ready"
    assert console.thrown == console.written == []


def test_an_app_in_a_subfolder_with_the_tag_in_the_head_and_module_scripts(
    page: Page, site: ShopSite, fullstory: FullStory, runtime: str
) -> None:
    # The tag found by its data-destination when nothing tells which script runs, as with bundlers and tag managers.
    script = tag(org=ORG, runtime=runtime)
    attributes = script.partition("data-")[2].partition(">")[0]
    loader = f"""
      const holder = document.createElement("div");
      holder.innerHTML = `<script src="/fsbridge/fsbridge.js" data-{attributes}><\\/script>`;
      const tag = document.createElement("script");
      for (const {{ name, value }} of holder.firstChild.attributes) tag.setAttribute(name, value);
      tag.onload = () => analytics.track("Inserted");
      document.head.append(tag);
    """
    page.goto(site.page("/app/deep/index.html", html_page(loader)))
    assert fullstory.wait_for_event("Inserted").source == "segment"


def test_an_iframe_of_its_own(page: Page, site: ShopSite, fullstory: FullStory, runtime: str) -> None:
    classic = html_page(tag(org=ORG, runtime=runtime, is_outer_script="true"), "analytics.track('Classic')")
    actions = html_page(
        tag("segment-actions", settings={"orgId": ORG, "recordOnlyThisIFrame": True}, runtime=runtime),
        "analytics.track('Actions')",
    )
    inner = [site.page("/classic", classic), site.page("/actions", actions)]
    page.goto(site.page("/", html_page(*[f"<iframe src='{url}'></iframe>" for url in inner])))
    fullstory.wait_for_event("Classic")
    fullstory.wait_for_event("Actions")
    for path in ("/classic", "/actions"):
        operations = [this for this in fullstory.operations if this.url.endswith(path)]
        environments = [this.options["env"] for this in operations if this.operation == "init"]
        assert any(environment.get("isOuterScript") is True for environment in environments)
    assert page.frames[1].evaluate("_fs_is_outer_script") is True
    assert page.evaluate("[typeof FS, typeof analytics, typeof fsbridge]") == ["undefined"] * 3


# Calls before the interpreter is live


def test_early_calls_keep_their_order_page_and_time(
    shop: Callable[..., Page], fullstory: FullStory, runtime: str
) -> None:
    page = shop(
        tag(org=ORG, runtime=runtime, track_named_pages="true", track_pages_with_events="false"),
        """
        window.results = [];
        window.answers = [];
        const keep = (promise, index) => promise.then((value) => (answers[index] = value && typeof value.event));
        keep(analytics.track("First", { n: 1 }), 0);
        keep(analytics.page("One"), 1);
        history.pushState({}, "", "/two?q=1#part");
        document.title = "Two";
        analytics.identify("user-1", { plan: "premium" });
        analytics.page("Two");
        history.pushState({}, "", "/three");
        document.title = "Three";
        analytics.track("Last");
        analytics.ready(() => results.push("ready"));
        analytics.track("With callback", {}, {}, () => results.push("callback"));
        """,
    )
    fullstory.expect_calls(
        FS.event("First", {"n": 1}, "segment"),
        FS.setVars("page", {**page_properties(), "name": "One", "pageName": "One"}, "segment"),
        FS.identify("user-1", {"plan": "premium"}, "segment"),
        FS.setVars(
            "page", {**page_properties("/two", "Two", search="?q=1"), "name": "Two", "pageName": "Two"}, "segment"
        ),
        FS.event("Last", {}, "segment"),
        FS.event("With callback", {}, "segment"),
    )
    wait_until(page, "results.length === 2")
    assert page.evaluate("results") == ["ready", "callback"]
    assert page.evaluate("answers") == ["object", "object"]
    page.evaluate("() => { analytics.page('Three') }")
    assert fullstory.calls[-1].args[1]["path"] == "/three"


def test_a_message_has_the_context_of_its_call(shop: Callable[..., Page], runtime: str) -> None:
    """It is made when somebody looks, which nobody sees."""
    page = shop(tag(org=ORG, runtime=runtime, destination="segment-actions"))
    found = page.evaluate("""async () => {
      const sent = [
        analytics.track("Here"),
        analytics.page("Home", { path: "/own" }),
        analytics.track("Given", {}, { context: { locale: "xx" } }),
        analytics.track("Replaced"),
      ];
      history.pushState({}, "", "/elsewhere?utm_source=mail");
      sent.push(analytics.track("There"));
      const [here, home, given, replaced, there] = (await Promise.all(sent)).map((context) => context.event);
      replaced.context = "own";
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const copy = JSON.parse(JSON.stringify(here));
      return {
        here: here.context.page, copied: copy.context.page, again: here.context === here.context,
        home: home.context.page, there: there.context.page.path, campaign: there.context.campaign,
        none: "campaign" in here.context,
        names: Object.keys(here.context).sort(), enumerable: Object.keys(there).includes("context"),
        zone: [here, home, given, there].map(({ context }) => context.timezone === zone),
        locale: [here.context.locale === navigator.language, given.context.locale],
        agent: copy.context.userAgent === navigator.userAgent, replaced: replaced.context,
      };
    }""")
    assert found == {
        "here": page_properties(),
        "copied": page_properties(),
        "again": True,
        "home": {**page_properties(), "path": "/own"},
        "there": "/elsewhere",
        "campaign": {"source": "mail"},
        "none": False,
        "names": ["library", "locale", "page", "timezone", "userAgent"],
        "enumerable": True,
        "zone": [True] * 4,
        "locale": [True, "xx"],
        "agent": True,
        "replaced": "own",
    }


def test_a_live_call_reaches_fullstory_in_the_same_tick(shop: Callable[..., Page], runtime: str) -> None:
    page = shop(tag(org=ORG, runtime=runtime))
    count = """() => {
      const received = [];
      const api = FS._api || null;
      FS._api = (...args) => { received.push(args[1].name); return api && api(...args); };
      analytics.track("Now");
      FS._api = api;
      return received;
    }"""
    wait_until(page, "!!FS._api")
    assert page.evaluate(count) == ["Now"]


SEGMENT_SNIPPET = """
(function () {
  // In the shape of the vendor's: a buffer of [method, ...arguments, page context].
  const buffer = (window.analytics = window.analytics || []);
  if (buffer.initialize || buffer.invoked) return;
  buffer.invoked = true;
  for (const method of ["identify", "group", "alias", "track", "page", "reset", "on", "ready", "setAnonymousId"]) {
    buffer[method] = function (...args) {
      if (window.analytics.initialized) return window.analytics[method](...args);
      if (/identify|group|alias|track|page/.test(method)) {
        const canonical = document.querySelector("link[rel='canonical']");
        args.push({
          __t: "bpc", c: (canonical && canonical.getAttribute("href")) || undefined, p: location.pathname,
          u: location.href, s: location.search, t: document.title, r: document.referrer,
        });
      }
      buffer.push([method, ...args]);
      return buffer;
    };
  }
  buffer.load = () => document.body.append("a second SDK");
})();
"""

RUDDER_SNIPPET = """
(function () {
  const buffer = (window.rudderanalytics = window.rudderanalytics || []);
  if (!Array.isArray(buffer) || buffer.snippetExecuted) return;
  buffer.snippetExecuted = true;
  for (const method of ["load", "identify", "track", "page", "ready", "reset", "setAnonymousId"]) {
    buffer[method] = (...args) => {
      if (Array.isArray(window.rudderanalytics)) buffer.push([method, ...args]);
      else window.rudderanalytics[method](...args);
    };
  }
})();
"""


def test_segments_snippet_before_the_tag(
    shop: Callable[..., Page], fullstory: FullStory, console: Console, runtime: str
) -> None:
    page = shop(
        SEGMENT_SNIPPET,
        """
        window.held = analytics;
        analytics.identify("user-1", { plan: "premium" });
        analytics.page("One");
        history.pushState({}, "", "/two");
        document.title = "Two";
        analytics.push(["track", "Old style", { n: 1 }]);
        analytics.push(["page", "Two"]);
        analytics.track("New style");
        """,
        tag(org=ORG, runtime=runtime, replace="", track_named_pages="true", track_pages_with_events="false"),
        "held.track('Through the old buffer'); analytics.push(['track', 'Pushed early']); analytics.load('write-key')",
    )
    page.evaluate("() => { held.track('Held'); held.page('Late'); analytics.push(['track', 'Pushed', { n: 2 }]) }")
    two = page_properties("/two", "Two")
    fullstory.expect_calls(
        FS.identify("user-1", {"plan": "premium"}, "segment"),
        FS.setVars("page", {**page_properties(), "name": "One", "pageName": "One"}, "segment"),
        FS.event("Old style", {"n": 1}, "segment"),
        FS.setVars("page", {**two, "name": "Two", "pageName": "Two"}, "segment"),
        FS.event("New style", {}, "segment"),
        FS.event("Through the old buffer", {}, "segment"),
        FS.event("Pushed early", {}, "segment"),
        FS.event("Held", {}, "segment"),
        FS.setVars("page", {**two, "name": "Late", "pageName": "Late"}, "segment"),
        FS.event("Pushed", {"n": 2}, "segment"),
    )
    assert console.thrown == console.written == []


def test_the_tag_before_segments_snippet(
    shop: Callable[..., Page], fullstory: FullStory, console: Console, runtime: str
) -> None:
    page = shop(
        tag(org=ORG, runtime=runtime, replace=""),
        SEGMENT_SNIPPET,
        "analytics.track('Early'); analytics.load('write-key')",
    )
    page.evaluate("() => { analytics.track('Live') }")
    fullstory.expect_calls(FS.event("Early", {}, "segment"), FS.event("Live", {}, "segment"))
    assert "a second SDK" not in page.inner_text("body")
    assert console.thrown == console.written == []


def test_rudderstacks_snippet_before_and_after_the_tag(
    shop: Callable[..., Page], fullstory: FullStory, console: Console, runtime: str
) -> None:
    early = """
      window.held = rudderanalytics;
      rudderanalytics.track("Early", { a_b: 1 });
      rudderanalytics.load("write-key", "https://data.example", { storage: { type: "localStorage" } });
    """
    page = shop(RUDDER_SNIPPET, early, tag("rudderstack", org=ORG, runtime=runtime, replace=""), RUDDER_SNIPPET)
    page.evaluate("() => { held.track('Held'); rudderanalytics.push(['track', 'Pushed']) }")
    fullstory.expect_calls(FS.event("Early", {"aB": 1}), FS.event("Held", {}), FS.event("Pushed", {}))
    assert page.evaluate("document.cookie") == ""
    assert console.thrown == console.written == []


# Settings


def test_settings_as_json_and_attributes_over_them(
    shop: Callable[..., Page], fullstory: FullStory, runtime: str
) -> None:
    given = {"orgId": "o-OTHER-eu1", "host": "relay.example", "debug": False}
    parts = tag("segment-actions", settings=given, org_id=ORG, script="edge.fullstory.com/own/fs.js", runtime=runtime)
    page = shop(parts, "analytics.track('E')")
    fullstory.wait_for_event("E")
    assert fullstory.org == ORG
    assert (
        page.evaluate("[...document.scripts].map((script) => script.src)").count(
            f"https://edge.fullstory.com/own/fs.js?org={ORG}"
        )
        == 1
    )
    first = fullstory.operations[0].options["env"]
    assert first == {"orgId": ORG, "host": "relay.example", "script": "edge.fullstory.com/own/fs.js"}


WRONG = (
    (tag("rudderstack"), "'fs_org' is missing"),
    (tag("segment-actions", settings={"orgId": 5}), "'orgId' is 5"),
    (tag("segment-clasic", org=ORG), "'segment-clasic'; did you mean 'segment-classic'?"),
    (tag(org=ORG, settings=[1]), "data-settings"),
)


def test_what_is_optional_and_wrong_is_one_line_and_the_default_counts(
    shop: Callable[..., Page], fullstory: FullStory, console: Console, runtime: str
) -> None:
    wrong = {"track_named_page": "true", "source": "analytics"}
    for name, value in wrong.items():
        console.written.clear()
        fullstory.clear()
        shop(tag(org=ORG, runtime=runtime, **{name: value}), "analytics.track('Early')", path=f"/{name}")
        fullstory.wait_for_event("Early")
        assert len(console.written) == 1
        assert "did you mean" in console.written[0]
        assert "It counts as left out." in console.written[0]
    assert console.thrown == []


def test_wrong_settings_are_one_message_and_the_page_goes_on(
    shop: Callable[..., Page], page: Page, fullstory: FullStory, console: Console, runtime: str
) -> None:
    for number, (script, complaint) in enumerate(WRONG):
        console.written.clear()
        shop(
            script.replace("data-", f'data-runtime="{runtime}" data-', 1),
            """
            fsbridge.ready.catch((error) => (window.refused = error.message));
            const api = window.analytics || window.rudderanalytics;
            api.track("Early").then(() => (window.settled = true));
            """,
            path=f"/{number}",
        )
        wait_until(page, "window.refused && window.settled")
        assert page.evaluate("fsbridge.status") == "failed"
        assert complaint in page.evaluate("refused")
        assert console.written == ["[fsbridge] " + page.evaluate("refused")]
        assert (
            page.evaluate("() => { api.track('Late'); api.identify('u'); api.push(['track', 'E']); return 'fine' }")
            == "fine"
        )
        assert page.evaluate("typeof FS") == "undefined"
    assert fullstory.operations == []
    assert console.thrown == []


def test_an_interpreter_that_is_not_there(
    shop: Callable[..., Page], page: Page, fullstory: FullStory, console: Console, runtime: str
) -> None:
    shop(
        tag(org=ORG, runtime=runtime, base="/fsbridge/").replace("data-", 'data-base="/nowhere/" data-', 1),
        "fsbridge.ready.catch((error) => (window.refused = error.message)); analytics.track('Early')",
    )
    wait_until(page, "window.refused")
    assert page.evaluate("fsbridge.status") == "failed"
    assert page.evaluate("() => { analytics.track('Late'); return 'fine' }") == "fine"
    assert [text for text in console.written if text.startswith("[fsbridge]")] == [
        "[fsbridge] " + page.evaluate("refused")
    ]
    assert console.thrown == []
    assert fullstory.operations == []


# Identity


def test_identity_is_kept_over_page_loads(
    shop: Callable[..., Page], page: Page, site: ShopSite, fullstory: FullStory, console: Console, runtime: str
) -> None:
    shop(tag(org=ORG, runtime=runtime), "analytics.identify('user-1', { plan: 'premium' })")
    fullstory.wait_for_identity("user-1")
    shop(tag(org=ORG, runtime=runtime), "analytics.identify({ seats: 3 })", path="/cart")
    fullstory.expect_calls(
        FS.identify("user-1", {"plan": "premium"}, "segment"),
        FS.identify("user-1", {"plan": "premium", "seats": 3}, "segment"),
    )
    assert page.evaluate("analytics.user().id()") == "user-1"
    assert page.evaluate("analytics.user().traits()") == {"plan": "premium", "seats": 3}
    anonymous = page.evaluate("analytics.user().anonymousId()")
    assert len(anonymous) == 36
    page.evaluate("analytics.reset()")
    assert page.evaluate("analytics.user().id()") is None
    assert page.evaluate("analytics.user().anonymousId()") != anonymous


def test_rudderstack_identity_is_kept_over_page_loads(
    shop: Callable[..., Page], page: Page, fullstory: FullStory, runtime: str
) -> None:
    load = "rudderanalytics.load('write-key', 'https://data.example');"
    shop(tag("rudderstack", org=ORG, runtime=runtime), load + "rudderanalytics.identify('user-1', { plan: 'premium' })")
    anonymous = page.evaluate("rudderanalytics.getAnonymousId()")
    shop(tag("rudderstack", org=ORG, runtime=runtime), load, path="/cart")
    assert page.evaluate("rudderanalytics.getUserId()") == "user-1"
    assert page.evaluate("rudderanalytics.getUserTraits()") == {"plan": "premium"}
    assert page.evaluate("rudderanalytics.getAnonymousId()") == anonymous
    page.evaluate("() => { rudderanalytics.identify({ seats: 3 }) }")
    assert fullstory.wait_for_identity("user-1")


@pytest.mark.parametrize(
    ("destination", "settings", "call"),
    [
        ("segment-actions", {"orgId": ORG}, "analytics.track('Called')"),
        (
            "rudderstack",
            {"fs_org": ORG, "fs_host": "fullstory.com"},
            "rudderanalytics.load('key', 'https://data.example'); rudderanalytics.track('Called')",
        ),
    ],
    ids=["segment-actions", "rudderstack"],
)
def test_fs_js_comes_while_python_starts(
    shop: Callable[..., Page],
    page: Page,
    fullstory: FullStory,
    console: Console,
    runtime: str,
    destination: str,
    settings: Any,
    call: Any,
) -> None:
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/s/fs.js" in request.url else None)
    shop(tag(destination, settings, runtime=runtime), call)
    fullstory.wait_for_event("Called")
    early = page.evaluate("document.querySelectorAll('link[rel=preload][href*=\"/s/fs.js\"]').length")
    # A Pyodide that starts takes so long that browsers would warn of what was loaded and isn't used.
    assert (early, len(set(asked))) == (1 if runtime == "micropython" else 0, 1)
    assert console.thrown == console.written == []


COUNT_READS = """
  const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  window.reads = 0;
  Object.defineProperty(Document.prototype, "cookie", {
    configurable: true,
    get() { window.reads++; return get.call(this); },
    set,
  });
"""


def test_cookies_are_read_once_for_all_that_is_called_at_one_go(
    shop: Callable[..., Page], page: Page, fullstory: FullStory, runtime: str
) -> None:
    page.add_init_script(COUNT_READS)
    shop(tag(org=ORG, runtime=runtime), "analytics.setAnonymousId('first')")
    assert page.evaluate("""async () => {
      const before = reads;
      for (let index = 0; index < 25; index++) analytics.track("Called");
      const after = reads;
      await null;
      const known = analytics.user().anonymousId();
      document.cookie = "ajs_anonymous_id=other; path=/; domain=shop.example";  // by another hand
      await null;
      return [after - before, known, analytics.user().anonymousId()];
    }""") == [1, "first", "other"]


def test_a_call_made_while_leaving_arrives(
    shop: Callable[..., Page], page: Page, site: ShopSite, fullstory: FullStory, runtime: str
) -> None:
    site.page("/next", html_page("Next page"))
    shop(tag(org=ORG, runtime=runtime), "<a href='/next' onclick='analytics.track(\"Leaving\")'>go</a>")
    wait_until(page, "!!FS._api")
    page.click("a")
    fullstory.wait_for_event("Leaving")


# FS and values

OWN_FS = """
  window.seen = [];
  window.FS = function (...args) { seen.push(["FS", ...args]); };
  for (const method of ["identify", "setUserVars", "setVars", "event"]) {
    FS[method] = (...args) => { seen.push([method, ...args]); };
  }
  window.original = FS;
"""

VALUES = """
  window.values = {
    date: new Date(0), undef: undefined, nothing: null, nan: NaN, negative: -0, big: 2 ** 40, huge: 2n ** 70n,
    tiny: 5e-324,
    most: Number.MAX_SAFE_INTEGER, least: -(2 ** 31), fn() {}, list: [1, { deep: -0 }], nested: { a: { b: 1n } },
    symbol: Symbol("s"), map: new Map(), error: new Error("e"), element: document.body, text: "\\ud83d\\ude00 \\ud800",
    yes: true, no: false, empty: "", infinite: -Infinity,
  };
"""

# Segment's classic integration works on copies of nested objects, as the vendor's does.
SAME = """(index) => {
  const call = seen[index];
  const got = call[0] === "FS" ? call[2].properties : call[2];
  const copied = call[0] === "FS" ? [] : ["list", "nested"];
  const kept = (key) => key in got && (copied.includes(key) || Object.is(got[key], values[key]));
  return Object.keys(values).filter((key) => !kept(key));
}"""


@pytest.mark.parametrize("destination", ["segment-classic", "segment-actions"])
def test_values_reach_an_fs_that_was_there_by_reference(
    shop: Callable[..., Page], fullstory: FullStory, console: Console, runtime: str, destination: str
) -> None:
    early = "analytics.track('Early', values)"
    page = shop(OWN_FS, VALUES, tag(destination, org=ORG, runtime=runtime), early)
    page.evaluate("() => { analytics.track('Live', values); analytics.push(['track', 'Pushed', values]) }")
    assert page.evaluate("seen.length") == 3
    for index in range(3):
        assert page.evaluate(SAME, index) == [], index
    assert page.evaluate("FS === original && !FS.q && !FS._api && fsbridge.status") == "ready"
    assert page.evaluate("[...document.scripts].some((script) => script.src.includes('fs.js'))") is False
    assert fullstory.operations == []
    assert console.thrown == []
    # as FullStory's own SDK says it
    assert ["already been defined" in text for text in console.written] == [True]


def test_values_reach_fs_js_through_our_snippet(shop: Callable[..., Page], fullstory: FullStory, runtime: str) -> None:
    with fullstory.delayed():
        page = shop(
            tag("segment-actions", org=ORG, runtime=runtime),
            VALUES + "analytics.track('Early', values)",
            until="window.FS && FS.q.length > 2",
        )
        assert (
            page.evaluate("""() => {
          const event = FS.q.find((entry) => entry[0] === "trackEvent")[1];
          return Object.keys(values).filter((key) => !Object.is(event.properties[key], values[key]));
        }""")
            == []
        )
    found = fullstory.wait_for_event("Early").properties
    assert found["date"] == datetime(1970, 1, 1, tzinfo=UTC)
    assert found["undef"] is UNDEFINED
    assert math.isnan(found["nan"])
    assert math.copysign(1, found["negative"]) == -1
    assert (found["big"], found["huge"], found["most"]) == (2**40, 2**70, 2**53 - 1)


# FullStory is not there


def test_a_blocked_fs_js(
    shop: Callable[..., Page], page: Page, fullstory: FullStory, console: Console, runtime: str
) -> None:
    fullstory.block()
    shop(tag(org=ORG, runtime=runtime), "analytics.track('Early')", until="fsbridge.status === 'blocked'")
    page.evaluate("""() => {
      fsbridge.ready.then(() => (window.ready = true));
      analytics.track("Late");
      analytics.identify("user-1").then(() => (window.identified = true));
      FS("trackEvent", { name: "Direct" });
      FS.event("Old style");
      window.rejected = [];
      for (const operation of ["getSessionAsync", "trackEventAsync", "setIdentityAsync"]) {
        FS(operation, {}).catch((error) => rejected.push(error.message));
      }
    }""")
    wait_until(page, "window.ready && window.identified && rejected.length === 3")
    assert page.evaluate("rejected") == ["Error loading edge.fullstory.com/s/fs.js"] * 3
    assert page.evaluate("FS.q.length") == 0
    assert console.thrown == []
    assert fullstory.operations == []


def test_a_blocked_fs_js_by_the_pages_csp(
    shop: Callable[..., Page], page: Page, site: ShopSite, console: Console, runtime: str
) -> None:
    policy = POLICY.replace(" https://edge.fullstory.com", "")
    shop(
        tag(org=ORG, runtime=runtime),
        headers={"Content-Security-Policy": policy},
        until="fsbridge.status === 'blocked'",
    )
    assert page.evaluate("() => { analytics.track('Late'); return 'fine' }") == "fine"
    assert console.thrown == []
