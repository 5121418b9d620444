"""API keys: where they come from, what they tell, and how they stay out of sight."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable

from ..settings import SettingsError

VARIABLE = "FULLSTORY_API_KEY"
IN_BROWSER = sys.platform == "emscripten"

_DATA_CENTRE = re.compile(r"([a-z]{2,}[0-9]+)\.")


def find(given: str | None) -> str:
    """The API key: ``given``, or that of the environment. Raises SettingsError where there is none, or a wrong one."""
    if IN_BROWSER:
        raise SettingsError(
            "A page can't keep an API key: everybody who opens it could read it. "
            'Send through a relay instead: Cloud(relay="https://…", write_key="…").'
        )
    if given is not None and not isinstance(given, str):
        raise SettingsError(f"api_key must be text, and is {type(given).__name__}.")
    key = (os.environ.get(VARIABLE, "") if given is None else given).strip()
    if not key:
        raise SettingsError(f"There is no API key: give Cloud(api_key=…), or set {VARIABLE} in the environment.")
    if key.lower().startswith("basic "):
        raise SettingsError("The API key begins with 'Basic ', which belongs to the header: leave it out.")
    if not re.fullmatch(r"[\x21-\x7e\x80-\xff]+", key):
        raise SettingsError("The API key holds spaces or characters that are not legal in an HTTP header.")
    return key


def data_centre(key: str) -> str:
    """The data centre that newer keys begin with, such as "na1" or "eu1"; empty where the key doesn't tell."""
    found = _DATA_CENTRE.match(key)
    return found[1] if found else ""


def hider(*secrets: str) -> Callable[[str], str]:
    """A function that blots ``secrets`` out of a text, in case a server says back what it was told."""

    def hide(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***") if secret else text
        return text

    return hide
