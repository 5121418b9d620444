"""FullStory's own options on a page: the tag does with them what FullStory's own SDK does, and finds it by its name."""

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from fsbridge.testing import FullStory
from tests.conftest import PATIENCE
from tests.e2e.conftest import ShopSite

from .beside import Vendors, modules, segment_snippet
from .shop import ORG, Console, html_page, tag, wait_for, wait_until

RUNTIMES = pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
READY = "fsbridge.status === 'ready'"
DESTINATIONS = {"segment-classic": "org", "segment-actions": "orgId", "rudderstack": "fs_org"}
ELSEWHERE = {"namespace": "FSX", "script": "cdn.elsewhere.example/s/fs.js", "host": "fs.elsewhere.example"}


@pytest.fixture
def fullstory(context: BrowserContext, site: ShopSite) -> FullStory:
    """One that is found elsewhere, too."""
    fullstory = FullStory(scripts=["https://cdn.elsewhere.example/**"], timeout=PATIENCE)
    fullstory.attach(context)
    return fullstory


@pytest.fixture
def asked(page: Page) -> Any:
    """The addresses that were asked for fs.js."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if "/s/fs" in request.url else None)
    return found


def sdk(site: ShopSite, options: Any, then: str) -> str:
    """A page with FullStory's own SDK, from npm."""
    for name in ("browser", "snippet"):
        file = modules() / "@fullstory" / name / "dist/index.esm.js"
        site.put(f"/sdk/{name}.js", file.read_text("utf-8"), {"Content-Type": "text/javascript"})
    imports = {"imports": {f"@fullstory/{name}": f"/sdk/{name}.js" for name in ("browser", "snippet")}}
    module = f"import {{ init, FullStory as FS }} from '@fullstory/browser'; init({json.dumps(options)}); {then}"
    parts = [f'<script type="importmap">{json.dumps(imports)}</script>', f'<script type="module">{module}</script>']
    return html_page(*parts)


def told(fullstory: FullStory) -> Any:
    """What FullStory was told, but for the calls of the page."""
    return [
        (each.operation, each.options, each.namespace, each.org)
        for each in fullstory.operations
        if str(each.operation) in ("init", "shutdown", "start") or "Dev Mode" in str(each.options)
    ]


OPTIONS: list[dict[str, Any]] = [
    {},
    ELSEWHERE,
    {"devMode": True},
    {"startCaptureManually": True, "namespace": "FSX"},
    {"cookieDomain": "shop.example", "assetMapId": "map-1", "appHost": "app.example", "sessionUid": "s-1"},
    {"recordCrossDomainIFrames": True, "recordOnlyThisIFrame": True},
    {"debug": True},
    {"debug": True, "script": "cdn.elsewhere.example/s/fs.js"},
]


PLAYS = [
    (destination, options, runtime)
    for runtime, every in (("micropython", 1), ("pyodide", 4))
    for destination in DESTINATIONS
    for options in OPTIONS[::every]
    if destination != "segment-classic" or "debug" not in options  # the vendor's own, which is another
]


@pytest.mark.parametrize(("destination", "options", "runtime"), PLAYS)
def test_the_tag_tells_fullstory_what_its_own_sdk_does(
    page: Page, site: ShopSite, fullstory: FullStory, asked: list[str], destination: str, options: Any, runtime: str
) -> None:
    start = "FS('start');" if "startCaptureManually" in options else ""
    name = options.get("namespace", "FS")
    page.goto(site.page("/sdk", sdk(site, {"orgId": ORG, **options}, start)))
    wait_until(page, f"Boolean(window.{name}?._api)")
    expected, addresses = told(fullstory), list(asked)
    fullstory.clear()
    asked.clear()
    api = "rudderanalytics" if destination == "rudderstack" else "analytics"
    load = "rudderanalytics.load('key', 'https://data.example');" if destination == "rudderstack" else ""
    ours = tag(destination, {DESTINATIONS[destination]: ORG, **options}, runtime=runtime)
    page.goto(site.page("/ours", html_page(ours, f"{load} {api}.track('E')")))
    wait_until(page, READY)
    if start:
        page.evaluate("() => { FSX('start') }")
    assert told(fullstory) == expected
    assert sorted(set(asked)) == sorted(set(addresses))
    dev = ["FullStory Dev Mode"] if "devMode" in options else []
    calls = [] if dev and destination != "segment-actions" else ["E"]
    assert [each.name for each in fullstory.events] == dev + calls


@RUNTIMES
@pytest.mark.parametrize("destination", DESTINATIONS)
def test_as_attributes(
    page: Page, site: ShopSite, fullstory: FullStory, asked: list[str], destination: str, runtime: str
) -> None:
    """All that is FullStory's goes by the name, and what is asked for early is what is used."""
    console = Console(page)
    ours = tag(destination, org=ORG, runtime=runtime, start_capture_manually="true", **ELSEWHERE)
    api = "rudderanalytics" if destination == "rudderstack" else "analytics"
    load = "rudderanalytics.load('key', 'https://data.example');" if destination == "rudderstack" else ""
    page.goto(site.page("/", html_page("window.FS = 'mine'", ours, f"{load} {api}.identify('u1'); {api}.track('E')")))
    fullstory.wait_for_event("E")
    wait_until(page, READY)
    page.evaluate(f"() => {{ {api}.track('Live'); FSX('start') }}")
    fullstory.wait_for_event("Live")
    assert {each.namespace for each in fullstory.operations} == {"FSX"}
    assert fullstory.operations[-1].operation == "start"
    assert page.evaluate("FS") == "mine"
    assert asked == [f"https://cdn.elsewhere.example/s/fs.js?org={ORG}"]
    assert console.thrown == console.written == []


