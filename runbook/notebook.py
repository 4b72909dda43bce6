"""Notebooks as the plain JSON they are: cells, tags, and the gates a notebook names.

Read without nbformat: proof needs the bytes as they are, not as a library would upgrade them.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.errors import BadInput

GATE_MIME = "application/vnd.runbook.gate+json"

# Execution adds these to a cell's metadata; everything else there belongs to the author.
_ADDED_BY_EXECUTION = frozenset({"papermill", "execution"})


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook; `number` counts from 1, markdown included, as a reader would count."""

    number: int
    kind: str
    source: str
    tags: frozenset[str]
    metadata: dict[str, Any]
    id: str | None
    execution_count: int | None
    timing: dict[str, str]
    outputs: list[dict[str, Any]]

    @property
    def label(self) -> str:
        """How a message calls this cell: its number and where its source begins."""
        first = (self.source.strip().splitlines() or ["empty"])[0]
        return f"cell {self.number} (`{first if len(first) <= 40 else first[:37] + '...'}`)"

    @property
    def is_code(self) -> bool:
        """Whether a kernel is expected to run this cell (an empty code cell is never run)."""
        return self.kind == "code" and bool(self.source.strip())


def read(path: Path) -> list[Cell]:
    """The cells of the notebook at `path`, in order; BadInput when it is not a readable notebook."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: the notebook is missing or unreadable ({error.strerror}).") from error
    if not raw:
        raise BadInput(f"{path}: the notebook is empty (0 bytes).")
    try:
        content = json.loads(raw)
        if content["nbformat"] != 4:
            raise BadInput(
                f"{path}: notebook format {content['nbformat']}, expected 4; save it with a current Jupyter."
            )
        return [_cell(number, cell) for number, cell in enumerate(content["cells"], start=1)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path}: not a notebook ({type(error).__name__}: {error}).") from error


def kernel_of(path: Path) -> str:
    """Language and version of the kernel that executed a notebook, as its metadata says; empty where it does not."""
    try:
        language = json.loads(path.read_bytes())["metadata"]["language_info"]
        return f"{language['name']} {language['version']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _cell(number: int, raw: dict[str, Any]) -> Cell:
    metadata = {key: value for key, value in raw["metadata"].items() if key not in _ADDED_BY_EXECUTION}
    tags = frozenset(metadata.pop("tags", []))
    return Cell(
        number=number,
        kind=raw["cell_type"],
        source=text(raw["source"]),
        tags=tags,
        metadata=metadata,
        id=raw.get("id"),
        execution_count=raw.get("execution_count"),
        timing=raw["metadata"].get("execution", {}),
        outputs=raw.get("outputs", []),
    )


def text(lines: str | list[str]) -> str:
    """A multi-line string of a notebook, which may be stored as one string or as a list of lines."""
    return lines if isinstance(lines, str) else "".join(lines)


def gates_of(cells: list[Cell]) -> frozenset[str]:
    """The gates that the cells tagged `gate` name; BadInput where a name cannot be read off the source."""
    return frozenset(name for cell in cells if "gate" in cell.tags for name in gate_names(cell))


def gate_names(cell: Cell) -> list[str]:
    """The names in the `gate("name", ...)` calls of one cell tagged `gate`."""
    try:
        tree = ast.parse(cell.source)
    except SyntaxError as error:
        raise BadInput(f"{cell.label} is tagged gate but is not plain Python: {error.msg}.") from error
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "gate"]
    if not calls:
        raise BadInput(f'{cell.label} is tagged gate but calls no gate("name", ...).')
    return [_first_argument(cell, call) for call in calls]


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _first_argument(cell: Cell, call: ast.Call) -> str:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "name"]
    match [*call.args, *named]:
        case [ast.Constant(value=str(name)), *_]:
            return name
    raise BadInput(f"{cell.label}: the first argument of gate(...) must be the gate's name, a literal string.")
