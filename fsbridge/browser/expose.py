"""The source's API for the page's JavaScript: ``window.analytics`` or ``window.rudderanalytics``, from Python alone."""

from ..contracts import Moment
from ..runtime import (
    UNDEFINED,
    get,
    is_nullish,
    is_plain,
    items,
    kind,
    make_array,
    make_function,
    make_object,
    put,
    resolved,
    safe_get,
)
from ..version import VERSION
from .report import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .bridge import Bridge
    from .page import Page


def expose(page: "Page", bridge: "Bridge") -> "Callable[[str], None]":
    """Put the source's object and ``window.fsbridge`` on the page, first performing what a vendor's snippet buffered.

    Returns the function that tells ``window.fsbridge`` a new status. Where the tag serves the page already, that stays.
    """
    there = safe_get(page.window, "fsbridge")  # an element with that id, perhaps
    if kind(there) == "object" and not is_nullish(safe_get(there, "ready")):
        page.say("warn", "the tag serves this page's JavaScript already: expose does nothing")
        return lambda text: None
    source = bridge.source
    before = page.global_(source.global_name)
    api = make_object()
    for method in source.methods + source.unsupported:
        put(api, method, make_function(_body(bridge, method), method))
    put(api, "push", make_function(lambda args: perform_buffered(page, bridge, args), "push"))
    source.appear_as(api)
    page.set_global(source.global_name, api)
    if kind(before) == "array":
        perform_buffered(page, bridge, before)
        put(before, "push", get(api, "push"))  # for code that holds on to the buffer
    status = make_object((("version", VERSION), ("status", bridge.status)))
    put(status, "ready", resolved(make_object((("version", VERSION),))))
    put(status, "report", make_function(lambda args: page.say("log", table(bridge, 0)), "report"))
    page.set_global("fsbridge", status)
    return lambda text: put(status, "status", text)


def perform_buffered(page: "Page", bridge: "Bridge", entries: "Any") -> "Any":
    """Perform buffered calls: arrays of a method's name, its arguments and, from newer snippets, the page context."""
    calls = []
    names = bridge.source.methods + bridge.source.unsupported
    for entry in items(entries):
        if kind(entry) not in ("array", "object"):
            continue
        method, *args = items(entry)
        moment = page.moment()
        if args and is_plain(args[-1]) and get(args[-1], "__t") == "bpc":
            moment = _buffered_moment(page, args.pop())
        if method in names:
            calls.append((method, make_array(args), moment))
        else:
            bridge.report("%s has no method %s" % (bridge.source.global_name, method))
    bridge.replay(calls)
    return UNDEFINED


def _body(bridge, method):
    return lambda args: bridge.call(method, args)


def _buffered_moment(page, context):
    canonical = get(context, "c")
    canonical = None if is_nullish(canonical) else canonical
    return Moment((get(context, "u"), get(context, "t"), get(context, "r"), canonical), page.now())
