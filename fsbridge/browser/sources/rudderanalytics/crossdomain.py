"""RudderStack's cross-domain support: capture waits for the customer's hash that another script stores.

Load option ``integrations.Fullstory.crossDomainSupport: true``, with ``timeout`` in milliseconds (2000). Where the
vendor restarts capture again and again after the timeout, this does it once; the hash may still come later.
"""

from __future__ import annotations

from ....runtime import NULL, UNDEFINED, make_function, make_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ....contracts import Args, Message, Value
    from ...page import Page

HASH_KEY = "tata_customer_hash"
_GLOBAL = "_fs_identity"
_FIRST_DELAY, _MAX_DELAY = 128, 1024


class CrossDomain:
    """Waits on one page; ``send(message)`` takes messages of type "crossDomain": "start", "identify" or "timeout"."""

    def __init__(self, page: Page, options: dict[str, Any], send: Callable[[Message], None]) -> None:
        self.page = page
        self._send = send
        timeout = options.get("timeout") or 2000
        try:
            self._timeout = float(timeout)
        except (TypeError, ValueError):
            self._timeout = float("inf")  # JavaScript's NaN: no time is longer
        self._waited = 0
        self._delay = _FIRST_DELAY
        self._restarted = False
        self._again = make_function(self._poll, "wait")

    def start(self) -> None:
        """Tell of the start, and of the visitor once the hash is stored; FullStory asks ``_fs_identity`` for it."""
        self.page.set_global(_GLOBAL, make_function(self._identity, _GLOBAL))
        self._tell("start")
        self._poll(UNDEFINED)

    def _identity(self, args: Args) -> Value:
        known = self.page.stored(HASH_KEY)
        return make_object((("uid", known), ("displayName", known))) if known else NULL

    def _poll(self, args: Args) -> Value:
        known = self.page.stored(HASH_KEY)
        if known:
            self._tell("identify", known)
            return UNDEFINED
        if not self._restarted and self._waited > self._timeout:
            self._restarted = True
            self._tell("timeout")
        delay, self._delay = self._delay, min(self._delay * 2, _MAX_DELAY)
        self._waited += delay
        self.page.later(self._again, delay)
        return UNDEFINED

    def _tell(self, event: str, known: Value = UNDEFINED) -> None:
        self._send(make_object((("type", "crossDomain"), ("event", event), ("userId", known))))
