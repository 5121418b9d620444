"""The pytest plugin, on pages that speak FullStory's protocol by hand."""

import math
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page

from fsbridge.testing import FS, UNDEFINED, FullStory
from tests.conftest import PATIENCE
from tests.e2e.conftest import ShopSite

from .shop import wait_until

# The queue of FullStory's snippet, as short as it gets.
SNIPPET = """
  window.FS = function (operation, options, source, version) {
    const send = (resolve, reject) => {
      const entry = [operation.replace(/Async$/, ""), options, source, resolve, reject, version || 2];
      return FS._api ? FS._api(...entry) : (FS.q.push(entry), null);
    };
    return /Async$/.test(operation) ? new Promise(send) : send();
  };
  FS.q = [];
  FS.setUserVars = (properties, source) => FS("setProperties", { type: "user", properties }, source, 1);
  FS.identify = (uid, properties, source) => {
    FS.setUserVars({ uid }, source);
    if (properties) FS.setUserVars(properties, source);
  };
  FS.setVars = (type, properties, source) => FS("setProperties", { type, properties }, source, 1);
  FS.event = (name, properties, source) => FS("trackEvent", { name, properties }, source, 1);
  FS.log = (level, msg) => FS("log", { level, msg }, undefined, 1);
  FS.anonymize = () => FS.identify(false);
  FS.shutdown = () => FS("shutdown", undefined, undefined, 1);
  FS.consent = (consent) => FS("setIdentity", { consent }, undefined, 1);
  FS("init", { env: { orgId: "o-1ABC-na1" } });
  {
    const script = document.createElement("script");
    script.src = "https://edge.fullstory.com/s/fs.js?org=o-1ABC-na1";
    script.crossOrigin = "anonymous";
    script.onerror = () => (window.failed = true);
    document.head.append(script);
  }
"""

# The first snippet's protocol: three-part entries, and a queue that it uses as long as there is one.
SNIPPET_V1 = """
  window._fs_org = "o-1ABC-na1";
  window.FS = (a, b, s) => (FS.q ? FS.q.push([a, b, s]) : FS._api(a, b, s));
  FS.q = [];
  FS.setUserVars = (v, s) => FS("user", v, s);
  FS.identify = (i, v, s) => { FS("user", { uid: i }, s); if (v) FS("user", v, s); };
  FS.event = (n, p, s) => FS("event", { n, p }, s);
  FS.setVars = (n, p) => FS("setVars", [n, p]);
  FS.restart = () => FS("rec", true);
  FS.log = (a, b) => FS("log", [a, b]);
  FS.consent = (given) => FS("consent", given);
  document.head.append(Object.assign(document.createElement("script"), { src: "https://edge.fullstory.com/s/fs.js" }));
"""


def html(script: str, snippet: str = SNIPPET) -> str:
    return f"<!doctype html><title>Shop</title><script>{snippet}</script><script>{script}</script>"


