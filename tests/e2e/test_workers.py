"""`connect` in a Web Worker, where there is no page: one sentence that says so."""

import pytest

from .shop import ORG, html_page, wait_until

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
def test_a_worker_has_no_page(page, site, host):
    site.put("/app.py", PYTHON)
    site.put("/worker.js", host)
    page.goto(site.page("/app", html_page(PAGE)))
    wait_until(page, "said.length", 60)
    assert page.evaluate("said[0]").startswith(
        "a Web Worker has no page for FullStory to capture: call connect() on the main"
    )
