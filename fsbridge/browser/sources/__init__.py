"""The sources by name. Only the one that a page uses is imported."""

from __future__ import annotations

from ...settings import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = ("analytics.js", "rudderanalytics")


def find(name: str) -> Any:
    """The class of a source. Raises SettingsError for an unknown name."""
    if name == "analytics.js":
        from .analytics_js.api import AnalyticsJs

        return AnalyticsJs
    if name == "rudderanalytics":
        from .rudderanalytics import RudderAnalytics

        return RudderAnalytics
    raise unknown("source", name, NAMES)
