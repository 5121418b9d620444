"""What is kept when a page is left before FullStory has its calls: a plain test for each way there is.

`test_departures.py` mixes them all at random. What doesn't depend on the interpreter is tried on MicroPython alone.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from fsbridge.testing import FS, UNDEFINED, FullStory
from tests.conftest import PATIENCE, patient
from tests.e2e.conftest import ShopSite
from tools.browser import CHROMIUM, OWN

from .shop import ORG, RUDDER_SNIPPET, SEGMENT_SNIPPET, Console, html_page, tag, wait_until

RUNTIMES = ("micropython", "pyodide")
LIVE = "window.fsbridge && ['ready', 'queueing'].includes(fsbridge.status)"


def working(runtime: str = "micropython", **data: Any) -> str:
    """A tag whose interpreter comes."""
    return tag(org=ORG, runtime=runtime, **data)


def held(runtime: str = "micropython", **data: Any) -> str:
    """A tag whose interpreter never comes: nothing under /held/ is ever answered."""
    return working(runtime, **data).replace(" data-", ' data-base="/held/" data-', 1)


def broken(runtime: str = "micropython", **data: Any) -> str:
    """A tag whose interpreter isn't there."""
    return working(runtime, **data).replace(" data-", ' data-base="/nowhere/" data-', 1)


def event(name: str, properties: Any = None) -> Any:
    return FS.event(name, properties or {}, "segment")


def events(*names: str) -> list[Any]:
    return [event(name) for name in names]


class Shop:
    """A shop whose pages are made on the way."""

    def __init__(self, page: Page, site: ShopSite, fullstory: FullStory) -> None:
        self.page = page
        self.fullstory = fullstory
        self.site = site
        self.console = Console(page)
        page.context.route("**/held/**", lambda route: None)

    def put(self, path: str, *parts: str, title: str = "Shop", headers: Any = None) -> str:
        return self.site.page(path, html_page(*parts, title=title), headers)

    def open(
        self,
        path: str,
        *parts: str,
        title: str = "Shop",
        headers: Any = None,
        until: str = "document.readyState === 'complete'",
    ) -> Page:
        """Go to a page of these parts."""
        self.page.goto(self.put(path, *parts, title=title, headers=headers), wait_until="commit")
        wait_until(self.page, until)
        return self.page

    def expect(self, *calls: Any) -> None:
        """FullStory gets these calls, and nobody was harmed."""
        self.fullstory.expect_calls(*calls)
        assert self.console.thrown == []

    def stored(self) -> int:
        """How many items wait in localStorage."""
        items = "Object.keys(localStorage).filter((key) => key.startsWith('fsbridge:'))"
        return int(self.page.evaluate(f"{items}.length"))


@pytest.fixture
def shop(page: Page, site: ShopSite, fullstory: FullStory) -> Shop:
    return Shop(page, site, fullstory)


# Left before the interpreter is there

LEAVING = """
  analytics.track("Early");
  addEventListener("beforeunload", () => analytics.track("beforeunload"));
  addEventListener("pagehide", () => analytics.track("pagehide"));
"""

WAYS = {
    "link": "document.querySelector('a').click()",
    "form": "document.querySelector('form').requestSubmit()",
    "assign": "location.href = '/next'",
    "replace": "location.replace('/next')",
    "reload": "location.reload()",
    "back": "history.back()",
}


@pytest.mark.parametrize("way", WAYS)
def test_left_before_the_interpreter_is_there(shop: Shop, way: str) -> None:
    shop.open("/next")
    shop.open(
        "/shop",
        held(),
        LEAVING,
        "<a href='/next' onclick='analytics.track(`Clicked`)'>go</a>",
        "<form action='/next' onsubmit='analytics.track(`Submitted`)'></form>",
    )
    shop.put("/shop" if way == "reload" else "/next", working(), "analytics.track('Next')")
    shop.page.evaluate(f"() => {{ {WAYS[way]} }}")
    handler = {"link": ["Clicked"], "form": ["Submitted"]}.get(way, [])
    shop.expect(*events("Early", *handler, "beforeunload", "pagehide", "Next"))
    assert shop.page.evaluate("fsbridge.dropped") == 0
    assert shop.stored() == 0


