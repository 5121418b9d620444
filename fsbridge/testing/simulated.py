"""A page for CPython, where tests take milliseconds: window, document, cookies, storage, time and a recording FS.

::

    from fsbridge import connect
    from fsbridge.testing.simulated import SimulatedWindow

    def test_an_order():
        page = SimulatedWindow("https://shop.example/shoes?color=red", title="Shoes")
        analytics = connect("segment-classic", org="o-1ABC-na1", window=page)
        analytics.track("Order Completed", {"price": 99.95})
        assert page.calls == [{"call": "FS.event", "args": ["Order Completed", {"price": 99.95}, "segment"]}]

What a test may look at, and change:

- ``page.calls``: what was called on ``window.FS``, in order, as ``{"call", "args"}``.
- ``page.console.lines``: what was said there, as ``(level, text)``.
- ``page.cookies``: ``values`` and ``attributes`` by name.
- ``page.localStorage.entries``, ``page.sessionStorage.entries``: what is stored, by key.
- ``page.document``: elements have ``attributes``, ``children`` and ``listeners``; `Element.fire` lets an event happen.
- ``page.now``: the clock, in milliseconds since 1970. It stands still until `SimulatedWindow.settle` runs the timers.
- ``page.navigate(url)``: the next page load in the same browser: same cookies, storage and time, new everything else.

What the page's JavaScript would have done is set as attributes: ``page.analytics = [["track", "Early"]]`` is a vendor
snippet's buffer, and ``connect(…, expose=True)`` performs it. Undefined is `fsbridge.testing.UNDEFINED`.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

from ..cloud import liquid
from ..runtime.cpython import UNDEFINED, Array, Function, Host, JsError, call

liquid.install()

FS_METHODS = (
    "identify setUserVars setVars event anonymize shutdown restart log consent "
    "identifyAccount clearUserCookie getCurrentSessionURL"
).split()


class Location(Host):
    """``window.location`` of a URL."""

    def __init__(self, url: str) -> None:
        self.move(url)

    def move(self, url: str) -> None:
        """Be at another absolute URL, as after ``history.pushState``."""
        parts = urlsplit(url)
        self.href = url if parts.path else f"{parts.scheme}://{parts.netloc}/"
        self.protocol = parts.scheme + ":"
        self.host = parts.netloc
        self.hostname = parts.hostname or ""
        self.port = str(parts.port or "")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.pathname = parts.path or "/"
        self.search = "?" + parts.query if parts.query else ""
        self.hash = "#" + parts.fragment if parts.fragment else ""


class Storage(Host):
    """``localStorage`` and ``sessionStorage``; ``entries`` is what is stored, by key."""

    def __init__(self, entries: dict[str, str]) -> None:
        self.entries = entries

    @property
    def length(self) -> int:
        return len(self.entries)

    def key(self, index: int) -> Any:
        names = list(self.entries)
        return names[index] if index < len(names) else None

    def getItem(self, key: str) -> Any:
        return self.entries.get(key)

    def setItem(self, key: str, value: str) -> None:
        self.entries[key] = value

    def removeItem(self, key: str) -> None:
        self.entries.pop(key, None)

    def _keys(self) -> list[str]:
        return list(self.entries)


class Event(Host):
    """What a listener gets; ``detail`` are its further properties, such as ``ctrlKey``."""

    def __init__(self, type_: str, detail: dict[str, Any]) -> None:
        self.type = type_
        self.defaultPrevented = False
        for name, value in detail.items():
            setattr(self, name, value)

    def preventDefault(self) -> None:
        self.defaultPrevented = True


class Element(Host):
    """An element of the page: ``attributes`` by name, ``children``, and ``listeners``, lists of them by event."""

    nodeType = 1

    def __init__(self, tag: str, **attributes: str) -> None:
        self.tagName = tag.upper()
        self.attributes = dict(attributes)
        self.children: list[Element] = []
        self.listeners: dict[str, list[Any]] = {}
        self.parentNode: Any = None

    def setAttribute(self, name: str, value: Any) -> None:
        self.attributes[name] = str(value)

    def getAttribute(self, name: str) -> Any:
        return self.attributes.get(name)

    def getAttributeNS(self, namespace: str, name: str) -> Any:
        return self.attributes.get(f"{namespace}:{name}")

    def getElementsByTagName(self, tag: str) -> list[Element]:
        found = []
        for child in self.children:
            found += [child] if child.tagName == tag.upper() else []
            found += child.getElementsByTagName(tag)
        return found

    def appendChild(self, child: Element) -> Element:
        return self.insertBefore(child, None)

    def insertBefore(self, child: Element, before: Element | None) -> Element:
        index = self.children.index(before) if before is not None else len(self.children)
        self.children.insert(index, child)
        child.parentNode = self
        return child

    def addEventListener(self, event: str, listener: Any, options: Any = None) -> None:
        self.listeners.setdefault(event, []).append(listener)

    def fire(self, event: str, **detail: Any) -> Event:
        """Let ``event`` ("load", "click", …) happen to this element; returns what its listeners got."""
        happening = Event(event, detail)
        for listener in [*self.listeners.get(event, []), getattr(self, "on" + event, None)]:
            if listener is not None:
                call(listener, happening)
        return happening


class Cookies:
    """A browser's cookies for one site, with the attributes each was last set with."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.attributes: dict[str, dict[str, str]] = {}

    def text(self, path: str = "/") -> str:
        """What ``document.cookie`` is on a page at ``path``."""
        return "; ".join(f"{name}={value}" for name, value in self.values.items() if self._is_for(name, path))

    def _is_for(self, name: str, path: str) -> bool:
        wanted = self.attributes.get(name, {}).get("path") or "/"
        return path == wanted or path.startswith(wanted.rstrip("/") + "/")

    def set(self, line: str, hostname: str, secure_page: bool) -> None:
        """Take what is assigned to ``document.cookie``, as a browser does on a page of this host."""
        first, *rest = [part.strip() for part in line.split(";")]
        name, _, value = first.partition("=")
        attributes = {}
        for part in rest:
            key, _, setting = part.partition("=")
            attributes[key.lower()] = setting
        domain = attributes.get("domain", "").lstrip(".")
        if domain and ("." not in domain or not ("." + hostname).endswith("." + domain)):
            return  # browsers refuse a top-level domain and a stranger's
        if "secure" in attributes and not secure_page:
            return
        if len(name) + len(value) > 4096:
            return
        if attributes.get("max-age", "1").startswith(("0", "-")) or "1970" in attributes.get("expires", ""):
            self.values.pop(name, None)
            self.attributes.pop(name, None)
        else:
            self.values[name] = value
            self.attributes[name] = attributes


