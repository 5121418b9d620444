"""What an operator decides about a relay, and where its secrets come from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..cloud.destination import API
from ..settings import SettingsError
from .queue.address import Cluster

WRITE_KEYS = "FSBRIDGE_WRITE_KEYS"
API_KEY = "FULLSTORY_API_KEY"


@dataclass(frozen=True)
class RelaySettings:
    """One relay. Times are in seconds, sizes in bytes."""

    write_keys: frozenset[str] = field(repr=False)
    api_key: str = field(repr=False)
    queue: Path | Cluster
    destination: Mapping[str, Any] = field(default_factory=dict)
    """Settings of segment-cloud, such as its subscriptions; the vendor's presets without."""
    origins: tuple[str, ...] = ()
    """Where pages that may post from another origin live, such as "https://shop.example"; "*" is every page."""
    base_url: str = API
    """Where FullStory's API is."""
    host: str = "127.0.0.1"
    port: int = 8181
    public_url: str = ""
    """Where browsers find this relay, such as "https://shop.example/relay"; empty: where they asked."""
    workers: int = 16
    """Requests to FullStory at the same time."""
    timeout: float = 30
    """How long one request to FullStory may take."""
    max_backoff: float = 30
    """The longest pause between two attempts, where FullStory asks for no longer one."""
    max_attempts: int = 100
    """How often a message may fail while FullStory takes others, which is most of an hour; then it is parked."""
    grace: float = 20
    """How long a stopping relay waits for requests that are under way."""
    client_timeout: float = 10
    """How long a client may take to send its headers, then its body, and to read its answer."""
    max_queue: int = 10 << 30
    """What the queue may hold; above it messages are refused."""
    max_message: int = 32 << 10
    max_batch: int = 500 << 10


_ORIGIN = re.compile(r"(https?://[^/\s?#]+)/?")


def origin(given: str) -> str:
    """An origin as browsers send it, or "*". Raises SettingsError."""
    found = _ORIGIN.fullmatch(given)
    if given != "*" and not found:
        raise SettingsError(f"An origin must be like https://shop.example, or *, and is {given!r}.")
    return found[1].lower() if found else given


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", re.IGNORECASE)


def size(given: str) -> int:
    """Bytes of a text such as "500MB" or "10 GB". Raises SettingsError."""
    found = _SIZE.fullmatch(given.strip())
    bytes_ = int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " ")) if found else 0
    if not bytes_:
        raise SettingsError(f"A size must be like 500MB or 10GB, and is {given!r}.")
    return bytes_


def public_url(given: str) -> str:
    """An address without its last slash. Raises SettingsError."""
    if given and not re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", given):
        raise SettingsError(f"The public address must be like https://shop.example/relay, and is {given!r}.")
    return given.rstrip("/")


def write_keys(file: Path | None, environment: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The write keys that clients may use: a line each of ``file``, else $FSBRIDGE_WRITE_KEYS, separated by commas."""
    given = _read(file, "write keys").split() if file else environment.get(WRITE_KEYS, "").replace(",", " ").split()
    if not given:
        raise SettingsError(f"No write key: set {WRITE_KEYS}, or give a file with one a line as --write-keys-file.")
    return frozenset(given)


def api_key(file: Path | None, environment: Mapping[str, str] = os.environ) -> str:
    """FullStory's API key: the content of ``file``, else $FULLSTORY_API_KEY."""
    given = (_read(file, "API key") if file else environment.get(API_KEY, "")).strip()
    if not given:
        raise SettingsError(f"No FullStory API key: set {API_KEY}, or give a file that holds it as --api-key-file.")
    return given


def _read(file: Path, what: str) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{what}: {file} can't be read: {getattr(error, 'strerror', None) or 'no text'}.") from None
