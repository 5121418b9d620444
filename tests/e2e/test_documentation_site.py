"""The documentation site: it builds without a warning, fetches nothing from elsewhere, and axe finds nothing."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tools.serve import Site, address, server

from .documented import ROOT

LOOK = """async () => {
  const { violations } = await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"] });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`));
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def docs(folder: Path) -> Iterator[str]:
    """The address of the site, served."""
    site = Site()
    site.mount("/", folder)
    running = server(site)
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield address(running)
    running.shutdown()
    running.server_close()


def test_nothing_comes_from_elsewhere(folder: Path) -> None:
    for page in folder.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:https?:)?//[^"]*"', text) == [], page


def test_each_public_name_has_an_entry(folder: Path) -> None:
    import fsbridge
    import fsbridge.cloud
    import fsbridge.testing

    entries = set(re.findall(r'id="([\w.]+)"', "".join(each.read_text() for each in folder.rglob("*.html"))))
    for module in (fsbridge, fsbridge.cloud, fsbridge.testing):
        names = [name for name in module.__all__ if name not in ("__version__", "UNDEFINED")]
        assert [name for name in names if f"{module.__name__}.{name}" not in entries] == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_for_everybody(folder: Path, docs: str, browser: Browser, axe: str, scheme: Any, width: int) -> None:
    screen: Any = {"width": width, "height": 720}
    context = browser.new_context(viewport=screen, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    found = []
    for each in sorted(folder.rglob("*.html")):
        page.goto(docs + each.relative_to(folder).as_posix())
        page.evaluate(axe)
        found += [f"{each.name}: {line}" for line in page.evaluate(LOOK)]
    context.close()
    assert found == []
