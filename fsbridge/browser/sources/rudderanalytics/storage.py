"""Where RudderStack's SDK keeps the visitor: four areas under the same keys, and their encodings.

An area is "cookieStorage", "localStorage", "sessionStorage" or "memoryStorage"; "none" keeps nothing.
"""

from __future__ import annotations

from ....runtime import NULL, from_base64, from_json, is_nullish, raw_get, to_base64, to_json, type_of
from ....runtime import text as text_of
from ..percent import decode, encode
from .options import COOKIE, LOCAL, MEMORY, NONE, SESSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....contracts import Value
    from ...page import Page
    from .options import LoadOptions

MAX_COOKIE = 4096
PREFIX = "RS_ENC_v3_"
LEGACY_PREFIX = "RudderEncrypt:"
_YEAR = 31536000000  # milliseconds


class Stores:
    """All areas of one page. ``options`` is `options.LoadOptions`."""

    def __init__(self, page: Page, options: LoadOptions) -> None:
        self.page = page
        self._encoding = options.encoding
        self._memory: dict[str, str] = {}
        self._available: dict[str, bool] = {}
        self._held: dict[tuple[str, str], str | None] | None = None  # by area and key: texts to write, None to remove
        self._expiry, self._cookie_attributes = _cookie_attributes(page, options)

    def hold(self) -> None:
        """Hold back what is written and removed, for `release`: reading finds it, but for `keys`."""
        self._held = {}

    def release(self) -> None:
        """Write and remove from now on, and what was held back."""
        held = self._held or {}
        self._held = None
        # Removing looks at the cookies, which takes browsers long after writing one.
        for (area, key), text in sorted(held.items(), key=lambda item: item[1] is not None):
            self._put(area, key, text)

    def resolved(self, area: str) -> str:
        """The area that stands in where the page can't have ``area``."""
        if area in (MEMORY, NONE):
            return area
        wanted = (area,) if area != COOKIE else (COOKIE, LOCAL, SESSION)
        for candidate in wanted:
            if self.has(candidate):
                return candidate
        return MEMORY

    def has(self, area: str) -> bool:
        """Whether the page lets us keep something there."""
        if area not in self._available:
            if area == COOKIE:
                fits = self.page.takes_cookie("test_rudder_cookie", "true", self._expiry + self._cookie_attributes)
                self._drop_cookie("test_rudder_cookie")
            else:
                key = "test_rudder_ls" if area == LOCAL else "test_rudder_ss"
                fits = self.page.store(key, "true", area)
                self.page.unstore(key, area)
            self._available[area] = fits
        return self._available[area]

    def keys(self, area: str) -> list[str]:
        """The keys of all that stands there, readable or not; others' too."""
        if area == COOKIE:
            return [part.partition("=")[0] for part in self.page.cookies().split("; ")]
        return self.page.stored_keys(area)

    def raw(self, area: str, key: str) -> Value:
        """What stands there before decoding: text, NULL, or (localStorage holds JSON) another value."""
        if self._held and (area, key) in self._held:
            text = self._held[area, key]
            return NULL if text is None else text
        if area == COOKIE:
            text = self.page.cookie(key)
            if not text:
                return NULL
            try:
                return decode(text.split("=")[0])
            except ValueError:
                return NULL
        if area == MEMORY:
            return self._memory.get(key, NULL)
        text = self.page.stored(key, area)
        if text is None:
            return NULL
        if area == LOCAL:
            try:
                return from_json(text)
            except ValueError:
                pass
        return text

    def read(self, area: str, key: str) -> Value:
        """The value kept under ``key``, NULL where there is none or it can't be read."""
        value = self.raw(area, key)
        if is_nullish(value) or value == "":
            return NULL
        try:
            value = from_json(self._decoded(value) if type_of(value) == "string" else text_of(value))
        except Exception:  # neither ours nor the vendor's encoding
            return NULL
        return NULL if is_nullish(value) else value

    def write(self, area: str, key: str, value: Value) -> None:
        """Keep ``value``; where it doesn't fit, what was there before stays."""
        try:
            text = to_json(value)
        except Exception:  # a toJSON of the page's
            return
        text = self._encoded(text)
        if area != COOKIE or len(text) <= MAX_COOKIE:  # no browser takes more: encoding it first would only cost time
            self._put(area, key, text)

    def remove(self, area: str, key: str) -> None:
        """Remove what stands there."""
        self._put(area, key, None)

    def _put(self, area: str, key: str, text: str | None) -> None:
        if self._held is not None:
            self._held[area, key] = text
        elif area == MEMORY:
            if text is None:
                self._memory.pop(key, None)
            else:
                self._memory[key] = text
        elif area == COOKIE:
            if text is not None:
                self.page.set_cookie(key, encode(text), self._expiry + self._cookie_attributes)
            elif self.page.cookie(key) is not None:
                self._drop_cookie(key)
        elif text is None:
            self.page.unstore(key, area)
        else:
            self.page.store(key, to_json(text) if area == LOCAL else text, area)

    def migrate(self, area: str, key: str) -> None:
        """Rewrite an entry of an older SDK, encrypted or plain, in today's encoding."""
        value = self.raw(area, key)
        if type_of(value) != "string":
            return
        try:
            value = from_json(_decoded_by_any(value))
            while type_of(value) == "string":
                inner = _decoded_by_any(value)
                if inner == value:
                    break
                value = from_json(inner)
        except Exception:  # neither ours nor the vendor's encoding
            return
        if not is_nullish(value):
            self.write(area, key, value)

    def _encoded(self, text: str) -> str:
        if self._encoding == "v3":
            try:
                return PREFIX + to_base64(text)
            except Exception:  # half a surrogate pair
                from .. import base64  # late: hardly any visitor needs it

                return PREFIX + base64.encode(text.encode())
        if self._encoding == "legacy":
            from . import legacy  # late: hardly any visitor needs it

            digits = self.page.uuid().replace("-", "")
            salt = bytes([int(digits[i : i + 2], 16) for i in (0, 2, 4, 6, 8, 10, 20, 22)])
            return LEGACY_PREFIX + legacy.encrypt(text, salt)
        return text

    def _decoded(self, text: str) -> str:
        if self._encoding == "v3":
            return _decoded_v3(text)
        if self._encoding == "legacy":
            return _decoded_legacy(text)
        return text

    def _drop_cookie(self, key: str) -> None:
        self.page.set_cookie(key, "", "; max-age=-1" + self._cookie_attributes)


