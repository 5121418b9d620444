"""Files with personal data: made, and kept, so that nobody but their owner can read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_OWNER_ONLY = 0o600


def secured(path: Path) -> bool:
    """Make a file, where there is none, that only its owner may read; whether an existing one was open to others.

    Raises OSError, also where ``path`` is a symbolic link, which somebody else may have laid there.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), _OWNER_ONLY)
    try:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        open_to_others = os.name == "posix" and bool(mode & 0o077)
        if open_to_others:
            os.fchmod(descriptor, _OWNER_ONLY)
    finally:
        os.close(descriptor)
    return open_to_others