@RUNTIMES
def test_consent_session_and_report_go_by_the_namespace(
    page: Page, site: ShopSite, fullstory: FullStory, runtime: str
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(site.page("/", html_page(tag(org=ORG, runtime=runtime, **ELSEWHERE), "analytics.track('E')")))
    fullstory.wait_for_event("E")
    page.evaluate("() => { fsbridge.report(); fsbridge.consent(false); fsbridge.consent(true); }")
    wait_until(page, READY)
    fullstory.wait_for_event("E")
    assert f"https://app.fullstory.com/ui/{ORG}/session/" in "".join(said)
    stopped = [(each.operation, each.namespace) for each in fullstory.operations if "s" in each.operation[:8]]
    assert [each for each in stopped if each[0] in ("shutdown", "restart")] == [("shutdown", "FSX"), ("restart", "FSX")]


@RUNTIMES
def test_a_no_while_the_namespaces_fs_js_is_on_its_way(
    page: Page, site: ShopSite, fullstory: FullStory, runtime: str
) -> None:
    with fullstory.delayed():
        page.goto(site.page("/", html_page(tag(org=ORG, runtime=runtime, **ELSEWHERE), "analytics.track('E')")))
        wait_until(page, "fsbridge.status === 'queueing' && FSX.q.some(([name]) => name === 'trackEvent')")
        page.evaluate("() => fsbridge.consent(false)")
        assert page.evaluate("FSX.q.map(([name]) => name).filter((name) => name !== 'init')") == ["shutdown"]
    wait_until(page, "Boolean(FSX._api)")
    assert fullstory.events == []


@RUNTIMES
def test_what_waits_for_the_namespaces_fs_js_is_carried_to_the_next_page(
    page: Page, site: ShopSite, fullstory: FullStory, runtime: str
) -> None:
    ours = tag(org=ORG, runtime=runtime, **ELSEWHERE)
    with fullstory.delayed():
        page.goto(site.page("/", html_page("window.FS = { q: [] }", ours, "analytics.track('Left')")))
        wait_until(page, "fsbridge.status === 'queueing' && FSX.q.some(([name]) => name === 'trackEvent')")
        page.goto(site.page("/bare", html_page("<p>bare")))
    page.goto(site.page("/next", html_page(ours, "analytics.track('Next')")))
    fullstory.wait_for_event("Next")
    assert [each.name for each in fullstory.events] == ["Left", "Next"]


@RUNTIMES
@pytest.mark.parametrize("when_doubled", ["send", None])
def test_beside_an_sdk(
    page: Page, site: ShopSite, fullstory: FullStory, asked: list[str], when_doubled: str | None, runtime: str
) -> None:
    vendors = Vendors(page)
    ours = tag(org=ORG, runtime=runtime, session_url="", when_doubled=when_doubled, **ELSEWHERE)
    page.goto(site.page("/", html_page(ours, segment_snippet() + "analytics.track('E')")))
    fullstory.wait_for_event("E")
    wait_until(page, READY)
    page.wait_for_timeout(200)
    page.evaluate("() => { analytics.track('Late') }")
    fullstory.wait_for_event("Late")
    wait_for(page, lambda: vendors.names() == ["E", "Late"])
    assert vendors.got[-1]["context"]["fullstory"]["sessionUrl"] == page.evaluate("FSX('getSession')")
    assert {each.namespace for each in fullstory.operations} == {"FSX"}
    assert asked == [f"https://cdn.elsewhere.example/s/fs.js?org={ORG}"]


def test_a_wrong_value_counts_as_left_out_and_is_said(page: Page, site: ShopSite, fullstory: FullStory) -> None:
    console = Console(page)
    ours = tag(org=ORG, settings={"namespace": 5, "cookieDomain": ["a"]}, dev_mode="maybe")
    page.goto(site.page("/", html_page(ours, "analytics.track('E')")))
    fullstory.wait_for_event("E")
    assert [line.split("segment-classic: ")[1] for line in console.written] == [
        "setting 'devMode' is 'maybe'; accepted: true or false. It counts as left out.",
        "setting 'namespace' is 5 (int); accepted: text. It counts as left out.",
        "setting 'cookieDomain' is [\"a\"] (array); accepted: text. It counts as left out.",
    ]


def test_an_sdks_page_in_python(page: Page, site: ShopSite, fullstory: FullStory) -> None:
    given = f"org='{ORG}', namespace='FSX', devMode=True, script='cdn.elsewhere.example/s/fs.js'"
    program = f"from fsbridge import connect; connect('segment-classic', {given}).track('E')"
    files = {"/fsbridge/fsbridge.zip": "./*"}
    config = json.dumps({"interpreter": "/fsbridge/micropython/micropython.js", "files": files})
    core = '<script type="module" src="/pyscript/core.js"></script>'
    page.goto(site.page("/", html_page(core, f"<script type='mpy' config='{config}'>{program}</script>")))
    wait_until(page, "Boolean(window.FSX?._api)")
    assert [(each.operation, each.namespace) for each in fullstory.operations] == [
        ("init", "FSX"),
        ("init", "FSX"),
        ("trackEvent", "FSX"),
        ("shutdown", "FSX"),
    ]
