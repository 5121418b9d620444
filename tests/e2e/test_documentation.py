"""Every code example of the README and of docs/ is run, as what it is: a page, a test, code of a server, commands."""

import asyncio
import gzip
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page

from fsbridge import cloud
from fsbridge.testing import FullStory
from tests.relay.running import WRITE_KEY, RelayProcess, wait_for
from tests.standin import KEY, FullStoryAPI

from .beside import CUSTOM, RUDDER_LOAD, RUDDER_SNIPPET, Vendors, destination, rudder_config, segment_snippet
from .conftest import ShopSite
from .documented import ROOT, Example, examples
from .shop import ORG, Console, html_page, wait_until

ALL = examples()
MESSAGES = [
    {"type": "identify", "userId": "user-1", "traits": {"plan": "premium"}, "messageId": "m-0"},
    {"type": "track", "userId": "user-1", "event": "Ordered", "properties": {"price": 5}, "messageId": "m-1"},
]
CALLS = re.compile(r"analytics\.(track|page|identify)\(")


def of(*kinds: str) -> Callable[..., Any]:
    """A test for each example of these kinds."""
    chosen = [each for each in ALL if each.kind in kinds]
    return pytest.mark.parametrize("example", chosen, ids=[each.place for each in chosen])


def test_there_is_a_way_to_run_each() -> None:
    elsewhere = {"vite", "next", "fastapi", "flask", "django", "django-template"}  # test_npm.py, test_serving.py
    runs = {"page", "python-page", "python", "worker", "pyodide", "test", "server", "async-server", "shell", "yaml"}
    assert [each for each in ALL if each.kind not in runs | elsewhere and each.language != "text"] == []
    assert {each.kind for each in ALL} >= {"page", "python-page", "test", "server", "shell"}


@of("page")
def test_a_page(example: Example, page: Page, site: ShopSite, fullstory: FullStory) -> None:
    console = Console(page)
    code = example.code if "<!doctype" in example.code else html_page(example.code)
    page.goto(site.page("/shop", code))
    if "data-consent" in example.code:
        wait_until(page, "window.fsbridge?.status === 'waiting'")
        page.evaluate("OnetrustActiveGroups = ',C0002,'; dispatchEvent(new Event('OneTrustGroupsUpdated'))")
    wait_until(page, "window.fsbridge?.status === 'ready'")
    if page.locator("button").count():
        page.locator("button").first.click()
    if CALLS.search(example.code):
        assert fullstory.calls
    assert (console.thrown, console.written) == ([], [])


TAGS = [each for each in ALL if each.kind == "page" and re.match(r"(README|docs/(beside|consent))\.md", each.place)]


@pytest.mark.parametrize("example", TAGS, ids=[each.place for each in TAGS])
@pytest.mark.parametrize("order", ["above", "below"])
def test_a_page_that_has_the_vendors_sdk(
    example: Example, order: str, page: Page, site: ShopSite, fullstory: FullStory
) -> None:
    """As a newcomer pastes it into a page of theirs: what that calls reaches both."""
    console = Console(page)
    id_ = re.search('data-destination-id="(.+?)"', example.code)
    vendors = Vendors(page, config=rudder_config({**destination(CUSTOM, "Custom Device Mode"), "id": id_ and id_[1]}))
    is_rudder = 'data-destination="rudderstack"' in example.code
    snippet = RUDDER_SNIPPET + RUDDER_LOAD if is_rudder else segment_snippet()
    sdk = f"<script>{snippet}; {'rudderanalytics' if is_rudder else 'analytics'}.track('Theirs')</script>"
    parts = [sdk, example.code] if order == "above" else [example.code, sdk]
    page.goto(site.page("/shop", html_page(*parts)))
    if "data-consent" in example.code:
        vendors.wait_for("Theirs")
        wait_until(page, "window.fsbridge?.status === 'waiting'")
        assert fullstory.operations == []
        page.evaluate("OnetrustActiveGroups = ',C0002,'; dispatchEvent(new Event('OneTrustGroupsUpdated'))")
    fullstory.wait_for_event("Theirs")
    vendors.wait_for("Theirs")
    assert (console.thrown, console.written) == ([], [])


@of("python-page", "python")
def test_a_python_page(example: Example, page: Page, site: ShopSite, fullstory: FullStory) -> None:
    code = example.code if example.kind == "python-page" else f'<script type="mpy" {FILES}>\n{example.code}</script>'
    runtime = re.search(r'type="(m?py)"', code)
    assert runtime
    interpreter = {"mpy": "micropython/micropython.js", "py": "pyodide/pyodide.js"}[runtime[1]]
    code = code.replace('{"files"', f'{{"interpreter": "/fsbridge/{interpreter}", "files"')
    console = Console(page)
    page.goto(site.page("/app", html_page("<body><script type='module' src='/pyscript/core.js'></script>", code)))
    _called(page, fullstory)
    assert (console.thrown, console.written) == ([], [])