def test_a_popup_that_is_closed_before_the_interpreter_is_there(shop: Shop) -> None:
    opener = shop.open("/", working(), until=LIVE)
    shop.put("/popup", held(), "analytics.track('Popup'); setTimeout(() => close(), 50)", LEAVING)
    with opener.expect_popup() as opened:
        opener.evaluate("void open('/popup')")
    if not opened.value.is_closed():
        opened.value.wait_for_event("close")
    opener.evaluate("() => { analytics.track('Opener') }")
    # Another tab may take what a closed one left only when nobody has inherited it for a while.
    shop.expect(*events("Opener", "Popup", "Early", "beforeunload", "pagehide"))


@pytest.fixture(scope="module")
def browser_with_cache(playwright: Playwright, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """A browser with the back/forward cache, which Playwright turns off, and one without windows hasn't got."""
    options = {**browser_type_launch_args, "ignore_default_args": ["--disable-back-forward-cache"]}
    if (chromium := os.environ.get(CHROMIUM, OWN)) != OWN:
        options["executable_path"] = chromium
    browser = patient(playwright.chromium.launch(**options))
    yield browser
    browser.close()


def test_back_from_the_back_forward_cache(browser_with_cache: Browser, site: ShopSite, web: Path) -> None:
    context = browser_with_cache.new_context()
    fullstory = FullStory(timeout=PATIENCE)
    fullstory.attach(context)
    shop = Shop(context.new_page(), site, fullstory)
    waiting = []
    context.route("**/later/fsbridge/**", lambda route: waiting.append(route))
    slow = working().replace(" data-", ' data-base="/later/fsbridge/" data-', 1)
    seen = "addEventListener('pageshow', (event) => { window.persisted = event.persisted })"
    shop.open("/", slow, LEAVING, seen)
    shop.open("/bare")
    assert shop.stored() == 1
    shop.page.evaluate("history.back()")
    shop.page.wait_for_url("https://shop.example/", wait_until="commit")
    wait_until(shop.page, "window.persisted")
    shop.page.evaluate("() => { analytics.track('Back') }")
    site.mount("/later/fsbridge/", web)
    for route in waiting:
        response = site.get(route.request.url)
        route.fulfill(status=response.status, headers=response.headers, body=response.body)
    shop.expect(*events("Early", "beforeunload", "pagehide", "Back"))
    assert shop.stored() == 0
    context.close()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_replayed_call_is_of_the_page_where_it_was_made(shop: Shop, runtime: str) -> None:
    # Also that no page properties of one page are set on another.
    every = {"trackAllPages": True, "trackNamedPages": True, "trackPagesWithEvents": True}
    shop.open("/referrer", "<a href='/first?q=1'>go</a>")
    shop.put("/first", held(settings=every), "analytics.page('One', { n: 1 }); analytics.track('Early')", title="First")
    shop.page.click("a")
    shop.page.wait_for_url("**/first?q=1")
    before = shop.page.evaluate("Date.now()")
    shop.open(
        "/second",
        working(runtime, settings=every),
        """
        window.heard = [];
        analytics.on("page", (category, name, properties) => heard.push(properties));
        analytics.addSourceMiddleware(({ payload, next }) => {
          heard.push([payload.obj.context.page, +payload.obj.timestamp]);
          next(payload);
        });
        """,
        title="Second",
        until=LIVE,
    )
    first = {
        "path": "/first",
        "referrer": "https://shop.example/referrer",
        "search": "?q=1",
        "title": "First",
        "url": "https://shop.example/first?q=1",
    }
    shop.page.evaluate("() => { analytics.page('Two') }")
    named = {**first, "name": "One", "n": 1}
    second = {
        **{**first, "path": "/second", "search": "", "title": "Second", "url": "https://shop.example/second"},
        "referrer": "",
    }
    shop.expect(
        event("Viewed One Page", named),
        event("Early"),
        event("Viewed Two Page", {**second, "name": "Two"}),
        FS.setVars("page", {**second, "name": "Two", "pageName": "Two"}, "segment"),
    )
    pages = [entry for entry in shop.page.evaluate("heard") if isinstance(entry, list)]
    assert [page for page, _ in pages[:2]] == [first, first]
    assert all(time <= before for _, time in pages[:2])


VALUES = """{
  date: new Date(0), never: new Date(NaN), list: [1, undefined, NaN, -0, [2n ** 70n, { a: undefined, d: new Date(5) }]],
  undef: undefined, nothing: null, nan: NaN, infinite: -Infinity, negative: -0, big: 2n ** 70n,
  text: "a:\\u2028\\ud83d",
  nested: { a: { b: ["a", "d", "n", "u"] }, "": 1 }, empty: [], tagged: ["d", 5], yes: true,
}"""


def test_values_are_carried_as_they_are_and_one_that_can_not_be_costs_only_its_call(shop: Shop) -> None:
    shop.open(
        "/",
        held(),
        f"""
        const values = {VALUES};
        const circle = {{}};
        circle.itself = circle;
        analytics.track("Before", {{ n: 1 }});
        analytics.track("Circle", circle);
        analytics.track("Values", values);
        analytics.track("Throws", {{ get n() {{ throw new Error("mine"); }} }});
        analytics.track("After", {{ n: 2 }});
        """,
    )
    own_fs = """
      window.seen = [];
      window.FS = () => {};
      FS.event = (name, properties) => { seen.push([name, properties]); };
    """
    page = shop.open("/next", own_fs, working(), until=LIVE)
    assert page.evaluate("seen.map(([name]) => name)") == ["Before", "Values", "After"]
    assert page.evaluate("fsbridge.dropped") == 2
    same = f"""() => {{
      const same = (a, b) => a instanceof Date && b instanceof Date ? Object.is(+a, +b) : a && typeof a === "object"
        ? !!b && Array.isArray(a) === Array.isArray(b) && Object.keys(a).join() === Object.keys(b).join()
          && Object.keys(a).every((key) => same(a[key], b[key]))
        : Object.is(a, b);
      const made = {VALUES}, got = seen[1][1];
      return Object.keys(made).filter((key) => !same(made[key], got[key])).concat(
        Object.keys(got).filter((key) => !(key in made)));
    }}"""
    assert page.evaluate(same) == []
    assert shop.console.thrown == []


# What Python or FullStory's own queue still holds


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_calls_that_a_middleware_or_the_page_keeps_waiting(shop: Shop, runtime: str) -> None:
    slow = """
      const never = new Promise(() => {});
      analytics.addSourceMiddleware(({ payload, next }) => never.then(() => next(payload)));
    """
    page = shop.open("/slow", working(runtime), slow, until=LIVE)
    page.evaluate("""() => {
      analytics.track("Slow", { at: new Date(5), big: 2n ** 70n });
      analytics.page("Home");
      analytics.identify("user-1", { plan: "premium" });
      analytics.track("Waiting");
    }""")
    every = {"trackNamedPages": True, "trackPagesWithEvents": True}
    undecided = "analytics.load('key', { disable: () => new Promise((resolve) => (window.decide = resolve)) });"
    shop.open("/undecided", working(runtime, settings=every), undecided, until=LIVE)
    shop.page.evaluate("() => { analytics.track('Undecided') }")
    assert shop.fullstory.calls == []
    shop.open("/next", working(settings=every), "analytics.track('Next')", until=LIVE)
    home = {"name": "Home", "path": "/slow", "referrer": "", "search": "", "title": "Shop"}
    shop.expect(
        event("Slow", {"at": datetime.fromtimestamp(0.005, UTC), "big": 2**70}),
        event("Viewed Home Page", {**home, "url": "https://shop.example/slow"}),
        FS.identify("user-1", {"plan": "premium"}, "segment"),
        *events("Waiting", "Undecided", "Next"),
    )
    assert shop.page.evaluate("analytics.user().id()") == "user-1"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_left_before_fs_js_is_there(shop: Shop, runtime: str) -> None:
    every = {"trackNamedPages": True, "trackPagesWithEvents": True}
    with shop.fullstory.delayed():
        page = shop.open("/", working(runtime, settings=every), until=LIVE)
        page.evaluate("""() => {
          analytics.identify("user-1", { plan: "premium" });
          analytics.page("Home");
          analytics.track("Waiting", { undef: undefined, n: NaN });
          FS.setVars("page", { own: 1 });
          FS("setProperties", { type: "page", properties: { own: 2 } });
          FS("setProperties", { type: "user", properties: { own: 3 } });
          FS("trackEventAsync", { name: "Direct", properties: {} }).catch(() => {});
          FS("setIdentity", { uid: "user-2" });
          addEventListener("pagehide", () => analytics.track("pagehide"));
        }""")
        shop.open("/next", working(settings=every), "analytics.track('Next')", until=LIVE)
    url = "https://shop.example/"
    shop.expect(
        FS.identify("user-1", {"plan": "premium"}, "segment"),
        event(
            "Viewed Home Page", {"name": "Home", "path": "/", "referrer": "", "search": "", "title": "Shop", "url": url}
        ),
        event("Waiting", {"undef": UNDEFINED, "n": float("nan")}),
        FS("setProperties", {"type": "user", "properties": {"own": 3}}),
        FS("trackEvent", {"name": "Direct", "properties": {}}),
        FS("setIdentity", {"uid": "user-2"}),
        event("pagehide"),
        event("Next"),
    )
    assert shop.stored() == 0


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_blocked_fs_js(shop: Shop, runtime: str) -> None:
    shop.fullstory.block()
    blocked = "window.fsbridge && fsbridge.status === 'blocked'"
    page = shop.open("/", working(runtime, queue_calls="4"), "analytics.track('Queued')", until=blocked)
    page.evaluate("""() => {
      for (let n = 1; n < 5; n++) analytics.track(`Made ${n}`);
      analytics.identify("user-1");
      FS.setVars("page", { own: 1 });
    }""")
    assert page.evaluate("fsbridge.dropped") == 3  # an identify is two operations
    page = shop.open("/still", working(runtime, queue_calls="6"), "analytics.track('Still')", until=blocked)
    page.evaluate("analytics.track('Made late')")
    assert page.evaluate("fsbridge.dropped") == 3
    identity = FS.identify("user-1", {}, "segment")
    expected = [*events("Made 3", "Made 4"), identity, *events("Still", "Made late")]
    shop.fullstory.unblock()
    # A late fs.js: the page's own second try.
    page.evaluate("""() => {
      const script = document.querySelector("script[data-fs-namespace]");
      const again = document.createElement("script");
      Object.assign(again, { crossOrigin: "anonymous", src: script.src, onload: script.onload });
      again.setAttribute("data-fs-namespace", "FS");
      document.head.append(again);
    }""")
    shop.expect(*expected)
    wait_until(page, "fsbridge.status === 'ready'")
    shop.open("/next", working(), "analytics.track('Next')", until=LIVE)
    shop.expect(*expected, event("Next"))


# Each call once


def test_a_copied_sessionstorage_replays_nothing_twice(shop: Shop) -> None:
    context = shop.page.context
    shop.put("/next", working())
    shop.put("/bare")
    page = shop.open("/", held(), "analytics.track('Early')")
    shop.open("/bare")
    copy = context.new_page()
    copy.goto("https://shop.example/bare")
    copy.evaluate(
        "pairs => pairs.forEach(([key, value]) => sessionStorage.setItem(key, value))",
        page.evaluate("Object.entries(sessionStorage)"),
    )
    assert copy.evaluate("sessionStorage.length") == 1
    for tab in (page, copy):
        tab.evaluate("void setTimeout(() => (location.href = '/next'), 50)")
    for tab in (page, copy):
        tab.wait_for_url("**/next")
        wait_until(tab, LIVE)
    with page.expect_popup() as opened:
        page.evaluate("void open('/next')")
    wait_until(opened.value, LIVE)
    page.wait_for_timeout(200)
    shop.expect(event("Early"))


def test_a_window_opened_from_a_page_that_holds_a_queue_has_none_of_it(shop: Shop) -> None:
    shop.open("/", held(), "analytics.track('Early')")
    opener = shop.open("/bare")
    shop.put("/popup", working(), "analytics.track('Popup')")
    with opener.expect_popup() as opened:
        opener.evaluate("void open('/popup')")
    wait_until(opened.value, LIVE)
    shop.expect(event("Popup"))
    shop.open("/next", working(), "analytics.track('Next')", until=LIVE)
    shop.expect(*events("Popup", "Early", "Next"))


# Storage

DENIED = "Object.defineProperty(window, %r, { get() { throw new DOMException('denied', 'SecurityError') } })"
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }"
STORAGES = {
    "localStorage denied": DENIED % "localStorage",
    "sessionStorage denied": DENIED % "sessionStorage",
    "both denied": DENIED % "localStorage" + ";" + DENIED % "sessionStorage",
    "null": "Object.defineProperty(window, 'localStorage', { value: null })",
    "full": FULL,
}


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_storage_that_can_not_be_used(shop: Shop, runtime: str) -> None:
    for case, script in list(STORAGES.items())[: None if runtime == "micropython" else 1]:
        path = "/" + case.replace(" ", "-")
        if runtime == "micropython":
            shop.open(path, script, held(), LEAVING)
            shop.open("/bare", "localStorage.clear()")  # or a page takes it that is there for two seconds
        shop.open(f"{path}/live", script, working(runtime), "analytics.track('Own')", until=LIVE)
        shop.page.evaluate("() => { analytics.track('Live') }")
        shop.expect(*events("Own", "Live"))
        assert (case, shop.console.written) == (case, [])
        shop.fullstory.clear()


