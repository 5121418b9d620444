"""The playground: it says what ``fsbridge map`` says, where a mistake is, and what FullStory wouldn't take."""

import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tools import playground as building
from tools.serve import Site, address, server

from ..conformance.recordings import FOLDER
from ..conftest import once
from .shop import Console, wait_until
from .test_documentation_site import LOOK
from .visitor import Visitor

POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"

EXAMPLE = json.loads((Path(__file__).parents[2] / "docs/subscriptions.json").read_text())
SETTINGS: dict[str, Any] = {
    "segment-classic": {"org": "o-1ABC-na1", "trackNamedPages": True, "trackCategorizedPages": True},
    "segment-actions": {"orgId": "o-1ABC-na1", "subscriptions": EXAMPLE},
    "rudderstack": {
        "fs_org": "o-1ABC-na1",
        "eventFilteringOption": "blacklistedEvents",
        "blacklistedEvents": [{"eventName": "Order Completed"}],
    },
    "segment-cloud": {},
}


@pytest.fixture(scope="session")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the playground, built and served with a strict policy."""
    site = Site({"Content-Security-Policy": POLICY})
    site.mount("/", once(tmp_path_factory, "playground", building.build))
    running = server(site)
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield address(running)
    running.shutdown()
    running.server_close()


@pytest.fixture(scope="module")
def page(browser: Browser, playground: str) -> Iterator[Page]:
    """The playground, with a Python that all tests share, for its start takes longer than they do."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.goto(playground)
    settled(page)
    yield page
    context.close()


@pytest.fixture
def visit(page: Page) -> Iterator[Callable[..., None]]:
    """Follows a link with this ``fragment`` or state; at the end the page complained of nothing."""
    console = Console(page)

    def follow(fragment: str = "", **state: Any) -> None:
        wanted = fragment or link(**state)
        page.evaluate(
            "(wanted) => { document.querySelector('#results').ariaBusy = 'true'; location.hash = wanted; }", wanted
        )
        settled(page)

    yield follow
    assert console.thrown == []
    assert console.written == []


def link(**state: Any) -> str:
    written = {name: each if isinstance(each, str) else json.dumps(each) for name, each in state.items()}
    return "#" + "&".join(f"{name}={quote(each, safe='')}" for name, each in written.items())


def settled(page: Page) -> None:
    """Wait until Python has said what it says of what is there."""
    page.locator("#results[aria-busy=false]").wait_for(state="attached")


