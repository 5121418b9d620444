"""The npm package: its tarball installed where nothing else is, in pages that bundlers build, and mirrored by a host.

Vite is always tried; webpack and Next.js, which are large, where FSBRIDGE_BUNDLERS=all, as `nox -s package` has it.
"""

import json
import os
import re
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page

from fsbridge.build.node import find_node
from fsbridge.build.release import policy
from fsbridge.testing import FullStory
from fsbridge.version import VERSION
from tests.conftest import once
from tools import npm, npm_package, package
from tools.serve import Site, address, server

from .documented import examples
from .shop import ORG, Console, wait_until

HERE = Path(__file__).parent
NAME = "fullstory-bridge"
MAIN = f"""
import {{ load }} from "{NAME}";
const left = {{ beside: false, debug: undefined }};
const fsbridge = load({{ destination: "segment-classic", org: "{ORG}", trackNamedPages: true, ...left }});
if (load({{ destination: "rudderstack", org: "other" }}) !== fsbridge) throw new Error("a second tag");
analytics.track("Order Completed", {{ price: 99.95 }});
"""
ORDER = {"price": 99.95}
NEXT_PAGE = f""""use client";
{MAIN.replace("analytics.track", "if (fsbridge) analytics.track")}
export default function Home() {{ return <p>Rendered</p>; }}
"""
ALL = os.environ.get("FSBRIDGE_BUNDLERS") == "all"
DOCUMENTED = {example.kind: example.code for example in examples()}


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """What `npm pack` makes of the files in the wheel; or the tarball that FSBRIDGE_TARBALL names."""
    if given := os.environ.get("FSBRIDGE_TARBALL"):
        return Path(given)

    def make(out: Path) -> None:
        out.mkdir()
        package.pack_for_npm(request.getfixturevalue("wheel"), out)

    (tarball,) = once(tmp_path_factory, "npm", make).glob("*.tgz")
    return tarball


