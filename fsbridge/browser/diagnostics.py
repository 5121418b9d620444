"""What FullStory would reject, drop or not index, said while developing; loaded in debug mode only.

The rules are FullStory's documented limits; docs/diagnostics.md lists them.
"""

from __future__ import annotations

from ..runtime import UNDEFINED, get, is_nullish, is_plain, json_size, keys, raw_get, same, text, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..contracts import Call, Message

MAX_EVENT_NAME = 250
MAX_PROPERTY_NAME = 512
MAX_PAYLOAD = 512 * 1024
MAX_PAGE_NAMES = 1000
MAX_PROPERTIES_OF_A_PAGE = 50
MAX_PAGE_PROPERTIES = 500
RATES = {"trackEvent": (60, 40), "setIdentity": (30, 10), "setProperties": (30, 10)}
"""Operation → how many calls FullStory takes in a minute, and in a second."""

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NAME_CHARS = _LETTERS + "0123456789_-"
_TEXTS = {"user": ("displayName", "email"), "page": ("pageName",)}  # what FullStory itself shows, as text only
_INDEXED = "Order Completed"  # the event whose arrays of objects FullStory indexes
_MAX_DEPTH = 4
_MAX_ITEMS = 20


class Diagnostics:
    """Checks calls before they are performed; ``warn(text)`` hears of each kind of trouble once.

    ``now()`` gives milliseconds. What is remembered is bounded by the limits above, and lasts for one page load.
    """

    def __init__(self, now: Callable[[], float], warn: Callable[[str], None]) -> None:
        self._now = now
        self._warn = warn
        self._said: list[str] = []
        self._times: dict[str, list[float]] = {}
        self._uid = ""
        self._page = ""
        self._page_names: set[str] = set()
        self._of_this_page: set[str] = set()
        self._of_all_pages: set[str] = set()

    def check_all(self, calls: Sequence[Call], message: Message, window: Any) -> None:
        """Warn of what is wrong with the calls that came of a message on the page of this window."""
        url = raw_get(raw_get(window, "location"), "href")
        for call in calls:
            try:
                self.check(call, raw_get(message, "anonymousId"), url)
            except Exception as error:  # an object that throws when it is read
                self._warn("a call can't be checked: %s" % error)

    def check(self, call: Call, anonymous_id: Any = UNDEFINED, url: str = "") -> None:
        """Warn of what is wrong with ``call``, made at ``url`` for the visitor with that anonymous id."""
        operation, subject, properties = _read(call)
        if operation not in RATES:
            return
        if operation == "trackEvent":
            what, scope = "event " + _quoted(subject), ""
            self._event_name(subject, what)
        elif operation == "setIdentity":
            what, scope = "identity " + _quoted(subject), "user"
            self._identity(subject, what, anonymous_id)
        else:
            scope = text(subject)
            what = scope + " properties"
        self._rate(operation, what)
        if not is_plain(properties):
            return
        for name in _TEXTS.get(scope, ()):
            if type_of(get(properties, name)) not in ("string", "undefined"):
                self._once("reserved", "%s: %s is FullStory's own, and must be text" % (what, name))
        if scope == "page":
            self._page_limits(properties, url)
        self._names(properties, what, "", operation == "trackEvent" and subject == _INDEXED, _MAX_DEPTH)
        self._size(properties, what)

    def _once(self, trouble: str, warning: str) -> None:
        if trouble not in self._said:
            self._said.append(trouble)
            self._warn(warning)

    def _rate(self, operation: str, what: str) -> None:
        """Count a call, over a sliding minute and a sliding second."""
        minute, second = RATES[operation]
        times, now = self._times.setdefault(operation, []), self._now()
        for limit, span, spoken in ((minute, 60000, "minute"), (second, 1000, "second")):
            if len(times) >= limit and now - times[-limit] < span:
                warning = "%s: more than %d calls of %s in a %s; FullStory drops what is over it"
                self._once(operation + spoken, warning % (what, limit, operation, spoken))
        times.append(now)
        del times[:-minute]

    def _event_name(self, name: Any, what: str) -> None:
        if type_of(name) != "string" or not 1 <= len(name) <= MAX_EVENT_NAME:
            found = "has %d characters" % len(name) if type_of(name) == "string" else "is " + type_of(name)
            warning = "%s: its name %s; FullStory rejects all but texts of 1 to %d characters"
            self._once("event name", warning % (what, found, MAX_EVENT_NAME))

    def _identity(self, uid: Any, what: str, anonymous_id: Any) -> None:
        if type_of(uid) != "string" or not uid:
            self._once("uid", "%s: FullStory rejects a uid that is no text or empty" % what)
            return
        if same(uid, anonymous_id):
            warning = "%s is the visitor's anonymous id; once there is a user id, FullStory starts a new session"
            self._once("anonymous uid", warning % what)
        if self._uid and uid != self._uid:
            warning = "%s: the visitor was %s before; FullStory starts a new session"
            self._once("new uid", warning % (what, _quoted(self._uid)))
        self._uid = uid

    def _page_limits(self, properties: Any, url: str) -> None:
        """Count what is different: FullStory's page ends where the address changes, but for its query and hash."""
        page = url.split("#", 1)[0].split("?", 1)[0]
        if page != self._page:
            self._page = page
            self._of_this_page = set()
        name = get(properties, "pageName")
        if type_of(name) == "string":
            warning = "page properties: pageName %s is one more than the %d that FullStory tells apart"
            if _full(self._page_names, name, MAX_PAGE_NAMES):
                self._once("page names", warning % (_quoted(name), MAX_PAGE_NAMES))
        for key in keys(properties):
            if key == "pageName":
                continue
            warning = "page properties: %s is one more than the %d that FullStory takes %s"
            if _full(self._of_this_page, key, MAX_PROPERTIES_OF_A_PAGE):
                self._once("page", warning % (_quoted(key), MAX_PROPERTIES_OF_A_PAGE, "of a page"))
            if _full(self._of_all_pages, key, MAX_PAGE_PROPERTIES):
                self._once("pages", warning % (_quoted(key), MAX_PAGE_PROPERTIES, "of all pages"))

    def _names(self, properties: Any, what: str, path: str, indexed: bool, depth: int) -> None:
        """Check the names and the arrays of ``properties``, and of the objects in them."""
        for key in keys(properties):
            if not _is_property_name(key):
                warning = (
                    "%s: property %s is rejected by FullStory; a name has letters, digits, _ and -, starts with a "
                    "letter, and is no longer than %d characters"
                )
                self._once("property name", warning % (what, _quoted(path + key), MAX_PROPERTY_NAME))
            value = get(properties, key)
            if type_of(value) == "array":
                if not indexed and _has_objects(value):
                    warning = "%s: property %s is an array of objects, which FullStory does not index"
                    self._once("objects", warning % (what, _quoted(path + key)))
            elif depth and is_plain(value):
                self._names(value, what, path + key + ".", indexed, depth - 1)

    def _size(self, properties: Any, what: str) -> None:
        try:
            size = json_size(properties)
        except Exception:
            self._once("json", "%s: FullStory needs what JSON can hold, and this has a cycle or a BigInt" % what)
            return
        if size > MAX_PAYLOAD:
            largest = max([(_size_of(get(properties, key)), key) for key in keys(properties)])[1]
            warning = "%s: %d KB, most of it in property %s; FullStory rejects more than %d KB"
            self._once("size", warning % (what, -(-size // 1024), _quoted(largest), MAX_PAYLOAD // 1024))


def _read(call: Call) -> tuple[Any, Any, Any]:
    """A call as a v2 operation: its name; event name, uid or type; properties."""
    first, second = (list(call.args) + [UNDEFINED, UNDEFINED])[:2]
    if call.method == "event":
        return "trackEvent", first, second
    if call.method == "identify":
        return "setIdentity", first, second
    if call.method == "setUserVars":
        return "setProperties", "user", first
    if call.method == "setVars":
        return "setProperties", first, second
    if call.method:
        return call.method, UNDEFINED, UNDEFINED
    subjects = {"trackEvent": "name", "setIdentity": "uid", "setProperties": "type"}
    return first, raw_get(second, subjects.get(first, "name")), raw_get(second, "properties")


def _is_property_name(name: str) -> bool:
    if not 1 <= len(name) <= MAX_PROPERTY_NAME or name[0] not in _LETTERS:
        return False
    return all([char in _NAME_CHARS for char in name])


def _has_objects(array: Any) -> bool:
    for index in range(min(raw_get(array, "length"), _MAX_ITEMS)):
        if is_plain(get(array, index)):
            return True
    return False


def _full(seen: set[str], name: str, limit: int) -> bool:
    """Add ``name`` to what was seen; True when it is new and there is no room."""
    name = name[:MAX_PROPERTY_NAME]
    if name in seen:
        return False
    if len(seen) >= limit:
        return True
    seen.add(name)
    return False


def _size_of(value: Any) -> int:
    return 0 if is_nullish(value) else json_size(value)


def _quoted(value: Any) -> str:
    spoken = text(value)
    return '"%s"' % (spoken if len(spoken) <= 80 else spoken[:79] + "…")
