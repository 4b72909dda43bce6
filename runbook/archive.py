"""Whether an executed notebook proves its step: one function for each way an archive can lie.

Papermill and nbclient call a run finished whose kernel died, whose cells were skipped or whose parameters were
misspelt. So nothing they say is believed; the archive is compared with its template, cell by cell.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from lib.errors import BadInput
from runbook.notebook import GATE_MIME, Cell, gate_names, gates_of, read, text
from runbook.parameters import TAG, declared
from runbook.patches import patches
from runbook.secrets import is_secret
from runbook.shell_use import shell_use

State = Literal["proven", "red", "not proven"]

INJECTED = "injected-parameters"
ERROR_MARKER = "papermill-error-cell-tag"

# What Papermill adds around a failing cell, word for word; anything else with that tag is a foreign cell.
_MARKER_TEXT = re.compile(
    r"<span style=\"[^\"<>]*\">An Exception was encountered at '<a href=\"#papermill-error-cell\">In \[\d+\]</a>'\."
    r"</span>|<span id=\"papermill-error-cell\" style=\"[^\"<>]*\">"
    r"Execution using papermill encountered an exception here and stopped:</span>"
)
_REFUSED_TAGS = {"skip-execution", "raises-exception"}
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)|^Exception in thread ", re.MULTILINE)
_WARNING = re.compile(r"^.*(?:\b\w*Warning:|\b(?:WARNING|ERROR|CRITICAL)\b).*$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Verified:
    """What an archive proves: `reasons` says why it proves nothing, or which gate is red; `verdicts` are its gates'."""

    state: State
    reasons: list[str] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    stderr_warnings: int = 0


@dataclass(frozen=True)
class Case:
    """One archive beside what it must be."""

    planned: list[Cell]
    executed: list[Cell]
    injected: Cell | None
    parameters: Mapping[str, Any]
    declared: Mapping[str, type]
    gates: frozenset[str]

    @property
    def all(self) -> list[Cell]:
        """The executed cells with the injected one at its place."""
        return sorted([*self.executed, *([self.injected] if self.injected else [])], key=lambda cell: cell.number)

    @cached_property
    def red_cell(self) -> Cell | None:
        """The gate cell that stopped the notebook: its only error is GateFailed and its verdict is red."""
        for cell in self.executed:
            errors = [output["ename"] for output in cell.outputs if output["output_type"] == "error"]
            if errors:
                red = any(verdict.get("verdict") == "red" for verdict in _verdicts_of(cell))
                return cell if errors == ["GateFailed"] and red and "gate" in cell.tags else None
        return None

    @property
    def until_red(self) -> list[Cell]:
        """The code cells that had to run: all of them, or those up to the red gate."""
        last = self.red_cell.number if self.red_cell else len(self.executed) + 2
        return [cell for cell in self.all if cell.is_code and cell.number <= last]


Rule = Callable[[Case], Iterator[str]]


def verify(
    archive: Path, template: Path, parameters: Mapping[str, Any], gates: Collection[str] | None = None
) -> Verified:
    """What the executed notebook at `archive` proves about `template` run with `parameters`.

    `gates` are the gates the step must give; None means those that its cells tagged `gate` name.
    """
    return weighed(lambda: _case(archive, template, parameters, gates), RULES)


def weighed(make: Callable[[], Case], rules: Sequence[Rule]) -> Verified:
    """What a case comes to under *rules*; one that cannot be made proves nothing."""
    try:
        case = make()
        reasons = [reason for rule in rules for reason in rule(case)]
    except BadInput as error:
        return Verified("not proven", [str(error)])
    except (KeyError, TypeError, AttributeError) as error:
        return Verified("not proven", [f"its cells are malformed ({type(error).__name__}: {error})."])
    verdicts = [verdict for cell in case.executed for verdict in _verdicts_of(cell)]
    warnings = sum(len(_WARNING.findall(_stderr(cell))) for cell in case.all)
    if reasons:
        return Verified("not proven", reasons, verdicts, warnings)
    if case.red_cell:
        return Verified("red", [_red_reason(case.red_cell)], verdicts, warnings)
    return Verified("proven", [], verdicts, warnings)


