"""A page whose Python sends through pyodide-http to the relay, without an API key."""

import importlib.util
import io
import zipfile
from pathlib import Path

import pytest

from tests.relay.running import WRITE_KEY, RelayProcess, numbers, wait_for
from tests.standin import FullStoryAPI
from tools import npm

from .shop import wait_until

PACKAGES = "fsbridge requests urllib3 idna certifi charset_normalizer tenacity pyodide_http".split()
"""What a notebook installs with micropip."""

PAGE = """<!doctype html>
<title>Notebook</title>
<script type="module">
  import { loadPyodide } from "/pyodide/pyodide.mjs";
  const python = await loadPyodide();
  python.unpackArchive(await (await fetch("/packages.zip")).arrayBuffer(), "zip");
  window.run = (code) => {
    try {
      return String(python.runPython(code));
    } catch (error) {
      return `failed: ${error}`;
    }
  };
</script>
"""


def packed() -> bytes:
    """The packages as they are installed here, in one archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        for name in PACKAGES:
            folder = Path(importlib.util.find_spec(name).origin).parent
            for path in folder.rglob("*.py"):
                files.write(path, path.relative_to(folder.parent))
            for path in folder.rglob("*.pem"):
                files.write(path, path.relative_to(folder.parent))
    return archive.getvalue()


@pytest.fixture
def fullstory():
    with FullStoryAPI() as api:
        yield api


@pytest.fixture
def notebook(page, bare_site):
    """A function that runs Python in a page."""
    bare_site.mount("/pyodide/", npm.provision() / "pyodide")
    bare_site.put("/packages.zip", packed())
    bare_site.put("/", PAGE)
    page.goto(bare_site.local + "/")
    wait_until(page, "!!window.run", 120)
    return lambda code: page.evaluate("code => window.run(code)", code)


def test_a_page_sends_through_the_relay(notebook, bare_site, fullstory, tmp_path):
    relay = RelayProcess(tmp_path, fullstory.url, "--origin", bare_site.local)
    relay.start()
    try:
        cloud = f'Cloud(relay="{relay.url}", write_key="{WRITE_KEY}")'
        sent = notebook(
            f"from fsbridge.cloud import Cloud\ncloud = {cloud}\ncloud.identify('ada', {{'plan': 'pro'}})\n"
            "[cloud.track('ada', 'Clicked', {'number': number}) for number in range(5)]"
        )
        assert sent == "[1, 1, 1, 1, 1]"
        many = "cloud.send_many({'type': 'track', 'event': 'E', 'userId': 'bob', 'properties': {'number': n}}"
        assert "failed" not in notebook(f"{many} for n in range(250)).messages")
        wait_for(lambda: len(fullstory.accepted) == 256)
        assert fullstory.accepted[0].json["uid"] == "ada"
        assert numbers(fullstory.accepted, "ada") == list(range(5))
        assert numbers(fullstory.accepted, "bob") == list(range(250))
        refused = notebook(f"{cloud.replace(WRITE_KEY, 'other')}.track('ada', 'Clicked')")
        assert "write key is unknown" in refused
        assert "other" not in refused.partition("failed")[2].replace("others", "")
    finally:
        relay.end()


def test_a_page_gets_no_api_key_in(notebook):
    assert "A page can't keep an API key" in notebook("from fsbridge.cloud import Cloud\nCloud('na1.key')")
