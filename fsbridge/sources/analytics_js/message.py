"""The messages of analytics.js: one Segment-spec object a call, with page context and identity filled in."""

from ...runtime import (
    UNDEFINED,
    call,
    copy,
    delete,
    duplicate,
    get,
    has,
    invoke,
    is_nullish,
    is_plain,
    keys,
    kind,
    make_date,
    make_object,
    own_keys,
    put,
    truthy,
)
from ..percent import decode

_TOP_LEVEL = ("userId", "anonymousId", "timestamp", "messageId")
LIBRARY = "analytics.js"


class Invalid(ValueError):
    """A message that the vendor refuses; the page sees a rejected promise."""


def split_url(url):
    """``(path, search, url without hash)`` of an absolute URL, as ``location`` would say."""
    url = url.split("#", 1)[0]
    before, _, query = url.partition("?")
    search = "?" + query if query else ""
    _, scheme, rest = before.partition("://")
    if not scheme:
        return before.partition(":")[2], search, url
    slash = rest.find("/")
    return (rest[slash:] if slash >= 0 else "/"), search, url


def page_context(moment):
    """``path``, ``referrer``, ``search``, ``title``, ``url`` of the moment; a canonical link replaces path and url."""
    path, search, url = split_url(moment.url)
    canonical = moment.canonical
    if canonical:
        url = canonical if "?" in canonical else canonical + search
        path = _canonical_path(canonical)
    return make_object(
        (("path", path), ("referrer", moment.referrer), ("search", search), ("title", moment.title), ("url", url))
    )


def _canonical_path(canonical):
    scheme = canonical.split(":", 1)[0]
    if ":" in canonical and scheme and all([char.isalpha() or char.isdigit() or char in "+-." for char in scheme]):
        return split_url(canonical)[0]
    return canonical if canonical.startswith("/") else "/" + canonical


def campaign(search):
    """The ``utm_`` parameters of a search string as Segment's ``context.campaign``."""
    pairs = []
    for part in search[1:].replace("?", "&").split("&"):
        key, _, value = part.partition("=")
        value = value.split("=", 1)[0]
        if "utm_" in key and len(key) > 4:
            name = key[4:]
            pairs.append(("name" if name == "campaign" else name, graceful_decode(value)))
    return make_object(pairs)


def graceful_decode(value):
    """Percent-decoded text with "+" as space; malformed text stays as it is."""
    try:
        return decode(value.replace("+", " "))
    except ValueError:
        return value


class Factory:
    """Makes messages for one page and visitor."""

    def __init__(self, page, user, version):
        self.page = page
        self.user = user
        self._constant = self._constant_context(version)
        self._place = self._context = None
        self._serial = 0
        self._run = page.uuid()

    def _constant_context(self, version):
        navigator = get(self.page.window, "navigator")
        locale = get(navigator, "userLanguage")
        if not truthy(locale):
            locale = get(navigator, "language")
        pairs = [
            ("userAgent", get(navigator, "userAgent")),
            ("library", make_object((("name", LIBRARY), ("version", "fsbridge-" + version)))),
        ]
        if locale is not UNDEFINED:
            pairs.append(("locale", locale))
        try:
            formatter = call(get(get(self.page.window, "Intl"), "DateTimeFormat"))
            zone = get(invoke(formatter, "resolvedOptions"), "timeZone")
            pairs.append(("timezone", zone))
        except Exception:  # no Intl here
            pass
        return make_object(pairs)

    def make(self, kind_, fields, options, integrations, moment):
        """A message of type ``kind_`` with ``fields`` (pairs) under the call's ``options``. Raises Invalid."""
        if options is not UNDEFINED:
            override = get(options, "anonymousId")
            if truthy(override):
                self.user.anonymous_id(override)
        message = make_object((("timestamp", make_date(moment.time)), ("type", kind_)))
        for name, value in fields:
            put(message, name, value)
        surroundings = self._surroundings(moment)
        if options is UNDEFINED:
            context = duplicate(surroundings)
            put(message, "integrations", _booleans(integrations))
            put(message, "messageId", self._message_id())
        else:
            context = self._apply(message, copy(options), integrations)
        user_id, anonymous_id = self.user.ids()
        if truthy(user_id):
            put(message, "userId", user_id)
        if truthy(anonymous_id):
            put(message, "anonymousId", anonymous_id)
        _validate(kind_, message)
        page = get(surroundings, "page")
        if kind_ == "page":
            page = _with_page_properties(message, page)
        put(context, "page", duplicate(page) if options is UNDEFINED else copy(page, get(context, "page")))
        if options is not UNDEFINED:
            _enrich(context, surroundings)
        put(message, "context", context)
        return message

    def _apply(self, message, options, integrations):
        """Put what a call's options say into its message; returns the context they give."""
        for name in own_keys(options):
            if get(options, name) is UNDEFINED:
                delete(options, name)
        put(message, "integrations", copy(_booleans(integrations), get(options, "integrations")))
        context = get(options, "context")
        context = make_object() if is_nullish(context) else copy(context)
        for name in own_keys(options):
            if name in _TOP_LEVEL:
                put(message, name, get(options, name))
            elif name not in ("context", "integrations"):
                put_path(context, name, get(options, name))
        chosen = get(options, "messageId")
        put(message, "messageId", chosen if truthy(chosen) else self._message_id())
        return context

    def _message_id(self):
        self._serial += 1
        return "%s-%d" % (self._run, self._serial)

    def _surroundings(self, moment):
        """The context of a plain message at that moment, for copying: made anew only when the page has changed."""
        place = (moment.url, moment.title, moment.referrer, moment.canonical)
        if place != self._place:
            self._place = place
            self._context = duplicate(self._constant)
            page = page_context(moment)
            put(self._context, "page", page)
            search = get(page, "search")
            if search:
                put(self._context, "campaign", campaign(search))
        return self._context


