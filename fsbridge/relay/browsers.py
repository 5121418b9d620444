"""What the vendors' browser SDKs ask for before they send: settings, with this relay as the only place to send to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit


def segment(write_key: str, relay: str) -> dict[str, Any]:
    """For analytics.js 2 (``@segment/analytics-next``), which asks at ``/v1/projects/KEY/settings``."""
    where = urlsplit(relay)
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": f"{where.netloc}{where.path}/v1",
                "protocol": where.scheme,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }


def rudderstack(write_key: str) -> dict[str, Any]:
    """For RudderStack's JavaScript SDK, which asks at ``/sourceConfig/?writeKey=KEY``."""
    return {
        "source": {
            "id": "relay",
            "name": "relay",
            "writeKey": write_key,
            "enabled": True,
            "workspaceId": "relay",
            "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
            "connections": [],
            "destinations": [],
        }
    }
