"""A small static server: right MIME types, compressed copies, headers per page, pages made up by a test.

On 127.0.0.1 only.

python -m tools.serve FOLDER [PORT]
"""

import mimetypes
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a page needs to be right whatever the machine's own table says: a .wasm of another type isn't compiled while it
# arrives, a module of another type isn't run.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".py": "text/x-python; charset=utf-8",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
}

CODINGS = {"br": ".br", "gzip": ".gz"}
"""Content codings, the best first, and the endings of files that are a compressed copy of the one beside them."""


@dataclass
class Response:
    """What answers a request."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200


class Site:
    """Folders mounted under path prefixes, and single pages. ``headers`` go with every response."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self.headers = dict(headers or {})
        self._folders: dict[str, Path] = {}
        self._pages: dict[str, Response] = {}

    def mount(self, prefix: str, folder: Path) -> None:
        """Serve the files of ``folder`` under ``prefix``, which starts and ends with a slash."""
        self._folders[prefix] = folder.resolve()

    def put(self, path: str, body: str | bytes, headers: Mapping[str, str] | None = None) -> None:
        """Serve ``body`` at ``path``; as HTML unless the path's ending or ``headers`` say otherwise."""
        content = body.encode() if isinstance(body, str) else body
        self._pages[path] = Response(content, {"Content-Type": _type(path, ".html"), **(headers or {})})

    def get(self, url: str, accepts: str = "") -> Response:
        """The response to a GET of ``url`` (or a path): 404 where there is nothing.

        ``accepts`` is the request's Accept-Encoding: a file's compressed copy is served where it allows that.
        """
        path = unquote(urlsplit(url).path) or "/"
        found = self._pages.get(path) or self._file(path, accepts)
        if not found:
            found = Response(b"Not found\n", {"Content-Type": "text/plain"}, 404)
        return Response(found.body, {**self.headers, **found.headers}, found.status)

    def _file(self, path: str, accepts: str) -> Response | None:
        for prefix in sorted(self._folders, key=len, reverse=True):
            if path.startswith(prefix):
                file = (self._folders[prefix] / path.removeprefix(prefix)).resolve()
                if file.is_dir():
                    file /= "index.html"
                if file.is_relative_to(self._folders[prefix]) and file.is_file():
                    return _encoded(file, accepts)
        return None


def _encoded(file: Path, accepts: str) -> Response:
    """A file, or the best compressed copy of it that is accepted."""
    accepted = {name.partition(";")[0].strip() for name in accepts.split(",")}
    headers = {"Content-Type": _type(file.name)}
    for coding, ending in CODINGS.items():
        copy = file.with_name(file.name + ending)
        if copy.is_file():
            headers["Vary"] = "Accept-Encoding"
            if coding in accepted:
                return Response(copy.read_bytes(), {**headers, "Content-Encoding": coding})
    return Response(file.read_bytes(), headers)


def _type(name: str, default: str = "") -> str:
    suffix = Path(name).suffix or default
    return TYPES.get(suffix) or mimetypes.guess_type("x" + suffix)[0] or "application/octet-stream"


def server(site: Site, port: int = 0) -> ThreadingHTTPServer:
    """An HTTP server for ``site`` on 127.0.0.1; port 0 takes a free one. Start it with ``serve_forever()``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or a body waits for the headers to be acknowledged

        def do_GET(self) -> None:
            response = site.get(self.path, self.headers.get("Accept-Encoding", ""))
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            # A browser that goes away in the middle of a file is nothing to report.
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)  # type: ignore[arg-type]

    return Server(("127.0.0.1", port), Handler)


def address(running: ThreadingHTTPServer) -> str:
    """The server's URL, with a slash at the end."""
    return f"http://127.0.0.1:{running.server_port}/"


if __name__ == "__main__":
    site = Site()
    site.mount("/", Path(sys.argv[1]))
    running = server(site, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(address(running), flush=True)
    running.serve_forever()
