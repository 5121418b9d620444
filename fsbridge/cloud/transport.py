"""One HTTP request that gets through: timeouts, retries, and answers turned into errors that say what to do."""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlsplit

from ..settings import SettingsError
from .errors import Rejected, Unavailable
from .http import Answer, Call, Engine, NoAnswer

FIRST_BACKOFF = 0.5
MAX_BACKOFF = 30.0
"""Seconds between two attempts: at random up to the first, twice as long each time, up to the longest."""

MAX_RETRY_AFTER = 300.0
"""Seconds. Whatever a server asks for: one that means years has a wrong clock, or means harm."""

MAX_REDIRECTS = 3
MAX_TEXT = 500
"""Characters of an answer that are worth repeating."""


class Transport:
    """Requests to one server.

    ``authorization`` is the header that holds the credentials, ``hide`` blots them out of texts, ``hint`` says what to
    do about an answer (method, path, status). One request is tried again for ``retry_for`` seconds, each attempt taking
    at most ``timeout`` seconds.
    """

    def __init__(
        self,
        base_url: str,
        *,
        engine: Engine,
        headers: dict[str, str],
        authorization: str,
        hide: Callable[[str], str],
        hint: Callable[[str, str, int], str],
        timeout: float,
        retry_for: float,
    ) -> None:
        self._base = _checked_url(base_url)
        _check("timeout", timeout, 0.001)
        _check("retry_for", retry_for, 0)
        self._engine = engine
        lines = [f"{name}: {value}" for name, value in headers.items()]
        self._headers = _Secret([*lines, f"Authorization: {authorization}"])
        self._hide = hide
        self._hint = hint
        self._timeout = timeout
        self._retry_for = retry_for

    def on(self, engine: Engine) -> Transport:
        """The same with another engine."""
        other = copy.copy(self)
        other._engine = engine
        return other

    def close(self) -> None:
        """Close the connections; requests that are waiting for their next attempt raise Unavailable at once."""
        self._engine.close()

    async def pause(self, seconds: float) -> bool:
        """Wait; whether it is worth going on then, because nobody has closed the connections."""
        return await self._engine.pause(seconds)

    async def perform(
        self, method: str, path: str, body: bytes | None = None, *, key: str | None = None, again: bool = False
    ) -> Any:
        """The answer to a request, from JSON; None where it is empty.

        ``key`` is its Idempotency-Key; ``again`` tells that an earlier attempt with it may have gone out. Raises
        Rejected, or Unavailable when the time for retries is over.
        """
        begun = time.monotonic()
        started = again  # whether FullStory may be at it already, or done
        backoff = FIRST_BACKOFF
        while True:
            try:
                return await self._attempt(method, path, body, key, started)
            except Unavailable as error:
                started = started or error.status != 429
                wait = random.uniform(0, backoff) + (error.retry_after or 0)
                if time.monotonic() - begun + wait > self._retry_for or not await self._engine.pause(wait):
                    raise
                backoff = min(backoff * 2, MAX_BACKOFF)

    async def _attempt(self, method: str, path: str, body: bytes | None, key: str | None, started: bool) -> Any:
        headers = self._headers if key is None else [*self._headers, f"Idempotency-Key: {key}"]
        call = Call(method, self._base + path, headers, body, self._timeout)
        name = f"{method} {path.partition('?')[0]}"
        try:
            answer = await self._exchange(call)
        except NoAnswer as error:
            problem = self._hide(str(error))
        else:
            status = answer.status
            if 200 <= status < 300:
                return self._content(answer, name)
            if method == "DELETE" and status == 404 and started:
                return None  # that was us
            raise self._error(name, method, path, answer, started)
        raise Unavailable(problem, request=name)

    async def _exchange(self, call: Call) -> Answer:
        """The answer, after redirects that lead to another path of the same server and repeat the request as it is."""
        for _ in range(MAX_REDIRECTS):
            answer = await self._engine.exchange(call)
            repeats = answer.status in (307, 308) or (call.method == "GET" and answer.status in (301, 302))
            if not repeats or not _same_server(answer.redirect, self._base):
                break
            call = call._replace(url=answer.redirect)
        return answer

    def _content(self, answer: Answer, name: str) -> Any:
        """What an answer says. A login page or the like, from something in between, is none of the server's."""
        if not answer.content:
            return None
        content = _json(answer.content)
        if isinstance(content, dict):
            return content
        if "json" in answer.content_type.lower():
            return None  # as the vendor has it: an API has answered
        kind = answer.content_type.partition(";")[0].strip()[:50] or "of no type"
        raise Unavailable(
            f"the answer is not FullStory's: JSON is expected, and it is {self._hide(kind)}",
            request=name,
            status=answer.status,
        )

    def _error(self, name: str, method: str, path: str, answer: Answer, started: bool) -> Rejected | Unavailable:
        status = answer.status
        text, code = _said(answer)
        text = self._hide(text)
        if status in (408, 429) or status >= 500 or (status == 409 and started):
            retry_after = min(answer.retry_after, MAX_RETRY_AFTER) if answer.retry_after > 0 else None
            return Unavailable(text, request=name, status=status, retry_after=retry_after)
        hint = self._hint(method, path, status)
        if 300 <= status < 400:
            hint = f"it redirects to {self._hide(answer.redirect) or 'nowhere'}: the address of the server is wrong"
        return Rejected(text, request=name, status=status, code=self._hide(code), hint=hint)


class Receiver:
    """What messages go to by a `Transport`: FullStory's API, or a relay."""

    _transport: Transport

    def on(self, engine: Engine) -> Self:
        """The same with another engine."""
        other = copy.copy(self)
        other._transport = self._transport.on(engine)
        return other

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


class _Secret(list[str]):
    """A list that doesn't show what is in it."""

    def __repr__(self) -> str:
        return "[…]"


def _check(name: str, value: Any, least: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < float("inf"):
        raise SettingsError(f"{name} must be a number of at least {least}, and is {value!r}.")


def _checked_url(url: Any) -> str:
    try:
        parts = urlsplit(url) if isinstance(url, str) and url.isascii() and url.isprintable() else None
        valid = parts is not None and (parts.port or 1) > 0 and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        parts, valid = None, False
    if parts is None or not valid or parts.scheme not in ("http", "https") or not parts.hostname or " " in url:
        raise SettingsError(f"The address must be like https://api.fullstory.com, and is {url!r}.")
    return str(url).rstrip("/")


def _same_server(url: str, base: str) -> bool:
    try:
        one, other = urlsplit(url), urlsplit(base)
        return (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
    except ValueError:
        return False


def _said(answer: Answer) -> tuple[str, str]:
    """The server's own message and code."""
    content = _json(answer.content)
    if isinstance(content, dict):
        for name in ("message", "error", "reason"):
            if isinstance(content.get(name), str) and content[name].strip():
                return _short(content[name]), _short(str(content.get("code") or ""))
    text = "" if "html" in answer.content_type else answer.content[: MAX_TEXT * 8].decode("utf-8", "replace")
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = ""
    return _short(text) or _short(answer.reason) or phrase or "no reason given", ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
