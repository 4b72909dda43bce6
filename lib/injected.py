"""Parameters that Papermill gave a notebook which does not declare them: it only warns, and runs on with the defaults."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from lib.errors import BadInput

MARK = "# Parameters"  # how Papermill begins the cell that it injects


def refuse_unknown_parameters(cells: Sequence[str]) -> None:
    """BadInput where an injected cell among *cells*, those run so far, sets a name that no cell before it declares."""
    for number, cell in enumerate(cells):
        if cell.startswith(MARK):
            declared = list(_names(cells[:number], ast.AnnAssign))
            for name in _names([cell], ast.Assign):
                if name not in declared:
                    near = get_close_matches(name, declared, n=1)
                    meant = f"did you mean {near[0]}?" if near else f"it takes {', '.join(declared)}"
                    raise BadInput(f"this notebook has no parameter {name}; {meant}")


def _names(cells: Iterable[str], kind: type[ast.Assign] | type[ast.AnnAssign]) -> Iterable[str]:
    for cell in cells:
        try:
            statements = ast.parse(cell).body
        except SyntaxError:  # a magic, or what somebody tried out
            continue
        for statement in statements:
            if isinstance(statement, kind):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                yield from (target.id for target in targets if isinstance(target, ast.Name))
