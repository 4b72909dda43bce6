"""IPython commands in cells: a failing `!command` or `%%bash` ends in no error, so proof refuses them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

# Commands that neither start another process nor hide output; every other one is refused.
_HARMLESS = frozenset({"time", "matplotlib", "config", "load_ext", "autoreload"})


def shell_use(source: str) -> Iterator[str]:
    """What in a cell's source hands work to a shell or to an IPython command that may hide a failure."""
    for call in _calls(parsed(source)):
        name = _name(call)
        if name in {"system", "getoutput", "system_raw", "system_piped"}:
            yield f"{name}(...)"
        elif name in {"run_line_magic", "run_cell_magic", "magic"} and (command := _command(call)) not in _HARMLESS:
            yield f"{'%%' if name == 'run_cell_magic' else '%'}{command}"


def parsed(source: str) -> ast.AST:
    """The syntax tree after IPython has turned its commands into calls; empty for what never ran at all."""
    try:
        return _tree(source)
    except SyntaxError:
        # IPython takes 0.3 s to import, and plain Python never comes here.
        from IPython.core.inputtransformer2 import TransformerManager
    try:
        transform: Callable[[str], str] = TransformerManager().transform_cell  # type: ignore[no-untyped-call]
        return _tree(transform(source))
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def _tree(source: str) -> ast.AST:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree: ast.Module = compile(source, "cell", "exec", flags, dont_inherit=True)
    return tree


def _calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _command(call: ast.Call) -> str:
    match call.args:
        case [ast.Constant(value=str(command)), *_]:
            return command.split()[0] if command.split() else ""
    return "?"