class Document(Element):
    """``window.document``."""

    def __init__(self, window: SimulatedWindow, title: str, referrer: str, canonical: str | None) -> None:
        super().__init__("#document")
        self._window = window
        self.canonical = canonical
        self._title = title
        self.referrer = referrer
        self.readyState = "complete"
        self.visibilityState = "visible"
        self.head = Element("head")
        self.body = Element("body")
        self.head.appendChild(Element("script"))

    @property
    def title(self) -> str:
        """As a browser gives it: white space collapsed."""
        return " ".join(self._title.split())

    @title.setter
    def title(self, text: str) -> None:
        self._title = text

    @property
    def cookie(self) -> str:
        return self._window.cookies.text(self._window.location.pathname)

    @cookie.setter
    def cookie(self, line: str) -> None:
        location = self._window.location
        self._window.cookies.set(line, location.hostname, location.protocol == "https:")

    def createElement(self, tag: str) -> Element:
        return Element(tag)

    def getElementsByTagName(self, tag: str) -> list[Element]:
        return [child for child in self.head.children if child.tagName == tag.upper()]

    def querySelector(self, selector: str) -> Any:
        if "canonical" not in selector or self.canonical is None:
            return None
        link = Element("link")
        link.setAttribute("href", self.canonical)
        return link