def judged(
    archive: Path, template: Path, parameters: Mapping[str, Any], gates: Collection[str] | None, log: Path
) -> Verified:
    """`verify`, and what the notebook's processes wrote to their log: a traceback there proves nothing, either.

    After a red gate the log holds Papermill's account of it.
    """
    found = verify(archive, template, parameters, gates)
    said = _COLOUR.sub("", log.read_text(encoding="utf-8")) if log.exists() else ""
    warnings = found.stderr_warnings + len(_WARNING.findall(said))
    if found.state == "proven" and (count := len(_TRACEBACK.findall(said))):
        reason = f"{log.name} holds {count} traceback{'s'[: count != 1]}: {said.strip().splitlines()[-1]}"
        return Verified("not proven", [reason], found.verdicts, warnings)
    return Verified(found.state, found.reasons, found.verdicts, warnings)


def template_faults(template: Path) -> list[str]:
    """Why a run of this template could never be proven, known before it is launched."""
    try:
        cells = read(template)
        gates_of(cells)
    except BadInput as error:
        return [str(error)]
    faults = [*(fault for cell in cells for fault in _cell_faults(cell)), *patches(cells)]
    return faults + [f"{cell.label} is tagged {INJECTED}" for cell in cells if INJECTED in cell.tags]


def _case(archive: Path, template: Path, parameters: Mapping[str, Any], gates: Collection[str] | None) -> Case:
    planned = read(template)
    cells = [cell for cell in read(archive) if not _is_marker(cell)]
    cells = [_renumbered(number, cell) for number, cell in enumerate(cells, start=1)]
    at = next((cell.number for cell in planned if TAG in cell.tags), 0)
    injected = cells[at] if parameters and at < len(cells) and INJECTED in cells[at].tags else None
    return Case(
        planned=planned,
        executed=[cell for cell in cells if cell is not injected],
        injected=injected,
        parameters=parameters,
        declared=declared(template),
        gates=gates_of(planned) if gates is None else frozenset(gates),
    )


def _is_marker(cell: Cell) -> bool:
    return cell.kind == "markdown" and cell.tags == {ERROR_MARKER} and bool(_MARKER_TEXT.fullmatch(cell.source))


def _renumbered(number: int, cell: Cell) -> Cell:
    return Cell(**{**vars(cell), "number": number})


def _cells_equal_the_template(case: Case) -> Iterator[str]:
    if len(case.executed) != len(case.planned):
        yield f"the archive has {len(case.executed)} cells of its own, the template has {len(case.planned)}"
    for planned, executed in zip(case.planned, case.executed, strict=False):
        if not _same(planned, executed):
            yield f"{executed.label} differs from the template"
            return


def _same(planned: Cell, executed: Cell) -> bool:
    if planned.id is not None and planned.id != executed.id:
        return False
    return (planned.kind, planned.source, planned.tags, planned.metadata) == (
        executed.kind,
        executed.source,
        executed.tags,
        executed.metadata,
    )


def _injected_is_nothing_but_the_parameters(case: Case) -> Iterator[str]:
    if not case.parameters:
        return
    if case.injected is None:
        yield "the cell with the injected parameters is missing"
        return
    given: dict[str, Any] = {}
    try:
        for statement in ast.parse(case.injected.source).body:
            name, value = _assignment(statement)
            if name in given or name not in case.declared:
                yield f"the injected cell assigns {name}, which is {'doubled' if name in given else 'not declared'}"
            given[name] = value
    except (SyntaxError, ValueError):
        yield "the injected cell holds more than `name = literal`"
        return
    # repr tells 1 from True and 1.0, which == does not.
    if sorted(map(repr, given.items())) != sorted(map(repr, case.parameters.items())):
        yield f"the injected parameters are {given}, given were {dict(case.parameters)}"


def _assignment(statement: ast.stmt) -> tuple[str, Any]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, ast.literal_eval(value)
    raise ValueError


def _cells_ran_once_and_in_order(case: Case) -> Iterator[str]:
    counts = [cell.execution_count for cell in case.until_red]
    for cell in case.until_red:
        if cell.execution_count is None:
            yield f"{cell.label} was not executed"
            return
    if counts != list(range(1, len(counts) + 1)):
        yield f"the cells did not run once each and in order: their execution counts are {counts}"


def kernel_answered_every_cell(case: Case) -> Iterator[str]:
    """A cell in which the kernel died or ran out of time has a count, but no reply."""
    for cell in case.until_red:
        if cell.execution_count is not None and not {"shell.execute_reply", "iopub.status.idle"} <= set(cell.timing):
            yield f"{cell.label} did not finish: the kernel never answered"


