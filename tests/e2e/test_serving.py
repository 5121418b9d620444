"""fsbridge.serve: the documentation's examples for FastAPI, Flask and Django, on servers, with a wheel's files."""

import gzip
import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import brotli
import pytest
from playwright.sync_api import Page

from fsbridge.build import servers
from fsbridge.testing import FullStory
from tests.ports import free_port

from .documented import examples
from .shop import Console, wait_until

DOCUMENTED = {example.kind: example.code for example in examples()}
DJANGO = """
import sys
from django.conf import settings
from django.shortcuts import render
from django.urls import path
settings.configure(
    ROOT_URLCONF="manage", WSGI_APPLICATION="example.application", ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["fsbridge.serve"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": ["."]}],
)
urlpatterns = [path("", lambda request: render(request, "shop.html"))]
if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    sys.modules["manage"] = sys.modules["__main__"]
    execute_from_command_line(["manage.py", "runserver", "--noreload", "--skip-checks", f"127.0.0.1:{sys.argv[1]}"])
"""
RUN = {
    "fastapi": "import sys, uvicorn, example; uvicorn.run(example.app, port=int(sys.argv[1]))",
    "flask": "import sys, waitress, example; waitress.serve(example.app, host='127.0.0.1', port=int(sys.argv[1]))",
    "django": DJANGO,
}


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Server:
    """A framework's server, running the documentation's example in a process of its own."""

    def __init__(self, kind: str, folder: Path, site_packages: Path) -> None:
        (folder / "example.py").write_text(DOCUMENTED[kind])
        (folder / "shop.html").write_text(DOCUMENTED["django-template"])
        (folder / "manage.py").write_text(RUN[kind])
        self.port = free_port()
        environment = {**os.environ, "PYTHONPATH": f"{site_packages}{os.pathsep}{folder}"}
        self.log = (folder / "log").open("w+")
        command = [sys.executable, "manage.py", str(self.port)]
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=self.log, stderr=self.log)
        while not self._listens():
            assert self.process.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)  # until it listens

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True

    def get(self, path: str, accepts: str = "identity", method: str = "GET") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, headers={"Accept-Encoding": accepts})
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.log.close()


@pytest.fixture(scope="module", params=["fastapi", "flask", "django"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, site_packages: Path
) -> Iterator[Server]:
    server = Server(request.param, tmp_path_factory.mktemp(request.param), site_packages)
    yield server
    server.stop()


def named(html: str) -> list[str]:
    """The files that a page names."""
    return re.findall(r'(?:src|href)="(/fsbridge/[^"]+)"', html)


def test_a_page_names_files_that_are_served_compressed_and_kept(running: Server) -> None:
    page = running.get("/").body.decode()
    files = named(page)
    assert [path.rpartition(".")[2] for path in files] == ["js", "wasm", "snapshot", "js"]
    types = {"js": "text/javascript", "wasm": "application/wasm", "snapshot": "application/octet-stream"}
    for path in [*files, "/fsbridge/fsbridge.js"]:
        plain = running.get(path)
        assert plain.status == 200
        assert plain.headers["Content-Type"].partition(";")[0] == types[path.rpartition(".")[2]]
        keep = servers.KEEP_FOR_MINUTES if path.endswith("/fsbridge.js") else servers.KEEP_FOR_EVER
        assert plain.headers.get_all("Cache-Control") == [keep]
        assert plain.headers["Access-Control-Allow-Origin"] == "*"
        assert "Content-Encoding" not in plain.headers
        for accepts, coding, opened in (("br, gzip", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress)):
            packed = running.get(path, accepts)
            assert packed.headers["Content-Encoding"] == coding
            assert packed.headers["Vary"] == "Accept-Encoding"
            assert opened(packed.body) == plain.body
            assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
        head = running.get(path, method="HEAD")
        assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(plain.body)))


def test_what_is_no_file_of_a_page_is_not_served(running: Server) -> None:
    for path in ("INSTALL.md", "nginx.conf", "none.js", "fsbridge.js.br", "../__init__.py", "%2e%2e/__init__.py", ""):
        assert running.get(f"/fsbridge/{path}").status == 404, path


def test_the_page_works_in_a_browser(running: Server, page: Page, fullstory: FullStory) -> None:
    console = Console(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto(f"http://127.0.0.1:{running.port}/")
    fullstory.wait_for_event("Opened")
    wait_until(page, "fsbridge.status === 'ready'")
    page.evaluate("analytics.page('Home')")
    fullstory.wait_for_event("Viewed Home Page")
    ours = [path for path in asked if path.startswith("/fsbridge/")]
    assert len(ours) == len(set(ours)), "asked for twice"
    assert (console.thrown, console.written) == ([], [])
