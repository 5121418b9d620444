"""MicroPython in two parts: when the second comes, what is needed earlier, and what bad files do."""

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page

from fsbridge.build import INTERPRETERS, stamp, web_sources
from fsbridge.build.node import find_node
from fsbridge.testing import FullStory
from tests.e2e.conftest import ShopSite
from tools import npm

from .shop import ORG, Console, html_page, tag, wait_for, wait_until

Halves = Callable[[str], dict[str, bytes]]
"""What makes the two parts of the interpreter with these functions, a list as JavaScript, in the first."""

FOLDER = "/fsbridge/fsbridge/"
SNAPSHOT, SECOND_SNAPSHOT = "segment-actions.snapshot", "segment-actions.second.snapshot"
FIRST_PARTS = ("first.wasm", SNAPSHOT)
SECOND_PARTS = ("second.wasm", SECOND_SNAPSHOT)
QUEUED = "analytics.track('Queued', { n: 1 })"
SHOP = html_page(tag(org=ORG, destination="segment-actions"), QUEUED)

LINK = '<a id="link" href="#there">There</a>'
EARLY = html_page(
    tag(org=ORG, destination="segment-actions"),
    LINK,
    "analytics.trackLink(document.getElementById('link'), 'Followed')",
    QUEUED,
)
"""A page whose first calls need a module that they hardly ever need."""

# The interpreter split otherwise: with none of its functions in the first part, whatever runs needs the second.
SPLIT = """
import {{ readFile, writeFile }} from "node:fs/promises";
import {{ divide }} from "{web}/interpreter/profile.mjs";
import {{ split }} from "{web}/interpreter/split.mjs";
const bytes = await readFile("{program}");
const {{ cold }} = await divide(bytes);
const {{ first, second }} = split(bytes, new Set({hot}), cold);
await writeFile("{out}/first.wasm", first);
await writeFile("{out}/second.wasm", second);
"""


@pytest.fixture(scope="session")
def halves(tmp_path_factory: pytest.TempPathFactory, web: Path) -> Halves:
    """``halves(hot)``: the two parts with these functions in the first."""
    build = stamp.read((web / "fsbridge/first.wasm").read_bytes())

    def made(hot: str) -> dict[str, bytes]:
        out = tmp_path_factory.mktemp("parts")
        program = npm.provision() / INTERPRETERS["micropython"][0] / "micropython.wasm"
        script = SPLIT.format(web=web_sources().as_posix(), program=program.as_posix(), hot=hot, out=out.as_posix())
        run = [find_node(), "--input-type=module", "--eval", script]
        subprocess.run(run, check=True, timeout=120)
        return {name: stamp.mark(name, (out / name).read_bytes(), build) for name in ("first.wasm", "second.wasm")}

    return made


def serve(site: ShopSite, name: str, content: bytes, type_: str = "application/wasm") -> None:
    site.put(FOLDER + name, content, {"Content-Type": type_})


def take_away(page: Page, names: Sequence[str]) -> None:
    for name in names:
        page.route(f"**{FOLDER}{name}", lambda route: route.abort())


def requested(page: Page) -> list[str]:
    """The names of the files that the page asks for, in order."""
    names = []
    page.on("request", lambda request: names.append(request.url.rpartition("/")[2].partition("?")[0]))
    return names


def wait_for_resources(page: Page, *names: str) -> None:
    entries = "performance.getEntriesByType('resource').map(({ name }) => name.split('/').at(-1))"
    wait_until(page, f"{json.dumps(names)}.every((name) => {entries}.includes(name))")


def test_the_second_parts_come_after_the_first_call(page: Page, site: ShopSite, fullstory: FullStory) -> None:
    console = Console(page)
    names = requested(page)
    page.goto(site.page("/", SHOP))
    fullstory.wait_for_event("Queued")
    wait_for_resources(page, *SECOND_PARTS)
    for name in SECOND_PARTS:
        assert names.index("fs.js") < names.index(name)
    page.evaluate("analytics.track('Later')")
    fullstory.wait_for_event("Later")
    assert [names.count(name) for name in SECOND_PARTS] == [1, 1]
    assert console.thrown == console.written == []


def test_a_page_without_the_second_parts_goes_on_as_long_as_it_needs_none_of_them(
    page: Page, site: ShopSite, fullstory: FullStory
) -> None:
    console = Console(page)
    failed = []
    page.on("requestfailed", lambda request: failed.append(request.url.rpartition("/")[2]))
    take_away(page, SECOND_PARTS)
    page.goto(site.page("/", SHOP))
    fullstory.wait_for_event("Queued")
    wait_for(page, lambda: len(failed) == len(SECOND_PARTS))
    assert sorted(failed) == sorted(SECOND_PARTS)
    page.evaluate("analytics.identify('u1', { plan: 'free' })")
    assert fullstory.wait_for_identity("u1") == "u1"
    assert page.evaluate("fsbridge.status") == "ready"
    assert console.thrown == []


