"""Modules without annotations, which are for type checkers: MicroPython has no ``__future__`` to put them off."""

import ast
from collections.abc import Iterator

_FUTURE = b"from __future__ import annotations\n"


def without_annotations(text: str) -> str:
    """A module's source without annotations, and without their import from ``__future__``; lines keep their numbers."""
    code = text.encode()  # as columns count bytes
    starts = [0]
    for line in code.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: ast.stmt | ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    cuts = []
    for node, sign in _annotated(ast.parse(text)):
        start, end = span(node)
        if sign:
            start = len(code[: code.rindex(sign, 0, start)].rstrip(b" "))
        cuts.append((start, end, b"\\\n" * code.count(b"\n", start, end) + (b"" if sign else b"pass")))
    for start, end, instead in sorted(cuts, reverse=True):
        code = code[:start] + instead + code[end:]
    return code.replace(_FUTURE, b"\n", 1).decode()


def _annotated(tree: ast.Module) -> Iterator[tuple[ast.stmt | ast.expr, bytes]]:
    """What goes, with the sign in front of it; without one, a whole statement."""
    for node in ast.walk(tree):
        match node:
            case ast.arg(annotation=ast.expr() as annotation):
                yield annotation, b":"
            case (
                ast.FunctionDef(returns=ast.expr() as annotation)
                | ast.AsyncFunctionDef(returns=ast.expr() as annotation)
            ):
                yield annotation, b"->"
            case ast.AnnAssign(value=None):
                yield node, b""
            case ast.AnnAssign(annotation=annotation):
                yield annotation, b":"
