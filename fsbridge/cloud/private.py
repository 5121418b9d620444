"""Files with personal data: made, and kept, so that nobody but their owner can read them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_OWNER_ONLY = 0o600


def secured(path: Path) -> bool:
    """Make a file, where there is none, that only its owner may read; whether an existing one was open to others.

    An existing file is not opened: closing it would end the locks that this process, SQLite say, has on it. Raises
    OSError, also where ``path`` is a symbolic link, which somebody else may have laid there.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))
    except FileExistsError:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, "it is a symbolic link", str(path)) from None
        open_to_others = os.name == "posix" and bool(mode & 0o077)
        if open_to_others:
            path.chmod(_OWNER_ONLY)
        return open_to_others
    return False
