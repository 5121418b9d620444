"""`Cloud` and `AsyncCloud`: what Python authors call."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ..settings import SettingsError
from . import keys, relayed
from .errors import Rejected
from .http import Engine, finished
from .ordered import Ordered, each, lane
from .relayed import Relay
from .values import iso

if TYPE_CHECKING:
    from .backfill import Backfilled
    from .direct import FullStory
    from .threaded import OrderedThread

MAX_REPORTED = 100

Item = TypeVar("Item")
Outcome = Callable[[int, Any, Rejected | None], None]
Send = Callable[[Any, str | None, bool], Awaitable[int]]


@dataclass
class Sent:
    """What became of many messages: how many there were, the requests that FullStory took, the messages it rejected."""

    messages: int = 0
    requests: int = 0
    rejected: int = 0


class _Client:
    """What both clients are made of."""

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
        if isinstance(connections, bool) or not isinstance(connections, int) or connections < 1:
            raise SettingsError(f"connections must be a whole number of at least 1, and is {connections!r}.")
        self._connections = connections
        self._target: FullStory | Relay
        key = keys.find(api_key) if relay is None else ""
        transport: dict[str, Any] = {
            "engine": self._engine(connections),
            "timeout": timeout,
            "retry_for": retry_for,
        }
        if relay is not None:
            if api_key is not None or settings is not None:
                raise SettingsError("api_key and settings are the relay's own: leave them out beside relay.")
            self._target = Relay(relay, write_key, **transport)
        else:
            from .direct import FullStory  # which not every browser could run

            if write_key is not None:
                raise SettingsError("write_key belongs to a relay: give relay, too.")
            self._target = FullStory(key, settings, base_url, **transport)

    @staticmethod
    def _engine(connections: int) -> Engine:
        raise NotImplementedError

    @property
    def data_centre(self) -> str:
        """The data centre that the API key belongs to, such as "na1" or "eu1"; empty where the key doesn't tell."""
        return self._target.data_centre

    def _fullstory(self, what: str) -> FullStory:
        if isinstance(self._target, Relay):
            raise SettingsError(f"{what} needs an API key: a relay takes messages only.")
        return self._target

    async def _delete_user(self, user_id: str) -> None:
        from .destination import PayloadError, delete_user

        try:
            request = delete_user(user_id)
        except PayloadError as error:
            raise Rejected(str(error)) from None
        await self._fullstory("delete_user").perform(request, str(uuid.uuid4()))

    async def _me(self) -> dict[str, Any]:
        return await self._fullstory("me").get("/me") or {}