def test_a_sandboxed_frame(shop: Shop) -> None:
    shop.put("/frame", working(base="https://shop.example/fsbridge/"), "analytics.track('Early')")
    cors = {"Access-Control-Allow-Origin": "*"}
    shop.site.headers.update(cors)
    shop.open("/", "<iframe sandbox='allow-scripts' src='/frame'></iframe>")
    shop.expect(event("Early"))


# The interpreter fails to load

KEEPING = """
  window.settled = [];
  fsbridge.ready.catch((error) => settled.push(["ready", error instanceof Error]));
  analytics.track("Early", { n: 1 }).then(() => settled.push("Early"));
  analytics.identify("user-1", { plan: "premium" }).then(() => settled.push("identify"));
"""

FAILURES = {
    "offline": lambda route: route.abort("internetdisconnected"),
    "missing": lambda route: route.fulfill(status=404, body="Not found"),
    "no wasm": lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"),
    "no policy": None,
    "no memory": None,
}
"""What becomes of the .wasm's request. Pyodide is tried with two: its way out of all others is the same."""

NO_MEMORY = """
  for (const name of ["instantiate", "instantiateStreaming", "compile", "compileStreaming"]) {
    WebAssembly[name] = () => Promise.reject(new RangeError("WebAssembly.Memory(): could not allocate memory"));
  }
  WebAssembly.Memory = function () { throw new RangeError("WebAssembly.Memory(): could not allocate memory"); };
"""


