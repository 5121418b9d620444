"""Pyodide started from its memory snapshot: what it loads, what it is then, and what happens with a bad snapshot."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from fsbridge.testing import FullStory
from tests.e2e.conftest import ShopSite

from .shop import ORG, Console, html_page, tag, wait_until

SNAPSHOT = "/fsbridge/fsbridge/pyodide.snapshot"
SHOP = html_page(tag(org=ORG, runtime="pyodide"), "analytics.track('Queued')")


def requested(page: Page) -> Any:
    """The names of the files that the page will ask for."""
    names = []
    page.on("request", lambda request: names.append(request.url.rpartition("/")[2]))
    return names


def interpreter(page: Page, site: ShopSite, given: Any = "given") -> Any:
    """``run(source)`` of the tag's restored interpreter, on a page with a strict policy.

    ``given`` is the JavaScript expression of the ``loadPyodide`` to use.
    """
    site.put(
        "/restore.js",
        f"""
        const folder = location.origin + "/fsbridge/";
        const {{ loadPyodide: given }} = await import(folder + "pyodide/pyodide.js");
        const {{ boot }} = await import(folder + "fsbridge/pyodide.js");
        window.python = await boot({{ loadPyodide: {given} }}, folder + "pyodide/", folder + "fsbridge/", "0.1.0");
        """,
    )
    policy = {"Content-Security-Policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"}
    page.goto(site.page("/restored", html_page('<script type="module" src="/restore.js"></script>'), policy))
    wait_until(page, "Boolean(window.python)")
    return lambda source: page.evaluate("source => python.runPython(source)", source)


def test_the_tag_loads_neither_the_standard_library_nor_sources(
    page: Page, site: ShopSite, fullstory: FullStory
) -> None:
    console = Console(page)
    names = requested(page)
    page.goto(site.page("/", SHOP))
    fullstory.wait_for_event("Queued")
    assert "pyodide.snapshot" in names
    assert not {"python_stdlib.zip", "pyodide-lock.json", "fsbridge.zip"} & set(names)
    assert console.thrown == console.written == []


def changed(body: Any, change: Callable[[Any, Any], Any]) -> Any:
    """A snapshot with its description changed, or some bytes of Pyodide's header behind that."""
    raw = bytearray(gzip.decompress(body))
    end = 4 + int.from_bytes(raw[:4], "little")
    return gzip.compress(change(raw, end), 1)


def of_another_version(raw: Any, end: Any) -> Any:
    description = json.dumps({**json.loads(raw[4:end]), "version": "9.9.9"}).encode()
    return len(description).to_bytes(4, "little") + description + raw[end:]


def of_another_pyodide(raw: Any, end: Any) -> Any:
    raw[end + 16] ^= 1  # its build id
    return raw


BAD: dict[str, tuple[Any, str]] = {
    "missing": (lambda body: None, "404"),
    "damaged": (lambda body: body[:2_000_000] + b"\0\0\0\0" + body[2_000_004:], ""),
    "cut short": (lambda body: body[:2_000_000], ""),
    "another version": (lambda body: changed(body, of_another_version), "it holds fsbridge 9.9.9, the tag is 0.1.0"),
    "another Pyodide": (lambda body: changed(body, of_another_pyodide), "build id mismatch"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_plain_boot_where_the_snapshot_does_not_fit(
    page: Page, site: ShopSite, web: Path, fullstory: FullStory, fault: str
) -> None:
    change, reason = BAD[fault]
    body = change((web / SNAPSHOT.removeprefix("/fsbridge/")).read_bytes())
    if body is None:
        page.route("**/pyodide.snapshot", lambda route: route.fulfill(status=404, body="Not found"))
    else:
        site.put(SNAPSHOT, body)
    console = Console(page)
    names = requested(page)
    page.goto(site.page("/", SHOP))
    fullstory.wait_for_event("Queued")
    assert page.evaluate("fsbridge.status") == "ready"
    assert "python_stdlib.zip" in names
    [said] = [text for text in console.written if "[fsbridge]" in text]
    assert said.startswith("[fsbridge] Pyodide starts without its snapshot: ")
    assert reason in said
    assert console.thrown == []


RANDOM = """
import json, os, random
json.dumps([os.urandom(8).hex(), random.random(), random.SystemRandom().random(), random.Random().random()])
"""


def test_no_two_pages_are_alike_in_what_is_random(context: BrowserContext, site: ShopSite) -> None:
    first, second = (json.loads(interpreter(context.new_page(), site)(RANDOM)) for _ in range(2))
    assert not set(first) & set(second)


def test_anonymous_ids_differ(browser: Browser, site: ShopSite, fullstory: FullStory) -> None:
    ids = set()
    for _ in range(2):
        context = browser.new_context()
        page = context.new_page()
        page.goto(site.page("/", SHOP))
        wait_until(page, "!['loading', 'queueing'].includes(fsbridge.status)")
        ids.add(page.evaluate("analytics.user().anonymousId()"))
        context.close()
    assert len(ids) == 2
    assert None not in ids


def test_the_memory_is_that_of_the_build(page: Page, site: ShopSite, web: Path) -> None:
    raw = gzip.decompress((web / SNAPSHOT.removeprefix("/fsbridge/")).read_bytes())
    description = json.loads(raw[4 : 4 + int.from_bytes(raw[:4], "little")])
    interpreter(
        page,
        site,
        """(options) => given({
          ...options,
          async createPyodideModule(settings) {
            const module = await options.createPyodideModule(settings);
            window.sha256 = await crypto.subtle.digest("SHA-256", module.HEAPU8);
            return module;
          },
        })""",
    )
    digest = page.evaluate("Array.from(new Uint8Array(sha256))")
    assert bytes(digest).hex() == description["sha256"]


def test_what_is_not_in_the_snapshot_is_missed_clearly(page: Page, site: ShopSite) -> None:
    run = interpreter(page, site)
    assert run("import fsbridge.browser.tag, fsbridge.browser.diagnostics, re, collections; 'fine'") == "fine"
    found = run("""
import traceback
try:
    import turtle
except ModuleNotFoundError:
    found = traceback.format_exc()
found
""")
    assert found.startswith("Traceback (most recent call last):")
    assert "No module named 'turtle'" in found


@pytest.mark.parametrize("comes", ["never", "at last"])
def test_webassembly_that_is_cut_short(page: Page, site: ShopSite, web: Path, fullstory: FullStory, comes: str) -> None:
    """Pyodide itself would wait for ever."""
    console = Console(page)
    content = (web / "pyodide/pyodide.asm.wasm").read_bytes()
    answers = [content[: len(content) // 2], *([content] if comes == "at last" else [])]

    def answer(route: Any) -> None:
        body = answers.pop(0) if len(answers) > 1 else answers[0]
        route.fulfill(body=body, content_type="application/wasm")

    page.route("**/pyodide.asm.wasm", answer)
    page.clock.install()
    page.goto(site.page("/", SHOP))
    wait_until(page, "document.readyState === 'complete'")
    settled = "['ready', 'failed'].includes(fsbridge.status)"
    for _ in range(600):
        if page.evaluate(settled):
            break
        page.wait_for_timeout(200)
        page.clock.fast_forward(20_000)
    if comes == "at last":
        fullstory.wait_for_event("Queued")
    else:
        assert page.evaluate("fsbridge.status") == "failed"
        assert any("[fsbridge]" in text and "pyodide.asm.wasm: " in text for text in console.written)
    assert console.thrown == []
