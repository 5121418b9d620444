"""What to install where a module is missing: which extra of fsbridge, and from where, as no package index has it."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

CHECKOUT = Path(__file__).parent.parent
"""Where ``pyproject.toml`` lies if this is a checkout."""


def missing(module: str | None, extra: str) -> str:
    """What to tell a user who needs ``module``, which fsbridge's ``extra`` brings."""
    origin = _origin()
    if origin and Path(origin).exists():
        how = f'python -m pip install "{origin}[{extra}]"'
    else:
        how = f"install fsbridge again, with that extra, from {origin or 'where you have it from'}"
    return f'{module} is missing, which fsbridge\'s extra "{extra}" brings: {how}'


def _origin() -> str:
    """The checkout, wheel or address that fsbridge was installed from, as far as that is known."""
    if (CHECKOUT / "pyproject.toml").is_file():
        return str(CHECKOUT)
    try:
        noted = distribution("fullstory-bridge").read_text("direct_url.json")  # pip's note, PEP 610
        url = str(json.loads(noted or "{}").get("url", ""))
    except (PackageNotFoundError, ValueError):
        return ""
    return url2pathname(urlsplit(url).path) if url.startswith("file:") else url
