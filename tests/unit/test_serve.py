"""The static server: types, headers, and nothing outside its folders."""

import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tools.serve import Site, address, server


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "web").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    for name in ("index.html", "app.mjs", "core.wasm", "data.json"):
        (tmp_path / "web" / name).write_text(name)
    site = Site({"X-Everywhere": "yes"})
    site.mount("/shop/", tmp_path / "web")
    return site


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("/shop/", "text/html; charset=utf-8"),
        ("/shop/app.mjs", "text/javascript; charset=utf-8"),
        ("/shop/core.wasm?v=1", "application/wasm"),
        ("/shop/data.json", "application/json"),
    ],
)
def test_files_have_the_types_that_browsers_insist_on(site: Site, path: str, type_: str) -> None:
    response = site.get(path)
    assert (response.status, response.headers["Content-Type"]) == (200, type_)


def test_pages_have_headers_of_their_own(site: Site) -> None:
    site.put("/cart", "<p>cart", {"Content-Security-Policy": "default-src 'self'"})
    response = site.get("https://shop.example/cart?x=1#y")
    assert response.body == b"<p>cart"
    assert response.headers == {
        "X-Everywhere": "yes",
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'self'",
    }


@pytest.mark.parametrize(
    ("accepts", "served"),
    [("gzip, deflate, br;q=0.9, zstd", "br"), ("gzip", "gzip"), ("zstd", None), ("", None)],
)
def test_a_compressed_copy_is_served_where_it_is_accepted(
    site: Site, tmp_path: Path, accepts: str, served: str
) -> None:
    for ending, coding in ((".br", b"br"), (".gz", b"gzip")):
        (tmp_path / "web" / ("app.mjs" + ending)).write_bytes(coding)
    response = site.get("/shop/app.mjs", accepts)
    assert response.headers.get("Content-Encoding") == served
    assert response.body == (served or "app.mjs").encode()
    assert (response.headers["Content-Type"], response.headers["Vary"]) == (
        "text/javascript; charset=utf-8",
        "Accept-Encoding",
    )
    assert "Vary" not in site.get("/shop/core.wasm", accepts).headers


@pytest.mark.parametrize("path", ["/", "/shop/none", "/shop/../secret.txt", "/shop/%2e%2e/secret.txt"])
def test_nothing_else_is_served(site: Site, path: str) -> None:
    assert site.get(path).status == 404


def test_serves_over_http(site: Site) -> None:
    running = server(site)
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    try:
        with urllib.request.urlopen(address(running) + "shop/core.wasm", timeout=60) as response:
            assert (response.read(), response.headers["Content-Type"]) == (b"core.wasm", "application/wasm")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address(running) + "none", timeout=60)
    finally:
        running.shutdown()
        running.server_close()
