"""The port's verbs: `fsbridge.runtime` says what there is, and all three ports have just that."""

import ast
from pathlib import Path

import pytest

from fsbridge import runtime

FOLDER = Path(runtime.__file__).parent


def functions(name: str) -> dict[str, list[str]]:
    """The functions of a module of the port, with the names of their parameters."""
    nodes = ast.walk(ast.parse((FOLDER / name).read_text(encoding="utf-8")))
    return {node.name: parameters(node) for node in nodes if isinstance(node, ast.FunctionDef)}


def parameters(node: ast.FunctionDef) -> list[str]:
    args = node.args
    names = [arg.arg for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs]]
    return names + [mark + arg.arg for mark, arg in (("*", args.vararg), ("**", args.kwarg)) if arg]


def assigned(name: str) -> dict[str, str]:
    """What a module gives another name: functions of JavaScript's, and of the interpreters' own modules."""
    tree = ast.parse((FOLDER / name).read_text(encoding="utf-8"))
    lines = [node for node in tree.body if isinstance(node, ast.Assign)]
    return {
        target.id: ast.unparse(node.value) for node in lines for target in node.targets if isinstance(target, ast.Name)
    }


VERBS = functions("__init__.py")


def test_every_verb_is_explained() -> None:
    tree = ast.parse((FOLDER / "__init__.py").read_text(encoding="utf-8"))
    defined = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert len(defined) == len(VERBS) > 50
    assert all(ast.get_docstring(node) and node.returns for node in defined)


@pytest.mark.parametrize("verb", VERBS)
def test_cpython_has_it(verb: str) -> None:
    assert functions("cpython.py")[verb] == VERBS[verb]
    assert getattr(runtime, verb).__module__ == "fsbridge.runtime.cpython"


@pytest.mark.parametrize("own", ["pyodide.py", "micropython.py"])
@pytest.mark.parametrize("verb", VERBS)
def test_browsers_have_it(verb: str, own: str) -> None:
    shared = functions("browser.py").get(verb)
    other = assigned("browser.py").get(verb, "")
    if shared is None and other.startswith("_own."):
        name = other.split("(")[0].removeprefix("_own.")
        if name in assigned(own) or name == "getter":  # JavaScript's own function
            return
        shared = functions(own)[name]
    if shared is None:
        assert other, "no port of browsers has it"
    else:
        assert shared == VERBS[verb]