def test_records_both_styles_in_order_and_as_written(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    page.goto(
        bare_site.page(
            "/cart",
            html("""
              FS.identify("user-1", { plan: "premium", logins: 5 }, "segment");
              FS("trackEvent", { name: "Clicked", properties: { color: "red" } }, "segment-browser-actions");
              FS.event("Order Completed", { price: 99.95 });
              FS.setUserVars({ plan: "free" });
              FS.setVars("page", { pageName: "Cart" }, "segment");
              FS.log("info", "hello");
              FS.consent(true);
              FS.shutdown();
              FS.anonymize();
            """),
        )
    )
    fullstory.expect_calls(
        FS.identify("user-1", {"plan": "premium", "logins": 5}, "segment"),
        FS("trackEvent", {"name": "Clicked", "properties": {"color": "red"}}, "segment-browser-actions"),
        FS.event("Order Completed", {"price": 99.95}),
        FS.setUserVars({"plan": "free"}),
        FS.setVars("page", {"pageName": "Cart"}, "segment"),
        FS.log("info", "hello"),
        FS.consent(True),
        FS.shutdown(),
        FS.anonymize(),
    )
    assert fullstory.org == "o-1ABC-na1"
    assert fullstory.operations[0].operation == "init"
    assert fullstory.calls[0].url == "https://shop.example/cart"


def test_calls_after_fs_js_arrived_are_recorded_at_once(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    page.goto(bare_site.page("/", html("FS.event('First')")))
    fullstory.wait_for_event("First")
    for number in range(20):
        page.evaluate("n => { FS.event('Numbered', { n }) }", number)
        assert [event.properties["n"] for event in fullstory.events("Numbered")] == list(range(number + 1))


def test_takes_over_the_first_snippet(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    script = """
      FS.identify("user-1", { plan: "premium" }, "segment");
      FS.event("Queued", { a: 1 }, "segment");
      FS.setVars("page", { pageName: "Cart" });
      FS.restart();
      FS.log("warn", "careful");
      FS.consent(false);
    """
    page.goto(bare_site.page("/", html(script, SNIPPET_V1)))
    fullstory.wait_for_event("Queued")
    page.evaluate("FS.event('Later')")
    assert fullstory.calls == [
        FS.identify("user-1", {"plan": "premium"}, "segment"),
        FS.event("Queued", {"a": 1}, "segment"),
        FS.setVars("page", {"pageName": "Cart"}),
        FS.restart(),
        FS.log("warn", "careful"),
        FS.consent(False),
        FS.event("Later"),
    ]
    assert fullstory.org == "o-1ABC-na1"


def test_values_keep_what_they_are(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    script = """
      const cycle = {}; cycle.self = cycle;
      FS.event("Values", {
        date: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)), invalid: new Date(NaN), undef: undefined, nothing: null,
        nan: NaN, infinite: -Infinity, negative: -0, big: 12345678901234567890n, whole: 2 ** 40, float: 1.5, yes: true,
        list: [1, undefined, [null]], nested: { $date: "mine" }, fn() {}, error: new TypeError("bad"), cycle,
        get thrower() { throw new Error("getter"); }, "key with spaces": "ünïcode \\ud83d\\ude00",
      });
    """
    page.goto(bare_site.page("/", html(script)))
    values = fullstory.wait_for_event("Values").properties
    assert values["date"] == datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    assert math.isnan(values["invalid"].ms)
    assert values["undef"] is UNDEFINED
    assert values["nothing"] is None
    assert math.isnan(values["nan"])
    assert values["infinite"] == -math.inf
    assert math.copysign(1, values["negative"]) == -1
    assert values["big"] == 12345678901234567890
    assert (values["whole"], values["float"], values["yes"]) == (2**40, 1.5, True)
    assert values["list"] == [1, UNDEFINED, [None]]
    assert values["nested"] == {"$date": "mine"}
    assert str(values["error"]) == "bad"
    assert values["cycle"] == {"self": "[Circular]"}
    assert "getter" in str(values["thrower"])
    assert values["key with spaces"] == "ünïcode 😀"
    assert repr(fullstory.calls[0]).startswith(
        'FS.event("Values", {date: new Date("2026-01-02T03:04:05.678Z"), invalid: new Date(NaN), undef: undefined, '
        "nothing: null, nan: NaN, infinite: -Infinity, negative: -0, big: 12345678901234567890n,"
    )


def test_an_undefined_property_equals_an_absent_one_and_true_is_not_1(
    page: Page, fullstory: FullStory, bare_site: ShopSite
) -> None:
    page.goto(bare_site.page("/", html("FS.event('E', { a: undefined, b: true, c: NaN }, 'segment')")))
    fullstory.wait_for_event("E")
    assert fullstory.calls == [FS.event("E", {"b": True, "c": math.nan}, "segment")]
    assert fullstory.calls != [FS.event("E", {"b": 1, "c": math.nan}, "segment")]
    assert fullstory.calls != [FS.event("E", {"b": True, "c": math.nan})]


def test_calls_made_while_leaving_are_kept_over_navigations(
    page: Page, fullstory: FullStory, bare_site: ShopSite
) -> None:
    second = bare_site.page("/second", html("FS.event('Second')"))
    leave = f"<a href='{second}' onclick='FS.event(\"Leaving\")'>go</a>"
    page.goto(bare_site.page("/first", html("FS.event('First')") + leave))
    fullstory.wait_for_event("First")
    page.click("a")
    fullstory.wait_for_event("Second")
    assert [(event.name, event.url) for event in fullstory.events] == [
        ("First", "https://shop.example/first"),
        ("Leaving", "https://shop.example/first"),
        ("Second", "https://shop.example/second"),
    ]


def test_identity_and_properties_add_up(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    page.goto(bare_site.page("/", html("")))
    assert fullstory.identity is None
    page.evaluate("""() => {
      FS("setProperties", { type: "user", properties: { visits: 1 } });
      FS("setIdentity", { uid: "a", properties: { plan: "free", gone: undefined } });
      FS.setUserVars({ plan: "premium" });
      FS("setProperties", { type: "page", properties: { pageName: "Home" } });
    }""")
    assert fullstory.wait_for_identity("a") == "a"
    assert fullstory.user_properties == {"visits": 1, "plan": "premium"}
    assert fullstory.page_properties == {"pageName": "Home"}
    page.evaluate("FS.identify('b', { plan: 'other' })")
    assert (fullstory.identity, fullstory.user_properties) == ("b", {"plan": "other"})
    page.evaluate("FS('setIdentity', { anonymous: true })")
    assert (fullstory.identity, fullstory.user_properties) == (None, {})
    fullstory.clear()
    assert fullstory.calls == []


def test_answers_async_calls_and_questions(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    page.goto(bare_site.page("/", html("FS('observe', { type: 'start', callback: (s) => (window.started = s) })")))
    url = page.evaluate("FS('getSessionAsync')")
    assert url.startswith("https://app.fullstory.com/ui/o-1ABC-na1/session/")
    assert page.evaluate("FS('trackEventAsync', { name: 'Sent', properties: {} }).then(() => 'done')") == "done"
    assert page.evaluate("FS.getCurrentSessionURL()") == url
    assert page.evaluate("window.started.sessionUrl") == url
    assert fullstory.calls == [FS("trackEvent", {"name": "Sent", "properties": {}})]


def test_wait_for_event_fails_with_what_did_arrive(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    page.goto(bare_site.page("/cart", html("FS.event('Clicked', { color: 'red' }, 'segment')")))
    with pytest.raises(AssertionError) as failure:
        fullstory.wait_for_event("Order Completed", timeout=300)
    text = str(failure.value)
    assert 'did not receive event "Order Completed" within 300 ms' in text
    assert 'FS.event("Clicked", {color: "red"}, "segment")    on https://shop.example/cart' in text
    assert "Answered by the stand-in: https://edge.fullstory.com/s/fs.js?org=o-1ABC-na1" in text
    with pytest.raises(AssertionError, match=r'with {color: "blue"}'):
        fullstory.wait_for_event("Clicked", {"color": "blue"}, timeout=100)
    with pytest.raises(AssertionError, match=r'exactly these calls:\n  FS\.event\("Other"\)'):
        fullstory.expect_calls(FS.event("Other"), timeout=100)
    with pytest.raises(AssertionError, match=r"FS\.restart\(\)"):
        fullstory.wait_for_call(FS.restart(), timeout=100)


def test_wait_for_event_waits(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    page.goto(bare_site.page("/", html("setTimeout(() => FS.event('Late', { n: 1 }), 400)")))
    assert fullstory.wait_for_event("Late", {"n": 1}).properties == {"n": 1}


def test_block_is_an_ad_blocker(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    fullstory.block()
    page.goto(bare_site.page("/", html("FS.event('Lost')")))
    wait_until(page, "window.failed === true")
    assert fullstory.calls == []
    assert "Blocked: https://edge.fullstory.com/s/fs.js" in fullstory.summary()


def test_delayed_lets_the_page_queue(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    with fullstory.delayed():
        page.goto(bare_site.page("/", html("FS.event('Queued')")), wait_until="commit")
        wait_until(page, "!!window.FS && FS.q.length === 2")
        assert fullstory.calls == []
    assert fullstory.wait_for_event("Queued")


def test_everything_else_to_fullstory_is_refused(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    page.goto(bare_site.page("/", html("")))
    for url in (
        "https://rs.fullstory.com/rec/page",
        "https://fullstory.com/",
        "https://edge.eu1.fullstory.com/s/settings",
    ):
        assert page.evaluate("url => fetch(url).then(() => 'sent', () => 'refused')", url) == "refused"
        assert f"Refused: GET {url}" in fullstory.summary()


def test_beacons_and_sockets_to_fullstory_are_refused_too(
    page: Page, fullstory: FullStory, bare_site: ShopSite
) -> None:
    page.goto(bare_site.page("/", html("")))
    page.evaluate("navigator.sendBeacon('https://rs.fullstory.com/rec/bundle', 'data')")
    socket = "new Promise((over) => (new WebSocket('wss://rs.fullstory.com/live').onclose = () => over('closed')))"
    assert page.evaluate(socket) == "closed"
    assert "Refused: POST https://rs.fullstory.com/rec/bundle" in fullstory.summary()


def test_works_under_a_strict_csp(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    bare_site.put("/app.js", SNIPPET + "FS.event('Strict');")
    policy = (
        "default-src 'self'; script-src 'self' https://edge.fullstory.com; connect-src 'self' https://*.fullstory.com"
    )
    page.goto(
        bare_site.page(
            "/strict",
            "<!doctype html><script>window.inline = true</script><script src='/app.js'></script>",
            {"Content-Security-Policy": policy},
        )
    )
    assert fullstory.wait_for_event("Strict").url == "https://shop.example/strict"
    assert page.evaluate("window.inline") is None


def test_records_iframes_and_a_namespace_of_its_own(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    snippet = "window._fs_namespace = 'Story';" + SNIPPET.replace("FS", "Story")
    inner = bare_site.page("/inner", html("Story.event('Inner')", snippet))
    page.goto(bare_site.page("/", html("FS.event('Outer')") + f"<iframe src='{inner}'></iframe>"))
    fullstory.wait_for_event("Inner")
    fullstory.wait_for_event("Outer")


def test_attach_serves_contexts_of_ones_own(browser: Browser, bare_site: ShopSite) -> None:
    own = FullStory(scripts=["https://cdn.acme.example/fs.js*"], timeout=PATIENCE)
    with browser.new_context() as context:
        page = context.new_page()
        own.attach(page)
        own.attach(context)  # once is enough
        snippet = SNIPPET.replace("edge.fullstory.com/s/fs.js", "cdn.acme.example/fs.js")
        page.goto(bare_site.page("/", html("FS.event('Mine')", snippet)))
        own.wait_for_event("Mine")
        assert len(own.events) == 1


def test_local_server_has_the_same_pages(page: Page, fullstory: FullStory, bare_site: ShopSite) -> None:
    bare_site.page("/cart", html("FS.event('Local')"), {"X-Shop": "yes"})
    response = page.goto(bare_site.local + "cart")
    assert response.headers["x-shop"] == "yes"
    assert fullstory.wait_for_event("Local").url == bare_site.local + "cart"