@pytest.fixture
def app(tmp_path: Path, tarball: Path) -> Path:
    """An author's folder with the package installed, and a page that uses it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.js").write_text(MAIN)
    (tmp_path / "index.html").write_text(
        '<!doctype html><title>Shop</title><script type="module" src="/src/main.js"></script>'
    )
    (tmp_path / "package.json").write_text('{"name": "shop", "private": true, "type": "module"}')
    install(tmp_path, tarball)
    return tmp_path


def install(folder: Path, tarball: Path) -> None:
    run([str(npm.find_npm()), "install", "--no-audit", "--no-fund", "--ignore-scripts", str(tarball)], folder)


def run(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "NEXT_TELEMETRY_DISABLED": "1", "CI": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@contextmanager
def served(*folders: tuple[str, Path], headers: dict[str, str] | None = None) -> Iterator[str]:
    """The address of a server with these folders."""
    site = Site(headers)
    for prefix, folder in folders:
        site.mount(prefix, folder)
    running = server(site)
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield address(running)
    running.shutdown()
    running.server_close()


def vite(app: Path) -> Path:
    run([find_node(), str(npm.provision(HERE) / "vite/bin/vite.js"), "build"], app)
    return app / "dist"


def webpack(app: Path) -> Path:
    install_all(app)
    run([find_node(), "node_modules/webpack-cli/bin/cli.js", "--mode", "production", "--entry", "./src/main.js"], app)
    (app / "dist/index.html").write_text('<!doctype html><title>Shop</title><script src="/main.js"></script>')
    return app / "dist"


def next_js(app: Path, page: str = NEXT_PAGE, *options: str) -> Path:
    """Pages are rendered on the server, too, where the module is imported and load called."""
    install_all(app)
    (app / "app").mkdir()
    (app / "next.config.mjs").write_text('export default { output: "export" };')
    layout = 'export default ({ children }) => <html lang="en"><body>{children}</body></html>;'
    (app / "app/layout.js").write_text(layout)
    (app / "app/page.js").write_text(page)
    run([find_node(), "node_modules/next/dist/bin/next", "build", *options], app)
    assert "Rendered" in (app / "out/index.html").read_text()
    return app / "out"


def install_all(app: Path) -> None:
    """Install webpack, Next.js and React beside the package, as their lock file names them."""
    others = HERE.parent / "bundlers"
    wanted = json.loads((others / "package.json").read_text())["devDependencies"]
    (tarball,) = json.loads((app / "package.json").read_text())["dependencies"].values()
    for name in (".npmrc", "package.json", "package-lock.json"):
        shutil.copy(others / name, app / name)
    run([str(npm.find_npm()), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], app)
    install(app, (app / tarball.removeprefix("file:")).resolve())
    assert {path.name for path in (app / "node_modules").iterdir()} >= {*wanted, NAME}


def all_bundlers(*values: object) -> object:
    return pytest.param(*values, marks=pytest.mark.skipif(not ALL, reason="`nox -s package` tries this one"))


@pytest.mark.parametrize(
    "build",
    [
        vite,
        all_bundlers(webpack),
        all_bundlers(next_js),
        all_bundlers(lambda app: next_js(app, NEXT_PAGE, "--webpack")),
    ],
    ids=["vite", "webpack", "next", "next-webpack"],
)
def test_a_bundlers_page_needs_nothing_else(
    build: Callable[[Path], Path], app: Path, page: Page, fullstory: FullStory
) -> None:
    console = Console(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with served(("/", build(app))) as site:
        page.goto(site)
        assert fullstory.wait_for_event("Order Completed").properties == ORDER
        wait_until(page, "fsbridge.status === 'ready'")
        page.evaluate("analytics.page('Home')")
        fullstory.wait_for_event("Viewed Home Page")
    ours = [url for url in asked if re.search(r"\.(wasm|snapshot)$", url)]
    assert len(ours) == len(set(ours))
    assert not [url for url in ours if not url.startswith(site)]
    assert (console.thrown, console.written) == ([], [])


def test_the_documentations_page_for_vite(app: Path, page: Page, fullstory: FullStory) -> None:
    (app / "src/main.js").write_text(DOCUMENTED["vite"])
    with served(("/", vite(app))) as site:
        page.goto(site)
        assert fullstory.wait_for_event("Order Completed").properties == ORDER


@pytest.mark.skipif(not ALL, reason="`nox -s package` tries this one")
def test_the_documentations_page_for_next_js(app: Path, page: Page, fullstory: FullStory) -> None:
    (app / "instrumentation-client.js").write_text(DOCUMENTED["next"])
    with served(("/", next_js(app, "export default function Home() { return <p>Rendered</p>; }"))) as site:
        page.goto(site)
        wait_until(page, "globalThis.fsbridge?.status === 'ready'")
        page.evaluate("analytics.track('Later')")
        fullstory.wait_for_event("Later")
        assert [event.name for event in fullstory.events] == ["Loaded a Page", "Later"]


def test_vite_serves_it_while_an_author_works(app: Path, page: Page, fullstory: FullStory) -> None:
    command = [find_node(), str(npm.provision(HERE) / "vite/bin/vite.js"), "--host", "127.0.0.1", "--port", "0"]
    environment = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen(command, cwd=app, stdout=subprocess.PIPE, text=True, env=environment) as vite:
        try:
            found = None
            while not found:
                line = vite.stdout.readline()
                assert line, "Vite ended"
                found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            page.goto(found[0])
            assert fullstory.wait_for_event("Order Completed").properties == ORDER
        finally:
            vite.terminate()


def test_nothing_happens_on_a_server(app: Path) -> None:
    program = f"""
