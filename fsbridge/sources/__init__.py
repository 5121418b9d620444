"""The sources by name. Only the one that a page uses is imported."""

from ..settings import SettingsError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = ("analytics.js", "rudderanalytics")


def find(name: str) -> "Any":
    """The class of a source. Raises SettingsError for an unknown name."""
    if name == "analytics.js":
        from .analytics_js import AnalyticsJs

        return AnalyticsJs
    if name == "rudderanalytics":
        from .rudderanalytics import RudderAnalytics

        return RudderAnalytics
    near = nearest(name or "", list(NAMES))
    hint = "; did you mean %r?" % near if near else "."
    raise SettingsError("unknown source %r%s Known: %s." % (name, hint, ", ".join(NAMES)))
