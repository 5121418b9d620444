"""The playground: built into a folder that any static host can serve, with Pyodide and the Python it runs in it.

python -m tools.playground FOLDER
"""

import shutil
from pathlib import Path
from typing import Any

from fsbridge.browser import sources
from fsbridge.build import INTERPRETERS, archives, copy_file, scripts, web_sources
from fsbridge.cli import mapped
from fsbridge.cloud import destination as cloud
from fsbridge.destinations import segment_actions as actions
from fsbridge.mapping import fql, validation

from .. import npm

ROOT = Path(__file__).parent.parent.parent
SOURCES = ROOT / "site" / "playground"

SERVER_MODULES = (
    "runtime/cpython.py",
    "cli/inputs.py",
    "cli/mapped.py",
    "cli/settings.py",
    "testing/simulated.py",
    "cloud/destination.py",
    "cloud/liquid.py",
    "cloud/names.py",
    "cloud/timestamps.py",
)
"""What the dry run needs of the package besides what a browser gets."""

_EMPTY = ("fsbridge", "fsbridge/cli", "fsbridge/cloud", "fsbridge/testing")
_PORT = "from .cpython import *\n\nON_CPYTHON = True\n"


def build(out: Path) -> None:
    """Write the playground into ``out``, a new folder."""
    web, modules = web_sources(), npm.provision()
    shutil.copytree(SOURCES, out, ignore=shutil.ignore_patterns("*.js"))
    shutil.copy(SOURCES / "worker.js", out)
    shutil.copy(ROOT / "site" / "style" / "base.css", out)
    main = SOURCES.relative_to(ROOT) / "main.js"
    (out / "playground.js").write_bytes(scripts.plain(web, f"../{main.as_posix()}", modules, facts()))
    (out / "playground.zip").write_bytes(archives.zip_archive(python()))
    package, files = INTERPRETERS["pyodide"]
    (out / "pyodide").mkdir()
    for file in files:
        copy_file(modules / package / file, out / "pyodide")


def python() -> dict[str, str]:
    """The Python of the page: path → source. Values are CPython's there, as in the dry run of the command line."""
    found = archives.browser_sources()
    for name in SERVER_MODULES:
        found[f"fsbridge/{name}"] = (archives.PACKAGE / name).read_text(encoding="utf-8")
    found.update({f"{package}/__init__.py": "" for package in _EMPTY})
    found["fsbridge/runtime/__init__.py"] = _PORT
    found["playground.py"] = (Path(__file__).parent / "page.py").read_text(encoding="utf-8")
    return found


def facts() -> dict[str, Any]:
    """What the page knows as FACTS: destinations with their settings and actions, APIs, and both languages' words."""
    return {
        "destinations": [_described(name) for name in mapped.NAMES],
        "apis": {name: _api(name) for name in sources.NAMES},
        "directives": sorted(validation.DIRECTIVES),
        "fql": {"fields": fql.FIELDS, "bags": fql.BAGS, "functions": fql.FUNCTIONS},
    }


def _described(name: str) -> dict[str, Any]:
    kind = mapped.find(name)
    described = {
        "name": name,
        "source": kind.source,
        "org": kind.org,
        "settings": [{"name": each.name, "accepts": each.accepts, "meaning": each.meaning} for each in kind.settings],
        "actions": {},
        "presets": [],
    }
    if name == actions.SegmentActions.name:
        described["actions"] = {action: list(fields) for action, fields in actions.DEFAULT_MAPPINGS.items()}
        presets = [(title, f'type = "{type_}"', action) for title, type_, action in actions.PRESETS]
        described["presets"] = _subscriptions(presets, actions.DEFAULT_MAPPINGS)
    if name == cloud.SegmentCloud.name:
        described["actions"] = {action: [each.name for each in fields] for action, (fields, _) in cloud.ACTIONS.items()}
        described["presets"] = _subscriptions(cloud.PRESETS, cloud.DEFAULT_MAPPINGS)
    return described


def _subscriptions(presets: Any, mappings: Any) -> list[dict[str, Any]]:
    return [
        {"name": name, "enabled": True, "subscribe": trigger, "partnerAction": action, "mapping": mappings[action]}
        for name, trigger, action in presets
    ]


def _api(name: str) -> dict[str, Any]:
    source = sources.find(name)
    return {"global": source.global_name, "methods": list(source.methods)}
