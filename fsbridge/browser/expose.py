"""The source's API for the page's JavaScript: ``window.analytics`` or ``window.rudderanalytics``, from Python alone."""

from __future__ import annotations

from ..contracts import Moment
from ..runtime import (
    UNDEFINED,
    get,
    is_nullish,
    is_plain,
    make_array,
    make_function,
    make_object,
    raw_get,
    raw_items,
    raw_put,
    resolved,
    type_of,
)
from ..version import VERSION
from .report import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..contracts import Moment, Value
    from .bridge import Bridge
    from .page import Page


def expose(page: Page, bridge: Bridge) -> Callable[[str], None]:
    """Put the source's object and ``window.fsbridge`` on the page, first performing what a vendor's snippet buffered.

    Returns the function that tells ``window.fsbridge`` a new status. Where the tag serves the page already, that stays.
    """
    there = get(page.window, "fsbridge")  # an element with that id, perhaps
    if type_of(there) == "object" and not is_nullish(get(there, "ready")):
        page.say("warn", "the tag serves this page's JavaScript already: expose does nothing")
        return lambda text: None
    source = bridge.source
    before = page.global_(source.global_name)
    api = make_object()
    for method in source.methods + source.unsupported:
        raw_put(api, method, make_function(_body(bridge, method), method))
    raw_put(api, "push", make_function(lambda args: perform_buffered(page, bridge, args), "push"))
    source.appear_as(api)
    page.set_global(source.global_name, api)
    if type_of(before) == "array":
        perform_buffered(page, bridge, before)
        raw_put(before, "push", raw_get(api, "push"))  # for code that holds on to the buffer
    status = make_object((("version", VERSION), ("status", bridge.status)))
    raw_put(status, "ready", resolved(make_object((("version", VERSION),))))
    raw_put(status, "report", make_function(lambda args: page.say("log", table(bridge, 0)), "report"))
    page.set_global("fsbridge", status)
    return lambda text: raw_put(status, "status", text)


def perform_buffered(page: Page, bridge: Bridge, entries: Any) -> Any:
    """Perform buffered calls: arrays of a method's name, its arguments and, from newer snippets, the page context."""
    calls = []
    names = bridge.source.methods + bridge.source.unsupported
    for entry in raw_items(entries):
        if type_of(entry) not in ("array", "object"):
            continue
        method, *args = raw_items(entry)
        moment = page.moment()
        if args and is_plain(args[-1]) and raw_get(args[-1], "__t") == "bpc":
            moment = _buffered_moment(page, args.pop())
        if method in names:
            calls.append((method, make_array(args), moment))
        else:
            bridge.report("%s has no method %s" % (bridge.source.global_name, method))
    bridge.replay(calls)
    return UNDEFINED


def _body(bridge: Bridge, method: str) -> Any:
    return lambda args: bridge.call(method, args)


def _buffered_moment(page: Page, context: Value) -> Moment:
    canonical = raw_get(context, "c")
    canonical = None if is_nullish(canonical) else canonical
    return Moment((raw_get(context, "u"), raw_get(context, "t"), raw_get(context, "r"), canonical), page.now())
