"""The Python half of the tag (web/tag): reads its attributes and answers with functions that take calls."""

from __future__ import annotations

from .. import destinations, fullstory_options, settings
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
    raw_put,
    type_of,
    use_helpers,
)
from . import sources
from .bridge import MESSAGE, OF_SDK, OPERATION, Bridge
from .page import Page, place_of

CHECK_DELAY = 1000
"""Milliseconds until mistakes in the settings are looked for: what the page has called, and fs.js, go first."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..contracts import Args, Value
    from .bridge import Bridge

DIAGNOSTICS = "diagnostics"
"""The attribute (``data-diagnostics``) that asks for warnings of what FullStory would reject."""

REPORT = "report"
"""The attribute (``data-report``) that asks for the table of `fsbridge.browser.report` once all has begun."""

_METHODS = {"operation": OPERATION, "message": MESSAGE, "sdk": OF_SDK}
"""What stands in a method's place for the kinds of entries that aren't calls."""
_KINDS: dict[Any, str] = {method: kind for kind, method in _METHODS.items()}


def start(config: Any) -> None:
    """Begin what the tag's ``config`` (a JavaScript object) asks for; ``config.data`` has its attributes, as texts.

    ``config.accept(offered)`` gets an object of what Python offers, ``config.refuse(text)`` a settings error;
    ``config.status(text)`` hears of changes, ``config.lost(operation, options, source, version)`` of what a blocked
    FullStory didn't get. ``config.place()`` and ``config.cookies()`` are what `Page` takes.

    There is the source, too: its ``api``, the ``global`` that pages know it by, and arrays of names: its
    ``methods``, and those that are ``answering``, whose results pages use. The functions: ``call(method, args)``
    performs a call of the page on the source's API. ``replay(entries)`` performs what waited, and gives an array of
    the results; ``replay(entries, false)`` doesn't start the source. Each entry is told, by properties of these names,
    when it is ``begun`` and when it is ``done``. An entry has kind ("call", "operation" on
    FullStory itself, "message" of an earlier page, or "sdk"), method, args, moment and ``carried`` (true when it is an
    earlier page's). ``meet(sdk)``: a vendor's SDK has begun; gives what keeps us out of it, or an empty text.
    ``take(message, name, steps)`` takes a message of the SDK (`Bridge.take`). ``config.isBeside`` says that there is
    no API of ours on the page. ``handBack()`` gives up what a slow
    middleware, or a page that makes up its mind, keeps waiting: such entries, for the next page. ``report()`` tells
    how things stand, on the console; ``config.state`` has what was dropped. ``retry()`` asks again for an fs.js that
    did not load. ``inspect(heard)`` is `fsbridge.browser.inspecting.inspect`.
    """
    use_helpers(raw_get(config, "guard"), raw_get(config, "method"))
    page = Page(place=raw_bound(config, "place"), cookies=raw_get(config, "cookies"))
    data = raw_get(config, "data")

    def say(problem: str) -> None:
        page.say("warn", problem)

    try:
        bridge = Bridge(
            page,
            destinations.make(_text(data, "destination"), _given(data, say), on_problem=say),
            _source(data, say),
            lambda status: invoke(config, "status", status),
            diagnostics=_asks(data, DIAGNOSTICS),
            on_lost=lambda *operation: invoke(config, "lost", *operation),
            beside=raw_get(config, "isBeside") is True,
            when_doubled=_one_of(data, "whenDoubled", ("send",), say),
            session_url=_asks(data, "sessionUrl"),
        )
        _check_custom(bridge, data)
    except settings.SettingsError as error:
        invoke(config, "refuse", str(error))
        return
    bridge.source.appear_as(raw_get(raw_get(config, "objects"), bridge.source.api))

    def replay(entries: Any, starts: bool = True) -> Value:
        return make_array(bridge.replay([_waited(entry) for entry in raw_items(entries)], starts))

    def take(message: Value, name: str, steps: int) -> Any:
        bridge.take(message, name, raw_items(steps))

    def hand_back() -> Value:
        return make_array([_waiting(*each) for each in bridge.hand_back()])

    def show() -> None:
        from .report import table  # late, as it is for the curious

        page.say("log", table(bridge, raw_get(raw_get(config, "state"), "dropped")))

    def inspect(heard: Any) -> Value:
        from .inspecting import inspect  # late, as it is for the curious

        return inspect(bridge, heard)

    def examine(args: Args) -> Any:
        bridge.examine()
        if _asks(data, REPORT):
            show()
        return UNDEFINED

    source = bridge.source
    offered = (
        ("api", source.api),
        ("global", source.global_name),
        ("namespace", fullstory_options.namespace(bridge.destination.fullstory())),
        ("methods", make_array(list(source.methods) + list(source.unsupported))),
        ("answering", make_array(source.answering)),
        ("call", callback(bridge.call)),
        ("replay", callback(replay)),
        ("meet", callback(bridge.meet)),
        ("take", callback(take)),
        ("handBack", callback(hand_back)),
        ("consent", callback(bridge.consent)),
        ("report", callback(show)),
        ("inspect", callback(inspect)),
        ("retry", callback(bridge.retry)),
    )
    invoke(config, "accept", make_object(offered))
    page.later(make_function(examine), CHECK_DELAY)


def _waiting(method: str, args: Args, moment: Value) -> Value:
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
    kind = _KINDS.get(method, "call")
    named = method if kind == "call" else ""
    return make_object((("kind", kind), ("method", named), ("args", args), ("moment", when)))


def _waited(entry: Value) -> Any:
    """An entry as `Bridge.replay` takes it."""
    moment = raw_get(entry, "moment")
    when = Moment(
        place_of(moment),
        raw_get(moment, "time"),
        raw_get(entry, "carried") is True,
        lambda text: raw_put(entry, text, True),
    )
    method = _METHODS.get(raw_get(entry, "kind"))
    return raw_get(entry, "method") if method is None else method, raw_get(entry, "args"), when


def _text(data: Value, name: str) -> str:
    value = raw_get(data, name)
    return value if type_of(value) == "string" else ""


def _one_of(data: Value, name: str, accepted: Sequence[str], say: Callable[[str], None]) -> str:
    """A text that is among those that are accepted, else nothing."""
    given = _text(data, name)
    if given and given not in accepted:
        spelt = "".join(["-" + char.lower() if char.isupper() else char for char in name])
        say('data-%s is "%s"; accepted: %s' % (spelt, given, ", ".join(accepted)))
        return ""
    return given


def _check_custom(bridge: Bridge, data: Value) -> None:
    """RudderStack's SDK finds our custom integration by the destination's id."""
    if bridge.source.api == "beside" and bridge.vendor == "rudderanalytics" and not _text(data, "destinationId"):
        raise settings.SettingsError(
            "data-destination-id is missing; accepted: the id of the destination in RudderStack that is of the type "
            "Custom Device Mode"
        )


def _asks(data: Value, name: str) -> bool:
    return raw_get(data, name) not in (UNDEFINED, "false")


def _source(data: Value, say: Callable[[str], None]) -> Any:
    """The source that is asked for, or None for the destination's own."""
    name = _text(data, "source")
    if name and name not in sources.NAMES:
        say("%s It counts as left out." % settings.unknown("source", name, sources.NAMES))
        return None
    return name or None


def _given(data: Value, say: Callable[[str], None]) -> Any:
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
    kind = destinations.find(_text(data, "destination"))
    others = [key for key in keys(data) if key not in settings.ATTRIBUTES]
    single = [(key, _text(data, key)) for key in others]
    given.update(settings.from_attributes(kind.name, kind.settings, single, say))
    return given


def python_settings(value: Any) -> dict[str, Any]:
    """A JavaScript object of settings as a dict of port values."""
    return {key: raw_get(value, key) for key in keys(value)}