class Cloud(_Client):
    """FullStory's HTTP API, taking Segment-spec messages. Safe to use from many threads, and in processes forked from
    the one that made it; use one for all.

    - ``api_key``: FullStory's, by default that of the environment's ``FULLSTORY_API_KEY``.
    - ``settings``: those of the destination ``segment-cloud``: ``{"subscriptions": […]}`` as Segment exports them; by
      default Segment's presets, which send track calls as events (V2) and identify calls as users (V2).
    - ``base_url``: where FullStory is; a proxy, or a stand-in for tests.
    - ``timeout``: seconds that one attempt may take, from connecting to the end of the answer. ``retry_for``: seconds
      during which one request is tried again after a connection error, 408, 429 or 5xx; 0 for a single attempt.
    - ``connections``: how many are kept open, and how many users `send_many` serves at a time.
    - ``relay``, ``write_key``: instead of a key, the address of a relay (``fsbridge relay``) and a write key that it
      knows. The only way in a browser, where a key is refused.

    Raises `fsbridge.SettingsError` for a missing or impossible key and for wrong settings.

        with Cloud() as cloud:
            cloud.track("user-1", "Order Completed", {"price": 99.95})
    """

    @staticmethod
    def _engine(connections: int) -> Engine:
        if keys.IN_BROWSER:
            from .notebook import Notebook

            return Notebook()
        from .curl import Blocking

        return Blocking(connections)

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
        when FullStory is unreachable or overloaded: send the message again later, with the same key; TypeError for a
        value that no message can hold, and ValueError for a key that no header can.
        """
        return finished(self._target.send(message, _checked_key(idempotency_key), again))

    def send_many(
        self,
        messages: Iterable[dict[str, Any]],
        on_outcome: Outcome | None = None,
        *,
        window: int = 1000,
    ) -> Sent:
        """Send messages in parallel, each user's in their order, holding at most ``window`` of them at a time.

        ``on_outcome(index, message, error)`` hears of each, in any order, one at a time, from other threads; ``error``
        is None or why it was rejected. Without it the first rejection is raised in the end, with up to 100 more of them
        in ``others``. Rejections stop nothing; `Unavailable` does, and is raised when what had begun is done.

        To a relay messages go in batches of up to 100, and a rejected batch stops the rest.
        """
        many = _Many(on_outcome)
        if isinstance(self._target, Relay):
            finished(many.to_relay(self._target, messages))
        else:
            with self.ordered(many.work, window) as ordered:
                for index, message in enumerate(messages):
                    ordered.put(lane(message), (index, message))
        return many.result()

    def ordered(self, work: Callable[[Send, Item], Awaitable[None]], window: int = 1000) -> OrderedThread[Item]:
        """What `send_many` is made of: awaits ``work(send, item)`` for items that are put, in order within their lane.

        ``send(message, idempotency_key, again)`` is `send` as a coroutine. ``work`` runs in another thread, and awaits
        nothing else; see `fsbridge.cloud.threaded.OrderedThread`.
        """
        from .threaded import Driven, OrderedThread

        engine = Driven()
        send = self._target.on(engine).send
        return OrderedThread(lambda item: work(send, item), engine, self._connections, window)

    def backfill(
        self,
        messages: Iterable[dict[str, Any]],
        on_rejected: Callable[[Any, Rejected], None] | None = None,
        **options: Any,
    ) -> Backfilled:
        """Import past messages in batches, the better way for many of them; see `fsbridge.cloud.backfill.backfill`."""
        from .backfill import backfill

        return finished(backfill(self._fullstory("backfill"), messages, on_rejected, **options))

    def delete_user(self, user_id: str) -> None:
        """Delete a user with everything captured. Needs an Admin's or Architect's key; it can't be undone.

        Raises `Rejected`: with status 404 where FullStory doesn't know the user.
        """
        finished(self._delete_user(user_id))

    def me(self) -> dict[str, Any]:
        """Whose the API key is: ``{"email": …, "orgId": …, "role": …}``. Raises `Rejected` where it is wrong."""
        return finished(self._me())

    def close(self) -> None:
        """Close the connections. Requests of other threads that wait for another attempt raise `Unavailable`."""
        self._target.close()

    def __enter__(self) -> Cloud:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()


class AsyncCloud(_Client):
    """`Cloud` for asyncio: the same settings and the same methods, as coroutines. For one event loop.

        async with AsyncCloud() as cloud:
            await cloud.track("user-1", "Order Completed", {"price": 99.95})

    Up to ``connections`` requests are made at a time, others wait for their turn.
    """

    @staticmethod
    def _engine(connections: int) -> Engine:
        if keys.IN_BROWSER:
            raise SettingsError("In a browser there is Cloud only, with a relay.")
        from .curl import Multi

        return Multi(connections)

    async def identify(self, user_id: str, traits: dict[str, Any] | None = None, **fields: Any) -> int:
        """See `Cloud.identify`."""
        return await self.send(_message("identify", user_id, traits=traits or {}, **fields))

    async def track(
        self, user_id: str | None, event: str, properties: dict[str, Any] | None = None, **fields: Any
    ) -> int:
        """See `Cloud.track`."""
        return await self.send(_message("track", user_id, event=event, properties=properties or {}, **fields))

    async def send(self, message: dict[str, Any], idempotency_key: str | None = None, *, again: bool = False) -> int:
        """See `Cloud.send`. Where the order of a user's messages matters, await one before the next."""
        return await self._target.send(message, _checked_key(idempotency_key), again)

    async def send_many(
        self,
        messages: Iterable[dict[str, Any]] | AsyncIterable[dict[str, Any]],
        on_outcome: Outcome | None = None,
        *,
        window: int = 1000,
    ) -> Sent:
        """See `Cloud.send_many`; ``messages`` may also be an async iterable."""
        many = _Many(on_outcome)
        if isinstance(self._target, Relay):
            await many.to_relay(self._target, messages)
            return many.result()
        send = self._target.send
        ordered = Ordered[tuple[int, Any]](lambda item: many.work(send, item), self._connections, window)
        try:
            index = 0
            async for message in each(messages):
                await ordered.put(lane(message), (index, message))
                index += 1
            await ordered.finish()
        finally:
            ordered.stop()
        return many.result()

    async def backfill(
        self,
        messages: Iterable[dict[str, Any]] | AsyncIterable[dict[str, Any]],
        on_rejected: Callable[[Any, Rejected], None] | None = None,
        **options: Any,
    ) -> Backfilled:
        """See `Cloud.backfill`; ``messages`` may also be an async iterable."""
        from .backfill import backfill

        return await backfill(self._fullstory("backfill"), messages, on_rejected, **options)

    async def delete_user(self, user_id: str) -> None:
        """See `Cloud.delete_user`."""
        await self._delete_user(user_id)

    async def me(self) -> dict[str, Any]:
        """See `Cloud.me`."""
        return await self._me()

    async def aclose(self) -> None:
        """Close the connections. Requests that wait for another attempt raise `Unavailable`."""
        self._target.close()

    async def __aenter__(self) -> AsyncCloud:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        await self.aclose()


