"""Which room imports which: pure rooms only one another, the browser's no server room, and the other way round."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import fsbridge

PACKAGE = Path(fsbridge.__file__).parent
PURE = {
    "settings",
    "spelling",
    "messages",
    "contracts",
    "fullstory_options",
    "version",
    "runtime",
    "mapping",
    "destinations",
}
BROWSER = {"browser"}
SERVER = {"cloud", "relay", "cli", "build", "serve", "testing", "extras", "__main__"}
MAY_USE_THE_BROWSER = {
    "cli/dry_run.py": "it names the sources whose filters there are",
    "cli/mapped.py": "a source's filters stand between a message and its calls",
    "build/archives.py": "the modules of each source go into an archive",
    "build/scripts.py": "the tag stands in for each source's methods",
}


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """What a module imports, anywhere in it, functions and what is for type checkers included: modules and names."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(parts[: len(parts) - node.level]) if node.level else ""
            base = ".".join(filter(None, (above, node.module)))
            yield from ((base, alias.name) for alias in node.names)


def imports(path: Path) -> set[str]:
    """The rooms that a module imports."""
    names = [f"{base}.{name}" if base == "fsbridge" else base for base, name in imported(path)]
    return {name.split(".")[1] for name in names if name.startswith("fsbridge.")}


MODULES = sorted(
    path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if "node_modules" not in path.parts
)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    path = PACKAGE / module
    room = module.split("/")[0].removesuffix(".py")
    used = imports(path) & (PURE | BROWSER | SERVER)
    if room in PURE:
        assert used <= PURE
    elif room in BROWSER:
        assert used <= PURE | BROWSER
    elif room in SERVER and module not in MAY_USE_THE_BROWSER:
        assert not used & BROWSER
    elif room not in SERVER:
        assert module == "__init__.py", "a room that is in no list"


def test_every_exception_is_needed() -> None:
    assert all("browser" in imports(PACKAGE / module) for module in MAY_USE_THE_BROWSER)


def test_no_module_imports_one_that_imports_it_in_turn() -> None:
    paths = {
        ".".join((PACKAGE / module).relative_to(PACKAGE.parent).with_suffix("").parts): module for module in MODULES
    }
    names = {name.removesuffix(".__init__"): module for name, module in paths.items()}
    graph = {}
    for name, module in names.items():
        used = [f"{base}.{each}" if f"{base}.{each}" in names else base for base, each in imported(PACKAGE / module)]
        graph[name] = {each for each in used if each in names}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names them
