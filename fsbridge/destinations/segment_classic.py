"""Segment's FullStory (Classic), device mode: v1 calls under the source "segment".

Texts that look like ISO dates become Dates first, everywhere in the message, unless ``disableAutoISOConversion``.
"""

from __future__ import annotations

from .. import fullstory_options
from ..contracts import Call, Destination
from ..mapping.camelcase import classic
from ..runtime import (
    UNDEFINED,
    copy,
    is_plain,
    keys,
    make_array,
    make_object,
    raw_delete,
    raw_get,
    raw_items,
    raw_keys,
    raw_put,
    rename,
    text,
    trim,
    truthy,
    type_of,
)
from ..settings import Setting, whole
from .iso_date import parse_iso_date

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..contracts import Message, Report, Value

SOURCE = "segment"


_NAME_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789."


class SegmentClassic(Destination):
    """One FullStory (Classic) integration with its settings, as `fsbridge.settings.check` returns them."""

    name = "segment-classic"
    source = "analytics.js"
    org = "org"
    integration = "FullStory"
    alternative = ""
    types = ("track", "identify", "page")
    own = (
        Setting("org", "text", "", required=True, meaning="FullStory's org id, such as o-1ABC-na1"),
        Setting("debug", "boolean", False, meaning="FullStory's debug mode: the global `_fs_debug`"),
        Setting("isOuterScript", "boolean", False, meaning="capture only this iframe"),
        Setting("trackAllPages", "boolean", False, meaning="send page calls that the next two don't take"),
        Setting("trackNamedPages", "boolean", False, meaning="send page calls with a name"),
        Setting("trackCategorizedPages", "boolean", False, meaning="send page calls with a category"),
        Setting("trackPagesWithEvents", "boolean", True, meaning="send an event with each page call; null is no"),
    )
    settings = fullstory_options.beside(own)
    ignored = ("type", "mapName", "trackEverything", "versionSettings", "bundlingStatus", "unbundledIntegrations")

    def __init__(self, options: dict[str, Value], iso_dates: bool = True) -> None:
        super().__init__(options)
        self.iso_dates = iso_dates
        self.plugins = (self,)

    def configured(self, load_options: Value, report: Report) -> SegmentClassic:
        """With what the options of ``analytics.load`` say for this integration."""
        iso_dates = self.iso_dates and not truthy(raw_get(load_options, "disableAutoISOConversion"))
        own = raw_get(raw_get(load_options, "integrations"), self.integration)
        known = [setting.name for setting in self.own]  # FullStory's options are no business of the vendor's
        names = [name for name in keys(own) if name in known] if is_plain(own) else []
        if iso_dates is self.iso_dates and not names:
            return self
        options = dict(self.options)
        options.update([(name, raw_get(own, name)) for name in names])
        return SegmentClassic(whole(self.settings, options), iso_dates)

    def fullstory(self) -> dict[str, Any]:
        outer, cut_off = self.options["isOuterScript"], self.options["recordOnlyThisIFrame"]
        if not truthy(outer) and truthy(cut_off):
            outer = True
        sdk = fullstory_options.chosen(self.options["org"], self.options)
        sdk["recordOnlyThisIFrame"] = outer
        del sdk["debug"]  # the vendor's is another
        own = [("_fs_debug", self.options["debug"]), ("_fs_is_outer_script", outer)]
        sdk["globals"] = fullstory_options.globals_of(sdk) + own
        return sdk

    def calls(self, message: Message, report: Report) -> list[Call]:
        """The calls on FullStory for one message."""
        kind = raw_get(message, "type")
        if kind == "track":
            return [self._event(self._field(message, "event"), self._object(message, "properties"))]
        if kind == "identify":
            return self._identify(message)
        if kind == "page":
            return self._page(message)
        return []

    def _identify(self, message: Message) -> list[Call]:
        user_id = self._field(message, "userId")
        traits = self._object(message, "traits")
        display_name = _display_name(traits)
        raw_delete(traits, "id")
        if display_name is not UNDEFINED:
            raw_put(traits, "displayName", display_name)
            raw_delete(traits, "name")
        pairs = rename(traits, _trait_key)
        if truthy(user_id):
            return [Call("identify", [text(user_id), pairs, SOURCE])]
        raw_put(pairs, "segmentAnonymousId_str", text(self._field(message, "anonymousId")))
        return [Call("setUserVars", [pairs, SOURCE])]

    def _page(self, message: Message) -> list[Call]:
        category, name = self._field(message, "category"), self._field(message, "name")
        if truthy(name) and truthy(category):
            name = text(category) + " " + text(name)
        properties = self._object(message, "properties")
        for key, value in (("category", self._field(message, "category")), ("name", self._field(message, "name"))):
            if truthy(value):
                raw_put(properties, key, value)
        if truthy(name) and truthy(self.options["trackNamedPages"]):
            title = name
        elif truthy(category) and truthy(self.options["trackCategorizedPages"]):
            title = category
        elif truthy(self.options["trackAllPages"]):
            title = UNDEFINED
        else:
            return []
        calls = []
        if truthy(self.options["trackPagesWithEvents"]):
            event = "Loaded a Page" if title is UNDEFINED else "Viewed " + text(title) + " Page"
            calls.append(self._event(event, copy(properties)))
        if title is not UNDEFINED:
            raw_put(properties, "pageName", title)
        calls.append(Call("setVars", ["page", properties, SOURCE]))
        return calls

    def _event(self, event: Value, properties: Value) -> Call:
        return Call("event", [event, properties, SOURCE])

    def _field(self, message: Message, name: str) -> Value:
        value = raw_get(message, name)
        return self._dated(value)

    def _object(self, message: Message, name: str) -> Value:
        """Properties or traits as an object of our own, with dates for ISO texts."""
        value = raw_get(message, name)
        return make_object() if not truthy(value) else self._cloned(value)

    def _cloned(self, value: Value) -> Value:
        result = copy(value)
        if self.iso_dates:
            for key in raw_keys(result):
                item = raw_get(result, key)
                dated = self._dated(item)
                if dated is not item:
                    raw_put(result, key, dated)
        return result

    def _dated(self, value: Value) -> Value:
        """``value`` with every ISO date text in it as a Date; the same value where there is none."""
        if not self.iso_dates:
            return value
        if isinstance(value, str):
            date = parse_iso_date(value) if value[4:5] == "-" else None
            return value if date is None else date
        kind = type_of(value)
        if kind == "array":
            old = raw_items(value)
            new = [self._dated(item) for item in old]
            return make_array(new) if _changed(old, new) else value
        if kind == "object" and is_plain(value):
            return self._cloned(value)
        return value


def _changed(old: list[Value], new: list[Value]) -> bool:
    for left, right in zip(old, new):
        if left is not right:
            return True
    return False


def _trait_key(key: str) -> str:
    """A trait's name for FullStory: camel-cased, but for ``displayName`` and ``email``."""
    return key if key in ("displayName", "email") else classic(key)


def _display_name(traits: Value) -> Value:
    """The visitor's name: a text ``name``, else first and last name, found whatever the case and separators."""
    name = _fuzzy(traits, "name")
    if type_of(name) == "string":
        return trim(name)
    first, last = _part(traits, "firstname"), _part(traits, "lastname")
    return trim(first + " " + last) if first and last else UNDEFINED


def _part(traits: Value, wanted: str) -> str:
    value = _fuzzy(traits, wanted)
    return trim(value) if type_of(value) == "string" else ""


def _fuzzy(traits: Value, wanted: str) -> Value:
    """The first trait whose name is ``wanted`` once only ASCII letters and digits are kept, in lower case."""
    for key in keys(traits):
        if _plain_name(key) == wanted:
            return raw_get(traits, key)
    return UNDEFINED


def _plain_name(key: str) -> str:
    return "".join([char for char in key if char in _NAME_CHARS]).lower()
