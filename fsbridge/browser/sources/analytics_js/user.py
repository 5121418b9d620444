"""Who the visitor is for analytics.js: ids and traits, kept under Segment's own keys in cookies and localStorage."""

from __future__ import annotations

from ....runtime import (
    NULL,
    UNDEFINED,
    copy,
    from_json,
    get,
    is_nullish,
    make_object,
    raw_get,
    raw_has,
    raw_items,
    text,
    to_json,
    truthy,
    type_of,
)
from ..percent import decode, encode, is_octet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ....contracts import Value
    from ...page import Page

# What stays unencoded in a cookie's value and in its name.
_COOKIE_KEEP = "#$&+:<>=/?@[]^`{}|"
_NAME_KEEP = "#$&+^`|"
_STORES = ("localStorage", "cookie", "memory")
_YEAR_DAYS = 365


class Store:
    """A place where values are kept under keys. A browser may refuse to keep them, without a word."""

    def raw(self, key: str) -> str | None:
        """The text that stands under ``key``; None where there is none, or where values are kept as they are."""
        return None

    def value(self, key: str, raw: str | None) -> Value:
        """What ``key`` holds, of which `raw` gave ``raw``; NULL for nothing."""
        return NULL

    def set(self, key: str, value: Value) -> str | None:
        """Keep ``value`` under ``key``. Returns what `raw` gives from now on, if the browser takes it.

        Raises what turning it into text raises.
        """
        return None

    def remove(self, key: str) -> None:
        """Forget what stands under ``key``."""


class LocalStore(Store):
    """Values as JSON in localStorage."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def raw(self, key: str) -> str | None:
        return self.page.stored(key)

    def value(self, key: str, raw: str | None) -> Value:
        return NULL if raw is None else _parsed(raw)

    def set(self, key: str, value: Value) -> str | None:
        encoded = to_json(value)
        encoded = "undefined" if encoded is UNDEFINED else encoded
        self.page.store(key, encoded)
        return encoded

    def remove(self, key: str) -> None:
        self.page.unstore(key)


class CookieStore(Store):
    """Values in cookies: text as it is, the rest as JSON. Options are Segment's, ``maxage`` in days."""

    def __init__(self, page: Page, options: Value) -> None:
        self.page = page
        self.options = options
        self._attributes: str | None = None
        self._names: dict[str, str] = {}  # as cookies have them

    def attributes(self) -> str:
        """What follows the value in a cookie line, but for the expiry; the domain is found once."""
        if self._attributes is None:
            pairs = [
                ("path", _option(self.options, "path", "/")),
                (
                    "domain",
                    raw_get(self.options, "domain") if _given(self.options, "domain") else widest_domain(self.page),
                ),
                ("SameSite", _option(self.options, "sameSite", "Lax")),
                ("secure", _option(self.options, "secure", False)),
            ]
            self._attributes = "".join([_attribute(name, value) for name, value in pairs if truthy(value)])
        return self._attributes

    def _name(self, key: str) -> str:
        if key not in self._names:
            self._names[key] = encode(key, _NAME_KEEP).replace("(", "%28").replace(")", "%29")
        return self._names[key]

    def raw(self, key: str) -> str | None:
        return self.page.cookie(self._name(key))

    def value(self, key: str, raw: str | None) -> Value:
        if raw is None:
            return NULL
        if raw.startswith('"'):
            raw = raw[1:-1]
        try:
            return _parsed(_decoded(raw))
        except ValueError:  # bytes that are no text: as if it weren't there
            return NULL

    def set(self, key: str, value: Value) -> str | None:
        if value is NULL:
            self.remove(key)
            return None
        plain = value if type_of(value) == "string" else to_json(value)
        days = _option(self.options, "maxage", _YEAR_DAYS)
        age = (
            "; max-age=%d" % int(days * 86400) if type_of(days) == "number" else ""
        )  # without: until the browser closes
        encoded = encode(plain, _COOKIE_KEEP)
        self.page.set_cookie(self._name(key), encoded, age + self.attributes())
        return encoded

    def remove(self, key: str) -> None:
        if self.raw(key) is not None:
            self.page.set_cookie(self._name(key), "", "; max-age=0" + self.attributes())


class MemoryStore(Store):
    """Values of this page load only, by reference."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}

    def value(self, key: str, raw: str | None) -> Value:
        return self.values.get(key, NULL)

    def set(self, key: str, value: Value) -> str | None:
        self.values[key] = value
        return None

    def remove(self, key: str) -> None:
        self.values.pop(key, None)


def _given(options: Value, name: str) -> bool:
    """Whether an option is there; null and undefined count, and stand for no such attribute."""
    return not is_nullish(options) and raw_has(options, name)


def _option(options: Value, name: str, default: Value) -> Value:
    return raw_get(options, name) if _given(options, name) else default


def _attribute(name: str, value: Value) -> str:
    return "; " + name if value is True else "; %s=%s" % (name, text(value).split(";")[0])


def _decoded(raw: str) -> str:
    """A cookie's value without percent-encoding; a percent sign that encodes nothing stays. May raise ValueError."""
    if "%" not in raw:
        return raw
    out, index = [], 0
    while index < len(raw):
        end = index
        while raw[end : end + 1] == "%" and is_octet(raw[end + 1 : end + 3]):
            end += 3
        if end > index:
            out.append(decode(raw[index:end]))
        else:
            end = index + 1
            out.append(raw[index])
        index = end
    return "".join(out)