def _nothing_ran_besides(case: Case) -> Iterator[str]:
    due = {cell.number for cell in case.until_red}
    for cell in case.all:
        if cell.number not in due and (cell.execution_count is not None or cell.outputs):
            why = "ran after the red gate" if cell.is_code else "has an output and nothing to run"
            yield f"{cell.label} {why}"


def _no_cell_can_hide_a_failure(case: Case) -> Iterator[str]:
    for cell in case.all:
        yield from _cell_faults(cell)
    yield from patches(case.all)


def _cell_faults(cell: Cell) -> Iterator[str]:
    for tag in sorted(cell.tags & _REFUSED_TAGS):
        yield f"{cell.label} is tagged {tag}"
    if cell.is_code:
        for what in shell_use(cell.source):
            yield f"{cell.label} uses {what}, whose failure raises nothing: use subprocess.run(..., check=True)"
        if is_secret(cell.source):
            yield f"{cell.label} holds what looks like a secret, and sources are archived"


def _no_errors(case: Case) -> Iterator[str]:
    for cell in case.all:
        if cell is case.red_cell:
            continue
        for output in cell.outputs:
            if output["output_type"] == "error":
                yield f"{cell.label} raised {output['ename']}: {output['evalue']}".strip()


def _no_hidden_traceback(case: Case) -> Iterator[str]:
    for cell in case.all:
        stderr = _stderr(cell)
        if _TRACEBACK.search(stderr):
            yield f"{cell.label} hides a traceback in stderr: {stderr.strip().splitlines()[-1]}"


def _gates_gave_their_verdicts(case: Case) -> Iterator[str]:
    given = [verdict for cell in case.executed for verdict in _verdicts_of(cell)]
    for verdict in given:
        if verdict.get("verdict") not in ("green", "amber", "red") or not isinstance(verdict.get("gate"), str):
            yield f"malformed verdict {verdict}"
            return
    names = [verdict["gate"] for verdict in given]
    yield from (f"gate {name} gave more than one verdict" for name in sorted(set(names)) if names.count(name) > 1)
    yield from (f"gate {name} is not one this step must give" for name in sorted(set(names) - case.gates))
    yield from (f"gate {name} gave no verdict" for name in sorted(_due(case) - set(names)))


def _due(case: Case) -> frozenset[str]:
    """The gates whose verdicts must be there; a red gate excuses those named in cells behind it."""
    if case.red_cell is None:
        return case.gates
    last = case.red_cell.number
    return case.gates - gates_of([cell for cell in case.executed if cell.number > last])


def _verdicts_stand_in_their_cells(case: Case) -> Iterator[str]:
    for cell in case.executed:
        given = [verdict.get("gate") for verdict in _verdicts_of(cell)]
        named = gate_names(cell) if "gate" in cell.tags else []
        yield from (f"{cell.label} gives a verdict for {name}" for name in given if name not in named)


def _nothing_was_detached(case: Case) -> Iterator[str]:
    """Work that went on outside the notebook's own kernel is no part of what the notebook shows."""
    for cell in case.executed:
        for verdict in _verdicts_of(cell):
            if verdict.get("detached"):
                yield f"gate {verdict.get('gate')} speaks of detached work, which proves nothing: launch it without detach"


def _red_gate_stops(case: Case) -> Iterator[str]:
    for cell in case.executed:
        for verdict in _verdicts_of(cell):
            if verdict.get("verdict") == "red" and cell is not case.red_cell:
                yield f"gate {verdict.get('gate')} is red but did not stop the notebook"


RULES: tuple[Rule, ...] = (
    _cells_equal_the_template,
    _injected_is_nothing_but_the_parameters,
    _no_cell_can_hide_a_failure,
    _no_errors,
    kernel_answered_every_cell,
    _cells_ran_once_and_in_order,
    _nothing_ran_besides,
    _no_hidden_traceback,
    _gates_gave_their_verdicts,
    _verdicts_stand_in_their_cells,
    _nothing_was_detached,
    _red_gate_stops,
)


def _verdicts_of(cell: Cell) -> list[dict[str, Any]]:
    bundles = [output["data"] for output in cell.outputs if "data" in output]
    return [bundle[GATE_MIME] for bundle in bundles if GATE_MIME in bundle]


def _stderr(cell: Cell) -> str:
    streams = [text(output["text"]) for output in cell.outputs if output.get("name") == "stderr"]
    return _COLOUR.sub("", "".join(streams))


def _red_reason(cell: Cell) -> str:
    """The gate's own words, which name it and the command that mends it."""
    (message,) = (output["evalue"] for output in cell.outputs if output["output_type"] == "error")
    return str(message)
