"""Where a queue is: a file, or a cluster of NATS servers."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from ...settings import SettingsError

MAX_PARTITIONS = 1024
_SCHEMES = ("nats://", "tls://")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True)
class Cluster:
    """A queue in NATS JetStream. What prints it shows no credentials."""

    hosts: tuple[str, ...]
    name: str = "relay"
    """Queues of different names in one cluster have nothing to do with each other."""
    scheme: str = "nats://"
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    partitions: int | None = None
    """How many there are to be in a queue that is new; None: what there is, or 16."""
    relay: str = field(default_factory=lambda: uuid.uuid4().hex, repr=False)
    """Who this relay is among the others: a delivering process that replaces another goes on where that one ended."""

    def __str__(self) -> str:
        return f"{self.scheme}{','.join(self.hosts)}/{self.name}"


def parsed(given: str, partitions: int | None = None) -> Path | Cluster:
    """``nats://[USER:PASSWORD@|TOKEN@]HOST[:PORT],…[/NAME]`` (or ``tls://…``), or a path. Raises SettingsError."""
    scheme = next((each for each in _SCHEMES if given.startswith(each)), "")
    if not scheme:
        if "://" in given:
            raise SettingsError("The queue must be a file, or servers like nats://host1,host2,host3.")
        if partitions is not None:
            raise SettingsError("--partitions is for queues in NATS, and this one is a file.")
        if Path(given).is_dir():
            raise SettingsError(f"The queue must be a file, and {given} is a directory.")
        return Path(given)
    credentials, at, rest = given.removeprefix(scheme).rpartition("@")
    if "@" in credentials or "," in credentials:
        raise SettingsError(
            "A queue in NATS takes credentials once, before the first host, with %40 for @ and %2C for a comma."
        )
    hosts, _, name = rest.replace(scheme, "").partition("/")
    if not all(map(_HOST.fullmatch, hosts.split(","))):
        raise SettingsError("A queue in NATS must be like nats://host1,host2:4222,host3, and one of its hosts is none.")
    if name and not _NAME.fullmatch(name):
        raise SettingsError(f"A queue's name must be letters, digits, _ or -, at most 40, and is {name!r}.")
    user, colon, password = (unquote(part) for part in credentials.partition(":"))
    return Cluster(
        tuple(host if re.search(r":\d+$", host) else f"{host}:4222" for host in hosts.split(",")),
        name or Cluster.name,
        scheme,
        user=user if colon else None,
        password=password if colon else None,
        token=user if at and not colon else None,
        partitions=partitions,
    )
