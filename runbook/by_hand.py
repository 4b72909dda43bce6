"""A notebook that a person executed and saved in JupyterLab, held to what a notebook of the chain is held to.

No cell was injected: the literals of the parameters cell may be others than the template's, and nothing else.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib.errors import BadInput
from runbook.archive import RULES, Case, Rule, Verified, kernel_answered_every_cell, weighed
from runbook.notebook import Cell, gates_of, read
from runbook.parameters import TAG, checked, declared

# How a cell looks is no part of what it says.
_LOOKS = frozenset({"collapsed", "scrolled", "jupyter", "editable", "deletable", "slideshow", "ExecuteTime"})


def verify_by_hand(archive: Path, template: Path, gates: Collection[str] | None) -> Verified:
    """What a notebook executed by hand proves about *template*."""
    return weighed(lambda: _case(archive, template, gates), _rules(archive))


def given_by_hand(archive: Path, template: Path) -> dict[str, Any]:
    """The parameters it was executed with, each of its declared type; BadInput where the cell holds more than that."""
    planned, executed = _parameters_cell(read(template)), _parameters_cell(read(archive))
    if planned is None or executed is None:
        return {}
    (before, _), (after, values) = _without_literals(planned), _without_literals(executed)
    if before != after:
        raise BadInput(f"{executed.label} differs from the template in more than its literals")
    return checked(template, values)


def _case(archive: Path, template: Path, gates: Collection[str] | None) -> Case:
    planned = [_plain(cell) for cell in read(template)]
    given_by_hand(archive, template)
    executed = [_plain(cell) for cell in _without_empty_end(read(archive))]
    own = _parameters_cell(executed)
    return Case(
        planned=[replace(cell, source=own.source) if own and TAG in cell.tags else cell for cell in planned],
        executed=executed,
        injected=None,
        parameters={},
        declared=declared(template),
        gates=gates_of(planned) if gates is None else frozenset(gates),
    )


def _rules(archive: Path) -> tuple[Rule, ...]:
    """JupyterLab notes when the kernel answered only where it was told to: then it must have, everywhere."""
    try:
        timed = any(cell.timing for cell in read(archive))
    except BadInput:
        timed = True
    return RULES if timed else tuple(rule for rule in RULES if rule is not kernel_answered_every_cell)


def _plain(cell: Cell) -> Cell:
    return replace(cell, metadata={key: value for key, value in cell.metadata.items() if key not in _LOOKS})


def _without_empty_end(cells: list[Cell]) -> list[Cell]:
    """JupyterLab adds an empty cell behind the one that was run last."""
    while cells and cells[-1].kind == "code" and not cells[-1].source.strip() and not cells[-1].outputs:
        cells = cells[:-1]
    return cells


def _parameters_cell(cells: list[Cell]) -> Cell | None:
    return next((cell for cell in cells if TAG in cell.tags), None)


def _without_literals(cell: Cell) -> tuple[bytes, dict[str, Any]]:
    """The cell's source with a hole for every value, and the values by name."""
    source, values, end = b"", {}, 0
    content = cell.source.encode()
    lines = [0, *(at + 1 for at, byte in enumerate(content) if byte == ord("\n"))]
    try:
        for statement in ast.parse(cell.source).body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    values[name] = ast.literal_eval(value)
                    source += content[end : lines[value.lineno - 1] + value.col_offset] + b"\0"
                    end = lines[(value.end_lineno or 0) - 1] + (value.end_col_offset or 0)
                case _:
                    raise ValueError
    except (SyntaxError, ValueError) as error:
        raise BadInput(f"{cell.label} holds more than `name: type = literal`") from error
    return source + content[end:], values