def _decoded_by_any(text: str) -> str:
    return _decoded_v3(_decoded_legacy(text))


def _decoded_legacy(text: str) -> str:
    if text.startswith(LEGACY_PREFIX):
        from . import legacy

        return legacy.decrypt(text[len(LEGACY_PREFIX) :])
    return text


def _decoded_v3(text: str) -> str:
    if text.startswith(PREFIX):
        return from_base64(text[len(PREFIX) :])
    return text


def _cookie_attributes(page: Page, options: LoadOptions) -> tuple[str, str]:
    """``(expiry, the rest)`` of what follows a cookie's value."""
    given: dict[str, Value] = {
        "samesite": options.same_site,
        "secure": options.secure_cookie,
        "path": "/",
        "maxage": _YEAR,
    }
    if options.cookie_domain is not None:
        given["domain"] = options.cookie_domain
    given.update(options.cookie)
    if "domain" not in given:
        given["domain"] = widest_domain(page)
    if options.same_domain_only:
        given["domain"] = ""
    age = given["maxage"]
    expiry = "; max-age=%d" % (age // 1000) if age and isinstance(age, (int, float)) else ""
    rest = ""
    for name in ("path", "domain", "samesite"):
        if given.get(name):
            rest += "; %s=%s" % (name, given[name])
    return expiry, rest + ("; secure" if given["secure"] else "")


def widest_domain(page: Page) -> str:
    """The widest domain that takes a cookie on this page (".shop.example"), empty where there is none to name."""
    parts = raw_get(raw_get(page.window, "location"), "hostname").split(".")
    if len(parts) < 2 or (len(parts) == 4 and parts[-1].isdigit()):
        return ""
    for start in range(len(parts) - 2, -1, -1):
        attribute = "; domain=." + ".".join(parts[start:])
        if page.takes_cookie("__tld__", "1", attribute):
            page.set_cookie("__tld__", "", "; max-age=-1" + attribute)
            return "." + ".".join(parts[start:])
    return ""