def write(page: Page, editor: str, text: str) -> None:
    """Have ``text`` in an editor, as somebody who pastes it."""
    page.locator(f"#{editor} .cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)


def results(page: Page) -> Locator:
    return page.locator("#results > li")


def problems(page: Page, editor: str) -> list[tuple[str, str]]:
    rows = page.locator(f"#{editor}-problems > li").all()
    return [(each.locator("button").text_content(), each.locator("span").text_content()) for each in rows]


def lines(page: Page) -> list[Any]:
    """What the JSON view shows."""
    return [json.loads(line) for line in page.locator("#json").text_content().splitlines()]


def mapped(messages: str, destination: str, settings: Any, folder: Path) -> tuple[str, str]:
    """What ``fsbridge map`` prints of these messages: calls, and what it says of the lines it can't use."""
    file = folder / "messages.jsonl"
    file.write_text(messages, encoding="utf-8")
    command = [sys.executable, "-m", "fsbridge", "map", "--destination", destination]
    done = subprocess.run(
        [*command, "--settings", json.dumps(settings), str(file)], capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout, done.stderr


def a_thousand() -> str:
    """Messages that the vendors' code was recorded with, and others like them, broken ones too; JSON Lines."""
    recorded = []
    for line in (FOLDER / "fullstory-cloud.jsonl").read_text(encoding="utf-8").splitlines():
        recording = json.loads(line)
        recorded += [each for each in [recording.get("event"), *(recording.get("events") or [])] if each]
    chance = random.Random(15)
    values: list[Any] = [1, 0, -1.5, 1e21, 12345678901234567890, True, None, "text", "", "ünïcode 🦊", [1, "a"], [{}]]
    values += [{"deep": {"er": [None]}}, "2024-03-05T10:00:00.000Z", "0x10", [], {}]
    names = ["order_id", "total", "a b", "Ä", "9lives", "list", "email", "name", "revenue", "__proto__", "1", "x-y"]

    def some() -> dict[str, Any]:
        return {chance.choice(names): chance.choice(values) for _ in range(chance.randrange(6))}

    made = []
    for number in range(600):
        kind = chance.choice(["track", "track", "identify", "page", "group", "screen", "alias"])
        message = {"type": kind, "userId": chance.choice(["u1", "", None, 7]), "anonymousId": "a1", "traits": some()}
        message |= {"event": chance.choice(["Order Completed", "Product Added", "", None, "x" * 300])}
        message |= {"properties": some(), "name": chance.choice(["Shop", "", None]), "messageId": str(number)}
        message |= {"category": chance.choice(["Boots", None])} if chance.random() < 0.5 else {}
        message |= {"integrations": {"All": False}} if chance.random() < 0.1 else {}
        made.append(message)
    # Half a character, which some hold, has no place in a file but as an escape.
    texts = [json.dumps(each, ensure_ascii="\\ud" in json.dumps(each)) for each in [*made, *recorded][:970]]
    texts += ["{", '{"type": "trak"}', "[1]", '{"type":"track"} x', "nonsense", '{"type": "track", "n": 1e999}'] * 5
    chance.shuffle(texts)
    assert len(texts) == 1000
    return "".join(f"{text}\n{chance.choice(['', '', ' '])}" for text in texts)


@pytest.mark.parametrize("destination", SETTINGS)
def test_a_thousand_messages_as_fsbridge_map(
    page: Page, visit: Callable[..., None], tmp_path: Path, destination: str
) -> None:
    messages, settings = a_thousand(), SETTINGS[destination]
    calls, complaints = mapped(messages, destination, settings, tmp_path)
    assert calls.count("\n") > 500
    visit(destination=destination, settings=settings, messages="")
    page.set_input_files("#file", tmp_path / "messages.jsonl")
    expect(results(page)).to_have_count(1000)
    with page.expect_download() as download:
        page.click("#download")
    assert Path(download.value.path()).read_text(encoding="utf-8") == calls
    assert page.locator("#json").text_content() == calls
    told = []
    for row in page.evaluate(
        "[...document.querySelectorAll('#results > li')].map((row) => [row.querySelector('.place').textContent,"
        "...[...row.querySelectorAll('.problem')].map((each) => each.textContent)])"
    ):
        told += [f"{row[0]}: {text}" for text in row[1:]]
    assert "\n".join(told) == "\n".join(complaints.rstrip().split("\n")[:-1])


@pytest.mark.parametrize("destination", SETTINGS)
def test_page_calls_go_through_the_vendors_api(page: Page, visit: Callable[..., None], destination: str) -> None:
    visit(destination=destination)
    expect(results(page)).to_have_count(3)
    made = [each["calls"] if "calls" in each else each["requests"] for each in lines(page)]
    pages = 0 if destination in ("segment-classic", "rudderstack", "segment-cloud") else 1
    if destination == "rudderstack":
        pages = len(made[1])
    assert [len(each) for each in made] == [1, pages, 1]
    assert "user-1001" in json.dumps(made[0])
    assert "149.5" in json.dumps(made[2])
    assert '"type": "track"' in results(page).nth(2).locator("details pre").text_content()


def test_what_page_calls_hold(page: Page, visit: Callable[..., None]) -> None:
    """Everything that a literal can be arrives as the value that it is."""
    written = """window.analytics.track(`Clicked`, {
      "a": -1, b: 1e3, c: [true, null, undefined], 'd': new Date("2024-03-05T10:00:00Z"), e: NaN, f: -Infinity, g: 12n,
      h: -0
    }) // and more
    analytics.track("Second")"""
    visit(destination="segment-classic", settings={"org": "o-1"}, messages=written)
    expect(results(page)).to_have_count(2)
    first, second = [each["calls"][0]["args"] for each in lines(page)]
    date, infinity = {"$date": "2024-03-05T10:00:00.000Z"}, {"$number": "-Infinity"}
    assert first[:2] == [
        "Clicked",
        {
            "a": -1,
            "b": 1000,
            "c": [True, None, {"$undefined": True}],
            "d": date,
            "e": {"$number": "NaN"},
            "f": infinity,
            "g": {"$bigint": "12"},
            "h": {"$number": "-0"},
        },
    ]
    assert second[0] == "Second"
    assert 'new Date("2024-03-05T10:00:00.000Z")' in results(page).first.text_content()


def test_no_code_is_run(page: Page, visit: Callable[..., None]) -> None:
    visit(
        messages='analytics.track("A", { x: alert(1) })\nlocation.reload()\nanalytics.track("B")\n'
        "analytics.ready(() => 1)"
    )
    assert [place for place, _ in problems(page, "messages")] == [
        "line 1, column 27",
        "line 2, column 1",
        "line 4, column 17",
    ]
    assert "a function would have to be run" in problems(page, "messages")[2][1]
    expect(results(page)).to_have_count(1)


@pytest.mark.parametrize(
    ("messages", "numbers"),
    [
        ('[\n  {"type": "track",\n   "event": "A"},\n  {"type": "track", "event": "B"}\n]', [2, 4]),
        ('{\n  "type": "track",\n  "event": "A"\n}\n\n{\n  "type": "track",\n  "event": "B, }"\n}\n', [1, 6]),
        ('{"type": "track", "event": "A"}\n\n{"type": "track", "event": "B"}', [1, 3]),
        ('[{"type": "track", "event": "A"}, {"type": "track", "event": "B"}]', [1, 1]),
    ],
)
def test_json_in_any_layout(page: Page, visit: Callable[..., None], messages: str, numbers: list[int]) -> None:
    visit(destination="segment-classic", messages=messages)
    assert [each["line"] for each in lines(page)] == numbers
    assert [each["calls"][0]["args"][0][0] for each in lines(page)] == ["A", "B"]


def test_mistakes_in_messages_are_shown_where_they_are(page: Page, visit: Callable[..., None]) -> None:
    visit(messages='{"type": "track", "event": "🦊"}\n{"type": "🦊🦊" x}\n{"event": "A",\n "type": "trak"}')
    assert problems(page, "messages")[0] == (
        "line 2, column 17",
        "invalid JSON: Expecting ',' delimiter at character 15",
    )
    visit(messages='[{"type": "track", "event": "A"},\n {"event": "A",\n  "type": "trak"}]')
    (place, text), *more = problems(page, "messages")
    assert (place, more) == ("line 3, column 11", [])
    assert text.startswith('not a message: its type is "trak"')
    page.click("#messages-problems button")
    assert page.evaluate("document.activeElement.id") == "messages"
    expect(page.locator("#messages .cm-lintRange-error")).to_have_count(1)


def subscription(**fields: Any) -> dict[str, Any]:
    usual = {"name": "One", "enabled": True, "subscribe": 'type = "track"', "partnerAction": "trackEventV2"}
    return {**usual, "mapping": {"name": {"@path": "$.event"}}, **fields}


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ('{\n "orgId": "o-1"\n "debug": true}', "line 3, column 2"),
        ('{\n "orgId": "o-1",\n "orgIdd": ""}', "line 3, column 2"),
        ({"orgId": "o-1", "subscriptions": [subscription(), subscription(partnerAction="trackEvnt")]}, '"trackEvnt"'),
        ({"orgId": "o-1", "subscriptions": [subscription(subscribe="contains(event")]}, '"contains(event"'),
        ({"orgId": "o-1", "subscriptions": [subscription(mapping={"name": {"@pth": "$.event"}})]}, '{"@pth"'),
        ([subscription(mapping={"name": "A", "properties": {"a": {"@path": 7}}})], "7}"),
        ({"data": {"subscriptions": [{**subscription(), "trigger": "contains(event"}]}}, '"contains(event"'),
    ],
)
def test_mistakes_in_settings_are_shown_where_they_are(
    page: Page, visit: Callable[..., None], given: Any, place: str
) -> None:
    """``place`` is said, or what is there in the one line of the settings."""
    text = given if isinstance(given, str) else json.dumps(given)
    visit(destination="segment-actions", settings=text)
    found = [at for at, _ in problems(page, "settings")]
    expected = place if place.startswith("line ") else f"line 1, column {text.index(place) + 1}"
    assert found == [expected]
    assert "problem" in page.locator("#status").text_content()


