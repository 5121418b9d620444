"""The tracking API's requests: who sends them, and the messages in them.

The rules are those that Segment's and RudderStack's own servers and SDKs share. What a message has to say for an action
of FullStory is the destination's affair; here its fields only need to be of the right types.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import math
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..cloud.ordered import lane
from ..messages import TYPES
from ..runtime import type_of
from .bodies import Refused

BATCHES = ("batch", "import", "b")
TYPE_OF = {**{name: name for name in TYPES}, **{name[0]: name for name in TYPES}}
"""The message's type by the end of the path; Segment's browser SDK writes the first letter only."""

MAX_MESSAGES = 2500
"""Of a batch, as at Segment."""

_IDS = ("userId", "anonymousId", "messageId", "groupId", "previousId")
_TEXTS = ("event", "name")
_TIMES = ("timestamp", "originalTimestamp")
_OBJECTS = ("properties", "traits", "context", "integrations")
_MERGED = ("context", "integrations")
_OF_TRANSPORT = ("writeKey", "sentAt")
_NAMESPACE = uuid.UUID("6f4d5a55-6f0e-4bb0-8a0f-2f4e0f0a9d3c")


class Message(NamedTuple):
    """A message as the queue keeps it.

    ``lane`` is the user whose messages stay in order; ``body`` is the message as JSON in ASCII; ``key`` is the
    Idempotency-Key, which follows from the body where the message has a messageId: copies that a client sends of it
    have one key.
    """

    type: str
    lane: str
    key: str
    body: str


class Wrong(NamedTuple):
    """A message that can't be taken: its place in the batch, from 0, and the reason."""

    place: int
    reason: str
    too_large: bool = False


def key_of_header(header: str | None) -> str | None:
    """The write key of an Authorization header: the user name of basic authentication. None without a header."""
    if header is None:
        return None
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[0]
        except (binascii.Error, ValueError):
            pass
    raise Refused(401, "bad_authorization", "Authorization must be Basic, with the write key as user name.")


def missing_key() -> Refused:
    """No write key was given."""
    return Refused(401, "no_write_key", "The write key is missing: send it as user name of basic authentication.")


def unknown_key() -> Refused:
    """The write key that was given is none of ours."""
    return Refused(401, "unknown_write_key", "The write key is unknown.")


def checked_key(given: Any, known: Iterable[str]) -> str:
    """The write key, if it is known; it takes the same time for each that isn't. Raises Refused."""
    if not given:
        raise missing_key()
    encoded = given.encode("utf-8", "surrogatepass") if isinstance(given, str) else b""
    found = [key for key in known if hmac.compare_digest(encoded, key.encode())]
    if not found:
        raise unknown_key()
    return found[0]


def has_key(body: bytes, known: Iterable[str]) -> bool:
    """Whether a body may name one of the write keys: strangers' bodies aren't worth parsing."""
    return any(key.encode() in body for key in known)


def _whole(digits: str) -> int | float | None:
    return int(digits) if len(digits) < 16 else _finite(digits)


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


