"""Messages to a relay of ours, by the HTTP tracking API of Segment and RudderStack: the way for code without a key."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from ..messages import TYPES
from ..settings import SettingsError
from . import keys
from .errors import Rejected
from .transport import Transport
from .values import cleaned

MOST_MESSAGES = 100
MOST_BYTES = 450_000
"""Of one batch; relays take 500 KB."""


class Relay:
    """A relay and the write key that it knows us by."""

    data_centre = ""

    def __init__(self, url: str, write_key: str | None, **limits: Any) -> None:
        if not isinstance(write_key, str) or not write_key.strip():
            raise SettingsError('A relay needs a write key: Cloud(relay="https://…", write_key="…").')
        user = base64.b64encode(f"{write_key.strip()}:".encode()).decode()
        self._transport = Transport(
            url,
            headers={"Content-Type": "application/json"},
            authorize=keys.adder(f"Basic {user}"),
            hide=keys.hider(write_key.strip(), user),
            hint=_hint,
            **limits,
        )
        self.close = self._transport.close

    def send(self, message: Any, key: str | None, again: bool) -> int:
        """Hand a message over. ``key`` stands in for its ``messageId``, by which a relay knows a repetition."""
        whole = _whole(message, key)
        self._transport.perform("POST", f"/v1/{whole['type']}", _encoded(whole), again=again)
        return 1

    def send_many(self, messages: Iterable[Any]) -> int:
        """Hand many over in batches, one after the other; how many there were."""
        count = 0
        for batch in _batches(_encoded(_whole(message, None)) for message in messages):
            self._transport.perform("POST", "/v1/batch", b'{"batch":[' + b",".join(batch) + b"]}")
            count += len(batch)
        return count


def _whole(message: Any, key: str | None) -> dict[str, Any]:
    result = cleaned(message)
    if result.get("type") not in TYPES:
        raise Rejected(f"its type is {json.dumps(result.get('type'))}; known: {', '.join(TYPES)}")
    result["messageId"] = key or result.get("messageId") or str(uuid.uuid4())
    return result


def _encoded(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def _batches(encoded: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for item in encoded:
        if batch and (len(batch) == MOST_MESSAGES or size + len(item) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item) + 1
    if batch:
        yield batch


def _hint(method: str, path: str, status: int) -> str:
    return "the relay doesn't know this write key" if status in (401, 403) else ""