def _with_page_properties(message, page):
    """Give a page message its page's properties; returns the page as the properties overrule it."""
    properties = get(message, "properties")
    whole = copy(page, properties)
    name = get(message, "name")
    if truthy(name):
        put(whole, "name", name)
    put(message, "properties", whole)
    own = duplicate(page)
    for key in own_keys(page):
        if has(properties, key):
            put(own, key, get(properties, key))
    return own


def _enrich(context, surroundings):
    """Fill a context that a call's options began: of what they may give only locale, library and campaign stay."""
    for key in own_keys(surroundings):
        given = get(context, key)
        if key in ("page", "campaign"):
            continue
        if key not in ("locale", "library") or is_nullish(given):
            put(context, key, get(surroundings, key))
    search = get(get(context, "page"), "search")
    if kind(search) == "string" and search and not truthy(get(context, "campaign")):
        put(context, "campaign", campaign(search))


def _booleans(integrations):
    """Load-time integrations as an event carries them: each name on or off."""
    if integrations is UNDEFINED:
        return make_object()
    return make_object([(name, truthy(get(integrations, name))) for name in keys(integrations)])


def put_path(target, path, value):
    """Set ``a.b`` inside ``target``, making what is missing on the way."""
    parts = path.split(".")
    for part in parts[:-1]:
        inner = get(target, part)
        if kind(inner) not in ("object", "array"):
            inner = make_object()
            put(target, part, inner)
        target = inner
    put(target, parts[-1], value)


def _validate(kind_, message):
    if kind(get(message, "messageId")) != "string":
        raise Invalid(".messageId is not a string")
    if kind_ in ("identify", "group") and not is_plain(get(message, "traits")):
        raise Invalid(".traits is not an object")
    if kind_ == "track" and not is_plain(get(message, "properties")):
        raise Invalid(".properties is not an object")


def query_calls(search):
    """What ``ajs_`` parameters ask for: ``(anonymous id, user id, traits, event, properties)``."""
    params = []
    for part in search[1:].split("&"):
        pieces = part.split("=")
        params.append((pieces[0], graceful_decode(pieces[1]) if len(pieces) > 1 else UNDEFINED))
    last = make_object(params)

    def text_of(name):
        value = get(last, name)
        return value if kind(value) == "string" and value else None

    def prefixed(prefix):
        return make_object([(key[len(prefix) :], get(last, key)) for key in keys(last) if key.startswith(prefix)])

    return text_of("ajs_aid"), text_of("ajs_uid"), prefixed("ajs_trait_"), text_of("ajs_event"), prefixed("ajs_prop_")


def query_of(url):
    """Where ``ajs_`` parameters stand: the search string, else a "?…" in the hash."""
    before, _, hash_ = url.partition("#")
    search = split_url(before)[1]
    if search:
        return search
    return "?" + hash_.rsplit("?", 1)[1] if "?" in hash_ else ""
