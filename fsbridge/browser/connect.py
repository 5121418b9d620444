"""`connect`: the bridge for Python authors, in PyScript, Pyodide, JupyterLite or marimo, or on a simulated page."""

from .. import destinations
from ..runtime.python_values import from_python
from ..settings import SettingsError
from . import expose as exposing
from .analytics import Analytics, AnalyticsJs, RudderAnalytics
from .bridge import Bridge
from .page import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_APIS = {"analytics.js": AnalyticsJs, "rudderanalytics": RudderAnalytics}


def connect(
    destination: str,
    *,
    source: "str | None" = None,
    expose: bool = False,
    strict: bool = False,
    diagnostics: bool = False,
    window: "Any" = None,
    **settings: "Any",
) -> "Analytics":
    """Load FullStory into this page and get an object with the analytics methods of a source.

    - ``destination``: "segment-classic", "segment-actions" or "rudderstack"; ``settings`` are its settings under the
      vendor's names, and ``org`` is FullStory's org id for all of them.
    - ``source``: "analytics.js" or "rudderanalytics"; by default the one of the destination's vendor.
    - ``expose``: also serve the page's JavaScript, through ``window.analytics`` or ``window.rudderanalytics``.
    - ``strict``: raise for a mistake in ``subscriptions``, too, instead of a warning on the console.
    - ``diagnostics``: say on the console what FullStory would reject, as ``analytics.debug()`` does.
    - ``window``: another window than this page's own; on CPython a `SimulatedWindow`.

    Raises `SettingsError` (a ValueError) naming the setting that is missing, unknown or of a wrong type.

        analytics = connect("segment-classic", org="o-1ABC-na1", trackNamedPages=True)
        analytics.identify("u1", {"plan": "premium"})
    """
    page = Page(window)
    given = _converted(destination, settings)
    bridge = Bridge(page, destinations.make(destination, given, strict), source, diagnostics=diagnostics)
    if expose:
        bridge.watch(exposing.expose(page, bridge))
    bridge.replay([])
    bridge.examine()
    return _APIS[bridge.source.api](bridge)


def _converted(destination: str, given: "dict[str, Any]") -> "dict[str, Any]":
    """The settings with lists and objects as JavaScript's; what is of a wrong type stays, for the error to show it."""
    converted = dict(given)
    for setting in destinations.find(destination).settings:
        if setting.accepts in ("list", "object") and isinstance(given.get(setting.name), (list, tuple, dict)):
            try:
                converted[setting.name] = from_python(given[setting.name], setting.name)
                continue
            except TypeError as error:
                problem = str(error)
            raise SettingsError("%s: setting %s" % (destination, problem))
    return converted
