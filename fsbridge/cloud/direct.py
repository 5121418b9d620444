"""Messages to FullStory's HTTP API: mapped as Segment's cloud mode maps them, performed one request after the other."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from ..destinations import configured
from ..messages import allows
from ..runtime import make_date, raw_get
from . import destination as segment_cloud
from . import keys
from .destination import NAME, PayloadError, Request
from .errors import Rejected
from .transport import Receiver, Transport
from .values import cleaned

_MESSAGES = uuid.UUID("7d7cf4f1-8d1f-4b4c-9a0e-5f0d3f1f7c55")
"""The namespace of idempotency keys that come from a message's own id."""


class FullStory(Receiver):
    """FullStory with an API key, and the destination that says what a message makes there."""

    def __init__(self, api_key: str, settings: dict[str, Any] | None, base_url: str, **transport: Any) -> None:
        header = segment_cloud.authorization(api_key)
        self.data_centre = keys.data_centre(api_key)
        self._destination = configured(segment_cloud.SegmentCloud, settings or {}, strict=True)
        self._transport = Transport(
            base_url,
            headers=segment_cloud.HEADERS,
            authorization=header,
            hide=keys.hider(api_key),
            hint=_hint,
            **transport,
        )

    async def send(self, message: Any, key: str | None, again: bool) -> int:
        """Make the requests of a message; how many there were. See `fsbridge.cloud.Cloud.send`."""
        requests, failed = self.requests(message)
        rejected = [_refused(error) for error in failed]
        taken = 0
        for number, request in enumerate(requests, 1):
            try:
                body = request.body()
                name = _key(key, number, message, body)
                await self._transport.perform(request.method, request.path, body, key=name, again=again)
                taken += 1
            except PayloadError as error:
                rejected.append(_refused(error))
            except Rejected as error:
                rejected.append(error)
        if rejected:
            rejected[0].others = rejected[1:]
            rejected[0].taken = taken
            raise rejected[0]
        return taken

    def requests(self, message: Any) -> tuple[list[Request], list[PayloadError]]:
        """What a message makes; nothing where its ``integrations`` leave this destination out."""
        value = cleaned(message, lambda moment: make_date(moment.timestamp() * 1000))
        if not allows(raw_get(value, "integrations"), NAME, NAME):
            return [], []
        found: tuple[list[Request], list[PayloadError]] = self._destination.requests(value)
        return found

    async def perform(self, request: Request, key: str | None, *, again: bool = False) -> Any:
        """The answer to one request."""
        return await self._transport.perform(request.method, request.path, request.body(), key=key, again=again)

    async def post(self, path: str, body: bytes, key: str) -> Any:
        """The answer to a POST with a body of one's own."""
        return await self._transport.perform("POST", path, body, key=key)

    async def pause(self, seconds: float) -> bool:
        """Wait; whether it is worth going on then, because nobody has closed the connections."""
        return await self._transport.pause(seconds)

    async def get(self, path: str) -> Any:
        """The answer to a GET."""
        return await self._transport.perform("GET", path)


def _key(given: str | None, number: int, message: Any, body: bytes | None) -> str:
    """The idempotency key of a message's ``number``th request.

    It follows from the key that was given, else from the message's own id and what is sent, so that the same message
    sent twice is taken once, and messages that carry the same id by mistake are all taken.
    """
    if given is None:
        name = message.get("messageId")
        if not isinstance(name, str) or not name:
            return str(uuid.uuid4())
        content = (body or b"") + b"\0" + name.encode("utf-8", "surrogatepass")
        given = str(uuid.uuid5(_MESSAGES, hashlib.sha256(content).hexdigest()))
    return given if number == 1 else f"{given}-{number}"


def _refused(error: PayloadError) -> Rejected:
    return Rejected(f"{error.subscription} failed: {error}" if error.subscription else str(error))


def _hint(method: str, path: str, status: int) -> str:
    if status == 401:
        return "the API key is wrong or was revoked"
    if status == 403 and method == "DELETE":
        return "deleting users needs an Admin's or Architect's API key"
    if status == 403:
        return "the role of the API key doesn't allow it"
    if status == 404 and path.startswith("/users/v1/"):
        return "FullStory doesn't know this user: V1 actions need one who was identified before; V2 actions create it"
    if status == 404 and method == "DELETE":
        return "FullStory doesn't know this user"
    return ""