def _parsed(raw: str) -> Value:
    """JSON where the text is JSON, else the text itself, as Segment reads both its stores."""
    try:
        value = from_json(raw)
    except ValueError:
        return raw
    return NULL if is_nullish(value) else value


def widest_domain(page: Page) -> str:
    """The widest domain that takes a cookie on this page (".shop.example"), empty where there is none to name."""
    host = raw_get(raw_get(page.window, "location"), "hostname")
    parts = host.split(".")
    if len(parts) < 2 or parts[-1].isdigit():
        return ""
    for start in range(len(parts) - 2, -1, -1):
        domain = "." + ".".join(parts[start:])
        if page.takes_cookie("__tld__", "1", "; path=/; domain=" + domain):
            page.set_cookie("__tld__", "", "; max-age=0; path=/; domain=" + domain)
            return domain
    return ""


class Stores:
    """Several stores in order of priority: the first that has a value wins, writing goes to all."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self.stores = stores
        self._seen: dict[str, tuple[list[str | None], Value, Value]] = {}  # what stood there when in step, and meant

    def get(self, key: str) -> Value:
        """The first value that a store has, NULL where none has one."""
        return self._first(key, [store.raw(key) for store in self.stores], False)

    def set(self, key: str, value: Value) -> list[Value]:
        """Set ``key`` in every store. Returns what then stands in each, as far as they take it."""
        raws: list[Value] = []
        for store in self.stores:
            try:
                raws.append(store.set(key, value))
            except Exception:  # no JSON for it (a BigInt, a cycle): another store may still take it
                raws.append(UNDEFINED)
        return raws

    def clear(self, key: str) -> None:
        """Remove ``key`` from every store."""
        self._seen.pop(key, None)
        for store in self.stores:
            store.remove(key)

    def synced(self, key: str, cookie_wins: bool = False, otherwise: Callable[[Value], Value] | None = None) -> Value:
        """The value of ``key``, written back to every store; numbers become text.

        With ``cookie_wins`` a cookie beats the others and empty text counts as absent. What is no value at all becomes
        what ``otherwise`` makes of it. Nothing is written while the stores read as when they were last in step.
        """
        raws = [store.raw(key) for store in self.stores]
        seen, memory, known = self._seen.get(key, (None, None, NULL))
        if seen == raws and memory is self._memory(key) and (otherwise is None or truthy(known)):
            return known
        value = self._first(key, raws, cookie_wins)
        if type_of(value) == "number":
            value = text(value)
        if otherwise is not None and not truthy(value):
            value = otherwise(value)
        self._seen[key] = (self.set(key, value), self._memory(key), value)
        return value

    def _memory(self, key: str) -> Value:
        for store in self.stores:
            if isinstance(store, MemoryStore):
                return store.value(key, None)
        return NULL

    def _first(self, key: str, raws: list[str | None], cookie_wins: bool) -> Value:
        first = NULL
        for store, raw in zip(self.stores, raws):
            value = store.value(key, raw)
            if is_nullish(value) or (cookie_wins and value == ""):
                continue
            if not cookie_wins or isinstance(store, CookieStore):
                return value
            if first is NULL:
                first = value
        return first


class User:
    """The visitor (or, with ``group=True``, their group). ``options`` are the ``user``/``group`` load options.

    As with the vendor a group is a user with other keys: it has the visitor's anonymous id, and the cookie in which
    analytics.js 1 held a user counts for the group, too.
    """

    anonymous_key = "ajs_anonymous_id"

    def __init__(
        self, page: Page, options: Value = UNDEFINED, cookie_options: Value = UNDEFINED, group: bool = False
    ) -> None:
        self.page = page
        self._ids: dict[str, Value] | None = None
        self._ids_state: tuple[Value, ...] | None = None  # the traces of the stores that they came from
        self.disabled = truthy(raw_get(options, "disable"))
        self.id_key = _key(options, "cookie", "ajs_group_id" if group else "ajs_user_id")
        self.traits_key = _key(options, "localStorage", "ajs_group_properties" if group else "ajs_user_traits")
        memory = MemoryStore()
        stores: list[Store]
        if self.disabled:
            stores = []
        elif not truthy(_option(options, "persist", True)):
            stores = [memory]
        else:
            stores = self._chosen(options, cookie_options, memory)
        self.identity = Stores(stores)
        self.legacy = Stores([store for store in stores if isinstance(store, CookieStore)])
        traits = [store for store in stores if not isinstance(store, (CookieStore, MemoryStore))]
        if any([isinstance(store, MemoryStore) for store in stores]):
            traits.append(MemoryStore())
        self.traits_stores = Stores(traits)
        old = self.legacy.get("ajs_user")
        if type_of(old) == "object":
            if truthy(raw_get(old, "id")):
                self.id(raw_get(old, "id"))
            if truthy(raw_get(old, "traits")):
                self.traits(raw_get(old, "traits"))

    def _chosen(self, options: Value, cookie_options: Value, memory: MemoryStore) -> list[Store]:
        by_name: dict[str, Callable[[], Store]] = {
            "localStorage": lambda: LocalStore(self.page),
            "cookie": lambda: CookieStore(self.page, cookie_options),
            "memory": lambda: memory,
        }
        names = list(_STORES)
        wanted = raw_get(raw_get(options, "storage"), "stores")
        if type_of(wanted) == "array" and all([name in _STORES for name in raw_items(wanted)]):
            names = raw_items(wanted)
        if truthy(raw_get(options, "localStorageFallbackDisabled")):
            names = [name for name in names if name != "localStorage"]
        return [by_name[name]() for name in names]

    def id(self, new: Value = UNDEFINED) -> Value:
        """The user id, NULL when unknown. Setting another id than the known one also renews the anonymous id."""
        if self.disabled:
            return NULL
        if new is not UNDEFINED:
            self._ids = None
            previous = self.identity.synced(self.id_key)
            self.identity.set(self.id_key, new)
            if previous is not NULL and new is not NULL and new != previous:
                self.anonymous_id(NULL)
        current = self.identity.synced(self.id_key)
        if truthy(current):
            return current
        old = self.legacy.get("ajs_user")
        if truthy(old):
            old = raw_get(old, "id") if type_of(old) == "object" else old
            return NULL if is_nullish(old) else old
        return NULL

    def anonymous_id(self, new: Value = UNDEFINED) -> Value:
        """The anonymous id, made on first need; NULL forgets it."""
        if self.disabled:
            return NULL
        if new is UNDEFINED:
            current = self.identity.synced(self.anonymous_key, True, self._made)
            return current if truthy(current) else self._old_anonymous_id()
        self._ids = None
        self.identity.set(self.anonymous_key, new)
        return self.identity.synced(self.anonymous_key, True)

    def _made(self, none: Value) -> Value:
        """An anonymous id where there is ``none``, unless analytics.js 1 left one."""
        if is_nullish(none) and truthy(self._old_anonymous_id()):
            return none
        self._ids = None
        return self.page.uuid()

    def _old_anonymous_id(self) -> Value:
        value = self.legacy.get("_sio")
        return value.split("----")[0] if type_of(value) == "string" and value else NULL

    def ids(self) -> dict[str, Value]:
        """``{"userId": …, "anonymousId": …}`` without empty ones; cheap while the browser's stores stay as they are."""
        if self._ids is None or self.page.traces(self.id_key, self.anonymous_key) != self._ids_state:
            ids = (("userId", self.id()), ("anonymousId", self.anonymous_id()))
            self._ids = {name: value for name, value in ids if truthy(value)}
            self._ids_state = self.page.traces(self.id_key, self.anonymous_key)
        return self._ids

    def traits(self, new: Value = UNDEFINED) -> Value:
        """The stored traits as an object of their own; ``new`` replaces them."""
        if self.disabled:
            return UNDEFINED
        if new is NULL:
            new = make_object()
        if truthy(new):
            self.traits_stores.set(self.traits_key, new)
        value = self.traits_stores.get(self.traits_key)
        return make_object() if is_nullish(value) else value

    def identify(self, new_id: Value, traits: Value) -> None:
        """Remember an identify call: the same or an unknown user keeps their traits, another one starts afresh."""
        if self.disabled:
            return
        if is_nullish(traits):
            traits = make_object()
        current = self.id()
        if current is NULL or current == new_id:
            traits = copy(self.traits(), traits)
        if truthy(new_id):
            self.id(new_id)
        self.traits(traits)

    def logout(self) -> None:
        """Forget the ids and traits, which leaves their keys in the stores, as with the vendor's ``logout``."""
        self.anonymous_id(NULL)
        self.id(NULL)
        self.traits(make_object())

    def reset(self) -> None:
        """Forget the ids and traits, and remove their keys from the stores."""
        self.logout()
        self.identity.clear(self.id_key)
        self.identity.clear(self.anonymous_key)
        self.traits_stores.clear(self.traits_key)


def _key(options: Value, where: str, default: str) -> str:
    value = raw_get(get(options, where), "key") if type_of(options) == "object" else UNDEFINED
    return default if is_nullish(value) else text(value)
