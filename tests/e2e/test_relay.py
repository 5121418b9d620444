"""A page whose Python sends through pyodide-http to a relay on another origin, and on to FullStory."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import ShopSite
from tests.relay.running import WRITE_KEY, RelayProcess, numbers, wait_for
from tests.standin import FullStoryAPI
from tools import npm

from .shop import html_page, wait_until
from .test_notebook import archive

BOOT = """<script type="module">
  import { loadPyodide } from "/pyodide/pyodide.mjs";
  const python = await loadPyodide();
  python.unpackArchive(await (await fetch("/all.zip")).arrayBuffer(), "zip");
  window.run = (code) => {
    try {
      return String(python.runPython(code));
    } catch (error) {
      return `failed: ${error}`;
    }
  };
</script>"""


@pytest.fixture
def notebook(page: Page, bare_site: ShopSite) -> Any:
    """A function that runs Python in a page at ``bare_site.local``."""
    bare_site.mount("/pyodide/", npm.provision() / "pyodide")
    bare_site.put("/all.zip", archive())
    bare_site.put("/", html_page(BOOT))
    page.goto(bare_site.local)
    wait_until(page, "!!window.run")
    return lambda code: page.evaluate("code => window.run(code)", code)


def test_a_page_sends_through_the_relay(notebook: Any, bare_site: ShopSite, tmp_path: Path) -> None:
    with FullStoryAPI() as fullstory:
        relay = RelayProcess(tmp_path, fullstory.url, "--origin", bare_site.local)
        relay.start()
        try:
            connect = f'from fsbridge.cloud import Cloud\ncloud = Cloud(relay="{relay.url}", write_key='
            identify = "cloud.identify('ada', {'plan': 'pro'})"
            track = "[cloud.track('ada', 'Clicked', {'number': number}) for number in range(5)]"
            assert notebook(f'{connect}"{WRITE_KEY}")\n{identify}\n{track}') == "[1, 1, 1, 1, 1]"
            message = "{'type': 'track', 'event': 'Clicked', 'userId': 'bob', 'properties': {'number': number}}"
            assert notebook(f"cloud.send_many({message} for number in range(250)).messages") == "250"
            wait_for(lambda: len(fullstory.accepted) == 256)
            assert fullstory.accepted[0].json["properties"] == {"plan": "pro"}
            assert numbers(fullstory.accepted, "ada") == list(range(5))
            assert numbers(fullstory.accepted, "bob") == list(range(250))
            assert "The write key is unknown" in notebook(f'{connect}"other")\n{identify}')
        finally:
            relay.end()
