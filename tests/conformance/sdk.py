"""The functions of FullStory's own browser SDK (``@fullstory/browser`` 2.1) over our FullStory, to play its recordings.

Options, results, console messages and errors are the official SDK's.
"""

from __future__ import annotations

from typing import Any

from fsbridge.browser.fullstory import FullStory
from fsbridge.browser.page import Page
from fsbridge.fullstory_options import OPTIONS
from fsbridge.runtime import NULL, UNDEFINED, call, get, invoke, raw_get, text, truthy, type_of

Value = Any
_NOT_LOADED = (
    "FullStory is not loaded, please ensure the init function is invoked before calling FullStory API functions"
)


class SdkError(Exception):
    """The SDK was used wrongly; the text is the official SDK's."""


class Sdk:
    """The functions that the official SDK exports, over one page. All arguments and results are port values."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._namespace = ""
        self.fullstory: FullStory | None = None
        """The `FullStory` that `init` made, None before."""
        self.is_initialized = False

    def init(self, options: Value, ready: Value = UNDEFINED) -> None:
        """Load FullStory, once: later calls are ignored. Raises SdkError when ``orgId`` is missing.

        ``options`` is an object in the official names; see `FullStory` for their meaning. ``ready`` is called when a
        session starts. With ``devMode`` FullStory is stopped at once and later calls only write a warning.
        """
        if self.is_initialized:
            self._warn("FullStory init has already been called once, additional invocations are ignored")
            return
        given: dict[str, Any] = {name: raw_get(options, name) for name in ["orgId", *[each.name for each in OPTIONS]]}
        fullstory = FullStory(self._page, given)
        self._namespace = fullstory.namespace
        if not truthy(self._there()) and not truthy(given["orgId"]):
            raise SdkError("FullStory orgId is a required parameter")
        self.fullstory = fullstory
        self.fullstory.load(ready)
        self.is_initialized = True

    def call(self, operation: Value = UNDEFINED, options: Value = UNDEFINED, source: Value = UNDEFINED) -> Value:
        """``FullStory(operation, options, source)``: what FS returns, a promise for "…Async" operations."""
        there = self._loaded()
        if self.fullstory and self.fullstory.asleep:
            self._warn(f"FullStory is in dev mode and is not capturing: {text(operation)} not executed")
            return UNDEFINED
        return call(there, operation, options, source)

    def method(self, name: str, *args: Value) -> Value:
        """``FullStory.<name>(*args)``, a v1 method. NULL, and a warning, while fs.js hasn't brought it."""
        if self.fullstory and self.fullstory.asleep:
            message = f"FullStory is in dev mode and is not capturing: {name} method not executed"
            self._warn(message)
            return message
        there = self._loaded()
        if type_of(get(there, name)) == "function":
            return invoke(there, name, *args)
        self._warn(f"FS.{name} not ready")
        return NULL

    def _loaded(self) -> Value:
        there = self._there() if self._namespace else UNDEFINED
        if type_of(there) != "function":
            raise SdkError(_NOT_LOADED)
        return there

    def _there(self) -> Value:
        return get(self._page.window, self._namespace)

    def _warn(self, text: str) -> None:
        self._page.say("warn", text)
