"""The scripts that a page loads: modules of ``web/`` bundled to one file each, and what the tag gets told of Python's.

esbuild does it (``web/bundle.mjs``), which ``npm ci`` in ``web/`` brings.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import destinations
from ..browser import sources
from ..version import VERSION
from .errors import BuildError, reason
from .node import find_node


def facts(folders: Mapping[str, str]) -> dict[str, Any]:
    """What the tag knows as ``FACTS``.

    ``version``; ``apis``, of each its name, the global, the methods that can wait, and those whose results pages use;
    ``sources``, destination → its own API; ``files``, where the files of each interpreter and of ours are, which are
    in ``folders``.
    """
    return {
        "version": VERSION,
        "apis": [_api(name) for name in sources.NAMES],
        "sources": {name: destinations.find(name).source for name in destinations.NAMES},
        "files": {name: f"{folder}/" for name, folder in folders.items()},
    }


def _api(name: str) -> list[str]:
    source = sources.find(name)
    waiting = [method for method in [*source.methods, *source.unsupported] if method not in source.answering]
    return [name, source.global_name, " ".join(waiting), " ".join(source.answering)]


def tag(web: Path, node_modules: Path, folders: Mapping[str, str]) -> bytes:
    """The tag, ``fsbridge.js``."""
    return _bundled(web, "tag/main.js", node_modules, "iife", json.dumps(facts(folders)))


def module(web: Path, name: str, node_modules: Path) -> bytes:
    """A module that the tag imports."""
    return _bundled(web, name, node_modules, "esm")


def _bundled(web: Path, name: str, node_modules: Path, *options: str) -> bytes:
    if not (node_modules / "esbuild").is_dir():
        raise BuildError(f"esbuild is needed, found none in {node_modules}: run `npm ci` in {web}.")
    command = [find_node(), str(web / "bundle.mjs"), str(node_modules), str(web / name), *options]
    run = subprocess.run(command, capture_output=True, timeout=60)
    if run.returncode:
        raise BuildError(f"{name} could not be bundled: {reason(run.stderr.decode(errors='replace'))}")
    return run.stdout