_decode = json.JSONDecoder(parse_int=_whole, parse_float=_finite, parse_constant=lambda name: None).decode
"""Numbers beyond JSON's are null, as in JavaScript, so that whatever is taken can be read back. Python's SDKs write NaN
and Infinity, which are no JSON: they are null, too, lest one of them costs the whole batch."""


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises Refused."""
    try:
        document = _decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Refused(400, "bad_json", f"The body is not UTF-8: byte {error.start + 1} can't be read.") from None
    except json.JSONDecodeError as error:
        raise Refused(400, "bad_json", f"The body is invalid JSON: {error.msg} at character {error.pos + 1}.") from None
    except RecursionError:
        raise Refused(400, "bad_json", "The body is nested too deeply.") from None
    if not isinstance(document, dict):
        raise Refused(400, "bad_json", f"The body must be a JSON object, and is {type_of(document)}.")
    return document


def messages(
    end_of_path: str, document: dict[str, Any], write_key: str, max_message: int, max_batch: int
) -> tuple[list[Message], list[Wrong]]:
    """The messages of a request to ``/v1/<end_of_path>``, and what is wrong with the others. Raises Refused.

    Sizes, in bytes, are those after the context of a batch was put into each of its messages.
    """
    taken: list[Message] = []
    wrong: list[Wrong] = []
    total = 0
    for index, message in enumerate(_given(end_of_path, document)):
        reason = _problem(message)
        if reason:
            wrong.append(Wrong(index, reason))
            continue
        try:
            text = json.dumps(message, separators=(",", ":"))
            size = _size(message) if "\\u" in text else len(text)
        except RecursionError:
            wrong.append(Wrong(index, "it is nested too deeply"))
            continue
        total += size
        if total > max_batch:
            raise Refused(413, "too_large", f"With its context in each message the batch is over {max_batch >> 10} KB.")
        if size > max_message:
            wrong.append(Wrong(index, f"it has {size} bytes, and {max_message} are taken", too_large=True))
        else:
            taken.append(_message(message, text, write_key))
    return taken, wrong


def _given(end_of_path: str, document: dict[str, Any]) -> Iterator[Any]:
    if end_of_path in TYPE_OF:
        yield {**_own(document), "type": TYPE_OF[end_of_path]}
        return
    batch = document.get("batch")
    if not isinstance(batch, list):
        raise Refused(400, "no_batch", f"batch must be an array of messages, and is {_kind(batch)}.")
    if len(batch) > MAX_MESSAGES:
        raise Refused(413, "too_many", f"A batch holds at most {MAX_MESSAGES} messages, and this one {len(batch)}.")
    common = {name: document[name] for name in _MERGED if isinstance(document.get(name), dict)}
    for message in batch:
        if isinstance(message, dict):
            message = _own(message)
            for name, values in common.items():
                if isinstance(message.get(name) or {}, dict):
                    message[name] = {**values, **(message.get(name) or {})}
        yield message


def _own(message: dict[str, Any]) -> dict[str, Any]:
    """The message without what belongs to its transport; so the write key is stored nowhere."""
    return {name: value for name, value in message.items() if name not in _OF_TRANSPORT}


def _problem(message: Any) -> str:
    """What is wrong with a message, or nothing."""
    if not isinstance(message, dict):
        return f"a message must be an object, and is {_kind(message)}"
    if message.get("type") not in TYPES:
        given = "another text" if isinstance(message.get("type"), str) else _kind(message.get("type"))
        return f"type must be one of {', '.join(TYPES)}, and is {given}"
    for names, kinds, spoken in (
        (_IDS, ("string", "number"), "a text"),
        (_TEXTS, ("string",), "a text"),
        (_TIMES, ("string", "number"), "a date as text"),
        (_OBJECTS, ("object",), "an object"),
    ):
        for name in names:
            value = message.get(name)
            if value is not None and _kind(value) not in kinds:
                return f"{name} must be {spoken}, and is {_kind(value)}"
    return ""


def _kind(value: Any) -> str:
    return "missing" if value is None else str(type_of(value))


def _message(message: dict[str, Any], text: str, write_key: str) -> Message:
    """The message for the queue; ``text`` is it in JSON."""
    added = _added(message)
    if added:
        text = json.dumps({**message, **added}, separators=(",", ":"))
    key = uuid.uuid4()
    if message.get("messageId") not in (None, ""):
        # All that is sent follows from the text, so no key ever stands for two requests.
        key = uuid.uuid5(_NAMESPACE, f"{write_key}\n{text}")
    user = lane(message) or f"nobody {key}"  # messages of nobody need no order
    return Message(message["type"], json.dumps(user), str(key), text)


def _added(message: dict[str, Any]) -> dict[str, Any]:
    """What Segment's messages have, and this one has elsewhere or not at all."""
    added: dict[str, Any] = {}
    if message.get("timestamp") is None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        added["timestamp"] = message.get("originalTimestamp") or now
    if message["type"] == "identify" and message.get("traits") is None:
        traits = (message.get("context") or {}).get("traits")
        if isinstance(traits, dict):
            added["traits"] = traits  # where RudderStack's SDKs put them
    return added


def _size(message: dict[str, Any]) -> int:
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode("utf-8", "surrogatepass"))