def test_functions_that_are_needed_early_are_there_at_once(
    page: Page, site: ShopSite, fullstory: FullStory, halves: Halves
) -> None:
    console = Console(page)
    for name, content in halves("[]").items():
        serve(site, name, content)
    names = requested(page)
    page.goto(site.page("/", SHOP))
    assert fullstory.wait_for_event("Queued").properties == {"n": 1}
    assert page.evaluate("fsbridge.status") == "ready"
    assert [names.count(name) for name in SECOND_PARTS] == [1, 1]
    assert console.thrown == console.written == []


def test_a_module_that_is_needed_early_is_there_at_once(page: Page, site: ShopSite, fullstory: FullStory) -> None:
    console = Console(page)
    names = requested(page)
    page.goto(site.page("/", html_page(tag(org=ORG, destination="segment-actions", diagnostics="true"), QUEUED)))
    fullstory.wait_for_event("Queued")
    wait_for_resources(page, *SECOND_PARTS)
    page.evaluate("analytics.track('Later')")
    fullstory.wait_for_event("Later")
    assert [names.count(name) for name in SECOND_PARTS] == [1, 1]
    assert console.thrown == console.written == []


def test_a_page_that_will_need_more_waits_for_it_and_the_browser_does_not(
    page: Page, site: ShopSite, fullstory: FullStory
) -> None:
    page.add_init_script("XMLHttpRequest = class { constructor() { throw new Error('synchronous'); } };")
    console = Console(page)
    names = requested(page)
    page.goto(site.page("/", EARLY))
    fullstory.wait_for_event("Queued")
    page.click("#link")
    fullstory.wait_for_event("Followed")
    assert [names.count(name) for name in SECOND_PARTS] == [1, 1]
    assert console.thrown == console.written == []


@pytest.mark.parametrize("destination", ["segment-classic", "segment-actions", "rudderstack"])
def test_what_earlier_pages_left_behind_needs_no_second_part(
    page: Page, site: ShopSite, fullstory: FullStory, destination: str
) -> None:
    api = "rudderanalytics" if destination == "rudderstack" else "analytics"
    page.add_init_script("XMLHttpRequest = class { constructor() { throw new Error('synchronous'); } };")
    console = Console(page)
    with_tag = tag(destination, org=ORG)
    page.route("https://edge.fullstory.com/**", lambda route: None)  # FullStory's queue keeps the operations
    page.goto(site.page("/", html_page(with_tag, f"{api}.track('Operation')")), wait_until="commit")
    wait_until(page, "!!window.FS && FS.q && FS.q.some(([name]) => name === 'trackEvent')")
    nowhere = with_tag.replace(" data-", ' data-base="/nowhere/" data-', 1)
    page.goto(site.page("/failed", html_page(nowhere, f"{api}.track('Call')")))
    wait_until(page, "fsbridge.status === 'failed'")
    page.unroute("https://edge.fullstory.com/**")
    page.goto(site.page("/next", html_page(with_tag, f"{api}.track('Next')")))
    fullstory.wait_for_event("Next")
    assert [event.name for event in fullstory.events] == ["Operation", "Call", "Next"]
    assert not [text for text in console.written if "synchronous" in text]
    assert console.thrown == []


def test_a_module_that_is_needed_later_is_there_without_asking_again(
    page: Page, site: ShopSite, fullstory: FullStory
) -> None:
    console = Console(page)
    names = requested(page)
    page.goto(
        site.page("/", html_page(tag(org=ORG, destination="segment-actions"), QUEUED, '<a id="link" href="#a">A</a>'))
    )
    fullstory.wait_for_event("Queued")
    wait_for_resources(page, *SECOND_PARTS)
    page.evaluate("analytics.trackLink(document.getElementById('link'), 'Followed')")
    page.click("#link")
    fullstory.wait_for_event("Followed")
    assert [names.count(name) for name in SECOND_PARTS] == [1, 1]
    assert console.thrown == console.written == []


