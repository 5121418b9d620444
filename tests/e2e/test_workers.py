"""`connect` in a Web Worker, where there is no page: one sentence that says so."""

from urllib.parse import unquote

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import ShopSite

from .shop import ORG, html_page, wait_until
from .test_pyscript import INTERPRETERS, pyscript

PYTHON = f"""
import js
from fsbridge import connect
try:
    connect("segment-classic", org="{ORG}")
    js.postMessage("connected")
except RuntimeError as error:
    js.postMessage(str(error))
"""

PYODIDE = """
import { loadPyodide } from "/fsbridge/pyodide/pyodide.js";
const python = await loadPyodide({ indexURL: "/fsbridge/pyodide/" });
python.unpackArchive(await (await fetch("/fsbridge/fsbridge.zip")).arrayBuffer(), "zip");
python.runPython(await (await fetch("/app.py")).text());
"""

PAGE = """
window.said = [];
new Worker("/worker.js", { type: "module" }).onmessage = message => said.push(message.data);
"""


@pytest.mark.parametrize("host", [PYODIDE], ids=["pyodide"])
def test_a_worker_has_no_page(page: Page, site: ShopSite, host: str) -> None:
    site.put("/app.py", PYTHON)
    site.put("/worker.js", host)
    page.goto(site.page("/app", html_page(PAGE)))
    wait_until(page, "said.length")
    assert page.evaluate("said[0]").startswith(
        "a Web Worker has no page for FullStory to capture: call connect() on the main"
    )


@pytest.mark.parametrize("runtime", INTERPRETERS)
def test_nor_has_a_worker_of_pyscript(page: Page, site: ShopSite, runtime: str) -> None:
    asked = []
    page.context.on("request", lambda request: asked.append(unquote(request.url)))
    said = PYTHON.replace("js.postMessage(", "js.fetch('https://shop.example/said?' + ")
    page.goto(site.page("/app", html_page(*pyscript(runtime, said, "worker"))))
    for _ in range(1500):
        if any("/said?" in url for url in asked):
            break
        page.wait_for_timeout(20)
    told = next(url.split("/said?")[1] for url in asked if "/said?" in url)
    assert told.startswith("a Web Worker has no page for FullStory to capture: call connect() on the main thread")
