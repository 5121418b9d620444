"""Large answers of a test's site go to Chromium over the network.

Playwright's ``fulfill`` writes a body as base64 into one message after another: for Pyodide that is four fifths of all
that a page's start costs.
"""

from functools import cache
from typing import Any
from urllib.parse import urlsplit

from tools.serve import Response

from .e2e.net import Net, Unreachable

LARGE = 1_000_000


class _Hosts:
    """All hosts, each with the large answers to what its pages have asked for."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Response] = {}

    def __contains__(self, host: str) -> bool:
        return True

    def __getitem__(self, host: str) -> "_Host":
        return _Host(self.answers, host)


class _Host:
    def __init__(self, answers: dict[tuple[str, str], Response], name: str) -> None:
        self._answers = answers
        self._name = name

    def get(self, path: str) -> Response:
        try:
            return self._answers[self._name, path]
        except KeyError:
            raise Unreachable from None


_hosts = _Hosts()


@cache
def proxy() -> str:
    """The address (host:port) of the proxy that browsers are started with."""
    return Net(_hosts).proxy


def fulfill(route: Any, response: Response) -> None:
    """Answer a request that Playwright has stopped."""
    url = urlsplit(route.request.url)
    if len(response.body) < LARGE:
        route.fulfill(status=response.status, headers=response.headers, body=response.body)
        return
    path = f"{url.path}?{url.query}" if url.query else url.path
    _hosts.answers[url.hostname or "", path] = response
    route.continue_()