@pytest.mark.parametrize(
    ("runtime", "failure"),
    [*(("micropython", failure) for failure in FAILURES), ("pyodide", "missing"), ("pyodide", "no policy")],
)
def test_an_interpreter_that_fails_to_load(shop: Shop, runtime: str, failure: Any) -> None:
    if FAILURES[failure]:
        shop.page.context.route("**/*.wasm", FAILURES[failure])
    policy = {"Content-Security-Policy": "script-src 'self' 'unsafe-inline'"} if failure == "no policy" else None
    spoilt = NO_MEMORY if failure == "no memory" else "// nothing"
    page = shop.open("/", spoilt, working(runtime), KEEPING, headers=policy, until="window.settled?.length === 3")
    assert page.evaluate("fsbridge.status") == "failed"
    page.evaluate("analytics.track('Late').then(() => settled.push('Late'))")
    assert page.evaluate("settled") == ["Early", "identify", ["ready", True], "Late"]
    if FAILURES[failure]:
        shop.page.context.unroute("**/*.wasm")
    shop.open("/next", working(), "analytics.track('Next')", until=LIVE)
    identity = FS.identify("user-1", {"plan": "premium"}, "segment")
    shop.expect(event("Early", {"n": 1}), identity, *events("Late", "Next"))


def test_a_wrong_setting_keeps_the_queue_within_its_bounds(shop: Shop) -> None:
    page = shop.open("/", broken(queue_calls="3"), "for (let n = 1; n < 4; n++) analytics.track(`Call ${n}`)")
    wait_until(page, "fsbridge.status === 'failed'")
    page.evaluate("analytics.track('Call 4').then(() => (window.settled = true))")
    wait_until(page, "window.settled")
    assert page.evaluate("fsbridge.dropped") == 1
    page = shop.open("/wrong", working(settings=[1]), until="window.fsbridge?.status === 'failed'")
    page = shop.open("/next", working(), until=LIVE)
    shop.expect(*events("Call 2", "Call 3", "Call 4"))
    assert page.evaluate("fsbridge.dropped") == 1


