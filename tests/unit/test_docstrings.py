"""Everything public says what it is: its own words, or those of what it overrides."""

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fsbridge

PACKAGE = Path(fsbridge.__file__).parent
OF_BROWSERS = (
    "fsbridge.runtime.browser",
    "fsbridge.runtime.micropython",
    "fsbridge.runtime.pyodide",
    "fsbridge.cloud.notebook",
)
"""Modules that import what browsers alone have."""
SAID_ELSEWHERE = ("fsbridge.runtime.cpython", "fsbridge.testing.simulated")
"""Functions are the port's verbs here, which `fsbridge.runtime` explains, and methods those of a browser's objects."""


def modules() -> Iterator[str]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        if not {"node_modules", "__main__"} & {*parts} and name not in OF_BROWSERS:
            yield name


def undocumented(module: ModuleType) -> Iterator[str]:
    if not module.__doc__:
        yield "the module"
    for name, value in vars(module).items():
        is_ours = getattr(value, "__module__", "") == module.__name__
        if name.startswith("_") or not is_ours or not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        if inspect.isclass(value):
            yield from _undocumented_members(value, module.__name__ in SAID_ELSEWHERE)
        elif module.__name__ not in SAID_ELSEWHERE and "<locals>" not in value.__qualname__ and not value.__doc__:
            yield name


def _undocumented_members(kind: type, said_elsewhere: bool) -> Iterator[str]:
    if not kind.__doc__:
        yield kind.__name__
    for name in vars(kind):
        member: Any = inspect.getattr_static(kind, name)
        is_method = inspect.isfunction(member) or isinstance(member, property | classmethod | staticmethod)
        if not name.startswith("_") and is_method and not said_elsewhere and not inspect.getdoc(getattr(kind, name)):
            yield f"{kind.__name__}.{name}"


@pytest.mark.parametrize("name", [*modules()])
def test_what_is_public_has_a_docstring(name: str) -> None:
    assert list(undocumented(importlib.import_module(name))) == []


def test_a_missing_docstring_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("sample")
    monkeypatch.setitem(sys.modules, "sample", module)
    source = """
class A:
    "Says what it is."
    def f(self):
        "Does what it says."
    def g(self): ...
class B(A):
    "Another one."
    def f(self): ...
    def g(self): ...
    @property
    def h(self): ...
class C: ...
def d(): ...
def _e(): ...
"""
    exec(source, vars(module))
    assert list(undocumented(module)) == ["the module", "A.g", "B.g", "B.h", "C", "d"]
