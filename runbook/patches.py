"""Cells that change what they import: a gate that was patched says what the patch says, and proves nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from runbook.notebook import Cell
from runbook.shell_use import parsed

GATE = "gate"


def patches(cells: Sequence[Cell]) -> Iterator[str]:
    """Every cell that binds the name ``gate`` a second time, or sets an attribute of something that was imported."""
    imported: set[str] = set()
    bound = 0
    for cell in (cell for cell in cells if cell.is_code):
        nodes = list(ast.walk(parsed(cell.source)))
        imported |= {name for node in nodes for name in _imported(node)}
        for node in nodes:
            yield from (f"{cell.label} patches {what}" for what in _patched(node, imported))
            bound += GATE in _bound(node)
        if bound > 1:
            yield f"{cell.label} binds the name {GATE} again: its verdicts are not the gate's"
            bound = 1


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)


def _bound(node: ast.AST) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.Subscript(slice=ast.Constant(value=str(name)), ctx=ast.Store() | ast.Del()):
            return [name]  # globals()["gate"] = ...
    return list(_imported(node))


def _patched(node: ast.AST, imported: set[str]) -> Iterator[str]:
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()) if _root(node) in imported:
            yield ast.unparse(node)
        case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[target, *_]) if _root(target) in imported:
            yield ast.unparse(node)
        case ast.Call(func=ast.Name(id="exec" | "eval" | "__import__")):
            yield f"what it may by {ast.unparse(node.func)}(...)"


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