def test_a_mapping_that_fails_on_a_message_is_marked_on_both_sides(page: Page, visit: Callable[..., None]) -> None:
    settings = {"subscriptions": [subscription(mapping={"name": "A", "timestamp": {"@path": "$.properties"}})]}
    visit(
        destination="segment-cloud",
        settings=settings,
        messages='{"type": "track", "event": "A", "properties": {"a": 1}}',
    )
    assert len(problems(page, "messages")) == 1
    assert problems(page, "settings")[0][1].startswith("subscription 1 'One' failed")


@pytest.mark.parametrize("destination", SETTINGS)
def test_fullstorys_limits(page: Page, visit: Callable[..., None], destination: str) -> None:
    """Names, sizes and types that FullStory wouldn't take, at the property."""
    properties = {"good": 1, "list": [{"a": 1}], "long": "x" * 530_000}
    message = {"type": "track", "event": "E" * 251, "properties": properties, "userId": "u"}
    settings = SETTINGS[destination] if destination != "segment-actions" else {"orgId": "o-1"}
    visit(destination=destination, settings=settings, messages="")
    write(page, "messages", json.dumps(message))
    warnings = page.locator("#messages-problems > li.warning")
    expect(warnings).to_have_count(3)
    said = " ".join(warnings.all_text_contents())
    assert "251 characters" in said
    assert '"list' in said
    assert "more than 512 KB" in said
    assert any(
        f"column {json.dumps(message).index(chr(34) + 'list') + 1}" in at for at, _ in problems(page, "messages")
    )


