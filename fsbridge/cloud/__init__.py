"""Segment-spec messages to FullStory's HTTP API: from a server, a script, the command line, or a notebook in a browser.

    from fsbridge.cloud import Cloud

    cloud = Cloud()                                  # the API key is in FULLSTORY_API_KEY
    cloud.identify("user-1", {"plan": "premium"})
    cloud.track("user-1", "Order Completed", {"price": 99.95})

What is sent is what Segment's FullStory Cloud Mode (Actions) sends (`fsbridge.cloud.destination`), and in
addition nothing is lost and nothing doubled: requests are tried again through outages and rate limits, each with an
``Idempotency-Key``. Needs the extra ``cloud``.
"""

from .client import AsyncCloud, Cloud, Sent
from .errors import CloudError, Rejected, Unavailable

__all__ = ["AsyncCloud", "Cloud", "CloudError", "Rejected", "Sent", "Unavailable"]
