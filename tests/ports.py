"""Ports for servers of a process of their own, which have to be named before anybody listens on them."""

import random
import socket
from contextlib import suppress

# Systems give connections ports from 32768 on: one of those may be taken again before a server has it.
_PORTS = iter(random.SystemRandom().sample(range(10_000, 32_000), 22_000))


def free_port() -> int:
    """A port of the loopback interface that nobody has, nor gets by chance."""
    for port in _PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")