def test_the_link_holds_all_and_nothing_leaves_the_page(
    page: Page, visit: Callable[..., None], playground: str
) -> None:
    visit(destination="rudderstack")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    write(page, "messages", 'rudderanalytics.track("Ä & =#%", { a: "🦊" })')
    expect(page.locator("#results .about")).to_have_text(["rudderanalytics.track Ä & =#%"])
    page.select_option("[name=destination]", "segment-classic")
    write(page, "settings", '{"org": "o-7"}')
    expect(page.locator("#results pre.call")).to_contain_text(['"segment"'])
    page.wait_for_timeout(500)  # for what would come late
    assert asked == []
    held = page.url
    assert len(held) < 1000
    page.reload()
    settled(page)
    assert page.url == held
    assert page.input_value("[name=destination]") == "segment-classic"
    assert page.input_value("[name=source]") == "rudderanalytics"
    assert '"o-7"' in page.locator("#settings .cm-content").text_content()
    expect(page.locator("#results .about")).to_have_text(["rudderanalytics.track Ä & =#%"])


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("#destination=segment-clasic", "segment-clasic"),
        ("#source=analytics", "known are analytics.js, rudderanalytics"),
        ("#messages=%E4", "cut off or damaged"),
        ("#settings=%7", "cut off or damaged"),
        ("#what", "what"),
        ("#messages=" + "x" * 50_001, "accepted are 50,000"),
    ],
)
def test_a_malformed_link(page: Page, visit: Callable[..., None], fragment: str, said: str) -> None:
    visit(fragment)
    expect(page.locator("#complaint")).to_contain_text(said)
    expect(results(page)).to_have_count(3)


def test_a_link_is_bounded(page: Page, visit: Callable[..., None]) -> None:
    visit()
    write(page, "messages", '{"type": "track", "event": "A"}\n' * 2000)
    expect(results(page)).to_have_count(1001)
    assert "#" not in page.url
    expect(page.locator("#copy")).to_be_disabled()


def completions(page: Page, editor: str, before: str, after: str = "") -> list[str]:
    """What is offered at the cursor between these texts."""
    write(page, editor, before + after)
    for _ in after:
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Control+Space")
    options = page.locator(f"#{editor} .cm-completionLabel")
    options.first.wait_for()
    offered = options.all_text_contents()
    page.keyboard.press("Escape")
    return offered


def test_completion(page: Page, visit: Callable[..., None]) -> None:
    visit(destination="segment-actions", messages='{"type": "track", "properties": {"total": 1}}')

    def offered(before: str, after: str) -> list[str]:
        return completions(page, "settings", before, after)

    in_one = '{"subscriptions": [{'
    assert {"orgId", "subscriptions", "devMode"} <= set(offered('{"', '"}'))
    assert {"subscribe", "partnerAction", "mapping"} <= set(offered(in_one + '"', '"}]}'))
    assert "trackEventV2" in offered(in_one + '"partnerAction": "', '"}]}')
    assert {"pageName", "traits", "@path", "@if"} <= set(offered(in_one + '"mapping": {"', '"}}]}'))
    assert {"@path", "@template", "@arrayPath"} <= set(offered(in_one + '"mapping": {"name": {"', '"}}}]}'))
    assert {"exists", "then", "else"} <= set(offered(in_one + '"mapping": {"name": {"@if": {"', '"}}}}]}'))
    assert {"$.event", "$.properties.total"} <= set(offered(in_one + '"mapping": {"name": {"@path": "', '"}}}]}'))
    assert {"type", "event", "properties.total", "contains"} <= set(offered(in_one + '"subscribe": "', '"}]}'))
    assert {"track", "identify", "page"} <= set(completions(page, "messages", "analytics."))


