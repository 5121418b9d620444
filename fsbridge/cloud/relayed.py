"""Messages to a relay of ours, by the HTTP tracking API of Segment and RudderStack: the way for code without a key."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from ..messages import TYPES
from ..settings import SettingsError
from . import keys
from .errors import Rejected
from .transport import Receiver, Transport
from .values import cleaned, iso

MAX_MESSAGES = 100
MAX_BYTES = 450_000
"""Of one batch; relays take 500 KB."""


class Relay(Receiver):
    """A relay and the write key that it knows us by."""

    data_centre = ""

    def __init__(self, url: str, write_key: str | None, **transport: Any) -> None:
        if not isinstance(write_key, str) or not write_key.strip():
            raise SettingsError('A relay needs a write key: Cloud(relay="https://…", write_key="…").')
        user = base64.b64encode(f"{write_key.strip()}:".encode()).decode()
        self._transport = Transport(
            url,
            headers={"Content-Type": "application/json"},
            authorization=f"Basic {user}",
            hide=keys.hider(write_key.strip(), user),
            hint=_hint,
            **transport,
        )

    async def send(self, message: Any, key: str | None, again: bool) -> int:
        """Hand a message over. ``key`` stands in for its ``messageId``, by which a relay knows a repetition."""
        whole = _whole(message, key)
        await self._transport.perform("POST", f"/v1/{whole['type']}", _encoded(whole), again=again)
        return 1

    async def send_batch(self, batch: list[bytes]) -> None:
        """Hand over encoded messages: at most MAX_MESSAGES and MAX_BYTES."""
        await self._transport.perform("POST", "/v1/batch", b'{"batch":[' + b",".join(batch) + b"]}")


def encoded(message: Any, key: str | None = None) -> bytes:
    """A message as JSON. Raises TypeError, or Rejected."""
    return _encoded(_whole(message, key))


def _whole(message: Any, key: str | None) -> dict[str, Any]:
    result = cleaned(message)
    if result.get("type") not in TYPES:
        raise Rejected(f"its type is {json.dumps(result.get('type'))}; known: {', '.join(TYPES)}")
    result["messageId"] = key or result.get("messageId") or str(uuid.uuid4())
    if result.get("timestamp") is None and result.get("originalTimestamp") is None:
        result["timestamp"] = iso(datetime.now(UTC))  # or the relay would take each attempt for another message
    return result


def _encoded(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def _hint(method: str, path: str, status: int) -> str:
    return "the relay doesn't know this write key" if status in (401, 403) else ""
