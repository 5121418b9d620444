"""A shop's pages, with the tag or PyScript in them, and waiting for what they do."""

import html
import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

ORG = "o-1ABC-na1"

# In the shape of the vendors': a buffer, `sdk`, whose methods push [method, ...arguments]. %s is what else they do.
SEGMENT_SNIPPET = """
  (function () {
    var sdk = (window.analytics = window.analytics || []);
    if (sdk.initialize) return;
    if (sdk.invoked) return console.error("twice");
    sdk.invoked = true;
    sdk.methods = ["identify", "track", "page", "reset", "on", "ready", "setAnonymousId"];
    sdk.factory = function (method) {
      return function () {
        if (window.analytics.initialized) return window.analytics[method].apply(window.analytics, arguments);
        var args = Array.prototype.slice.call(arguments);
        if (/track|page|identify/.test(method)) {
          args.push({ __t: "bpc", u: location.href, p: location.pathname, s: "", t: document.title, r: "" });
        }
        args.unshift(method);
        sdk.push(args);
        return sdk;
      };
    };
    sdk.methods.forEach(function (method) { sdk[method] = sdk.factory(method); });
    sdk.load = function (key, options) { sdk._loadOptions = options; };
    sdk._writeKey = "key";
    %s
  })();
"""
RUDDER_SNIPPET = """
  (function () {
    var sdk = (window.rudderanalytics = window.rudderanalytics || []);
    sdk.methods = ["load", "page", "track", "identify", "ready", "reset"];
    sdk.factory = function (method) {
      return function () { sdk.push([method].concat(Array.prototype.slice.call(arguments))); };
    };
    sdk.methods.forEach(function (method) { sdk[method] = sdk.factory(method); });
    %s
  })();
"""

LIVE = "!['loading', 'queueing'].includes(fsbridge.status)"
"""All has begun, or will not."""


def tag(destination: str = "segment-classic", settings: Any = None, base: str = "/fsbridge/", **data: Any) -> str:
    """The tag as an author writes it; ``data`` are its data- attributes, underscores for hyphens."""
    attributes = {"destination": destination, **{name.replace("_", "-"): value for name, value in data.items()}}
    if settings is not None:
        attributes["settings"] = json.dumps(settings)
    written = [f'data-{name}="{html.escape(value)}"' for name, value in attributes.items() if value is not None]
    platforms = " " in (attributes.get("consent") or "") and not attributes["consent"].startswith("event ")
    file = "fsbridge-consent.js" if platforms else "fsbridge.js"
    return f'<script src="{base}{file}" {" ".join(written)}></script>'


def html_page(*parts: str, title: str = "Shop") -> str:
    """A page of these parts; what doesn't begin with ``<`` is a script."""
    written = [part if part.lstrip().startswith("<") else f"<script>{part}</script>" for part in parts]
    return "\n".join(["<!doctype html>", f"<title>{title}</title>", *written])


def rudder_page(page: dict[str, Any]) -> dict[str, Any]:
    """RudderStack's page properties on a visit without a referrer, from those of analytics.js."""
    direct = {"referrer": "$direct", "referringDomain": ""}
    initial = {"initialReferrer": "$direct", "initialReferringDomain": ""}
    return {**page, **direct, **initial, "tabUrl": page["url"]}


def wait_for(page: Page, condition: Callable[[], object], seconds: int = 120) -> None:
    """Let the page go on until the condition holds."""
    for _ in range(seconds * 20):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"not within {seconds} s")


def wait_until(page: Any, expression: str, seconds: int = 120) -> Any:
    """Poll a JavaScript expression until it is truthy, also under a CSP without eval; returns its value."""
    for _ in range(seconds * 50):
        value = page.evaluate(expression)
        if value:
            return value
        page.wait_for_timeout(20)
    raise AssertionError(f"not true within {seconds} s: {expression}")


class Console:
    """What a page complained about: errors it threw and what it wrote to the console as warnings and errors."""

    def __init__(self, page: Page) -> None:
        self.thrown: list[str] = []
        self.written: list[str] = []
        page.on("pageerror", lambda error: self.thrown.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        if message.type in ("warning", "error") and "favicon" not in message.location.get("url", ""):
            self.written.append(message.text)
