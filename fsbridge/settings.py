"""Settings of a destination: what each is called, what it accepts, and clear errors for everything else."""

from __future__ import annotations

from .runtime import UNDEFINED, from_json, is_nullish, to_json, type_of

ATTRIBUTES = (
    "destination source runtime settings base queueCalls queueBytes queueMinutes beside replace global destinationId "
    "whenDoubled sessionUrl consent consentEvent gpc load diagnostics report"
).split()
"""The tag's own attributes, which are no settings of a destination, as ``element.dataset`` names them."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

ORG = ("org", "orgId", "fs_org")
"""What the vendors call FullStory's org id: each of them is understood for every destination."""


class SettingsError(ValueError):
    """A setting is missing, unknown or of a wrong type. The text names it, what was given and what is accepted."""


class Setting:
    """One setting of a destination, under the vendor's own name.

    ``accepts`` is "text", "boolean", "list" or "object". A boolean setting also takes numbers, text and None, by
    JavaScript's truthiness, because the vendors' own code does. ``default`` stands in where nothing was given.
    ``guards`` says that it decides what may be sent at all: a page never goes on with its default for a wrong one.
    """

    def __init__(
        self,
        name: str,
        accepts: str,
        default: Any = UNDEFINED,
        required: bool = False,
        meaning: str = "",
        guards: bool = False,
    ) -> None:
        self.name = name
        self.accepts = accepts
        self.default = default
        self.required = required
        self.meaning = meaning
        self.guards = guards


_KINDS = {
    "text": ("string",),
    "boolean": ("boolean", "number", "string"),
    "list": ("array",),
    "object": ("object",),
}
_SPOKEN = {"text": "text", "boolean": "True or False", "list": "a list", "object": "an object"}


def _fits(value: Any, accepts: str) -> bool:
    """Whether a Python or a port value is of the type that a setting accepts."""
    if isinstance(value, (list, tuple)):
        return accepts == "list"
    if isinstance(value, dict):
        return accepts == "object"
    return type_of(value) in _KINDS[accepts]


def _shown(value: Any) -> str:
    """A value and its type, for people: a port's lists and objects as JSON."""
    kind = type_of(value)
    if kind in ("array", "object") and not isinstance(value, (list, tuple, dict)):
        return "%s (%s)" % (to_json(value), kind)
    return "%r (%s)" % (value, type(value).__name__)


def check(
    destination: str,
    known: tuple[Setting, ...],
    given: dict[str, Any],
    ignored: tuple[str, ...] = (),
    on_problem: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """The whole settings of a destination: ``given`` over the defaults.

    ``ignored`` names keys that the vendor's settings document carries along and that mean nothing to a destination.
    Raises SettingsError for the first setting that is unknown, of a wrong type, or missing though required. With
    ``on_problem`` it only raises for what is required and for settings that guard what is sent; ``on_problem(text)``
    hears of every other problem, and the default counts.
    """
    trouble = _Trouble(destination, known, on_problem)
    for name in given:
        if name not in trouble.settings and name not in ignored:
            near = nearest(name, list(trouble.settings))
            hint = "; did you mean " + repr(near) + "?" if near else "."
            trouble.say("unknown setting %r%s Known settings: %s." % (name, hint, ", ".join(trouble.names)), near)
    settings = whole(known, given)
    for setting in known:
        value = settings[setting.name]
        if setting.required and (is_nullish(value) or value == ""):
            raise SettingsError("%s: setting %r is missing: %s." % (destination, setting.name, setting.meaning))
        if not is_nullish(value) and not _fits(value, setting.accepts):
            said = (setting.name, _shown(value), _SPOKEN[setting.accepts])
            trouble.say("setting %r is %s; accepted: %s." % said, setting.name)
            settings[setting.name] = setting.default
    return settings


class _Trouble:
    """What is done about problems in the settings of a destination."""

    def __init__(self, destination: str, known: tuple[Setting, ...], on_problem: Callable[[str], None] | None) -> None:
        self.names = [setting.name for setting in known]
        self.settings = {setting.name: setting for setting in known}
        self._destination = destination
        self._on_problem = on_problem

    def say(self, problem: str, about: str) -> None:
        """Raise or report a problem; ``about`` is the name of the setting that it is with, or empty."""
        setting = self.settings.get(about)
        text = "%s: %s" % (self._destination, problem)
        if self._on_problem is None or (setting is not None and (setting.required or setting.guards)):
            raise SettingsError(text)
        self._on_problem(text + " It counts as left out.")


def from_attributes(
    destination: str,
    known: tuple[Setting, ...],
    attributes: list[tuple[str, str]],
    on_problem: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Settings from a tag's ``data-`` attributes, whose values are text: true, false and JSON mean what they say.

    Raises SettingsError where the text is not of the setting's type; with ``on_problem`` as `check` does.
    """
    trouble = _Trouble(destination, known, on_problem)
    # HTML has no capitals: data-record-only-this-iframe means recordOnlyThisIFrame, data-fs-org means fs_org.
    spelt = {plain(name): name for name in list(ORG) + trouble.names}
    given: dict[str, Any] = {}
    for name, value in attributes:
        name = spelt.get(plain(name), name)
        accepted = trouble.settings[name].accepts if name in trouble.settings else "text"
        if accepted == "boolean":
            if value not in ("true", "false", ""):
                trouble.say("setting %r is %r; accepted: true or false." % (name, value), name)
            else:
                given[name] = value != "false"
        elif accepted in ("list", "object"):
            try:
                given[name] = from_json(value)
            except ValueError:
                trouble.say("setting %r is %r; accepted: JSON." % (name, value), name)
        else:
            given[name] = value
    return given


def is_org(value: str) -> bool:
    """Whether a text has the form of FullStory's org ids: letters, digits and hyphens."""
    return all([char in _ORG_CHARS for char in value])


_ORG_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"


def nearest(name: str, names: Sequence[str]) -> str:
    """The name of ``names`` that somebody most likely meant by ``name``, or empty when none is close."""
    from .spelling import closest  # late: nothing is misspelt as a rule

    return closest(name, names, plain)


def plain(name: str) -> str:
    """A name without capitals, hyphens and underscores."""
    return name.lower().replace("_", "").replace("-", "")


def whole(known: tuple[Setting, ...], given: dict[str, Any]) -> dict[str, Any]:
    """``given`` over the defaults, unchecked. JavaScript's undefined counts as left out, null does not."""
    settings = {setting.name: given.get(setting.name, UNDEFINED) for setting in known}
    settings.update([(setting.name, setting.default) for setting in known if settings[setting.name] is UNDEFINED])
    return settings


def unknown(what: str, name: str, names: tuple[str, ...]) -> SettingsError:
    """The error that says ``name`` is no ``what`` that is known, with the nearest one that is."""
    near = nearest(name or "", list(names))
    hint = "; did you mean %r?" % near if near else "."
    return SettingsError("unknown %s %r%s Known: %s." % (what, name, hint, ", ".join(names)))