class _Many:
    """The outcomes of many messages."""

    def __init__(self, on_outcome: Outcome | None) -> None:
        self._on_outcome = on_outcome
        self._sent = Sent()
        self._rejected: list[Rejected] = []

    async def work(self, send: Send, item: tuple[int, Any]) -> None:
        index, message = item
        try:
            requests = await send(message, None, False)
        except (Rejected, TypeError) as error:
            self._note(index, message, 0, error if isinstance(error, Rejected) else Rejected(str(error)))
        else:
            self._note(index, message, requests, None)

    async def to_relay(self, relay: Relay, messages: Iterable[Any] | AsyncIterable[Any]) -> None:
        """Hand messages to a relay in batches, one after the other, without those that can't be any."""
        batch: list[tuple[int, Any, bytes]] = []
        index = size = 0
        async for message in each(messages):
            try:
                text = relayed.encoded(message)
            except (Rejected, TypeError) as error:
                self._note(index, message, 0, error if isinstance(error, Rejected) else Rejected(str(error)))
            else:
                if batch and (len(batch) == relayed.MAX_MESSAGES or size + len(text) > relayed.MAX_BYTES):
                    await self._hand_over(relay, batch)
                    batch, size = [], 0
                batch.append((index, message, text))
                size += len(text) + 1
            index += 1
        if batch:
            await self._hand_over(relay, batch)

    async def _hand_over(self, relay: Relay, batch: list[tuple[int, Any, bytes]]) -> None:
        await relay.send_batch([text for _, _, text in batch])
        for index, message, _ in batch:
            self._note(index, message, 1, None)

    def _note(self, index: int, message: Any, requests: int, error: Rejected | None) -> None:
        self._sent.messages += 1
        self._sent.requests += requests
        if error is not None:
            self._sent.rejected += 1
            if len(self._rejected) <= MAX_REPORTED:
                self._rejected.append(error)
        if self._on_outcome is not None:
            self._on_outcome(index, message, error)

    def result(self) -> Sent:
        """What became of them. Raises the first rejection where nobody was told."""
        if self._rejected and self._on_outcome is None:
            self._rejected[0].others.extend(self._rejected[1:])
            raise self._rejected[0]
        return self._sent


def _checked_key(key: str | None) -> str | None:
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,200}", key):
        raise ValueError("idempotency_key must be 1 to 200 printable ASCII characters without spaces.")
    return key


def _message(type_: str, user_id: str | None, **fields: Any) -> dict[str, Any]:
    message = {"type": type_, "messageId": str(uuid.uuid4()), "timestamp": iso(datetime.now(UTC)), **fields}
    return message if user_id is None else {**message, "userId": user_id}
