"""What RudderStack's SDK says about the page of a call."""

from __future__ import annotations

from ....runtime import UNDEFINED, is_plain, make_object, raw_get, raw_put, truthy
from . import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....contracts import Moment, Value


def defaults(moment: Moment) -> tuple[tuple[str, Value], ...]:
    """``(name, value)`` of the page properties of a moment; a canonical link replaces ``path`` and ``url``."""
    location = urls.parse(moment.url)
    path = location.path if location else ""
    search = location.search if location else ""
    address = moment.url
    if moment.canonical:
        canonical = urls.parse(moment.canonical)
        if canonical:  # a relative one is no help
            address = moment.canonical if canonical.search else moment.canonical + search
            path = canonical.path
    referrer = moment.referrer or "$direct"
    return (
        ("path", path),
        ("referrer", referrer),
        ("referring_domain", urls.referring_domain(referrer)),
        ("search", search),
        ("title", moment.title),
        ("url", urls.without_hash(address)),
        ("tab_url", moment.url),
    )


def fill_in(properties: Value, options: Value, known: tuple[tuple[str, Value], ...]) -> None:
    """Give a page call's properties what they lack: from ``options.page``, else from ``known`` pairs."""
    own = raw_get(options, "page") if is_plain(options) else UNDEFINED
    if not truthy(own):
        own = UNDEFINED
    for name, value in known:
        if raw_get(properties, name) is UNDEFINED:
            given = raw_get(own, name)
            raw_put(properties, name, given if truthy(given) else value)


def context(properties: Value, known: tuple[tuple[str, Value], ...]) -> Value:
    """``context.page`` of a message; a page call's own ``properties`` go first."""
    pairs = []
    for name, value in known:
        given = raw_get(properties, name)
        pairs.append((name, given if truthy(given) else value))
    return make_object(pairs)