def test_a_completion_is_put_in(page: Page, visit: Callable[..., None]) -> None:
    visit(destination="segment-actions", messages='{"type": "track", "event": "A"}')
    completions(page, "settings", '{"orgId": "o-1", "subscriptions": [{"partnerAction": "trackEventV', '"}]}')
    page.keyboard.press("Control+Space")
    page.locator("#settings .cm-completionLabel", has_text="trackEventV2").click()
    expect(page.locator("#settings .cm-content")).to_contain_text('"partnerAction": "trackEventV2"}]}')


def test_the_presets_can_be_written_out(page: Page, visit: Callable[..., None]) -> None:
    for destination in ("segment-actions", "segment-cloud"):
        visit(destination=destination)
        before = [each.get("calls") or each.get("requests") for each in lines(page)]
        page.click("#presets")
        settled(page)
        expect(page.locator("#settings .cm-content")).to_contain_text("subscriptions")
        assert len([each.get("calls") or each.get("requests") for each in lines(page)]) == len(before)
        assert problems(page, "settings") == []


def test_another_destination_brings_its_own_example(page: Page, visit: Callable[..., None]) -> None:
    visit(destination="segment-classic")
    page.select_option("[name=destination]", "rudderstack")
    expect(page.locator("#results .about").first).to_have_text("rudderanalytics.identify user-1001")
    assert problems(page, "settings") == []


def test_by_keyboard(page: Page, visit: Callable[..., None]) -> None:
    """Tab goes through all, and out of the editors again."""
    page.reload()
    settled(page)
    visit()
    seen = []
    for _ in range(16):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "document.activeElement.id || document.activeElement.name || document.activeElement.className"
            )
        )
    wanted = ["destination", "source", "copy", "example", "open", "messages", "presets", "settings", "view", "download"]
    assert [each for each in seen if each in wanted] == wanted


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_for_everybody(browser: Browser, playground: str, axe: str, scheme: Any, width: int) -> None:
    """axe finds nothing, and nothing is wider than the window."""
    viewport: Any = {"width": width, "height": 3000}
    context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    wrong = '{"type": "track", "event": "A", "properties": {"a b": 1}}\n{"type": "track" x'
    for state in ({}, {"messages": wrong}, {"settings": "{"}, {"destination": "segment-cloud"}):
        page.goto("about:blank")
        page.goto(playground + link(**state))
        settled(page)
        for details in page.locator("#results summary").all():
            details.click()
        page.evaluate(axe)
        assert page.evaluate(LOOK) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.check("[value=json]")
    assert page.evaluate(LOOK) == []
    page.goto(playground + "#what")
    settled(page)
    page.evaluate("window.axe") or page.evaluate(axe)
    assert page.evaluate(LOOK) == []
    context.close()


def test_in_each_browser(visitor: Visitor, playground: str) -> None:
    visitor.tab.goto(playground + link(destination="segment-classic", messages='{"type": "track", "event": "A"}'))
    wait_until(visitor.tab, "document.querySelectorAll('#results pre.call').length === 1")
    shown = visitor.tab.evaluate("document.querySelector('#json').textContent")
    assert json.loads(shown) == {"line": 1, "calls": [{"call": "FS.event", "args": ["A", {}, "segment"]}]}
    visitor.tab.goto(playground)
    wait_until(visitor.tab, "document.querySelectorAll('#results > li').length === 3")


def test_a_python_that_cannot_start_is_said(browser: Browser, playground: str) -> None:
    page = browser.new_page()
    page.route("**/playground.zip", lambda route: route.abort())
    page.goto(playground)
    expect(page.locator("#status")).to_contain_text("Python could not start")
    page.close()


def test_the_shop_links_to_it(browser: Browser, shop: str) -> None:
    """Each call in its panel, with the settings of that page."""
    page = browser.new_page()
    page.goto(f"{shop}?destination=segment-classic&trackNamedPages=true")
    page.locator("#status[data-status=ready]").wait_for()
    page.click("#calls > li:last-child > details > summary")
    page.click("#calls > li:last-child .why")
    page.wait_for_url("**/playground/**")
    settled(page)
    expect(page.locator("#results .about")).to_have_count(1)
    assert "trackNamedPages" in page.locator("#settings .cm-content").text_content()
    assert problems(page, "settings") == []
    assert problems(page, "messages") == []
    page.close()
