"""`connect`: the bridge for Python authors, in PyScript, Pyodide, JupyterLite or marimo, or on a simulated page."""

from .. import destinations
from ..runtime import from_python, make_array, make_function
from . import expose as exposing
from .bridge import Bridge
from .page import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
    bridge = Bridge(page, destinations.make(destination, settings, strict), source, diagnostics=diagnostics)
    if expose:
        bridge.watch(exposing.expose(page, bridge))
    bridge.replay([])
    bridge.examine()
    return Analytics(bridge)


class Analytics:
    """The methods of the source's API, such as ``track(event, properties)``, taking plain Python values.

    Dicts, lists and datetimes become JavaScript's; None is null; a Python function is a callback. What a method returns
    is what JavaScript code would get. ``status`` is "ready", or "blocked" when fs.js did not load.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    @property
    def status(self) -> str:
        return self._bridge.status

    def __getattr__(self, method: str) -> "Any":
        source = self._bridge.source
        if method.startswith("_") or method not in source.methods + source.unsupported:
            raise AttributeError("%s has no method %r" % (source.api, method))

        def call(*args: "Any") -> "Any":
            return self._bridge.call(method, make_array([_port_value(arg) for arg in args]))

        return call


def _port_value(value: "Any") -> "Any":
    if callable(value):
        return make_function(lambda args: value())
    return from_python(value)
