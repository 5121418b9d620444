"""`Cloud`: what Python authors call."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..settings import SettingsError
from .errors import Rejected
from .ordered import Ordered, lane
from .relayed import Relay
from .values import iso

if TYPE_CHECKING:
    from .backfill import Backfilled
    from .direct import FullStory

MOST_REPORTED = 100


@dataclass
class Sent:
    """What became of many messages: how many there were, the requests that FullStory took, the messages it rejected."""

    messages: int = 0
    requests: int = 0
    rejected: int = 0


class Cloud:
    """FullStory's HTTP API, taking Segment-spec messages. Safe to use from many threads; use one for all.

    - ``api_key``: FullStory's, by default that of the environment's ``FULLSTORY_API_KEY``.
    - ``settings``: those of the destination ``segment-cloud``: ``{"subscriptions": […]}`` as Segment exports them; by
      default Segment's presets, which send track calls as events (V2) and identify calls as users (V2).
    - ``base_url``: where FullStory is; a proxy, or a stand-in for tests.
    - ``timeout``: seconds to wait for a connection, and for an answer. ``retry_for``: seconds during which one request
      is tried again after a connection error, 408, 429 or 5xx; 0 for a single attempt.
    - ``connections``: how many are kept open, and how many users `send_many` serves at a time.
    - ``relay``, ``write_key``: instead of a key, the address of a relay (``fsbridge relay``) and a write key that it
      knows. The only way in a browser, where a key is refused.

    Raises `fsbridge.SettingsError` for a missing or impossible key and for wrong settings.

        with Cloud() as cloud:
            cloud.track("user-1", "Order Completed", {"price": 99.95})
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        settings: dict[str, Any] | None = None,
        base_url: str = "https://api.fullstory.com",
        timeout: float = 30.0,
        retry_for: float = 120.0,
        connections: int = 16,
        relay: str | None = None,
        write_key: str | None = None,
    ) -> None:
        limits = {"timeout": timeout, "retry_for": retry_for, "connections": connections}
        self._connections = connections
        self._target: FullStory | Relay
        if relay is not None:
            if api_key is not None or settings is not None:
                raise SettingsError("api_key and settings are the relay's own: leave them out beside relay.")
            self._target = Relay(relay, write_key, **limits)
        else:
            from .direct import FullStory  # which not every browser could run

            if write_key is not None:
                raise SettingsError("write_key belongs to a relay: give relay, too.")
            self._target = FullStory(api_key, settings, base_url, **limits)

    @property
    def data_centre(self) -> str:
        """The data centre that the API key belongs to, such as "na1" or "eu1"; empty where the key doesn't tell."""
        return self._target.data_centre

    def identify(self, user_id: str, traits: dict[str, Any] | None = None, **fields: Any) -> int:
        """Say what is known about a user; ``fields`` are more fields of the message, such as ``anonymousId``.

        Returns and raises as `send` does.
        """
        return self.send(_message("identify", user_id, traits=traits or {}, **fields))

    def track(self, user_id: str | None, event: str, properties: dict[str, Any] | None = None, **fields: Any) -> int:
        """Say what a user did. ``timestamp`` (a datetime or ISO text) is now, unless given among ``fields``.

        Returns and raises as `send` does.
        """
        return self.send(_message("track", user_id, event=event, properties=properties or {}, **fields))

    def send(self, message: dict[str, Any], idempotency_key: str | None = None, *, again: bool = False) -> int:
        """Send one Segment-spec message as it is; the number of requests that FullStory took, 0 where it makes none.

        Requests carry an Idempotency-Key, so that FullStory takes each once however often it is sent within 24 hours.
        It is ``idempotency_key`` (for further requests of the message with -2, -3 … at its end), else made of the
        message's ``messageId`` and content; without either it holds for the retries in here. ``again`` tells that an
        earlier `send` with this key may have gone out.

        Raises `Rejected` for what will never get through, after all requests were made that could be; `Unavailable`
        when FullStory can't be had, after which the message should be sent again with the same key; TypeError for a
        value that no message can hold, and ValueError for a key that no header can.
        """
        if idempotency_key is not None and not re.fullmatch(r"[\x21-\x7e]{1,200}", idempotency_key):
            raise ValueError("idempotency_key must be 1 to 200 printable ASCII characters without spaces.")
        return self._target.send(message, idempotency_key, again)

    def send_many(
        self,
        messages: Iterable[dict[str, Any]],
        on_outcome: Callable[[int, Any, Rejected | None], None] | None = None,
        *,
        window: int = 1000,
    ) -> Sent:
        """Send messages in parallel, each user's in their order, holding at most ``window`` of them at a time.

        ``on_outcome(index, message, error)`` hears of each, in any order, one at a time, from other threads; ``error``
        is None or why it was rejected. Without it the first rejection is raised in the end, with up to 100 more of them
        in ``others``. Rejections stop nothing; `Unavailable` does, and is raised when what had begun is done.

        To a relay messages go in batches of up to 100, and a rejected batch stops the rest.
        """
        if isinstance(self._target, Relay):
            count = self._target.send_many(messages)
            return Sent(count, count)
        sent = Sent()
        kept: list[Rejected] = []
        lock = threading.Lock()

        def work(item: tuple[int, Any]) -> None:
            index, message = item
            error = None
            requests = 0
            try:
                requests = self.send(message)
            except Rejected as rejected:
                error = rejected
            except TypeError as wrong:
                error = Rejected(str(wrong))
            with lock:
                sent.messages += 1
                sent.requests += requests
                if error is not None:
                    sent.rejected += 1
                    if len(kept) <= MOST_REPORTED:
                        kept.append(error)
                if on_outcome is not None:
                    on_outcome(index, message, error)

        with Ordered(work, threads=self._connections, window=window) as ordered:
            for index, message in enumerate(messages):
                ordered.put(lane(message), (index, message))
        if kept and on_outcome is None:
            kept[0].others.extend(kept[1:])
            raise kept[0]
        return sent

    def backfill(
        self,
        messages: Iterable[dict[str, Any]],
        on_rejected: Callable[[Any, Rejected], None] | None = None,
        **options: Any,
    ) -> Backfilled:
        """Import past messages in batches, the better way for many of them; see `fsbridge.cloud.backfill.backfill`."""
        from .backfill import backfill

        return backfill(self._fullstory("backfill"), messages, on_rejected, **options)

    def delete_user(self, user_id: str) -> None:
        """Delete a user with everything captured. Needs an Admin's or Architect's key; it can't be undone.

        Raises `Rejected`: with status 404 where FullStory doesn't know the user.
        """
        from .destination import PayloadError, delete_user

        try:
            request = delete_user(user_id)
        except PayloadError as error:
            raise Rejected(str(error)) from None
        self._fullstory("delete_user").perform(request, str(uuid.uuid4()))

    def me(self) -> dict[str, Any]:
        """Whose the API key is: ``{"email": …, "orgId": …, "role": …}``. Raises `Rejected` where it is wrong."""
        answer = self._fullstory("me").get("/me")
        return answer if isinstance(answer, dict) else {}

    def close(self) -> None:
        """Close the connections. Requests of other threads that wait for another attempt raise `Unavailable`."""
        self._target.close()

    def __enter__(self) -> Cloud:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def _fullstory(self, what: str) -> FullStory:
        if isinstance(self._target, Relay):
            raise SettingsError(f"{what} needs an API key: a relay takes messages only.")
        return self._target


def _message(type_: str, user_id: str | None, **fields: Any) -> dict[str, Any]:
    message = {"type": type_, "messageId": str(uuid.uuid4()), "timestamp": iso(datetime.now(UTC)), **fields}
    return message if user_id is None else {**message, "userId": user_id}
