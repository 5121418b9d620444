"""The hosts that the tests' browsers reach, by a proxy that answers for them, HTTPS included. There are no others."""

import ssl
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import trustme


class Unreachable(Exception):
    """Raised by a host that doesn't answer: the browser sees an error of the network."""


class Net:
    """``hosts``: for the name of each host what answers, as `tools.serve.Site` does, or raises `Unreachable`."""

    def __init__(self, hosts: Any) -> None:
        self.hosts = hosts
        authority = trustme.CA()

        @cache
        def secure(host: str) -> ssl.SSLContext:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(host).configure_cert(context)
            return context

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or a body waits for the headers to be acknowledged

            def do_CONNECT(handler) -> None:
                host = handler.path.partition(":")[0]
                if host not in self.hosts:
                    return handler.send_error(502)
                handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                with secure(host).wrap_socket(handler.connection, server_side=True) as connection:
                    Handler(connection, handler.client_address, handler.server)
                handler.close_connection = True

            def do_GET(handler) -> None:
                host = urlsplit("//" + handler.headers["Host"]).hostname
                try:
                    response = self.hosts[host].get(handler.path)
                except (KeyError, Unreachable):
                    handler.close_connection = True
                    return
                handler.send_response(response.status)
                for name, value in response.headers.items():
                    handler.send_header(name, value)
                handler.send_header("Content-Length", str(len(response.body)))
                handler.end_headers()
                handler.wfile.write(response.body)

            def log_message(handler, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # browsers go away in the middle of anything

        self._server = Server(("127.0.0.1", 0), Handler)
        self.proxy = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