@pytest.mark.parametrize("missing", SECOND_PARTS)
@pytest.mark.parametrize("needed", ["functions", "a module"])
def test_what_is_needed_and_cannot_be_had_ends_it_and_keeps_the_calls(
    page: Page, site: ShopSite, web: Path, fullstory: FullStory, halves: Halves, missing: str, needed: str
) -> None:
    console = Console(page)
    if needed == "functions":
        hot = json.loads((web_sources() / "interpreter/profile.json").read_text(encoding="utf-8"))["ran"]
        serve(site, "first.wasm", halves(str(hot[: len(hot) // 2]))["first.wasm"])
    take_away(page, [missing])
    page.goto(site.page("/", SHOP if needed == "functions" else EARLY))
    wait_until(page, "fsbridge.status === 'failed'")
    page.evaluate("analytics.track('After')")
    assert fullstory.calls == []
    assert any(missing in text for text in console.written)
    assert console.thrown == []

    whole = html_page(tag(org=ORG, destination="segment-actions", base="/whole/"))
    site.mount("/whole/", web)
    page.unroute_all(behavior="ignoreErrors")
    page.goto(site.page("/next", whole))
    fullstory.wait_for_event("After")
    assert [event.name for event in fullstory.events] == ["Queued", "After"]


def other_build(name: str, content: bytes) -> bytes:
    """The file as another build would have it."""
    return content[:-12] + b"0" * 8 + content[-4:] if name.endswith(".wasm") else b"0" * 8 + content[8:]


def flipped(part: float) -> Callable[[str, bytes], bytes]:
    """With one bit changed, at this part of the file."""

    def flip(name: str, content: bytes) -> bytes:
        at = int(len(content) * part)
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    return flip


FAULTS: dict[str, Callable[[str, bytes], bytes]] = {
    "missing": lambda name, content: b"",
    "truncated": lambda name, content: content[: len(content) * 2 // 3],
    "HTML": lambda name, content: b"<!doctype html><title>Welcome</title>",
    "of another build": other_build,
    **{f"damaged at {part}": flipped(part) for part in (0.2, 0.5, 0.9)},
    "text": lambda name, content: b"Not found",
    "empty": lambda name, content: b"",
}
SAID = {
    ("wasm", "missing"): "404",
    ("wasm", "truncated"): r"WebAssembly|Wasm",
    **{("wasm", f"damaged at {part}"): r"it is damaged$|WebAssembly|Wasm" for part in (0.2, 0.5, 0.9)},
    ("wasm", "HTML"): r"text/html",
    ("wasm", "of another build"): "it is of another build than micropython.js",
    ("wasm", "text"): r"WebAssembly|Wasm",
    ("wasm", "empty"): r"WebAssembly|Wasm",
    ("snapshot", "missing"): "404",
    ("snapshot", "truncated"): r"it is damaged, it has \d+ bytes of \d+",
    ("snapshot", "HTML"): "text/html",
    ("snapshot", "text"): 'it is no snapshot, it begins with "Not foun"',
    ("snapshot", "of another build"): "it is of another build than micropython.js",
    **{("snapshot", f"damaged at {part}"): "it is damaged$" for part in (0.2, 0.5, 0.9)},
    ("snapshot", "empty"): "it is no snapshot",
    ("js", "truncated"): "Unexpected end of input|Invalid or unexpected token|missing|is not defined|it is damaged",
    ("js", "missing"): "dynamically imported module",
    **{("js", f"damaged at {part}"): r"it is damaged$|\w" for part in (0.2, 0.5, 0.9)},
    ("js", "HTML"): "dynamically imported module",
    ("js", "text"): "Unexpected identifier",
    ("js", "empty"): "not fsbridge's",
}
BAD = [
    (name, fault)
    for name in (*FIRST_PARTS, *SECOND_PARTS, "micropython.js")
    for fault in FAULTS
    if (name.rpartition(".")[2], fault) in SAID
]


@pytest.mark.parametrize(("name", "fault"), BAD)
def test_a_bad_file_is_named_with_what_is_wrong(
    page: Page, site: ShopSite, web: Path, fullstory: FullStory, name: str, fault: str
) -> None:
    console = Console(page)
    content = FAULTS[fault](name, (web / "fsbridge" / name).read_bytes())
    kind = name.rpartition(".")[2]
    types = {"wasm": "application/wasm", "js": "text/javascript", "snapshot": "application/octet-stream"}
    if fault != "missing":
        serve(site, name, content, "text/html" if fault == "HTML" else types[kind])
    else:
        page.route(f"**{FOLDER}{name}", lambda route: route.fulfill(status=404, body="Not found"))
    page.goto(site.page("/", EARLY if name in SECOND_PARTS else SHOP))
    wait_until(page, "fsbridge.status === 'failed'")
    message = page.evaluate("fsbridge.ready.catch((error) => error.message)") or ""
    said = [text for text in console.written if text.startswith("[fsbridge]")]
    if name not in SECOND_PARTS:  # then it was ready before
        assert message in said[0]
    assert re.search(rf"/{re.escape(name)}: .*({SAID[kind, fault]})", said[0])
    assert console.thrown == []
    assert fullstory.calls == []

    site.mount("/whole/", web)
    page.unroute_all(behavior="ignoreErrors")
    page.goto(site.page("/next", html_page(tag(org=ORG, destination="segment-actions", base="/whole/"))))
    fullstory.wait_for_event("Queued")