# Bounds


def test_the_oldest_calls_are_dropped_first_and_counted(shop: Shop) -> None:
    bounded = held(queue_calls="3", queue_bytes="3000")
    shop.open("/calls", bounded, "for (let n = 1; n <= 5; n++) analytics.track(`Call ${n}`)")
    assert shop.page.evaluate("fsbridge.dropped") == 2
    big = """
      analytics.track("Small");
      analytics.track("Too big", { text: "x".repeat(2000) });
      analytics.track("Big", { text: "x".repeat(900) });
    """
    shop.open("/bytes", bounded, big)
    shop.open("/next", working(), "analytics.track('Next')", until=LIVE)
    shop.fullstory.wait_for_event("Next")
    assert [each.name for each in shop.fullstory.events] == ["Small", "Big", "Next"]
    # Call 1 and 2 in memory; the rest of that page had no room left beside 2,300 bytes; one was larger than all of it.
    assert shop.page.evaluate("fsbridge.dropped") == 6
    shop.open("/later", working(), until=LIVE)
    assert shop.page.evaluate("fsbridge.dropped") == 0


def test_calls_become_too_old(shop: Shop) -> None:
    shop.open("/", held(), "analytics.track('Old')")
    shop.open("/bare")
    shop.page.evaluate("""() => {
      const [key] = Object.keys(localStorage).filter((key) => key.startsWith("fsbridge:left:"));
      const item = JSON.parse(localStorage.getItem(key));
      item[1][4].time -= 2 * 60 * 1000;
      localStorage.setItem(key, JSON.stringify(item));
    }""")
    shop.open("/held", held(), "analytics.track('New')")
    shop.open("/next", working(queue_minutes="1"), until=LIVE)
    shop.expect(event("New"))
    assert shop.page.evaluate("fsbridge.dropped") == 1
    assert shop.stored() == 0


