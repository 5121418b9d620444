"""Requests out of a browser: pyodide-http's adapter, with what it leaves to be desired put right."""

from __future__ import annotations

from typing import Any

import requests
from pyodide_http._requests import PyodideHTTPAdapter

from ..runtime.browser import JsError

_BROWSERS_OWN = {"accept-encoding", "connection", "content-length", "user-agent"}
"""Headers that pages must not set; trying is an error on the console for each."""


class Adapter(PyodideHTTPAdapter):  # type: ignore[misc]
    """Sends through XMLHttpRequest. Where the network fails it raises what `requests` promises."""

    def send(self, request: Any, **options: Any) -> Any:
        request = request.copy()
        for name in [name for name in request.headers if name.lower() in _BROWSERS_OWN]:
            del request.headers[name]
        try:
            response = super().send(request, **options)
        except JsError as error:
            problem = str(error)
        else:
            if response.status_code:
                return response
            problem = "no answer"
        raise requests.ConnectionError(problem)
