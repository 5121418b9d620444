"""Where the recordings of the vendors' own code are, and how to read them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fsbridge.runtime import from_json

FOLDER = Path(os.environ.get("FSBRIDGE_VECTORS") or Path(__file__).parent / "vectors")
"""The environment variable ``FSBRIDGE_VECTORS`` names another folder of recordings of the same format."""


def recordings(name: str) -> list[dict[str, Any]]:
    """The recordings of ``name``.jsonl, with numbers as JavaScript has them; none when the folder has no such file."""
    path = FOLDER / f"{name}.jsonl"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as lines:
        return [from_json(line) for line in lines if line.strip()]


def identifier(recording: dict[str, Any]) -> str:
    """A recording's id, for ``pytest.mark.parametrize(..., ids=identifier)``."""
    return str(recording["id"])
