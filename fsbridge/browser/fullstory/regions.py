"""Where FullStory keeps an org's data: the region in an org id, put into FullStory's own host names.

``o-7Y9H-eu1`` lives in ``eu1``: its ``fs.js`` comes from ``edge.eu1.fullstory.com``. The script address must be right
before fs.js is there to work it out, so the loader does it, as FullStory's own SDK has since 2.1.
"""

import re

from ...fullstory_options import HOST as DOMAIN

_REGION = re.compile("[a-z][a-z][a-z]?[0-9]+$")


def region_of(org: str) -> str:
    """The region that an org id names ("eu1"); empty for ``na1``, short ids and old ids that just have hyphens."""
    sections = org.split("-")
    if len(sections) < 3 or len(sections[0]) > 1 or sections[-1] == "na1":
        return ""
    return sections[-1]


def regional(address: str, region: str) -> str:
    """A host, with or without a path, in ``region``: "edge.fullstory.com/s/fs.js" → "edge.eu1.fullstory.com/s/fs.js".

    Another region in it is replaced. Hosts that aren't FullStory's (a proxy of the site's own) stay as they are.
    """
    if not region or not _is_fullstorys(address):
        return address
    host, slash, path = address.partition("/")
    labels = host.split(".")
    before = len(labels) - 2
    if before > 0 and labels[before - 1] == region:
        return address
    if before > 0 and _REGION.match(labels[before - 1]):
        labels[before - 1] = region
    else:
        labels.insert(before, region)
    return ".".join(labels) + slash + path


def _is_fullstorys(address: str) -> bool:
    start = address.find(DOMAIN)
    while start >= 0:
        head, tail = address[:start], address[start + len(DOMAIN) :]
        whole_labels = not head or (head[-1] == "." and "" not in head[:-1].split("."))
        if whole_labels and tail[:1] in ("", "/"):
            return True
        start = address.find(DOMAIN, start + 1)
    return False
