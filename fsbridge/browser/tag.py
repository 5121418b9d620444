"""The Python half of the tag (web/tag): reads its attributes and answers with functions that take calls."""

from .. import destinations, settings
from ..contracts import Moment
from ..runtime import (
    UNDEFINED,
    callback,
    from_json,
    invoke,
    is_plain,
    keys,
    make_array,
    make_function,
    make_object,
    raw_bound,
    raw_get,
    raw_items,
    type_of,
    use_helpers,
)
from . import sources
from .bridge import MESSAGE, OPERATION, Bridge
from .page import Page, place
from .report import table

EXAMINATION = 1000
"""Milliseconds until mistakes in the settings are looked for: what the page has called, and fs.js, go first."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OWN = ("destination", "source", "runtime", "settings", "base", "queueCalls", "queueBytes", "queueMinutes")
"""Attributes that are the tag's own, and so are the next two."""

DIAGNOSTICS = "diagnostics"
"""The attribute (``data-diagnostics``) that asks for warnings of what FullStory would reject."""

REPORT = "report"
"""The attribute (``data-report``) that asks for the table of `fsbridge.browser.report` once all has begun."""

_METHODS = {"operation": OPERATION, "message": MESSAGE}
"""What stands in a method's place for the kinds of entries that aren't calls."""
_KINDS = {method: kind_ for kind_, method in _METHODS.items()}


def start(config: "Any") -> None:
    """Begin what the tag's ``config`` (a JavaScript object) asks for; ``config.data`` has its attributes, as texts.

    ``config.accept(functions)`` gets an object of what Python offers, ``config.refuse(text)`` a settings error;
    ``config.status(text)`` hears of changes, ``config.lost(operation, options, source, version)`` of what a blocked
    FullStory didn't get. ``config.look()`` and ``config.cookies()`` are what `Page` takes.

    The functions: ``call(method, args)`` performs a call of the page on the source's API. ``replay(entries)`` performs
    what waited, and gives an array of the results. An entry has kind ("call", "operation" on FullStory itself, or
    "message" of an earlier page), method, args, moment and ``carried`` (true when it is an earlier page's).
    ``handBack()`` gives up what a slow middleware, or a page that makes up its mind, keeps waiting: such entries, for
    the next page. ``report()`` tells how things stand, on the console; ``config.state`` has what was dropped.
    """
    use_helpers(raw_get(config, "guard"), raw_get(config, "method"))
    page = Page(look=raw_bound(config, "look"), cookies=raw_get(config, "cookies"))
    data = raw_get(config, "data")

    def say(problem):
        page.say("warn", problem)

    try:
        bridge = Bridge(
            page,
            destinations.make(_text(data, "destination"), _given(data, say), on_problem=say),
            _source(data, say),
            lambda status: invoke(config, "status", status),
            diagnostics=_asks(data, DIAGNOSTICS),
            on_lost=lambda *operation: invoke(config, "lost", *operation),
        )
    except settings.SettingsError as error:
        invoke(config, "refuse", str(error))
        return
    bridge.source.appear_as(raw_get(raw_get(config, "objects"), bridge.source.api))

    def replay(entries):
        return make_array(bridge.replay([_waited(entry) for entry in raw_items(entries)]))

    def hand_back():
        return make_array([_waiting(*each) for each in bridge.hand_back()])

    def show():
        page.say("log", table(bridge, raw_get(raw_get(config, "state"), "dropped")))

    def examine(args):
        bridge.examine()
        if _asks(data, REPORT):
            show()
        return UNDEFINED

    functions = (
        ("call", callback(bridge.call)),
        ("replay", callback(replay)),
        ("handBack", callback(hand_back)),
        ("report", callback(show)),
    )
    invoke(config, "accept", make_object(functions))
    page.later(make_function(examine), EXAMINATION)


def _waiting(method, args, moment):
    """An entry as JavaScript keeps it."""
    when = make_object(
        (
            ("url", moment.url),
            ("title", moment.title),
            ("referrer", moment.referrer),
            ("canonical", UNDEFINED if moment.canonical is None else moment.canonical),
            ("time", moment.time),
        )
    )
    kind_ = _KINDS.get(method, "call")
    named = method if kind_ == "call" else ""
    return make_object((("kind", kind_), ("method", named), ("args", args), ("moment", when)))


def _waited(entry):
    """An entry as `Bridge.replay` takes it."""
    moment = raw_get(entry, "moment")
    when = Moment(place(moment), raw_get(moment, "time"), raw_get(entry, "carried") is True)
    method = _METHODS.get(raw_get(entry, "kind"))
    return raw_get(entry, "method") if method is None else method, raw_get(entry, "args"), when


def _text(data, name):
    value = raw_get(data, name)
    return value if type_of(value) == "string" else ""


def _asks(data, name):
    return raw_get(data, name) not in (UNDEFINED, "false")


def _source(data, say):
    """The source that is asked for, or None for the destination's own."""
    name = _text(data, "source")
    if name and name not in sources.NAMES:
        say("%s It counts as left out." % settings.unknown("source", name, sources.NAMES))
        return None
    return name or None


def _given(data, say):
    """The settings: those in ``data-settings``, and over them the single attributes."""
    given = {}
    encoded = _text(data, "settings")
    if encoded:
        try:
            parsed = from_json(encoded)
        except ValueError:
            parsed = UNDEFINED
        if not is_plain(parsed):
            raise settings.SettingsError("data-settings is %r; accepted: a JSON object" % encoded)
        given = python_settings(parsed)
    kind_ = destinations.find(_text(data, "destination"))
    others = [key for key in keys(data) if key not in OWN and key not in (DIAGNOSTICS, REPORT)]
    single = [(key, _text(data, key)) for key in others]
    given.update(settings.from_attributes(kind_.name, kind_.settings, single, say))
    return given


def python_settings(value: "Any") -> "dict[str, Any]":
    """A JavaScript object of settings as a dict of port values."""
    return {key: raw_get(value, key) for key in keys(value)}
