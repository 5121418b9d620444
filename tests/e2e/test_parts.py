"""MicroPython in two parts: when the second comes, what happens when it is needed earlier, and when it can't be had."""

import json
import subprocess

import pytest

from fsbridge.build import INTERPRETERS, web_sources
from fsbridge.build.node import find_node
from fsbridge.testing import FS
from tools import npm

from .shop import ORG, Console, html_page, tag, wait_until

FIRST = "/fsbridge/fsbridge/first.wasm"
SECOND = "/fsbridge/fsbridge/second.wasm"
SHOP = html_page(tag(org=ORG, destination="segment-actions"), "analytics.track('Queued', { n: 1 })")

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
def halves(tmp_path_factory):
    """``halves(hot)``: the two parts with these functions in the first."""

    def made(hot):
        out = tmp_path_factory.mktemp("parts")
        program = npm.provision() / INTERPRETERS["micropython"][0] / "micropython.wasm"
        script = SPLIT.format(web=web_sources().as_posix(), program=program.as_posix(), hot=hot, out=out.as_posix())
        run = [find_node(), "--input-type=module", "--eval", script]
        subprocess.run(run, check=True, timeout=120)
        return [(out / f"{name}.wasm").read_bytes() for name in ("first", "second")]

    return made


def requested(page):
    """The names of the files that the page asks for, in order."""
    names = []
    page.on("request", lambda request: names.append(request.url.rpartition("/")[2].partition("?")[0]))
    return names


def test_the_second_part_comes_after_the_first_call(page, site, fullstory):
    console = Console(page)
    names = requested(page)
    page.goto(site.page("/", SHOP))
    fullstory.wait_for_event("Queued")
    wait_until(page, "performance.getEntriesByType('resource').some(({ name }) => name.endsWith('second.wasm'))")
    assert names.index("fs.js") < names.index("second.wasm")
    page.evaluate("analytics.track('Later')")
    fullstory.wait_for_event("Later")
    assert names.count("second.wasm") == 1
    assert console.thrown == console.written == []


def test_a_page_without_the_second_part_goes_on_as_long_as_it_needs_none_of_it(page, site, fullstory):
    console = Console(page)
    page.route(f"**{SECOND}", lambda route: route.abort())
    page.goto(site.page("/", SHOP))
    fullstory.wait_for_event("Queued")
    page.wait_for_timeout(1500)
    page.evaluate("analytics.identify('u1', { plan: 'free' })")
    fullstory.wait_for_call(FS.operation("setIdentity"))
    assert page.evaluate("fsbridge.status") == "ready"
    assert console.thrown == []


def test_what_is_needed_early_is_there_at_once(page, site, fullstory, halves):
    console = Console(page)
    first, second = halves("[]")
    site.put(FIRST, first, {"Content-Type": "application/wasm"})
    site.put(SECOND, second, {"Content-Type": "application/wasm"})
    names = requested(page)
    page.goto(site.page("/", SHOP))
    assert fullstory.wait_for_event("Queued").properties == {"n": 1}
    assert page.evaluate("fsbridge.status") == "ready"
    assert names.count("second.wasm") == 1
    assert console.thrown == console.written == []


def test_what_is_needed_and_cannot_be_had_ends_it_and_keeps_the_calls(page, site, web, fullstory, halves):
    console = Console(page)
    hot = json.loads((web_sources() / "interpreter/profile.json").read_text(encoding="utf-8"))["ran"]
    first, _ = halves(str(hot[: len(hot) // 2]))
    site.put(FIRST, first, {"Content-Type": "application/wasm"})
    page.route(f"**{SECOND}", lambda route: route.abort())
    page.goto(site.page("/", SHOP))
    wait_until(page, "fsbridge.status === 'failed'")
    page.evaluate("analytics.track('After')")
    assert fullstory.calls == []
    assert any("second.wasm" in text for text in console.written)
    assert console.thrown == []

    whole = html_page(tag(org=ORG, destination="segment-actions", base="/whole/"))
    site.mount("/whole/", web)
    page.unroute(f"**{SECOND}")
    page.goto(site.page("/next", whole))
    fullstory.wait_for_event("After")
    assert [event.name for event in fullstory.events] == ["Queued", "After"]
