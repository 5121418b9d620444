"""The page as sources and FullStory see it: its address and title, cookies and storage, time and console."""

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
    raw_construct,
    raw_get,
    raw_invoke,
    raw_put,
    type_of,
)
from ..runtime import text as text_of
from ..runtime import window as real_window


def place(seen):
    """The place in an object as JavaScript keeps it."""
    canonical = raw_get(seen, "canonical")
    return (
        raw_get(seen, "url"),
        raw_get(seen, "title"),
        raw_get(seen, "referrer"),
        None if is_nullish(canonical) else canonical,
    )


class Page:
    """One window. ``window`` is the real one unless given (on CPython a simulated one).

    Two functions may be given for speed: ``look()`` returns an object with ``url``, ``title``, ``referrer`` and
    ``canonical``, the same one for as long as those don't change; ``cookies()`` is ``document.cookie``, and
    ``cookies(line)`` sets one.
    """

    def __init__(self, window=None, look=None, cookies=None):
        self._look = look
        self._seen = self._place = None
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
        self._read_cookies = cookies or (lambda: raw_get(self.document, "cookie"))
        self._write_cookie = lambda line: call(cookies, line) if cookies else put(self.document, "cookie", line)
        self.carried = []  # ids of messages that come from an earlier page
        self._areas = {}
        self._readers = {}
        self._cookies_readable = False
        self.now = clock(window)
        """Milliseconds since 1970."""
        self._select = raw_bound(self.document, "querySelector")

    def moment(self):
        """The page as it is now."""
        return Moment(self._where(), self.now())

    def _where(self):
        if self._look is not None:
            seen = self._look()
            if seen != self._seen:
                self._seen, self._place = seen, place(seen)
            return self._place
        link = self._select("link[rel='canonical']")
        canonical = NULL if link is NULL else raw_invoke(link, "getAttribute", "href")
        return (
            raw_get(self.location(), "href"),
            raw_get(self.document, "title"),
            raw_get(self.document, "referrer"),
            None if canonical is NULL else canonical,
        )

    def location(self):
        """``window.location``."""
        return raw_get(self.window, "location")

    def later(self, function, delay):
        """Run a port function in ``delay`` milliseconds."""
        invoke(self.window, "setTimeout", function, delay)

    def later_with(self, function, delay, value):
        """Run a port function with ``value`` in ``delay`` milliseconds."""
        invoke(self.window, "setTimeout", function, delay, value)

    def uuid(self):
        """A random UUID (version 4)."""
        crypto = raw_get(self.window, "crypto")
        if type_of(raw_get(crypto, "randomUUID")) == "function":  # on https pages only
            return invoke(crypto, "randomUUID")
        bytes_ = invoke(crypto, "getRandomValues", raw_construct("Uint8Array", 16))
        octets = [int(octet) for octet in text_of(bytes_).split(",")]
        octets[6] = octets[6] & 0x0F | 0x40
        octets[8] = octets[8] & 0x3F | 0x80
        digits = "".join(["%02x" % octet for octet in octets])
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def say(self, level, text):
        """Write to the console; ``level`` is its method: "log", "warn" or "error"."""
        try:
            invoke(raw_get(self.window, "console"), level, "[fsbridge] " + text)
        except Exception:  # a page without console must not break anything
            pass

    # Storage can be denied, full or missing: reading then finds nothing, writing returns False. Whether an area can be
    # read is tried out once.

    def _area(self, name):
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

    def stored(self, key, area="localStorage"):
        """A stored text, or None."""
        if area not in self._readers:
            storage = self._area(area)
            self._readers[area] = (lambda key: None) if storage is None else raw_bound(storage, "getItem")
        value = self._readers[area](key)
        return value if isinstance(value, str) else None

    def stored_keys(self, area="localStorage"):
        """The keys of all that is stored."""
        storage = self._area(area)
        return [] if storage is None else keys(storage)

    def store(self, key, text, area="localStorage"):
        """Store a text; False when it is refused."""
        storage = self._area(area)
        if storage is None:
            return False
        try:
            invoke(storage, "setItem", key, text)
        except Exception:
            return False
        return True

    def traces(self, one, other):
        """The cookies and two texts in localStorage, for noticing that something has changed them."""
        if not self._cookies_readable or "localStorage" not in self._readers:
            return (self.cookies(), self.stored(one), self.stored(other))
        read = self._readers["localStorage"]
        return (self._read_cookies(), read(one), read(other))

    def unstore(self, key, area="localStorage"):
        """Remove a stored text."""
        storage = self._area(area)
        if storage is not None:
            raw_invoke(storage, "removeItem", key)

    def cookies(self):
        """All cookies as ``document.cookie`` has them, empty where they are denied."""
        if self._cookies_readable:
            return self._read_cookies()
        try:
            line = get(self.document, "cookie")
        except Exception:
            return ""
        self._cookies_readable = True
        return line

    def cookie(self, name):
        """A cookie's raw value, or None."""
        line = self.cookies()
        for part in line.split("; ") if name in line else ():
            key, _, value = part.partition("=")
            if key == name:
                return value
        return None

    def set_cookie(self, name, value, attributes=""):
        """Set a cookie, if the browser takes it; ``attributes`` follow the value ("; path=/; max-age=60")."""
        try:
            self._write_cookie(name + "=" + value + attributes)
        except Exception:  # cookies are denied
            pass

    def takes_cookie(self, name, value, attributes=""):
        """Set a cookie, and say whether the browser took it: finding that out takes it long."""
        self.set_cookie(name, value, attributes)
        return self.cookie(name) == value

    def global_(self, name):
        """A global of the page, UNDEFINED where there is none."""
        return raw_get(self.window, name) if name else UNDEFINED

    def set_global(self, name, value):
        raw_put(self.window, name, value)
