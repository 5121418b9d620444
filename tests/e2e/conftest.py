"""A web site made up by a test, under realistic addresses."""

import re
import threading

import pytest

from fsbridge.build import build_web
from tools import demo, npm
from tools.serve import Site, address, server


class ShopSite(Site):
    """A site that the browser sees under every ``https://….example/`` address, and by HTTP under ``local``."""

    origin = "https://shop.example"
    local = ""

    def page(self, path: str, html: str, headers: dict[str, str] | None = None) -> str:
        """Serve ``html`` at ``path`` with these response headers, and return its https address."""
        self.put(path, html, headers)
        return self.origin + path

    def attach(self, context) -> None:
        """Serve the pages of a browser context."""
        context.route(re.compile(r"^https://([^/]+\.)?[^/.]+\.example/"), self._answer)

    def _answer(self, route) -> None:
        response = self.get(route.request.url)
        route.fulfill(status=response.status, headers=response.headers, body=response.body)


@pytest.fixture
def bare_site(context):
    """A site with nothing but the pages that the test puts there: ``page.goto(bare_site.page("/cart", html))``."""
    site = ShopSite()
    site.attach(context)
    running = server(site)
    site.local = address(running)
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield site
    running.shutdown()
    running.server_close()


@pytest.fixture(scope="session")
def web(tmp_path_factory):
    """The folder that `build_web` writes, built once a session."""
    out = tmp_path_factory.mktemp("dist") / "web"
    build_web(out, npm.provision(), for_release=False)
    return out


@pytest.fixture
def site(bare_site, web):
    """`bare_site` with all that fsbridge needs under ``/fsbridge/`` and PyScript's core under ``/pyscript/``."""
    bare_site.mount("/fsbridge/", web)
    bare_site.mount("/pyscript/", npm.provision() / "@pyscript/core/dist")
    return bare_site


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """The address of the demo shop, built and served as ``nox -s demo`` does."""
    out = tmp_path_factory.mktemp("dist") / "site"
    demo.build(out)
    running = server(demo.serve(out))
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield address(running)
    running.shutdown()
    running.server_close()
