"""Beside a vendor's SDK in Python pages: `connect(..., beside=True)` from PyScript and plain Pyodide."""

import json

import pytest
from playwright.sync_api import Page

from fsbridge.testing import FullStory
from tests.e2e.conftest import ShopSite

from .beside import CUSTOM, RUDDER_LOAD, RUDDER_SNIPPET, Vendors, segment_snippet
from .shop import ORG, Console, html_page, wait_for, wait_until

INTERPRETERS = {"mpy": "micropython/micropython.js", "py": "pyodide/pyodide.js"}
pytestmark = pytest.mark.parametrize("kind", [*INTERPRETERS, "Pyodide by itself"])


def python(kind: str, code: str) -> str:
    """What runs this code in a page."""
    if kind not in INTERPRETERS:
        return f"""<script type="module">
          import {{ loadPyodide }} from "/fsbridge/pyodide/pyodide.js";
          const python = await loadPyodide({{ indexURL: "/fsbridge/pyodide/" }});
          python.unpackArchive(await (await fetch("/fsbridge/fsbridge.zip")).arrayBuffer(), "zip");
          python.runPython({json.dumps(code)});
        </script>"""
    return f"""<script type="module" src="/pyscript/core.js"></script>
      <script type="{kind}" config='{{
        "interpreter": "/fsbridge/{INTERPRETERS[kind]}",
        "files": {{"/fsbridge/fsbridge.zip": "./*"}}
      }}'>{code}</script>"""


def open_page(page: Page, site: ShopSite, *parts: str) -> None:
    page.goto(site.page("/", html_page(*parts)))
    wait_until(page, "window.done || window.failed")
    assert page.evaluate("window.failed || null") is None


def app(destination: str, more: str = ", beside=True") -> str:
    return f"""
import js
from fsbridge import connect
try:
    analytics = connect("{destination}", org="{ORG}"{more})
    analytics.track("From Python", {{"n": 1}})
    js.done = True
except Exception as error:
    js.failed = repr(error)
"""


@pytest.mark.parametrize("vendor", ["segment", "rudder"])
def test_both_get_what_python_and_the_page_call(
    page: Page, site: ShopSite, fullstory: FullStory, vendor: str, kind: str
) -> None:
    vendors = Vendors(page)
    console = Console(page)
    code, snippet, name = app("segment-classic"), segment_snippet(False), "analytics"
    load = "analytics.load('key')"
    if vendor == "rudder":
        code = app("rudderstack", f', beside=True, destination_id="{CUSTOM}"')
        snippet, load, name = RUDDER_SNIPPET, RUDDER_LOAD, "rudderanalytics"
    open_page(page, site, snippet, python(kind, code))
    page.evaluate(f"() => {{ {load}; {name}.track('From the page', {{ n: 2 }}) }}")
    fullstory.wait_for_event("From the page", {"n": 2})
    assert [event.name for event in fullstory.events] == ["From Python", "From the page"]
    wait_for(page, lambda: len(vendors.got) == 2)
    assert vendors.names() == ["From Python", "From the page"]
    assert console.thrown == console.written == []


@pytest.mark.parametrize("more", ["", ", beside=False", ", beside=None"])
def test_not_beside(page: Page, site: ShopSite, fullstory: FullStory, more: str, kind: str) -> None:
    """The vendor's SDK is left alone, and gets nothing of what Python calls; Python what nothing of the page calls."""
    vendors = Vendors(page)
    console = Console(page)
    open_page(page, site, segment_snippet(), python(kind, app("segment-classic", more)))
    fullstory.wait_for_event("From Python", {"n": 1})
    page.evaluate("() => { analytics.track('From the page') }")
    vendors.wait_for("From the page")
    assert vendors.names() == ["From the page"]
    assert [event.name for event in fullstory.events] == ["From Python"]
    assert console.thrown == console.written == []