def test_wrong_bounds_are_said_and_the_default_counts(shop: Shop) -> None:
    wrong = {"queue_calls": "many", "queue_bytes": "0", "queue_minutes": "-5"}
    shop.open("/", working(**wrong), "analytics.track('Early')", until=LIVE)
    assert shop.console.written == [
        '[fsbridge] data-queue-calls is "many"; accepted: a number greater than 0',
        '[fsbridge] data-queue-bytes is "0"; accepted: a number greater than 0',
        '[fsbridge] data-queue-minutes is "-5"; accepted: a number greater than 0',
    ]
    shop.expect(event("Early"))


def test_what_others_wrote_into_storage_harms_nothing(shop: Shop) -> None:
    shop.open("/", held(), "analytics.track('Early')")
    shop.open("/bare")
    shop.page.evaluate("""() => {
      const own = Object.keys(localStorage).find((key) => key.startsWith("fsbridge:left:"));
      const others = ["", "{", "null", "[]", "[0,5]", '[0,["a"]]', '[0,["a","call","track"]]'];
      others.push('[0,["a",1,2,3,{"time":1}]]');
      others.forEach((text, index) => localStorage.setItem(own + index, text));
    }""")
    shop.open("/held", held(), "analytics.track('Second')")
    shop.open("/next", working(), until=LIVE)
    shop.expect(*events("Early", "Second"))
    assert shop.stored() == 0


# Others who serve window.analytics


def test_the_tag_twice_also_in_another_version(shop: Shop) -> None:
    version = shop.site.get("/fsbridge/fsbridge.js").body.decode().replace('"0.1.0"', '"9.9.9"')
    shop.site.put("/fsbridge/other.js", version)
    other = working().replace("fsbridge.js", "other.js")
    page = shop.open("/", working(), "analytics.track('One')", other, working(), "analytics.track('Two')", until=LIVE)
    page.evaluate("() => { analytics.track('Three') }")
    shop.expect(*events("One", "Two", "Three"))
    assert ["twice" in text for text in shop.console.written] == [True, True]
    assert page.evaluate("fsbridge.version") != "9.9.9"


