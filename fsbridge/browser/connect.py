"""`connect`: the bridge for Python authors, in PyScript, Pyodide, JupyterLite or marimo, or on a simulated page."""

from __future__ import annotations

from .. import destinations
from ..runtime import NULL
from ..runtime.python_values import from_python
from ..settings import SettingsError
from . import expose as exposing
from .analytics import Analytics, AnalyticsJs, RudderAnalytics
from .bridge import Bridge
from .hanging import Hanging
from .page import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_APIS = {"analytics.js": AnalyticsJs, "rudderanalytics": RudderAnalytics}


def connect(
    destination: str,
    *,
    source: str | None = None,
    expose: bool = False,
    strict: bool = False,
    diagnostics: bool = False,
    window: Any = None,
    beside: Any = False,
    destination_id: str | None = None,
    when_doubled: str = "",
    session_url: bool = False,
    **settings: Any,
) -> Analytics:
    """Load FullStory into this page and get an object with the analytics methods of a source.

    - ``destination``: "segment-classic", "segment-actions" or "rudderstack"; ``settings`` are its settings under the
      vendor's names, and ``org`` is FullStory's org id for all of them. FullStory's own options (``devMode``,
      ``namespace``, ``script`` …) are among the settings of each.
    - ``source``: "analytics.js" or "rudderanalytics"; by default the one of the destination's vendor.
    - ``expose``: also serve the page's JavaScript, through ``window.analytics`` or ``window.rudderanalytics``.
    - ``strict``: raise for a mistake in ``subscriptions``, too, instead of a warning on the console.
    - ``diagnostics``: say on the console what FullStory would reject, as ``analytics.debug()`` does.
    - ``window``: another window than this page's own; on CPython a `SimulatedWindow`.
    - ``beside``: keep the vendor's SDK, and get its messages: True for the one at the vendor's global, now or later, or
      the SDK's own object. What is called on the result then goes to the SDK. With RudderStack's SDK ``destination_id``
      is the id of a custom destination. ``when_doubled="send"`` sends although the vendor's own FullStory destination
      is active, too; with ``session_url`` FullStory's session is in the context of the SDK's messages.

    Raises `SettingsError` (a ValueError) naming the setting that is missing, unknown or of a wrong type.

        analytics = connect("segment-classic", org="o-1ABC-na1", trackNamedPages=True)
        analytics.identify("u1", {"plan": "premium"})
    """
    page = Page(window)
    given = _converted(destination, settings)
    is_beside = beside is not False and beside is not None
    if when_doubled not in ("", "send"):
        raise SettingsError("%s: when_doubled is %r; accepted: 'send'" % (destination, when_doubled))
    bridge = Bridge(
        page,
        destinations.make(destination, given, strict),
        source,
        diagnostics=diagnostics,
        beside=is_beside,
        when_doubled=when_doubled,
        session_url=session_url,
    )
    if is_beside:
        hanging = Hanging(page, bridge, beside, destination_id)
        bridge.examine()
        return _APIS[bridge.vendor](hanging)
    if expose:
        bridge.watch(exposing.expose(page, bridge))
    bridge.replay([])
    bridge.examine()
    return _APIS[bridge.source.api](bridge)


def _converted(destination: str, given: dict[str, Any]) -> dict[str, Any]:
    """The settings with None, lists and objects as JavaScript's; a wrong type stays, for the error to show it."""
    converted = {name: NULL if value is None else value for name, value in given.items()}
    for setting in destinations.find(destination).settings:
        if setting.accepts in ("list", "object") and isinstance(given.get(setting.name), (list, tuple, dict)):
            try:
                converted[setting.name] = from_python(given[setting.name], setting.name)
                continue
            except TypeError as error:
                problem = str(error)
            raise SettingsError("%s: setting %s" % (destination, problem))
    return converted
