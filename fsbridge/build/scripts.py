"""The scripts that a page loads: modules of ``web/`` bundled to one file each, and what the tag gets told of Python's.

esbuild does it, and terser (``web/bundle.mjs``), which ``npm ci`` in ``web/`` brings.
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
from .node import find_node, need


def facts(folders: Mapping[str, str]) -> dict[str, Any]:
    """What the tag knows as ``FACTS``.

    ``version``; ``apis``, of each its name, the global, and the methods that can wait; ``destinations``, of each its
    name, its own API, the name by which ``integrations`` know it, and what follows that in the alternative names of its
    plugins, where it has several; ``files``, where the files of each interpreter and of ours are, which are in
    ``folders``.
    """
    return {
        "version": VERSION,
        "apis": [_api(name) for name in sources.NAMES],
        "destinations": [_destination(name) for name in destinations.NAMES],
        "files": {name: f"{folder}/" for name, folder in folders.items()},
    }


def _api(name: str) -> list[str]:
    source = sources.find(name)
    waiting = [method for method in [*source.methods, *source.unsupported] if method not in source.answering]
    return [name, source.global_name, " ".join(waiting)]


def _destination(name: str) -> list[str]:
    kind = destinations.find(name)
    standard, *alternatives = kind.names()
    return [name, kind.source, standard, *[name.removeprefix(standard) for name in alternatives]]


TAGS = {"fsbridge.js": "tag/main.js", "fsbridge-consent.js": "tag/with-platforms.js"}
"""The tag, without and with the consent platforms, which are bytes that few pages need; and what each is made of."""


def tag(web: Path, node_modules: Path, folders: Mapping[str, str], name: str = "fsbridge.js") -> bytes:
    """The tag: one of `TAGS`."""
    return _bundled(web, TAGS[name], node_modules, "iife", json.dumps(facts(folders)))


def module(web: Path, name: str, node_modules: Path, facts: Mapping[str, Any] | None = None) -> bytes:
    """A module that the tag imports; ``facts`` are what it knows as ``FACTS``.

    One that says ``import "./whole.js"`` throws where its text is another than this.
    """
    return _bundled(web, name, node_modules, "whole", json.dumps(facts or {}))


def plain(web: Path, name: str, node_modules: Path, facts: Mapping[str, Any] | None = None) -> bytes:
    """A module of a page of ours, which may import other packages, too."""
    return _bundled(web, name, node_modules, "esm", json.dumps(facts or {}))


def _bundled(web: Path, name: str, node_modules: Path, *options: str) -> bytes:
    need(web, node_modules, "esbuild", "terser")
    command = [find_node(), str(web / "bundle.mjs"), str(node_modules), str(web / name), *options]
    run = subprocess.run(command, capture_output=True, timeout=600)
    if run.returncode:
        raise BuildError(f"{name} could not be bundled: {reason(run.stderr.decode(errors='replace'))}")
    return run.stdout
