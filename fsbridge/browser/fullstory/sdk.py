"""FullStory's own browser SDK (``@fullstory/browser`` 2.1) in Python, for pages that use FullStory alone.

    sdk = Sdk(Page())
    sdk.init(make_object([("orgId", "o-1ABC-na1"), ("devMode", True)]))
    sdk.call("trackEvent", make_object([("name", "Opened"), ("properties", make_object())]))
    sdk.method("identify", "u1")

Options, results, console messages and errors are the official SDK's.
"""

from ...runtime import NULL, UNDEFINED, call, get, invoke, raw_get, text, truthy, type_of
from .calls import FullStory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...contracts import Value
    from ..page import Page

_OPTIONS = (
    ("orgId", "org"),
    ("namespace", "namespace"),
    ("debug", "debug"),
    ("devMode", "dev_mode"),
    ("host", "host"),
    ("script", "script"),
    ("appHost", "app_host"),
    ("recordOnlyThisIFrame", "outer_script"),
    ("recordCrossDomainIFrames", "cross_domain_iframes"),
    ("startCaptureManually", "start_manually"),
    ("cookieDomain", "cookie_domain"),
    ("assetMapId", "asset_map_id"),
    ("sessionUid", "session_uid"),
)


_NOT_LOADED = (
    "FullStory is not loaded, please ensure the init function is invoked before calling FullStory API functions"
)


class SdkError(Exception):
    """The SDK was used wrongly; the text is the official SDK's."""


class Sdk:
    """The functions that the official SDK exports, over one page. All arguments and results are port values."""

    def __init__(self, page: "Page") -> None:
        self._page = page
        self._namespace = ""
        self.fullstory: "FullStory | None" = None
        """The `FullStory` that `init` made, None before."""
        self.is_initialized = False

    def init(self, options: "Value", ready: "Value" = UNDEFINED) -> None:
        """Load FullStory, once: later calls are ignored. Raises SdkError when ``orgId`` is missing.

        ``options`` is an object in the official names; see `FullStory` for their meaning. ``ready`` is called when a
        session starts. With ``devMode`` FullStory is stopped at once and later calls only write a warning.
        """
        if self.is_initialized:
            self._warn("FullStory init has already been called once, additional invocations are ignored")
            return
        given: "dict[str, Any]" = {}
        for name, option in _OPTIONS:
            value = raw_get(options, name)
            if value is not UNDEFINED:
                given[option] = None if value is NULL else value
        self._namespace = given.get("namespace") or "FS"
        if not truthy(self._there()) and not truthy(raw_get(options, "orgId")):
            raise SdkError("FullStory orgId is a required parameter")
        self.fullstory = FullStory(self._page, given)
        self.fullstory.load(ready)
        self.is_initialized = True

    def call(
        self, operation: "Value" = UNDEFINED, options: "Value" = UNDEFINED, source: "Value" = UNDEFINED
    ) -> "Value":
        """``FullStory(operation, options, source)``: what FS returns, a promise for "…Async" operations."""
        there = self._loaded()
        if self.fullstory and self.fullstory.asleep:
            self._warn("FullStory is in dev mode and is not capturing: %s not executed" % text(operation))
            return UNDEFINED
        return call(there, operation, options, source)

    def method(self, name: str, *args: "Value") -> "Value":
        """``FullStory.<name>(*args)``, a v1 method. NULL, and a warning, while fs.js hasn't brought it."""
        if self.fullstory and self.fullstory.asleep:
            message = "FullStory is in dev mode and is not capturing: %s method not executed" % name
            self._warn(message)
            return message
        there = self._loaded()
        if type_of(get(there, name)) == "function":
            return invoke(there, name, *args)
        self._warn("FS.%s not ready" % name)
        return NULL

    def _loaded(self) -> "Value":
        there = self._there() if self._namespace else UNDEFINED
        if type_of(there) != "function":
            raise SdkError(_NOT_LOADED)
        return there

    def _there(self) -> "Value":
        return get(self._page.window, self._namespace)

    def _warn(self, text: str) -> None:
        self._page.say("warn", text)