import {{ load }} from "{NAME}";
const before = Object.keys(globalThis).join();
if (load({{ destination: "segment-classic", org: "{ORG}" }}) !== undefined) throw new Error("it gave something");
if (Object.keys(globalThis).join() !== before) throw new Error("it left something");
"""
    (app / "server.mjs").write_text(program)
    run([find_node(), "server.mjs"], app)


@pytest.mark.parametrize("way", ["tag", "module"])
def test_files_work_from_a_host_that_mirrors_npm(
    way: str, tarball: Path, tmp_path: Path, page: Page, fullstory: FullStory
) -> None:
    """Another origin than the page's, with CORS; the page's policy allows that host and FullStory."""
    with tarfile.open(tarball) as archive:
        archive.extractall(tmp_path, filter="data")
    package = tmp_path / "package"
    console = Console(page)
    with served((f"/npm/{NAME}@{VERSION}/", package), headers={"Access-Control-Allow-Origin": "*"}) as cdn:
        host = cdn.replace("127.0.0.1", "localhost").rstrip("/")
        if way == "tag":
            (lines,) = re.findall(r"```html\n(.*?)```", (package / "README.md").read_text(), re.DOTALL)
            head = lines.replace("https://cdn.example/", f"{host}/npm/").replace("o-1ABC-na1", ORG)
        else:
            head = '<script type="module" src="/main.js"></script>'
        site = Site({"Content-Security-Policy": policy(ORG).replace("'self'", f"'self' {host}")})
        site.put("/", f"<!doctype html><title>Shop</title>{head}")
        site.put("/main.js", MAIN.replace(NAME, f"{host}/npm/{NAME}@{VERSION}/index.js"))
        running = server(site)
        threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
        page.goto(address(running))
        page.evaluate("fsbridge.ready")
        page.evaluate("analytics.track('Order Completed', { price: 99.95 })")
        assert fullstory.wait_for_event("Order Completed").properties == ORDER
        page.evaluate("analytics.addSourceMiddleware(({ payload, next }) => next(payload))")  # from the second part
        page.evaluate("analytics.track('Second')")
        fullstory.wait_for_event("Second")
        running.shutdown()
        running.server_close()
    assert (console.thrown, console.written) == ([], [])


def test_a_host_that_changes_the_tag_or_its_module_is_refused(
    tarball: Path, tmp_path: Path, page: Page, fullstory: FullStory
) -> None:
    with tarfile.open(tarball) as archive:
        archive.extractall(tmp_path, filter="data")
    package = tmp_path / "package"
    (lines,) = re.findall(r"```html\n(.*?)```", (package / "README.md").read_text(), re.DOTALL)
    for changed in ("fsbridge-????????.js", "fsbridge-*/micropython.js"):
        (file,) = (package / "files").glob(changed)
        before = file.read_text()
        file.write_text(f"document.title = 'changed';{before}")
        with served((f"/{NAME}@{VERSION}/", package), headers={"Access-Control-Allow-Origin": "*"}) as cdn:
            site = Site()
            site.put("/", f"<!doctype html><title>Shop</title>{lines.replace('https://cdn.example/', cdn)}")
            running = server(site)
            threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
            page.goto(address(running))
            failed = page.evaluate("window.fsbridge ? fsbridge.ready.then(() => '', String) : 'no tag'")
            assert failed, changed
            assert page.title() == "Shop"
            running.shutdown()
            running.server_close()
        file.write_text(before)
    assert not fullstory.calls


def test_it_is_packed_again_of_the_same_bytes_and_holds_what_it_names(tarball: Path, tmp_path: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = {name.removeprefix("package/") for name in archive.getnames()}
        archive.extractall(tmp_path, filter="data")
    description = json.loads((tmp_path / "package/package.json").read_text())
    assert (description["name"], description["version"], description["private"]) == (NAME, VERSION, True)
    assert {"index.js", "index.d.ts", "README.md", "LICENSE", "files/fsbridge.js"} <= names
    assert not [name for name in names if name.endswith((".br", ".gz")) or "nginx" in name]
    listed = re.findall(r'new URL\("\./(.+?)"', (tmp_path / "package/files.js").read_text())
    assert set(listed) == {name for name in names if re.match(r"files/fsbridge-[0-9a-f]{8}/", name)}
    # Vite puts what is smaller into the script, as an address that a policy may not allow.
    assert min((tmp_path / "package" / name).stat().st_size for name in listed) > 4096
    if "FSBRIDGE_TARBALL" not in os.environ:
        (tmp_path / "again").mkdir()
        files = tmp_path / "package/files"
        again = npm_package.pack(files, tmp_path / "again")
        assert again.read_bytes() == tarball.read_bytes()
