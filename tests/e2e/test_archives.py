"""The archives of a build, in a browser: what a PyScript page and the tag make of them."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from fsbridge.build import build_web
from fsbridge.build.release import POLICY
from fsbridge.testing import FullStory
from tests.e2e.conftest import ShopSite
from tools import npm

from .shop import wait_until

INTERPRETERS = {"mpy": "micropython/micropython.js", "py": "pyodide/pyodide.js"}


def wait_for_title(page: Page, title: str, seconds: int = 60) -> None:
    for _ in range(seconds * 20):
        if page.title() == title:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"title is {page.title()!r}, expected {title!r}")


@pytest.mark.parametrize("runtime", INTERPRETERS)
def test_a_pyscript_page_imports_the_zip(page: Page, site: ShopSite, runtime: str) -> None:
    html = f"""<!doctype html><title>Loading</title>
      <script type="module" src="/pyscript/core.js"></script>
      <script type="{runtime}" config='{{
        "interpreter": "/fsbridge/{INTERPRETERS[runtime]}",
        "files": {{"/fsbridge/fsbridge.zip": "./*"}}
      }}'>
        from fsbridge.runtime import get, put, type_of, window
        from fsbridge.version import VERSION
        put(window.document, "title", type_of(get(window, "location")) + " " + VERSION)
      </script>"""
    complaints = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("warning", "error") else None
    )
    page.goto(site.page("/pyscript.html", html))
    wait_for_title(page, "object 0.1.0")
    assert complaints == []


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_a_release_works_from_hashed_names(
    page: Page, bare_site: ShopSite, fullstory: FullStory, released: Path, runtime: str
) -> None:
    bare_site.mount("/fsbridge/", released)
    tag = re.search(r'src="/fsbridge/fsbridge-\S+ +integrity="\S+" crossorigin="anonymous"', install(released))[0]
    preloads = re.findall(r"<link [^>]+>", install(released)) if runtime == "micropython" else []
    html = f"""<!doctype html><title>Shop</title>{"".join(preloads)}<script {tag}
      data-destination="segment-classic" data-org="o-1" data-runtime="{runtime}"></script>
      <script src="/page.js"></script>"""
    bare_site.put("/page.js", "analytics.track('Called');")
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))

    page.goto(bare_site.page("/shop", html, {"Content-Security-Policy": f"default-src 'none'; {POLICY}"}))
    fullstory.wait_for_event("Called")

    ours = [url for url in requests if "/fsbridge/" in url]
    if runtime == "pyodide":
        again = next(url for url in ours if re.search(r"/pyodide-\w+/pyodide\.js$", url))
        ours.remove(again)  # with a snapshot it stands in for the library
        program = next(url for url in ours if url.endswith("/pyodide.asm.wasm"))
        if ours.count(program) == 2:  # a start of several seconds makes the loader look what it is
            ours.remove(program)
    assert len(ours) == len(set(ours))
    ours = [url for url in ours if "/second.wasm" not in url and not url.endswith(".second.snapshot")]  # they follow
    assert len(ours) == {"micropython": 4, "pyodide": 6}[runtime]
    assert all(re.search(r"-[0-9a-f]{8}[./]", url) for url in ours)
    assert complaints == []


def test_a_changed_tag_is_refused(page: Page, bare_site: ShopSite, released: Path) -> None:
    attributes = re.search(r'integrity="\S+" crossorigin="anonymous"', install(released))[0]
    bare_site.put("/changed.js", (released / "fsbridge.js").read_bytes() + b" ")
    page.goto(bare_site.page("/shop", f'<!doctype html><script src="/changed.js" {attributes}></script>'))
    assert page.evaluate("typeof fsbridge") == "undefined"


@pytest.mark.parametrize(
    ("attributes", "name", "works"),
    [
        ('data-destination="segment-classic"', "segment-classic", True),
        ('data-destination="rudderstack" data-source="rudderanalytics"', "rudderstack", True),
        ('data-destination="segment-classic" data-source="rudderanalytics"', "all", True),
        ('data-destination="toString"', "all", False),
    ],
)
def test_micropython_starts_from_the_snapshot_for_the_destination(
    page: Page, site: ShopSite, fullstory: FullStory, attributes: Any, name: str, works: Any
) -> None:
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(
        site.page("/shop", f'<!doctype html><script src="/fsbridge/fsbridge.js" {attributes} data-org="o-1"></script>')
    )
    wait_until(page, "!['loading', 'queueing'].includes(fsbridge.status)")
    asked = [url.rpartition("/")[2] for url in requests if url.endswith(".snapshot")]
    assert asked in ([f"{name}.snapshot"], [f"{name}.snapshot", f"{name}.second.snapshot"])  # that one may follow
    assert (page.evaluate("fsbridge.status") == "ready") == works


def test_a_runtime_that_was_not_built_is_said(
    page: Page, bare_site: ShopSite, fullstory: FullStory, tmp_path: Path
) -> None:
    build_web(tmp_path / "web", npm.provision(), ["pyodide"], for_release=False)
    bare_site.mount("/fsbridge/", tmp_path / "web")
    html = """<!doctype html><script src="/fsbridge/fsbridge.js" data-destination="segment-classic"
      data-org="o-1" data-runtime="micropython"></script>"""
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(bare_site.page("/shop", html))
    wait_until(page, "fsbridge.status === 'ready'")
    assert said == ["[fsbridge] unknown data-runtime micropython; accepted: pyodide"]


def install(released: Path) -> Any:
    """The lines to paste, in one."""
    return " ".join((released / "INSTALL.md").read_text("utf-8").split())
