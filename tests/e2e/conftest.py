"""A web site made up by a test, under realistic addresses."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from fsbridge.build import build_web, release
from tools import demo, npm
from tools.serve import Site, address, server

from .. import wire
from ..conftest import once
from .engines import ENGINES, Engines
from .net import Net
from .visitor import HOST, Edge, Visitor


class ShopSite(Site):
    """A site that the browser sees under every ``https://….example/`` address, and by HTTP under ``local``."""

    origin = "https://shop.example"
    local = ""

    def page(self, path: str, html: str, headers: dict[str, str] | None = None) -> str:
        """Serve ``html`` at ``path`` with these response headers, and return its https address."""
        self.put(path, html, headers)
        return self.origin + path


@pytest.fixture
def bare_site() -> Iterator[ShopSite]:
    """A site with nothing but the pages that the test puts there: ``page.goto(bare_site.page("/cart", html))``."""
    site = ShopSite()
    wire.serve(site)
    running = server(site)
    site.local = address(running)
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield site
    wire.serve(None)
    running.shutdown()
    running.server_close()


@pytest.fixture
def site(bare_site: ShopSite, web: Path) -> ShopSite:
    """`bare_site` with all that fsbridge needs under ``/fsbridge/`` and PyScript's core under ``/pyscript/``."""
    bare_site.mount("/fsbridge/", web)
    bare_site.mount("/pyscript/", npm.provision() / "@pyscript/core/dist")
    return bare_site


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of all runtimes, but for the compressed copies, which take long."""

    def build(out: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(release, "write_compressed", lambda files: None)
            build_web(out, npm.provision())

    return once(tmp_path_factory, "released", build)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, web: Path) -> Iterator[str]:
    """The address of the demo shop, built and served as ``nox -s demo`` does, but for `web`, which there is already."""

    def copy(out: Path, modules: Path, *, for_release: bool) -> None:
        assert not for_release
        shutil.copytree(web, out)

    def build(out: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(demo, "build_web", copy)
            demo.build(out)

    running = server(demo.serve(once(tmp_path_factory, "demo", build)))
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield address(running)
    running.shutdown()
    running.server_close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core."""
    from filelock import FileLock

    with FileLock(tmp_path_factory.getbasetemp().parent / "axe.lock"):  # several workers need it
        return (npm.provision(Path(__file__).parent) / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def edge() -> Edge:
    """The host of fs.js, for the three engines."""
    return Edge()


@pytest.fixture(scope="session")
def engines(playwright: Playwright, edge: Edge) -> Iterator[Engines]:
    """``engines.get(name)``: one browser of each kind for all tests of the session."""
    net = Net({HOST: edge})
    engines = Engines(playwright, net.proxy)
    yield engines
    engines.close()
    net.close()


@pytest.fixture(params=ENGINES)
def visitor(request: pytest.FixtureRequest, engines: Engines, edge: Edge) -> Iterator[Visitor]:
    """A visitor with each of the engines."""
    visitor = Visitor(request.param, engines.get(request.param), edge)
    yield visitor
    visitor.close()