def test_connect_in_a_page_with_the_tag(shop: Shop) -> None:
    python = f"""
from fsbridge import connect
connect("segment-classic", org="{ORG}", expose=True).track("Python")
"""
    shop.site.put("/app.py", python)
    shop.open(
        "/",
        working(),
        "window.held = analytics; analytics.track('Early')",
        """<script type="module">
          import { loadPyodide } from "/fsbridge/pyodide/pyodide.js";
          await fsbridge.ready;
          const python = await loadPyodide({ indexURL: "/fsbridge/pyodide/" });
          python.unpackArchive(await (await fetch("/fsbridge/fsbridge.zip")).arrayBuffer(), "zip");
          python.runPython(await (await fetch("/app.py")).text());
          window.connected = true;
        </script>""",
        until="window.connected",
    )
    shop.page.evaluate("() => { analytics.track('JavaScript'); held.track('Held') }")
    shop.expect(*events("Early", "Python", "JavaScript", "Held"))
    wait_until(shop.page, "fsbridge.status === 'ready'")
    assert shop.page.evaluate("typeof fsbridge.dropped") == "number"


def test_window_analytics_replaced_after_the_tag(shop: Shop) -> None:
    page = shop.open(
        "/",
        working(),
        "analytics.track('One'); window.inner = analytics",
        "window.analytics = [['track', 'Buffered']]; window.held = analytics; held.push(['track', 'Pushed'])",
        "window.analytics = { track: (name) => inner.track(`Wrapped ${name}`) }; analytics.track('Two')",
        until=LIVE,
    )
    page.evaluate("""() => {
      analytics.track("Three");
      held.push(["track", "Held"]);
      window.analytics = [["track", "Late buffer"]];
      analytics.track("Four");
      window.analytics = undefined;
      window.analytics = "mine";
      inner.track("Inner");
      window.analytics = inner;
      analytics.track("Back");
    }""")
    names = ["Wrapped Two", "Wrapped Three", "Held", "Late buffer", "Wrapped Four", "Inner", "Back"]
    shop.expect(*events("One", "Buffered", "Pushed", *names))


# What Segment's own snippet does last: it asks for the SDK, and calls by itself.
BY_ITSELF = """
  var note = sdk.load;
  sdk.load = function (key, options) {
    var script = document.createElement("script");
    script.src = "/vendor.js?" + key;
    document.head.appendChild(script);
    note(key, options);
  };
  sdk.load("key");
  sdk.page("Snippet");
"""
LOADS_AND_TRACKS = "sdk.load('key', 'https://data.example'); sdk.track('Snippet');"


@pytest.mark.parametrize("order", ["before", "after"])
def test_vendors_snippets_that_load_and_call_by_themselves(shop: Shop, order: Any) -> None:
    shop.site.put("/vendor.js", "")
    settings = {"trackNamedPages": True, "trackPagesWithEvents": True}
    for destination, snippet, name in (
        ("segment-classic", SEGMENT_SNIPPET % BY_ITSELF, "analytics"),
        (
            "rudderstack",
            RUDDER_SNIPPET % "sdk.load('key', 'https://data.example'); sdk.track('Snippet');",
            "rudderanalytics",
        ),
    ):
        script = tag(destination, org=ORG, replace="", settings=settings if name == "analytics" else None)
        parts = [script, snippet] if order == "before" else [snippet, script]
        page = shop.open("/" + name, *parts, f"{name}.track('Early')", until=LIVE)
        page.evaluate(f"() => {{ {name}.track('Live') }}")
        shop.fullstory.wait_for_event("Live")
        by_itself = ["Viewed Snippet Page"] if name == "analytics" else ["Snippet"]
        assert [each.name for each in shop.fullstory.events] == [*by_itself, "Early", "Live"], name
        shop.fullstory.clear()
    assert shop.console.thrown == []


def test_a_script_of_the_page_may_still_wrap_a_method(shop: Shop) -> None:
    wrap = """
      window.analytics = window.analytics || [];
      const original = analytics.track;
      analytics.track = (name) => original(`Wrapped ${name}`);
    """
    page = shop.open("/", working(), wrap, "analytics.track('Early')", until=LIVE)
    page.evaluate("() => { analytics.track('Live') }")
    shop.expect(*events("Wrapped Early", "Wrapped Live"))
