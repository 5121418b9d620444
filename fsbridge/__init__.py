"""fsbridge: a page's analytics calls reach FullStory, exactly as the vendors' own integrations would make them.

`connect` is the way in for Python authors; web pages include the tag, ``fsbridge.js``.
"""

from .browser.analytics import Analytics
from .browser.connect import connect
from .settings import SettingsError
from .version import VERSION as __version__

__all__ = ["Analytics", "SettingsError", "__version__", "connect"]
