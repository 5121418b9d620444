"""The sites of tests as Chromium reaches them: over the network, by a proxy that answers for every ``….example``.

Playwright's ``fulfill`` would write each body as base64 into messages: for Pyodide that is four fifths of all that a
page's start costs.
"""

from functools import cache

from tools.serve import Site

from .e2e.net import Net


class _Hosts:
    """Each host under ``.example`` is the site that is served last."""

    def __init__(self) -> None:
        self.site: Site | None = None

    def __contains__(self, host: str) -> bool:
        return True

    def __getitem__(self, host: str) -> Site:
        if self.site is None or not host.endswith(".example"):
            raise KeyError(host)
        return self.site


_hosts = _Hosts()


@cache
def proxy() -> str:
    """The address (host:port) of the proxy that browsers are started with."""
    return Net(_hosts).proxy


def serve(site: Site | None) -> None:
    """From now on ``site``, or nothing, is at every address under ``.example``."""
    _hosts.site = site
