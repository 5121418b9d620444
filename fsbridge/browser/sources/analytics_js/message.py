"""The messages of analytics.js: one Segment-spec object a call, with page context and identity filled in."""

from __future__ import annotations

from ....runtime import (
    UNDEFINED,
    call,
    copy,
    invoke,
    is_nullish,
    is_plain,
    keys,
    lazy,
    make_date,
    make_object,
    raw_assign,
    raw_copy,
    raw_delete,
    raw_get,
    raw_keys,
    raw_put,
    record,
    truthy,
    type_of,
)
from ...page import read
from ..percent import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....contracts import Message, Moment, Place, Value
    from ...page import Page
    from .user import User

_TOP_LEVEL = ("userId", "anonymousId", "timestamp", "messageId")
LIBRARY = "analytics.js"


class Invalid(ValueError):
    """A message that the vendor refuses; the page sees a rejected promise."""


def split_url(url: str) -> tuple[str, str, str]:
    """``(path, search, url without hash)`` of an absolute URL, as ``location`` would say."""
    url = url.split("#", 1)[0]
    before, _, query = url.partition("?")
    search = "?" + query if query else ""
    _, scheme, rest = before.partition("://")
    if not scheme:
        return before.partition(":")[2], search, url
    slash = rest.find("/")
    return (rest[slash:] if slash >= 0 else "/"), search, url


def page_context(moment: Moment) -> Value:
    """``path``, ``referrer``, ``search``, ``title``, ``url`` of the moment; a canonical link replaces path and url."""
    path, search, url = split_url(moment.url)
    canonical = moment.canonical
    if canonical:
        url = canonical if "?" in canonical else canonical + search
        path = _canonical_path(canonical)
    return make_object(
        (("path", path), ("referrer", moment.referrer), ("search", search), ("title", moment.title), ("url", url))
    )


def _canonical_path(canonical: str) -> str:
    scheme = canonical.split(":", 1)[0]
    if ":" in canonical and scheme and all([char.isalpha() or char.isdigit() or char in "+-." for char in scheme]):
        return split_url(canonical)[0]
    return canonical if canonical.startswith("/") else "/" + canonical


def campaign(search: str) -> Value:
    """The ``utm_`` parameters of a search string as Segment's ``context.campaign``."""
    pairs = []
    for part in search[1:].replace("?", "&").split("&"):
        key, _, value = part.partition("=")
        value = value.split("=", 1)[0]
        if "utm_" in key and len(key) > 4:
            name = key[4:]
            pairs.append(("name" if name == "campaign" else name, graceful_decode(value)))
    return make_object(pairs)


def graceful_decode(value: str) -> str:
    """Percent-decoded text with "+" as space; malformed text stays as it is."""
    try:
        return decode(value.replace("+", " "))
    except ValueError:
        return value


class Factory:
    """Makes messages for one page and visitor."""

    def __init__(self, page: Page, user: User, version: str) -> None:
        self.page = page
        self.user = user
        self._version = version
        self._place: Place | None = None
        self._page: Value = None  # what messages say of that place
        self._constant: Value = None  # what they say of the browser
        self._add_context: Any = None  # a function that gives a message its context
        self._serial = 0
        self._run = page.uuid()

    def _constant_context(self) -> Value:
        navigator = self.page.global_("navigator")
        locale = read(navigator, "userLanguage")
        if not truthy(locale):
            locale = read(navigator, "language")
        pairs = [
            ("userAgent", read(navigator, "userAgent")),
            ("library", make_object((("name", LIBRARY), ("version", "fsbridge-" + self._version)))),
        ]
        if locale is not UNDEFINED:
            pairs.append(("locale", locale))
        try:
            formatter = call(read(self.page.global_("Intl"), "DateTimeFormat"))
            zone = read(invoke(formatter, "resolvedOptions"), "timeZone")
            pairs.append(("timezone", zone))
        except Exception:  # no Intl here
            pass
        return make_object(pairs)

    def make(self, kind: str, fields: dict[str, Any], options: Value, integrations: Value, moment: Moment) -> Message:
        """A message of type ``kind`` with ``fields`` (a dict) under the call's ``options``. Raises Invalid."""
        if moment.place != self._place:
            self._prepare_page(moment)
        fields["type"], fields["timestamp"] = kind, make_date(moment.time)
        if options is UNDEFINED:
            fields["integrations"] = _booleans(integrations)
            fields["messageId"] = self._message_id()
        else:
            override = raw_get(options, "anonymousId")
            if truthy(override):
                self.user.anonymous_id(override)
            context = self._apply(fields, copy(options), integrations)
        fields.update(self.user.ids())
        _validate(kind, fields)
        if kind == "page":
            _add_page_properties(fields, self._page)
        message = record(**fields)
        if options is UNDEFINED:
            self._add_context(message)
        else:
            raw_put(context, "page", copy(_page_of(message, self._page), raw_get(context, "page")))
            _enrich(context, self._shared_context(self._page))
            raw_put(message, "context", context)
        return message

    def _apply(self, fields: dict[str, Any], options: Value, integrations: Value) -> Value:
        """Put what a call's options say into the fields of its message; returns the context they give."""
        for name in raw_keys(options):
            if raw_get(options, name) is UNDEFINED:
                raw_delete(options, name)
        fields["integrations"] = copy(_booleans(integrations), raw_get(options, "integrations"))
        context = raw_get(options, "context")
        context = make_object() if is_nullish(context) else copy(context)
        for name in raw_keys(options):
            if name in _TOP_LEVEL:
                fields[name] = raw_get(options, name)
            elif name not in ("context", "integrations"):
                put_path(context, name, raw_get(options, name))
        chosen = raw_get(options, "messageId")
        fields["messageId"] = chosen if truthy(chosen) else self._message_id()
        return context

    def _message_id(self) -> str:
        self._serial += 1
        return "%s-%d" % (self._run, self._serial)

    def _prepare_page(self, moment: Moment) -> None:
        """Prepare what messages say of the page, until it changes."""
        page = page_context(moment)
        self._place, self._page = moment.place, page
        # Hardly any message is asked for its context, and a browser takes 20 ms to say what its time zone is.
        self._add_context = lazy(
            "context", lambda message: raw_assign(record(page=_page_of(message, page)), self._shared_context(page))
        )

    def _shared_context(self, page: Value) -> Value:
        """The context of a plain message on that page, but for the page."""
        if self._constant is None:
            self._constant = self._constant_context()
        search = raw_get(page, "search")
        return copy(self._constant, record(campaign=campaign(search))) if search else self._constant


