"""One HTTP request that gets through: timeouts, retries, and answers turned into errors that say what to do."""

from __future__ import annotations

import email.utils
import json
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from ..settings import SettingsError
from .errors import Rejected, Unavailable
from .keys import IN_BROWSER

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
"""Seconds between two attempts: at random up to the first, twice as long each time, up to the longest."""

MOST_TEXT = 500
"""Characters of an answer that are worth repeating."""


class Session(requests.Session):
    """A session that keeps nothing, and repeats no POST as a GET: a redirect must not swallow a message."""

    def __init__(self, connections: int) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        if IN_BROWSER:
            from .notebook import Adapter

            adapter: Any = Adapter()
        else:
            adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: Any) -> str | None:
        same = resp.status_code in (307, 308) or resp.request.method == "GET"
        return super().get_redirect_target(resp) if same else None


class Transport:
    """Requests to one server, from any number of threads.

    ``authorize`` puts the credentials on a request, ``hide`` blots them out of texts, ``hint`` says what to do about
    an answer (method, path, status). One request is tried again for ``retry_for`` seconds, waiting ``timeout`` seconds
    for each connection and each piece of an answer.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: dict[str, str],
        authorize: Callable[[Any], Any],
        hide: Callable[[str], str],
        hint: Callable[[str, str, int], str],
        timeout: float,
        retry_for: float,
        connections: int,
    ) -> None:
        self._base = _checked_url(base_url)
        _check("timeout", timeout, 0.001)
        _check("retry_for", retry_for, 0)
        _check("connections", connections, 1)
        self._headers = headers
        self._authorize = authorize
        self._hide = hide
        self._hint = hint
        self._timeout = timeout
        self._closing = threading.Event()
        self._session = Session(int(connections))
        # The proxies and certificates of the environment, looked up once; and no ~/.netrc in place of our credentials.
        self._environment = self._session.merge_environment_settings(self._base, {}, None, None, None)
        self._session.trust_env = False
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Unavailable),
            wait=_wait,
            stop=tenacity.stop_before_delay(retry_for) | tenacity.stop_when_event_set(self._closing),
            sleep=time.sleep if IN_BROWSER else tenacity.sleep_using_event(self._closing),
            reraise=True,
        )

    def perform(
        self, method: str, path: str, body: bytes | None = None, *, key: str | None = None, again: bool = False
    ) -> Any:
        """The answer to a request, from JSON; None where it is empty or no JSON.

        ``key`` is its Idempotency-Key; ``again`` tells that an earlier attempt with it may have gone out. Raises
        Rejected, or Unavailable when the time for retries is over.
        """
        headers = self._headers if key is None else {**self._headers, "Idempotency-Key": key}
        request = requests.PreparedRequest()
        request.prepare(method, self._base, headers=headers, data=body, auth=self._authorize)
        request.url = self._base + path  # as it is: prepare() would resolve a user id such as ".."
        name = f"{method} {path.partition('?')[0]}"
        started = again  # whether FullStory may be at it already, or done

        def attempt() -> Any:
            nonlocal started
            try:
                response = self._exchange(request, name)
            except Unavailable:
                started = True
                raise
            if 200 <= response.status_code < 300:
                return _json(response.content)
            if method == "DELETE" and response.status_code == 404 and started:
                return None  # that was us
            error = self._error(name, method, path, response, started)
            started = started or (isinstance(error, Unavailable) and error.status != 429)
            raise error

        return self._retrying(attempt)

    def close(self) -> None:
        """Close the connections; requests that are waiting for their next attempt raise Unavailable at once."""
        self._closing.set()
        self._session.close()

    def _exchange(self, request: Any, name: str) -> Any:
        try:
            return self._session.send(request, timeout=self._timeout, **self._environment)
        except (requests.RequestException, HTTPError) as error:
            problem = self._hide(_spoken(error, self._timeout))
        # Out here it carries no trace of the error, whose request holds the credentials.
        raise Unavailable(problem, request=name)

    def _error(self, name: str, method: str, path: str, response: Any, started: bool) -> Rejected | Unavailable:
        status: int = response.status_code
        text, code = _said(response)
        text = self._hide(text)
        if status in (408, 429) or status >= 500 or (status == 409 and started):
            retry_after = _seconds(response.headers.get("Retry-After"))
            return Unavailable(text, request=name, status=status, retry_after=retry_after)
        hint = self._hint(method, path, status)
        if 300 <= status < 400:
            where = self._hide(response.headers.get("Location", "nowhere"))
            hint = f"it redirects to {where}: the address of the server is wrong"
        return Rejected(text, request=name, status=status, code=self._hide(code), hint=hint)


def _check(name: str, value: Any, least: float) -> None:
    if not isinstance(value, (int, float)) or not value >= least:
        raise SettingsError(f"{name} must be a number of at least {least}, and is {value!r}.")


def _checked_url(url: Any) -> str:
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(f"The address must be like https://api.fullstory.com, and is {url!r}.")
    return str(url).rstrip("/")


_backoff = tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)


def _wait(state: tenacity.RetryCallState) -> float:
    """Seconds to the next attempt: what FullStory asks for, and a growing random time, lest all come back at once."""
    error = state.outcome.exception() if state.outcome else None
    return _backoff(state) + (getattr(error, "retry_after", None) or 0)


def _seconds(retry_after: str | None) -> float | None:
    """The seconds of a Retry-After header, which may also be a date; None where there is no such time."""
    if not retry_after:
        return None
    try:
        return max(float(int(retry_after)), 0)
    except ValueError:
        pass
    try:
        return max(email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time(), 0)
    except (ValueError, OverflowError):
        return None


def _said(response: Any) -> tuple[str, str]:
    """The server's own message and code."""
    answer = _json(response.content)
    if isinstance(answer, dict):
        for name in ("message", "error", "reason"):
            if isinstance(answer.get(name), str) and answer[name].strip():
                return _short(answer[name]), str(answer.get("code") or "")
    text = "" if "html" in response.headers.get("Content-Type", "") else response.content.decode("utf-8", "replace")
    try:
        phrase = HTTPStatus(response.status_code).phrase
    except ValueError:
        phrase = ""
    return _short(text) or response.reason or phrase or "no reason given", ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + "…"


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _spoken(error: Exception, timeout: float) -> str:
    """Why there was no answer, without the address and all that the libraries' texts hold."""
    if isinstance(error, requests.Timeout):
        return f"no answer within {timeout:g} s"
    cause: Any = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
            return f"no connection: {cause.strerror}"
        inner = [getattr(cause, "reason", None), cause.__cause__, cause.__context__, *getattr(cause, "args", ())]
        cause = next((each for each in inner if isinstance(each, BaseException)), None)
    return {"SSLError": "no connection: TLS failed", "ProxyError": "no connection through the proxy"}.get(
        type(error).__name__, "the connection was cut"
    )