FILES = """config='{"files": {"/fsbridge/fsbridge.zip": "./*"}}'"""


def _called(page: Page, fullstory: FullStory) -> None:
    """Waits for any call."""
    for _ in range(3000):
        if fullstory.calls:
            return
        page.wait_for_timeout(20)
    raise AssertionError("nothing reached FullStory")


@of("pyodide")
def test_pyodide_by_itself(example: Example, page: Page, site: ShopSite, fullstory: FullStory) -> None:
    start = 'import { loadPyodide } from "/fsbridge/pyodide/pyodide.js";\n'
    start += 'const pyodide = await loadPyodide({ indexURL: "/fsbridge/pyodide/" });\n'
    site.put("/app.js", start + example.code)
    page.goto(site.page("/app", html_page("<script type='module' src='/app.js'></script>")))
    _called(page, fullstory)


def test_a_worker_posts_to_the_page(page: Page, site: ShopSite, fullstory: FullStory) -> None:
    main, worker = [each.code for each in ALL if each.kind == "worker"]
    site.put("/worker.py", worker)
    site.put(
        "/worker.js",
        'import { loadPyodide } from "/fsbridge/pyodide/pyodide.js";\n'
        'const python = await loadPyodide({ indexURL: "/fsbridge/pyodide/" });\n'
        'python.runPython(await (await fetch("/worker.py")).text());\n',
    )
    start = f"""
import js
from fsbridge import connect
analytics = connect("segment-classic", org="{ORG}")
worker = js.Worker.new("/worker.js", js.JSON.parse('{{"type": "module"}}'))
"""
    code = f"""<script type="mpy" config='{{"interpreter": "/fsbridge/micropython/micropython.js",
      "files": {{"/fsbridge/fsbridge.zip": "./*"}}}}'>{start}{main}</script>"""
    page.goto(site.page("/app", html_page("<body><script type='module' src='/pyscript/core.js'></script>", code)))
    assert fullstory.wait_for_event("Trained").properties == {"epochs": 5}


