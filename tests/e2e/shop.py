"""A shop's pages, with the tag or PyScript in them, and waiting for what they do."""

import html
import json

ORG = "o-1ABC-na1"

LIVE = "!['loading', 'queueing'].includes(fsbridge.status)"
"""All has begun, or will not."""


def tag(destination="segment-classic", settings=None, base="/fsbridge/", **data):
    """The tag as an author writes it; ``data`` are its data- attributes, underscores for hyphens."""
    attributes = {"destination": destination, **{name.replace("_", "-"): value for name, value in data.items()}}
    if settings is not None:
        attributes["settings"] = json.dumps(settings)
    written = [f'data-{name}="{html.escape(value)}"' for name, value in attributes.items() if value is not None]
    return f'<script src="{base}fsbridge.js" {" ".join(written)}></script>'


def html_page(*parts, title="Shop"):
    """A page of these parts; what doesn't begin with ``<`` is a script."""
    written = [part if part.lstrip().startswith("<") else f"<script>{part}</script>" for part in parts]
    return "\n".join(["<!doctype html>", f"<title>{title}</title>", *written])


def rudder_page(page):
    """RudderStack's page properties on a visit without a referrer, from those of analytics.js."""
    direct = {"referrer": "$direct", "referringDomain": ""}
    initial = {"initialReferrer": "$direct", "initialReferringDomain": ""}
    return {**page, **direct, **initial, "tabUrl": page["url"]}


def wait_until(page, expression, seconds=30):
    """Poll a JavaScript expression until it is truthy, also under a CSP without eval; returns its value."""
    for _ in range(seconds * 50):
        value = page.evaluate(expression)
        if value:
            return value
        page.wait_for_timeout(20)
    raise AssertionError(f"not true within {seconds} s: {expression}")


class Console:
    """What a page complained about: errors it threw and what it wrote to the console as warnings and errors."""

    def __init__(self, page):
        self.thrown = []
        self.written = []
        page.on("pageerror", lambda error: self.thrown.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message):
        if message.type in ("warning", "error") and "favicon" not in message.location.get("url", ""):
            self.written.append(message.text)
