"""Requests out of a browser: `requests` on pyodide-http, with what its adapter leaves to be desired put right."""

from __future__ import annotations

import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from pyodide_http._requests import PyodideHTTPAdapter

from ..runtime.browser import JsError
from .http import MAX_ANSWER, Answer, Call, Engine, NoAnswer

_BROWSERS_OWN = {"accept-encoding", "connection", "content-length", "user-agent"}
"""Headers that pages must not set; trying is an error on the console for each."""


class Notebook(Engine):
    """Sends through XMLHttpRequest, one request at a time; a browser follows redirects by itself."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.trust_env = False
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _Adapter())
        self._open = True

    async def exchange(self, call: Call) -> Answer:
        headers = dict(line.split(": ", 1) for line in call.headers)
        try:
            response = self._session.request(
                call.method, call.url, data=call.body, headers=headers, timeout=call.timeout, allow_redirects=False
            )
        except requests.Timeout:
            problem = f"no answer within {call.timeout:g} s"
        except requests.RequestException:
            problem = "unreachable: no answer"
        else:
            if len(response.content) <= MAX_ANSWER:
                asked = response.headers.get("Retry-After", "")
                return Answer(
                    response.status_code,
                    response.content,
                    response.headers.get("Content-Type", ""),
                    retry_after=float(asked) if asked.isascii() and asked.isdigit() else 0,
                )
            problem = f"the answer is longer than {MAX_ANSWER >> 20} MB"
        raise NoAnswer(problem)  # out here it carries no trace of the request, which holds the credentials

    async def pause(self, seconds: float) -> bool:
        if self._open:
            time.sleep(seconds)
        return self._open

    def close(self) -> None:
        self._open = False
        self._session.close()


class _Adapter(PyodideHTTPAdapter):  # type: ignore[misc]
    """Where the network fails it raises what `requests` promises."""

    def send(self, request: Any, **options: Any) -> Any:
        request = request.copy()
        for name in [name for name in request.headers if name.lower() in _BROWSERS_OWN]:
            del request.headers[name]
        try:
            response = super().send(request, **options)
        except JsError:
            raise requests.ConnectionError from None
        if not response.status_code:
            raise requests.ConnectionError
        return response
