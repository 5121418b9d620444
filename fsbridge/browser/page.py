"""The page as sources and FullStory see it: its address and title, cookies and storage, time and console."""

from __future__ import annotations

from ..contracts import Moment
from ..runtime import (
    NULL,
    UNDEFINED,
    call,
    clock,
    get,
    invoke,
    is_nullish,
    keys,
    put,
    raw_bound,
    raw_get,
    raw_invoke,
)
from ..runtime import window as real_window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..contracts import Place, Value


def place_of(seen: Value) -> Place:
    """The place in an object as JavaScript keeps it."""
    canonical = raw_get(seen, "canonical")
    return (
        raw_get(seen, "url"),
        raw_get(seen, "title"),
        raw_get(seen, "referrer"),
        None if is_nullish(canonical) else canonical,
    )


def read(value: Value, key: str | int) -> Value:
    """A property of an object of the page's, UNDEFINED where there is none or it throws when it is read."""
    try:
        return get(value, key)
    except Exception:
        return UNDEFINED


class Page:
    """One window. ``window`` is the real one unless given (on CPython a simulated one).

    Two functions may be given for speed: ``place()`` returns an object with ``url``, ``title``, ``referrer`` and
    ``canonical``, the same one for as long as those don't change; ``cookies()`` is ``document.cookie``, and
    ``cookies(line)`` sets one.
    """

    def __init__(
        self,
        window: Value = None,
        place: Callable[[], Value] | None = None,
        cookies: Callable[..., Value] | None = None,
    ) -> None:
        self._find_place = place
        self._seen: Value = None
        self._place: Place = ("", "", "", None)
        if window is None:
            window = real_window
        if window is None:
            raise RuntimeError("CPython has no page: pass window=SimulatedWindow(...) from fsbridge.testing.simulated")
        self.window = window
        self.document = raw_get(window, "document")
        if is_nullish(self.document):
            raise RuntimeError(
                "a Web Worker has no page for FullStory to capture: call connect() on the main thread (in PyScript, "
                "without the attribute worker), and post the worker's events there; docs/python.md shows how"
            )
        self._read_cookies: Callable[[], str] = cookies or (lambda: raw_get(self.document, "cookie"))
        self._set_cookies = cookies
        self.carried: dict[str, bool] = {}  # ids of messages that come from an earlier page
        self.stores = True
        """Whether anything may be stored: otherwise storage and cookies are as if they were denied."""
        self._areas: dict[str, Value] = {}
        self._readers: dict[str, Any] = {}
        self._cookies_readable = False
        self.now = clock(window)
        """Milliseconds since 1970."""
        self._select = raw_bound(self.document, "querySelector")

    def moment(self) -> Moment:
        """The page as it is now."""
        return Moment(self._where(), self.now())

    def _where(self) -> Place:
        if self._find_place is not None:
            seen = self._find_place()
            if seen != self._seen:
                self._seen, self._place = seen, place_of(seen)
            return self._place
        link = self._select("link[rel='canonical']")
        canonical = NULL if link is NULL else raw_invoke(link, "getAttribute", "href")
        return (
            raw_get(self.location(), "href"),
            self.said("title"),
            self.said("referrer"),
            None if canonical is NULL else canonical,
        )

    def said(self, name: str) -> str:
        """The text ``document[name]``, empty where it can't be read."""
        found = read(self.document, name)
        return found if isinstance(found, str) else ""

    def location(self) -> Value:
        """``window.location``."""
        return raw_get(self.window, "location")

    def later(self, function: Value, delay: float) -> None:
        """Run a port function in ``delay`` milliseconds."""
        invoke(self.window, "setTimeout", function, delay)

    def later_with(self, function: Value, delay: float, value: Value) -> None:
        """Run a port function with ``value`` in ``delay`` milliseconds."""
        invoke(self.window, "setTimeout", function, delay, value)

    def uuid(self) -> str:
        """A random UUID (version 4), of ``Math.random`` where the page's ``crypto`` doesn't give one."""
        made = self.asked("crypto", "randomUUID")
        if isinstance(made, str) and made:
            return made
        from .octets import uuid  # late: https pages need none

        return uuid(self.asked, self.now)

    def asked(self, name: str, method: str, *args: Value) -> Value:
        """What a method of a global gives, UNDEFINED where that is missing or throws."""
        try:
            return invoke(self.global_(name), method, *args)
        except Exception:
            return UNDEFINED

    def say(self, level: str, text: str) -> None:
        """Write to the console; ``level`` is its method: "log", "warn" or "error"."""
        try:
            invoke(self.global_("console"), level, "[fsbridge] " + text)
        except Exception:  # a page without console must not break anything
            pass

    # Storage can be denied, full or missing: reading then finds nothing, writing returns False. Whether an area can be
    # read is tried out once.

    def _area(self, name: str) -> Value:
        if name not in self._areas:
            try:
                area = get(self.window, name)
                if is_nullish(area):  # a browser that has none
                    area = None
                else:
                    invoke(area, "getItem", "")
            except Exception:
                area = None
            self._areas[name] = area
        return self._areas[name]

    def stored(self, key: str, area: str = "localStorage") -> str | None:
        """A stored text, or None."""
        if area not in self._readers:
            storage = self._area(area)
            self._readers[area] = (lambda key: None) if storage is None else raw_bound(storage, "getItem")
        value = self._readers[area](key)
        return value if isinstance(value, str) else None

    def stored_keys(self, area: str = "localStorage") -> list[str]:
        """The keys of all that is stored."""
        storage = self._area(area)
        return [] if storage is None else keys(storage)

    def store(self, key: str, text: str, area: str = "localStorage") -> bool:
        """Store a text; False when it is refused."""
        storage = self._area(area)
        if storage is None or not self.stores:
            return False
        try:
            invoke(storage, "setItem", key, text)
        except Exception:
            return False
        return True

    def traces(self, one: str, other: Value) -> Any:
        """The cookies and two texts in localStorage, for noticing that something has changed them."""
        if not self._cookies_readable or "localStorage" not in self._readers:
            return (self.cookies(), self.stored(one), self.stored(other))
        read = self._readers["localStorage"]
        return (self._read_cookies(), read(one), read(other))

    def unstore(self, key: str, area: str = "localStorage") -> None:
        """Remove a stored text."""
        storage = self._area(area)
        if storage is not None:
            raw_invoke(storage, "removeItem", key)

    def cookies(self) -> str:
        """All cookies as ``document.cookie`` has them, empty where they are denied."""
        if self._cookies_readable:
            return self._read_cookies()
        try:
            line: str = get(self.document, "cookie")
        except Exception:
            return ""
        self._cookies_readable = True
        return line

    def cookie(self, name: str) -> str | None:
        """A cookie's raw value, or None."""
        line = self.cookies()
        for part in line.split("; ") if name in line else ():
            key, _, value = part.partition("=")
            if key == name:
                return value
        return None

    def set_cookie(self, name: str, value: Value, attributes: str = "") -> None:
        """Set a cookie, if the browser takes it; ``attributes`` follow the value ("; path=/; max-age=60")."""
        if not self.stores:
            return
        line = name + "=" + value + attributes
        try:
            if self._set_cookies:
                call(self._set_cookies, line)
            else:
                put(self.document, "cookie", line)
        except Exception:  # cookies are denied
            pass

    def takes_cookie(self, name: str, value: str, attributes: str = "") -> bool:
        """Set a cookie, and say whether the browser took it: finding that out takes it long."""
        self.set_cookie(name, value, attributes)
        return self.cookie(name) == value

    def global_(self, name: str) -> Value:
        """A global of the page, UNDEFINED where there is none or it throws when it is read."""
        return read(self.window, name) if name else UNDEFINED

    def set_global(self, name: str, value: Value) -> None:
        """Make ``value`` a global of the page; where the page doesn't let us, the console says so."""
        try:
            put(self.window, name, value)
        except Exception as error:
            self.say("warn", "window.%s can't be set: %s" % (name, error))
