"""The Python half of the tag (web/tag): reads its attributes and answers with functions that take calls."""

from .. import destinations, settings
from ..contracts import Moment
from ..runtime import (
    UNDEFINED,
    bound,
    callback,
    from_json,
    get,
    invoke,
    is_plain,
    items,
    keys,
    kind,
    make_array,
    make_function,
    make_object,
    use_helpers,
)
from .bridge import MESSAGE, OPERATION, Bridge
from .page import Page, place

EXAMINATION = 1000
"""Milliseconds until mistakes in the settings are looked for: what the page has called, and fs.js, go first."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DIAGNOSTICS = "diagnostics"
"""The attribute (``data-diagnostics``) that asks for warnings of what FullStory would reject."""

_METHODS = {"operation": OPERATION, "message": MESSAGE}
"""What stands in a method's place for the kinds of entries that aren't calls."""
_KINDS = {method: kind_ for kind_, method in _METHODS.items()}


def start(config: "Any") -> None:
    """Begin what the tag's ``config`` (a JavaScript object) asks for.

    ``config.accept(functions)`` gets an object of what Python offers, ``config.refuse(text)`` a settings error;
    ``config.status(text)`` hears of changes, ``config.lost(operation, options, source, version)`` of what a blocked
    FullStory didn't get. ``config.look()`` and ``config.cookies()`` are what `Page` takes.

    The functions: ``call(method, args)`` performs a call of the page on the source's API. ``replay(entries)`` performs
    what waited, and gives an array of the results. An entry has kind ("call", "operation" on FullStory itself, or
    "message" of an earlier page), method, args, moment and ``carried`` (true when it is an earlier page's).
    ``handBack()`` gives up what a slow middleware, or a page that makes up its mind, keeps waiting: such entries, for
    the next page.
    """
    use_helpers(get(config, "guard"), get(config, "method"))
    page = Page(look=bound(config, "look"), cookies=get(config, "cookies"))
    try:
        bridge = Bridge(
            page,
            destinations.make(_text(config, "destination"), _given(config)),
            _text(config, "source") or None,
            lambda status: invoke(config, "status", status),
            diagnostics=_attribute(config, DIAGNOSTICS) not in (UNDEFINED, "false"),
            on_lost=lambda *operation: invoke(config, "lost", *operation),
        )
    except settings.SettingsError as error:
        invoke(config, "refuse", str(error))
        return
    bridge.source.appear_as(get(get(config, "objects"), bridge.source.api))

    def replay(entries):
        return make_array(bridge.replay([_waited(entry) for entry in items(entries)]))

    def hand_back():
        return make_array([_waiting(*each) for each in bridge.hand_back()])

    def examine(args):
        bridge.examine()
        return UNDEFINED

    functions = (
        ("call", callback(bridge.call)),
        ("replay", callback(replay)),
        ("handBack", callback(hand_back)),
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
    moment = get(entry, "moment")
    when = Moment(place(moment), get(moment, "time"), get(entry, "carried") is True)
    method = _METHODS.get(get(entry, "kind"))
    return get(entry, "method") if method is None else method, get(entry, "args"), when


def _text(config, name):
    value = get(config, name)
    return value if kind(value) == "string" else ""


def _attribute(config, name):
    return get(get(config, "attributes"), name)


def _given(config):
    """The settings: those in ``data-settings``, and over them the single attributes."""
    given = {}
    encoded = _text(config, "settings")
    if encoded:
        try:
            parsed = from_json(encoded)
        except ValueError:
            parsed = UNDEFINED
        if not is_plain(parsed):
            raise settings.SettingsError("data-settings is %r; accepted: a JSON object" % encoded)
        given = python_settings(parsed)
    kind_ = destinations.find(_text(config, "destination"))
    attributes = get(config, "attributes")
    single = [(key, get(attributes, key)) for key in keys(attributes) if key != DIAGNOSTICS]
    given.update(settings.from_attributes(kind_.name, kind_.settings, single))
    return given


def python_settings(value: "Any") -> "dict[str, Any]":
    """A JavaScript object of settings as a dict of port values."""
    return {key: get(value, key) for key in keys(value)}