def _add_page_properties(fields: dict[str, Any], page: Value) -> None:
    """Give a page message its page's properties."""
    whole = copy(page, fields["properties"])
    name = fields.get("name", UNDEFINED)
    if truthy(name):
        raw_put(whole, "name", name)
    fields["properties"] = whole


def _page_of(message: Message, page: Value) -> Value:
    """The page in a message's context: a page message's properties overrule it."""
    if raw_get(message, "type") != "page":
        return raw_copy(page)
    properties = raw_get(message, "properties")
    return make_object([(key, raw_get(properties, key)) for key in raw_keys(page)])


def _enrich(context: Value, shared: Value) -> None:
    """Fill a context that a call's options began: of what they may give only locale, library and campaign stay."""
    for key in raw_keys(shared):
        given = raw_get(context, key)
        if key == "campaign":
            continue
        if key not in ("locale", "library") or is_nullish(given):
            raw_put(context, key, raw_get(shared, key))
    search = raw_get(raw_get(context, "page"), "search")
    if type_of(search) == "string" and search and not truthy(raw_get(context, "campaign")):
        raw_put(context, "campaign", campaign(search))


def _booleans(integrations: Value) -> Value:
    """Load-time integrations as an event carries them: each name on or off."""
    if integrations is UNDEFINED:
        return record()
    return make_object([(name, truthy(raw_get(integrations, name))) for name in keys(integrations)])


def put_path(target: Value, path: str, value: Value) -> None:
    """Set ``a.b`` inside ``target``, making what is missing on the way."""
    parts = path.split(".")
    for part in parts[:-1]:
        inner = raw_get(target, part)
        if type_of(inner) not in ("object", "array"):
            inner = make_object()
            raw_put(target, part, inner)
        target = inner
    raw_put(target, parts[-1], value)


def _validate(kind: str, fields: dict[str, Any]) -> None:
    if not isinstance(fields["messageId"], str):
        raise Invalid(".messageId is not a string")
    if kind in ("identify", "group") and not is_plain(fields["traits"]):
        raise Invalid(".traits is not an object")
    if kind == "track" and not is_plain(fields["properties"]):
        raise Invalid(".properties is not an object")


def query_calls(search: str) -> tuple[str | None, str | None, Value, str | None, Value]:
    """What ``ajs_`` parameters ask for: ``(anonymous id, user id, traits, event, properties)``."""
    params = []
    for part in search[1:].split("&"):
        pieces = part.split("=")
        params.append((pieces[0], graceful_decode(pieces[1]) if len(pieces) > 1 else UNDEFINED))
    last = make_object(params)

    def text_of(name: str) -> str | None:
        value = raw_get(last, name)
        return value if type_of(value) == "string" and value else None

    def prefixed(prefix: str) -> Value:
        return make_object([(key[len(prefix) :], raw_get(last, key)) for key in keys(last) if key.startswith(prefix)])

    return text_of("ajs_aid"), text_of("ajs_uid"), prefixed("ajs_trait_"), text_of("ajs_event"), prefixed("ajs_prop_")


def query_of(url: str) -> str:
    """Where ``ajs_`` parameters stand: the search string, else a "?…" in the hash."""
    before, _, hash_ = url.partition("#")
    search = split_url(before)[1]
    if search:
        return search
    return "?" + hash_.rsplit("?", 1)[1] if "?" in hash_ else ""
