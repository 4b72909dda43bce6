"""The parameters a notebook declares, and whether given ones fit: typed, known, and no secrets.

Papermill only logs a warning for a misspelt parameter and runs on with the default; here it is an error.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lib.errors import BadInput
from runbook.notebook import Cell, read
from runbook.secrets import SECRET_NAME, is_secret

TAG = "parameters"

_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "list[str]": list}


def declared(template: Path) -> Mapping[str, type]:
    """Name and type of each parameter in the cell tagged `parameters`, in order; empty without such a cell.

    Every statement there is `name: type = literal`; type is str, int, float, bool or list[str] (given as `list`).
    """
    return {name: kind for name, kind, _ in _declarations(template)}


def defaults(template: Path) -> dict[str, Any]:
    """Name and default of each declared parameter, in order."""
    return {name: default for name, _, default in _declarations(template)}


def checked(template: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` in the order of declaration, each value of its declared type; BadInput names what does not fit."""
    known = declared(template)
    for name in given:
        if name not in known:
            raise BadInput(_unknown(template, name, known))
    values = {name: _fitting(template, name, kind, given[name]) for name, kind in known.items() if name in given}
    for name, value in values.items():
        _refuse_secret(template, name, value)
    return values


def _declarations(template: Path) -> Iterator[tuple[str, type, Any]]:
    cells = [cell for cell in read(template) if TAG in cell.tags]
    if len(cells) > 1:
        raise BadInput(f"{template}: {len(cells)} cells are tagged {TAG}; keep one.")
    seen: set[str] = set()
    for cell in cells:
        for name, kind, default in _assignments(template, cell):
            if name in seen:
                raise BadInput(f"{template}: parameter {name} is declared twice; keep one.")
            seen.add(name)
            yield name, kind, default


def _assignments(template: Path, cell: Cell) -> Iterator[tuple[str, type, Any]]:
    try:
        statements = ast.parse(cell.source).body
    except SyntaxError as error:
        raise BadInput(f"{template}, cell {cell.number}: the parameters are not plain Python: {error.msg}.") from error
    for statement in statements:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
                yield name, *_typed(template, name, ast.unparse(annotation), value)
            case _:
                line = ast.unparse(statement).splitlines()[0]
                raise BadInput(f"{template}, cell {cell.number}: write `name: type = literal`, not `{line}`.")


def _typed(template: Path, name: str, annotation: str, value: ast.expr) -> tuple[type, Any]:
    kind = _TYPES.get(annotation)
    if kind is None:
        raise BadInput(f"{template}: parameter {name} is of type {annotation}; use one of {', '.join(_TYPES)}.")
    try:
        default = ast.literal_eval(value)
    except ValueError as error:
        raise BadInput(f"{template}: the default of parameter {name} must be a literal.") from error
    return kind, _fitting(template, name, kind, default)


def _fitting(template: Path, name: str, kind: type, value: Any) -> Any:
    """`value` as a `kind`; an int is taken for a float, and nothing else is converted (True is not an int)."""
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise BadInput(f"{template}: parameter {name} must be {kind.__name__}, not {type(value).__name__} {value!r}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInput(f"{template}: parameter {name} must be a finite number, not {value!r}.")
    if isinstance(value, list) and not all(type(item) is str for item in value):
        raise BadInput(f"{template}: parameter {name} must be a list of strings, not {value!r}.")
    return value


def _unknown(template: Path, name: str, known: Mapping[str, type]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(known) or 'none'}."
    return f"{template}: unknown parameter {name}; {hint}"


def _refuse_secret(template: Path, name: str, value: Any) -> None:
    """Parameters are written into the archive, the manifest and the report: nothing secret may be among them."""
    texts = value if isinstance(value, list) else [value]
    if SECRET_NAME.search(name) or any(isinstance(item, str) and is_secret(item) for item in texts):
        raise BadInput(
            f"{template}: parameter {name} looks like a secret, and parameters are archived; "
            "use application default credentials or an environment variable."
        )