TESTS_SETUP = '''
import os
from pathlib import Path

import pytest

from fsbridge.testing import FullStory
from tests import wire
from tests.conftest import browser_type_launch_args
from tests.e2e.conftest import ShopSite

PAGE = """<!doctype html><title>Shop</title>
<script src="/fsbridge/fsbridge.js" data-destination="segment-classic" data-org="o-1ABC-na1"></script>
<body><button onclick="act()">BUTTON</button><script>
analytics.identify("user-1", { plan: "premium" });
function act() {
  if (BUY) analytics.track("Order Completed", { price: 99.95 });
  else { analytics.track("Signed Up", { plan: "premium" }); document.body.append("Welcome"); }
}</script>"""


@pytest.fixture(autouse=True)
def shop():
    site = ShopSite()
    site.mount("/fsbridge/", Path(os.environ["WEB"]))
    site.page("/checkout", PAGE.replace("BUTTON", "Buy").replace("BUY", "true"))
    site.page("/join", PAGE.replace("BUTTON", "Join").replace("BUY", "false"))
    wire.serve(site)
'''


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, web: Path) -> dict[str, str]:
    """How each example that is a test fares under pytest: place → "passed", or what was wrong."""
    folder = tmp_path_factory.mktemp("documented")
    (folder / "conftest.py").write_text(TESTS_SETUP, encoding="utf-8")
    places = {}
    for number, example in enumerate(each for each in ALL if each.kind == "test"):
        places[f"test_{number}"] = example.place
        code = example.code
        for name in re.findall(r"^async def (\w+)\(page\)", code, re.MULTILINE):
            code = f"import pytest\n{code}\n{_as_a_test(name)}"
        (folder / f"test_{number}.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "--junitxml", "out.xml", "-o", "junit_family=xunit1", str(folder)]
    command += ["-p", "no:cacheprovider", "-p", "no:randomly", "--rootdir", str(folder), "-n", "0"]
    environment = {**os.environ, "WEB": str(web), "PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=220)
    found: dict[str, str] = {}
    for case in ElementTree.parse(folder / "out.xml").iter("testcase"):
        name = case.attrib["classname"].rpartition(".")[2]
        wrong = [each.text or each.tag for each in case]
        found[places[name]] = "\n".join(wrong) or found.get(places[name], "passed")
    assert found, done.stdout + done.stderr
    return found


def _as_a_test(name: str) -> str:
    """A test that awaits an example's coroutine with a page of Playwright's async API."""
    return textwrap.dedent(f"""
        def test_it(browser_type_launch_args):
            import asyncio
            from urllib.parse import urlsplit
            from pathlib import Path
            import os
            from playwright.async_api import async_playwright
            from conftest import PAGE
            from tests import wire
            from tests.e2e.conftest import ShopSite

            site = ShopSite()
            site.mount("/fsbridge/", Path(os.environ["WEB"]))
            site.page("/join", PAGE.replace("BUTTON", "Join").replace("BUY", "false"))

            async def run():
                async with async_playwright() as playwright:
                    browser = await playwright.chromium.launch(**browser_type_launch_args)
                    page = await browser.new_page()
                    page.set_default_timeout(120_000)
                    await {name}(page)
                    await browser.close()

            from concurrent.futures import ThreadPoolExecutor
            ThreadPoolExecutor(1).submit(asyncio.run, run()).result()
        """)


@of("test")
def test_a_test(example: Example, outcomes: dict[str, str]) -> None:
    assert outcomes[example.place] == "passed"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FullStoryAPI]:
    with FullStoryAPI() as standin:
        monkeypatch.setenv("FULLSTORY_API_KEY", KEY)
        yield standin


@of("server", "async-server")
def test_a_servers_code(example: Example, api: FullStoryAPI, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    relay = None
    if "relay=" in example.code:
        relay = RelayProcess(tmp_path, api.url)
        relay.start()

    def made(kind: type) -> Callable[..., Any]:
        def make(*arguments: Any, **options: Any) -> Any:
            if relay and "relay" in options:
                options = {"relay": relay.url, "write_key": WRITE_KEY}
            else:
                options["base_url"] = api.url
            return kind(*arguments, **options)

        return make

    monkeypatch.setattr(cloud, "Cloud", made(cloud.Cloud))
    monkeypatch.setattr(cloud, "AsyncCloud", made(cloud.AsyncCloud))
    names: dict[str, Any] = {"messages": MESSAGES, "past_messages": MESSAGES, "AsyncCloud": cloud.AsyncCloud}
    try:
        if example.kind == "async-server":
            body = textwrap.indent(example.code, "    ")
            exec(f"async def example():\n{body}", names)  # an example without a function around it
            with ThreadPoolExecutor(1) as thread:  # Playwright's loop runs in this one
                thread.submit(asyncio.run, names["example"]()).result()
        else:
            exec(compile(example.code, example.place, "exec"), names)
        wait_for(lambda: bool(api.accepted), 60)
    finally:
        if relay:
            relay.end()


@pytest.fixture
def shell(tmp_path: Path, site_packages: Path, api: FullStoryAPI) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs commands where the files are that examples name. FullStory is the stand-in, fsbridge that of the wheel."""
    lines = "".join(json.dumps(each) + "\n" for each in MESSAGES)
    (tmp_path / "messages.jsonl").write_text(lines)
    for name in ("messages", "2024"):
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt") as file:
            file.write(lines)
    shutil.copy(ROOT / "docs/subscriptions.json", tmp_path / "settings.json")
    commands = tmp_path / "bin"
    commands.mkdir()
    talking = "send|check|backfill|delete-user"
    scripts = {
        "fsbridge": f'case "$1" in {talking}) set -- "$@" --base-url {api.url};; esac\n'
        f'exec {sys.executable} -m fsbridge "$@"',
        "python": f'exec {sys.executable} {ROOT / "tests/e2e/installs.py"} "$@"',
        "nox": f'exec {sys.executable} {ROOT / "tests/e2e/installs.py"} nox "$@"',
    }
    for name, script in scripts.items():
        path = commands / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
    environment = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}", "PYTHONPATH": str(site_packages)}

    def run(code: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-e", "-c", code]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)

    return run


@of("shell")
def test_commands(example: Example, shell: Callable[[str], subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    # Each line is what somebody would type, in turn; `send` is not run a second time over what it has done.
    for line in filter(None, (each.split("  #")[0].strip() for each in example.code.splitlines())):
        for left in tmp_path.glob("*.progress"):
            if "--resume" not in line:
                left.unlink()
        done = shell(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


@of("yaml")
def test_a_workflow(example: Example) -> None:
    import yaml

    steps = yaml.safe_load(example.code)["jobs"]["test"]["steps"]
    assert [next(iter(each)) for each in steps] == ["uses", "uses", "run", "run", "run"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert re.search(r"\[(\w+)\]", steps[2]["run"])[1] in extras
