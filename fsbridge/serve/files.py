"""The files of a release over ASGI and WSGI: precompressed copies, types, and how long browsers may keep them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from ..build.servers import HASHED, KEEP_FOR_EVER, KEEP_FOR_MINUTES
from ..extras import missing
from . import release

_OPTIONS = {
    "allow_all_origins": True,  # the tag may be on pages of another host
    "mimetypes": {".js": "text/javascript", ".snapshot": "application/octet-stream", ".wasm": "application/wasm"},
}
_FOR_PEOPLE = ("INSTALL.md", "nginx.conf", "Caddyfile")


class ASGI:
    """Serves the files, and hands all other requests on to ``app``.

    ``base`` is the path that they are under, ``folder`` what ``fsbridge build`` has written, by default the files of
    the wheel. For Starlette and FastAPI: ``app.add_middleware(fsbridge.serve.ASGI)``. Raises BuildError where there is
    no release, ModuleNotFoundError without the extra "serve".
    """

    def __init__(
        self, app: Callable[..., Awaitable[Any]], base: str = release.BASE, folder: str | Path | None = None
    ) -> None:
        self._serve = _serving("ServeStaticASGI", app, base, folder)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        await self._serve(scope, receive, send)


class WSGI:
    """Serves the files, and hands all other requests on to ``app``; its arguments are those of `ASGI`.

    For Flask: ``app.wsgi_app = fsbridge.serve.WSGI(app.wsgi_app)``; for Django, in ``wsgi.py``:
    ``application = fsbridge.serve.WSGI(get_wsgi_application())``.
    """

    def __init__(
        self, app: Callable[..., Iterable[bytes]], base: str = release.BASE, folder: str | Path | None = None
    ) -> None:
        self._serve = _serving("ServeStatic", app, base, folder)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        answer: Iterable[bytes] = self._serve(environ, start_response)
        return answer


def _serving(kind: str, app: Any, base: str, folder: str | Path | None) -> Any:
    """ServeStatic's application with a release's files, which it looks for once."""
    try:
        import servestatic
    except ImportError as error:
        raise ModuleNotFoundError(missing("servestatic", "serve")) from error
    if not re.fullmatch(r"/([\w.~-]+/)*[\w.~-]*", base):
        raise ValueError(f"base is {base!r}; accepted: a path of the site, such as /fsbridge/")
    base = release.address(base)

    def add_headers(headers: Any, path: str, url: str) -> None:
        is_hashed = re.search(HASHED, url.removeprefix(base))
        headers["Cache-Control"] = KEEP_FOR_EVER if is_hashed else KEEP_FOR_MINUTES

    serving = getattr(servestatic, kind)(app, **_OPTIONS, add_headers_function=add_headers)
    serving.add_files(release.find(folder), base)
    for name in _FOR_PEOPLE:
        serving.files.pop(base + name, None)
    return serving