class Console(Host):
    """``console``: ``lines`` is what was said, as ``(level, text)``."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def log(self, *words: Any) -> None:
        self.lines.append(("log", " ".join(map(str, words))))

    def info(self, *words: Any) -> None:
        self.lines.append(("info", " ".join(map(str, words))))

    def warn(self, *words: Any) -> None:
        self.lines.append(("warn", " ".join(map(str, words))))

    def error(self, *words: Any) -> None:
        self.lines.append(("error", " ".join(map(str, words))))


class _History(Host):
    def __init__(self, window: SimulatedWindow) -> None:
        self._window = window

    def pushState(self, state: Any, title: Any, url: str) -> None:
        self._window.location.move(urljoin(self._window.location.href, url))

    replaceState = pushState


class _Navigator(Host):
    userAgent = "Mozilla/5.0 (fsbridge simulated page)"
    language = "en-US"
    userLanguage = UNDEFINED
    cookieEnabled = True


class _Octets(Host):
    """What a page needs of ``Uint8Array``."""

    def of(self, *octets: int) -> list[int]:
        return Array(octets)


class _Crypto(Host):
    def randomUUID(self) -> str:
        return str(uuid.uuid4())

    def getRandomValues(self, array: list[int]) -> list[int]:
        array[:] = secrets.token_bytes(len(array))
        return array


class _Clock(Host):
    """What a page needs of its ``Date``."""

    def __init__(self, window: SimulatedWindow) -> None:
        self._window = window

    def now(self) -> float:
        return self._window.now


class SimulatedWindow(Host):
    """``window`` of a page at ``url``; this module's docstring says what tests find on it.

    - ``title``, ``referrer``, ``canonical``: the document's title, its referrer, and the href of its canonical link.
    - ``recording``: put an FS on the page that notes every call in ``calls`` (the default), under the global
      ``namespace``. Without it fsbridge puts FullStory's snippet there, whose queue is ``page.FS``'s property ``q``.
    - ``cookies``, ``local``, ``session``: what the browser kept from earlier; `navigate` hands them on.
    """

    def __init__(
        self,
        url: str = "https://shop.example/",
        *,
        title: str = "",
        referrer: str = "",
        canonical: str | None = None,
        recording: bool = True,
        namespace: str = "FS",
        cookies: Cookies | None = None,
        local: dict[str, str] | None = None,
        session: dict[str, str] | None = None,
    ) -> None:
        self.cookies = cookies or Cookies()
        self.location = Location(url)
        self.localStorage = Storage({} if local is None else local)
        self.sessionStorage = Storage({} if session is None else session)
        self.document = Document(self, title, referrer, canonical)
        self.history = _History(self)
        self.navigator = _Navigator()
        self.console = Console()
        self.crypto: Any = _Crypto()
        self.Uint8Array: Any = _Octets()
        self.Date = _Clock(self)
        self.calls: list[dict[str, Any]] = []
        self.now = 1_700_000_000_000.0
        self._timers: list[tuple[float, int, Any, tuple[Any, ...]]] = []
        self._timer_count = 0
        self.listeners: dict[str, list[Any]] = {}
        self.top = self.parent = self.self = self.window = self
        if recording:
            setattr(self, namespace, self.recording_fs())

    def __setattr__(self, name: str, value: Any) -> None:
        # What a page calls an array takes properties: a snippet's buffer with the vendor's methods on it.
        super().__setattr__(name, Array(value) if type(value) is list else value)

    def navigate(self, url: str, **page: Any) -> SimulatedWindow:
        """The next page load in the same browser; ``page`` are further arguments of `SimulatedWindow`."""
        after = SimulatedWindow(
            url,
            cookies=self.cookies,
            local=self.localStorage.entries,
            session=self.sessionStorage.entries,
            **page,
        )
        after.now = self.now
        return after

    def setTimeout(self, function: Any, delay: float = 0, *args: Any) -> int:
        self._timer_count += 1
        self._timers.append((self.now + delay, self._timer_count, function, args))
        return self._timer_count

    def clearTimeout(self, timer: int) -> None:
        self._timers = [entry for entry in self._timers if entry[1] != timer]

    def addEventListener(self, event: str, listener: Any, options: Any = None) -> None:
        self.listeners.setdefault(event, []).append(listener)

    def fire(self, event: str) -> None:
        """Let ``event`` happen to the window."""
        for listener in self.listeners.get(event, []):
            call(listener, {"type": event})

    def settle(self, limit: float = 60_000) -> None:
        """Let time pass until no timer is left or ``limit`` milliseconds are over."""
        end = self.now + limit
        while self._timers:
            due = min(self._timers, key=lambda entry: entry[:2])
            if due[0] > end:
                self.now = end
                break
            self._timers.remove(due)
            self.now = max(self.now, due[0])
            try:
                call(due[2], *due[3])
            except JsError as error:  # the page's own function, and the page's own error
                self.console.error(f"Uncaught {error}")

    def recording_fs(self) -> Function:
        """An FS that notes every call in ``calls``."""

        def record(name: str) -> Callable[[Any], Any]:
            def body(args: Any) -> Any:
                self.calls.append({"call": name, "args": list(args)})
                return UNDEFINED

            return body

        recorder = Function(record("FS"), "FS")
        for method in FS_METHODS:
            recorder.properties[method] = Function(record("FS." + method), method)
        return recorder
