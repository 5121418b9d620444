"""What a site serves: the pinned interpreters, and a package that a browser can import."""

import ast
import json
import zipfile

import pytest

from fsbridge.build import INTERPRETERS, BuildError, browser_sources, build_web, web_sources
from fsbridge.version import VERSION
from tools import npm


@pytest.fixture(scope="session")
def modules():
    return npm.provision()


@pytest.fixture(scope="session")
def out(tmp_path_factory, modules):
    out = tmp_path_factory.mktemp("dist") / "web"
    build_web(out, modules)
    return out


def test_writes_all_that_a_site_serves(out):
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert found == {
        "fsbridge.js",
        "fsbridge.json",
        "fsbridge.zip",
        "micropython/micropython.mjs",
        "micropython/micropython.wasm",
        "pyodide/pyodide-lock.json",
        "pyodide/pyodide.asm.mjs",
        "pyodide/pyodide.asm.wasm",
        "pyodide/pyodide.mjs",
        "pyodide/python_stdlib.zip",
    }


def test_both_archives_hold_the_browser_modules(out):
    sources = json.loads((out / "fsbridge.json").read_text("utf-8"))
    assert sources == browser_sources()
    with zipfile.ZipFile(out / "fsbridge.zip") as archive:
        names = archive.namelist()
        assert {name: archive.read(name).decode() for name in names if not name.endswith("/")} == sources
    # PyScript makes only the last folder of a path.
    for name in names:
        parent = name.rstrip("/").rpartition("/")[0]
        assert not parent or names.index(parent + "/") < names.index(name)


def test_server_side_modules_stay_at_home():
    names = set(browser_sources())
    assert {"fsbridge/__init__.py", "fsbridge/runtime/micropython.py", "fsbridge/runtime/pyodide.py"} <= names
    assert not [name for name in names for server in ("build", "cpython", "simulated", "testing") if server in name]


def test_builds_alike(out, tmp_path, modules):
    build_web(tmp_path / "again", modules)
    assert (tmp_path / "again/fsbridge.zip").read_bytes() == (out / "fsbridge.zip").read_bytes()


def test_another_version_than_pinned_is_refused(tmp_path):
    with pytest.raises(BuildError, match=r"micropython-webassembly-pyscript 1\S+ is needed, found none.*npm ci"):
        build_web(tmp_path / "web", tmp_path)


def test_interpreters_are_those_of_the_pyscript_release(modules):
    pinned = json.loads((web_sources() / "package.json").read_text("utf-8"))["dependencies"]
    for name, (package, _) in INTERPRETERS.items():
        assert (modules / "polyscript/versions" / name).read_text().strip() == pinned[package]


def test_the_tag_says_its_version():
    assert f'"{VERSION}"' in (web_sources() / "fsbridge.js").read_text("utf-8")


def test_lock_names_no_registry():
    assert "://" not in "".join(
        line for line in (web_sources() / "package-lock.json").read_text("utf-8").splitlines() if '"url"' not in line
    )


def _has_star(display):
    """Whether a list, tuple or set unpacks another; as the target of an assignment a star is fine."""
    stored = isinstance(getattr(display, "ctx", None), ast.Store)
    return not stored and any(isinstance(item, ast.Starred) for item in display.elts)


def _breaks_micropython(tree):
    """What MicroPython can't parse or import, as ``line: what``."""
    missing = {"__future__", "contextlib", "dataclasses", "enum", "typing", "urllib", "uuid"}
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Match):
            yield f"{node.lineno}: match"
        elif isinstance(node, ast.arguments) and node.posonlyargs:
            yield f"{node.posonlyargs[0].lineno}: positional-only parameters"
        elif isinstance(node, (ast.List, ast.Tuple, ast.Set)) and _has_star(node):
            yield f"{node.lineno}: a star in a list, tuple or set"
        elif isinstance(node, ast.Dict) and None in node.keys:
            yield f"{node.lineno}: ** in a dict"
        elif isinstance(node, ast.TryStar):
            yield f"{node.lineno}: except*"
        elif isinstance(node, ast.Raise) and node.cause:
            yield f"{node.lineno}: raise … from"
        elif isinstance(node, ast.Import):
            yield from (f"{node.lineno}: {name.name}" for name in node.names if name.name.split(".")[0] in missing)
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in missing:
            yield f"{node.lineno}: {node.module}"


@pytest.mark.parametrize("name", browser_sources())
def test_browser_modules_keep_to_what_micropython_has(name):
    assert list(_breaks_micropython(ast.parse(browser_sources()[name]))) == []
