"""The release that is served: where its files are, and under which address."""

from __future__ import annotations

from pathlib import Path

from ..build import PREBUILT, BuildError

BASE = "/fsbridge/"
"""Under which the files are by default: a path of the site."""


def find(folder: str | Path | None) -> Path:
    """The folder of a release: the one that is given, else the wheel's.

    Raises BuildError where there is none.
    """
    found = Path(folder) if folder is not None else PREBUILT
    if not (found / "INSTALL.md").is_file():
        wheel = "" if folder is not None else "this checkout carries no built files as a wheel does; "
        raise BuildError(f"{wheel}{found} is no release: give the folder that `fsbridge build` has written.")
    return found


def address(base: str) -> str:
    """``base`` with the slash that a folder's address ends with."""
    return base if base.endswith("/") else f"{base}/"
