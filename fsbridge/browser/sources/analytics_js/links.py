"""Tracked links and forms: ``trackLink`` (``trackClick``) and ``trackForm`` (``trackSubmit``).

A click or submit makes a track call, and the browser goes on once that is through, or after ``analytics.timeout``.
"""

from __future__ import annotations

from ....runtime import (
    NULL,
    UNDEFINED,
    call,
    invoke,
    is_nullish,
    make_array,
    make_function,
    make_object,
    put,
    raw_get,
    raw_items,
    raw_put,
    resolved,
    truthy,
    type_of,
)
from ...page import read
from .arguments import Missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ....contracts import Args, Moment, Report, Value
    from ...page import Page
    from .sending import Sender

    class Tracking(Protocol):
        """What tracks: the source, see `AnalyticsJs`."""

        page: Page
        report: Report
        public: Value
        sender: Sender

        def call(self, method: str, args: Args, moment: Moment | None = None) -> Value:
            """Perform a call."""

        def track(self, args: Args, then: Callable[[], None]) -> None:
            """Perform a track call; ``then()`` follows."""


_XLINK = "http://www.w3.org/1999/xlink"
_NEW_TAB_KEYS = ("ctrlKey", "shiftKey", "metaKey")


class Links:
    """The tracked elements of one page. ``source`` is the `AnalyticsJs` that tracks.

    Python hands the page three functions, however many elements there are: each listener is one of them, bound by the
    page to what it is about. So it lives and goes with its element.
    """

    def __init__(self, source: Tracking) -> None:
        self.source = source
        self.page = source.page
        self._click = make_function(self._on_click, "click")
        self._submit = make_function(self._on_submit, "submit")
        self._leave = make_function(self._on_leave, "leave")
        self._leaving: dict[int, Callable[[], None]] = {}  # by number: what to do once tracked
        self._serial = 0

    def track_links(self, args: Args) -> Value:
        """``trackLink(elements, event, properties, options)``; event and properties may be functions of the element."""
        for element in _elements(raw_get(args, 0), "trackLink"):
            invoke(element, "addEventListener", "click", self._listener(self._click, element, args), False)
        return resolved(self.source.public)

    def track_forms(self, args: Args) -> Value:
        """``trackForm(forms, event, properties, options)``, likewise; jQuery's own submit events count, too."""
        jquery = self.page.global_("jQuery")
        if not truthy(jquery):
            jquery = self.page.global_("Zepto")
        for form in _elements(raw_get(args, 0), "trackForm"):
            listener = self._listener(self._submit, form, args)
            if truthy(jquery):
                invoke(call(jquery, form), "submit", listener)
            else:
                invoke(form, "addEventListener", "submit", listener, False)
        return resolved(self.source.public)

    def _listener(self, handler: Value, element: Value, args: Args) -> Value:
        names = ("event", "properties", "options")
        about = make_object([(name, raw_get(args, index + 1)) for index, name in enumerate(names)])
        raw_put(about, "element", element)
        return invoke(handler, "bind", UNDEFINED, about)

    def _on_click(self, args: Args) -> Value:
        about, click = raw_get(args, 0), raw_get(args, 1)
        link = raw_get(about, "element")
        values = self._values(about)
        if values is None:
            return UNDEFINED
        href = _address(link)
        new_tab = read(link, "target") == "_blank" or read(click, "button") == 1
        if not href or new_tab or any([truthy(read(click, key)) for key in _NEW_TAB_KEYS]):
            self.source.call("track", values)
            return UNDEFINED
        invoke(click, "preventDefault")
        self._track(values, lambda: put(self.page.location(), "href", href))
        return UNDEFINED

    def _on_submit(self, args: Args) -> Value:
        about, submit = raw_get(args, 0), raw_get(args, 1)
        form = raw_get(about, "element")
        invoke(submit, "preventDefault")
        values = self._values(about)
        if values is None:
            self._go_on(lambda: invoke(form, "submit"))
        else:
            self._track(values, lambda: invoke(form, "submit"))
        return UNDEFINED

    def _values(self, about: Value) -> Args | None:
        """The arguments of the track call, or None when a function of the page that makes them fails."""
        values = []
        for name in ("event", "properties"):
            value = raw_get(about, name)
            if type_of(value) == "function":
                try:
                    value = call(value, raw_get(about, "element"))
                except Exception as error:
                    self.source.report("the %s function of a tracked element failed: %s" % (name, error))
                    return None
            values.append(value)
        options = raw_get(about, "options")
        return make_array(values + [make_object() if is_nullish(options) else options])

    def _track(self, values: Args, go_on: Callable[[], None]) -> None:
        self._serial += 1
        number = self._serial
        self._leaving[number] = go_on
        self.page.later_with(self._leave, self.source.sender.timeout, number)
        # Not at once: other listeners of this very event come first.
        self.source.track(values, lambda: self.page.later_with(self._leave, 0, number))

    def _on_leave(self, args: Args) -> Value:
        go_on = self._leaving.pop(raw_get(args, 0), None)
        if go_on is not None:
            self._go_on(go_on)
        return UNDEFINED

    def _go_on(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:
            self.source.report("a tracked link or form could not go on: %s" % error)


def _elements(given: Value, method: str) -> list[Value]:
    """The elements of an element, an array, a NodeList or a jQuery object. Raises Missing for anything else."""
    if not truthy(given):
        return []
    if type_of(given) != "array" and read(given, "nodeType") != 1:
        if type_of(read(given, "toArray")) == "function":
            given = invoke(given, "toArray")
        elif type_of(given) == "string" or type_of(read(given, "forEach")) != "function":
            raise Missing("Must pass an element or a list of elements to %s." % method)
    elements = [given] if read(given, "nodeType") == 1 else raw_items(given)
    if not all([read(element, "nodeType") == 1 for element in elements]):
        raise Missing("Must pass elements to %s." % method)
    return elements


def _address(link: Value) -> Value:
    """Where a link leads: its own address, that of an SVG link, or that of the first link inside; else empty."""
    for found in (
        invoke(link, "getAttribute", "href"),
        invoke(link, "getAttributeNS", _XLINK, "href"),
        invoke(link, "getAttribute", "xlink:href"),
    ):
        if truthy(found):
            return found
    inner = read(invoke(link, "getElementsByTagName", "a"), 0)
    found = NULL if is_nullish(inner) else invoke(inner, "getAttribute", "href")
    return found if truthy(found) else ""
