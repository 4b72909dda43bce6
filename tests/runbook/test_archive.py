"""An archive proves its step only when it is the template, run whole, once, in order, with the given parameters."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from runbook.archive import ERROR_MARKER, INJECTED, Verified, template_faults, verify
from runbook.execute import Job, execute_group
from runbook.shell_use import shell_use

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "tests" / "notebooks"
PARAMETERS = {"phase": 4, "label": "it's"}
GATES = {"complete", "fresh"}

Cells = list[dict[str, Any]]

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the archives of the good notebook and of the one with a red gate."""
    folder = tmp_path_factory.mktemp("archives")
    jobs = [
        Job(
            step=name,
            template=NOTEBOOKS / f"{name}.ipynb",
            output=folder / f"{name}.ipynb",
            parameters=PARAMETERS,
            gates=None,
            timeout_seconds=60,
            env={},
            log=folder / f"{name}.log",
        )
        for name in ("good", "red_gate")
    ]
    execute_group(jobs, 2, lambda event: None)
    return folder


@pytest.fixture
def tampered(archives: Path, tmp_path: Path) -> Callable[..., Verified]:
    """Verify an archive after its cells have been tampered with."""

    def tamper(edit: Callable[[Cells], None], name: str = "good", **how: Any) -> Verified:
        content = json.loads((archives / f"{name}.ipynb").read_text())
        edit(content["cells"])
        path = tmp_path / "tampered.ipynb"
        path.write_text(json.dumps(content))
        return verify(path, NOTEBOOKS / f"{name}.ipynb", how.get("parameters", PARAMETERS), how.get("gates"))

    return tamper


def _find(cells: Cells, what: str) -> dict[str, Any]:
    (cell,) = (cell for cell in cells if what in "".join(cell["source"]) or what in cell["metadata"].get("tags", []))
    return cell


def _verdict(gate: str, verdict: str) -> dict[str, Any]:
    data = {"application/vnd.runbook.gate+json": {"gate": gate, "verdict": verdict}}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _refuses(verified: Verified, reason: str) -> None:
    assert verified.state == "not proven"
    assert any(reason in text for text in verified.reasons), verified.reasons


def test_an_untouched_archive_is_proven(tampered: Callable[..., Verified]) -> None:
    verified = tampered(lambda cells: None, gates=GATES)
    assert (verified.state, verified.reasons) == ("proven", [])
    assert [verdict["gate"] for verdict in verified.verdicts] == ["complete", "fresh"]


def test_an_untouched_red_archive_is_red_and_keeps_papermills_markers(tampered: Callable[..., Verified]) -> None:
    marked: list[int] = []
    verified = tampered(
        lambda cells: marked.extend(ERROR_MARKER in cell["metadata"]["tags"] for cell in cells), "red_gate"
    )
    assert (verified.state, sum(marked)) == ("red", 2)
    assert verified.reasons == ["gate 'covered' is red: 805 of 848, 806 needed"]


def test_a_missing_or_empty_or_torn_archive_proves_nothing(tmp_path: Path, archives: Path) -> None:
    path = tmp_path / "archive.ipynb"
    template = NOTEBOOKS / "good.ipynb"
    _refuses(verify(path, template, PARAMETERS, GATES), "missing")
    path.touch()
    _refuses(verify(path, template, PARAMETERS, GATES), "empty (0 bytes)")
    path.write_bytes((archives / "good.ipynb").read_bytes()[:-500])
    _refuses(verify(path, template, PARAMETERS, GATES), "not a notebook")


def test_the_template_itself_proves_nothing() -> None:
    template = NOTEBOOKS / "good.ipynb"
    _refuses(verify(template, template, {}, None), "was not executed")


def test_an_edited_cell_is_named(tampered: Callable[..., Verified]) -> None:
    def edit(cells: Cells) -> None:
        _find(cells, "class GateFailed")["source"] += ["\n", "# harmless"]

    _refuses(tampered(edit), "cell 4 (`from IPython.display import display`) differs from the template")


@pytest.mark.parametrize("field", ["cell_type", "id", "metadata"])
def test_a_cell_of_another_kind_or_with_other_tags_differs(tampered: Callable[..., Verified], field: str) -> None:
    other = {"cell_type": "raw", "id": "another", "metadata": {"tags": ["hide-input"]}}[field]
    _refuses(tampered(lambda cells: cells[0].update({field: other})), "differs from the template")


def test_cells_in_another_order_differ(tampered: Callable[..., Verified]) -> None:
    _refuses(tampered(lambda cells: cells.insert(4, cells.pop(5))), "differs from the template")


def test_a_removed_gate_cell_is_missed(tampered: Callable[..., Verified]) -> None:
    def edit(cells: Cells) -> None:
        cells.remove(_find(cells, '"fresh"'))

    verified = tampered(edit)
    _refuses(verified, "the archive has 5 cells of its own, the template has 6")
    _refuses(verified, "gate fresh gave no verdict")


def test_a_gate_removed_from_the_template_is_missed_too(tampered: Callable[..., Verified]) -> None:
    _refuses(tampered(lambda cells: None, gates={*GATES, "covered"}), "gate covered gave no verdict")


def test_an_added_cell_is_noticed(tampered: Callable[..., Verified]) -> None:
    added = {"cell_type": "markdown", "metadata": {"tags": [ERROR_MARKER]}, "source": "# All is well"}
    _refuses(tampered(lambda cells: cells.append(added)), "the archive has 7 cells of its own")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('phase = 4\nlabel = "it\'s"\nprint()', "more than `name = literal`"),
        ('phase = 2 + 2\nlabel = "it\'s"', "more than `name = literal`"),
        ("phase = label = 4", "more than `name = literal`"),
        ('phase = 4\nlabel = "it\'s"\ngate = 1', "assigns gate, which is not declared"),
        ('phase = 3\nphase = 4\nlabel = "it\'s"', "assigns phase, which is doubled"),
        ('phase = 5\nlabel = "it\'s"', "the injected parameters are"),
        ('phase = 4.0\nlabel = "it\'s"', "the injected parameters are"),
        ("phase = 4", "the injected parameters are"),
    ],
)
def test_the_injected_cell_is_nothing_but_the_given_parameters(
    tampered: Callable[..., Verified], source: str, reason: str
) -> None:
    _refuses(tampered(lambda cells: _find(cells, INJECTED).update(source=source)), reason)


def test_a_missing_injected_cell_is_noticed(tampered: Callable[..., Verified]) -> None:
    _refuses(tampered(lambda cells: cells.remove(_find(cells, INJECTED))), "injected parameters is missing")


def test_an_injected_cell_nobody_asked_for_is_noticed(tampered: Callable[..., Verified]) -> None:
    _refuses(tampered(lambda cells: None, parameters={}), "the archive has 7 cells of its own")


@pytest.mark.parametrize("tag", ["skip-execution", "raises-exception"])
def test_tags_that_hide_a_failure_are_refused(tampered: Callable[..., Verified], tag: str) -> None:
    _refuses(tampered(lambda cells: _find(cells, '"fresh"')["metadata"]["tags"].append(tag)), f"is tagged {tag}")
    assert "is tagged" in template_faults(NOTEBOOKS / "skipped_cell.ipynb")[0]


def test_cells_run_out_of_order_are_noticed(tampered: Callable[..., Verified]) -> None:
    def edit(cells: Cells) -> None:
        first, second = _find(cells, '"complete"'), _find(cells, '"fresh"')
        first["execution_count"], second["execution_count"] = second["execution_count"], first["execution_count"]

    _refuses(tampered(edit), "execution counts are [1, 2, 3, 5, 4, 6]")


def test_a_cell_run_twice_is_noticed(tampered: Callable[..., Verified]) -> None:
    _refuses(tampered(lambda cells: cells[-1].update(execution_count=7)), "execution counts are [1, 2, 3, 4, 5, 7]")


def test_a_cell_the_kernel_never_answered_did_not_finish(tampered: Callable[..., Verified]) -> None:
    _refuses(tampered(lambda cells: cells[-1]["metadata"].update(execution={})), "the kernel never answered")


def test_a_verdict_belongs_to_the_cell_that_names_its_gate(tampered: Callable[..., Verified]) -> None:
    def edit(cells: Cells) -> None:
        gate, last = _find(cells, '"fresh"'), cells[-1]
        gate["outputs"], last["outputs"] = [], gate["outputs"]

    _refuses(tampered(edit), "gives a verdict for fresh")


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (_verdict("fresh", "green"), "gate fresh gave more than one verdict"),
        (_verdict("other", "green"), "gate other is not one this step must give"),
        (_verdict("fresh", "GREEN"), "malformed verdict"),
        (_verdict("fresh", "red"), "gate fresh is red but did not stop the notebook"),
    ],
)
def test_verdicts_are_exactly_those_the_step_must_give(
    tampered: Callable[..., Verified], verdict: dict[str, Any], reason: str
) -> None:
    _refuses(tampered(lambda cells: _find(cells, '"fresh"')["outputs"].append(verdict)), reason)


def test_gate_failed_without_a_red_verdict_is_an_error(tampered: Callable[..., Verified]) -> None:
    def edit(cells: Cells) -> None:
        gate = _find(cells, '"covered"')
        gate["outputs"] = [output for output in gate["outputs"] if output["output_type"] == "error"]

    _refuses(tampered(edit, "red_gate"), "raised GateFailed")


def test_nothing_runs_after_a_red_gate(tampered: Callable[..., Verified]) -> None:
    stray = {"output_type": "stream", "name": "stdout", "text": "all is well"}
    _refuses(tampered(lambda cells: cells[-1]["outputs"].append(stray), "red_gate"), "ran after the red gate")


def test_a_gate_before_the_red_one_must_have_spoken(tampered: Callable[..., Verified]) -> None:
    _refuses(tampered(lambda cells: _find(cells, '"complete"').update(outputs=[]), "red_gate"), "complete gave no")


def test_a_traceback_in_stderr_is_found_across_chunks_and_colours(tampered: Callable[..., Verified]) -> None:
    chunks = ["\x1b[31mTraceback (most rec", "ent call last)\x1b[0m:\n", "ValueError: lost\n"]
    outputs = [{"output_type": "stream", "name": "stderr", "text": chunk} for chunk in chunks]
    _refuses(tampered(lambda cells: cells[-1].update(outputs=outputs)), "hides a traceback in stderr: ValueError: lost")


def test_cells_that_are_not_cells_prove_nothing(tampered: Callable[..., Verified]) -> None:
    _refuses(tampered(lambda cells: cells[-1].update(outputs=[{"output_type": "error"}])), "malformed")


@pytest.mark.parametrize(
    "source",
    ["!false", "lines = !ls", "%%bash\nfalse", "%%sh\nfalse", "%%script bash\nfalse", "%sx false", "%run other.py"]
    + ["%%capture\ngate()", "get_ipython().system('false')", "import os\nos.system('false')", "if x:\n    !false"],
)
def test_shell_use_is_found(source: str) -> None:
    assert list(shell_use(source))


@pytest.mark.parametrize(
    "source", ["a != b", "x = '''\n!false\n'''", "# !false", "%time 1", "await f()", "print('%%bash')"]
)
def test_plain_python_is_no_shell_use(source: str) -> None:
    assert not list(shell_use(source))


LIES = {
    "kernel_dies": "did not finish: the kernel never answered",
    "sleeps": "did not finish: the kernel never answered",
    "exits_with_0": "raised SystemExit: 0",
    "skipped_cell": "is tagged skip-execution",
    "shell_line": "uses system(...)",
    "thread_raises": "hides a traceback in stderr",
}
RUN_PAPERMILL = """
import sys
sys.modules["rfc3987_syntax"] = None
import papermill
folder, notebooks, *names = sys.argv[1:]
for name in names:
    try:
        papermill.execute_notebook(
            f"{notebooks}/{name}.ipynb", f"{folder}/{name}.ipynb", {"phase": 4}, progress_bar=False,
            execution_timeout=2, shutdown_kernel="immediate",
        )
    except Exception as error:
        print(name, type(error).__name__)
"""


@pytest.fixture(scope="module")
def by_papermill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what Papermill alone leaves of each notebook, with a cell time-out of two seconds."""
    folder = tmp_path_factory.mktemp("papermill")
    command = [sys.executable, "-c", RUN_PAPERMILL, str(folder), str(NOTEBOOKS), *LIES]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    return folder


@pytest.mark.parametrize("name", LIES)
def test_what_papermill_leaves_of_a_failure_proves_nothing(by_papermill: Path, name: str) -> None:
    verified = verify(by_papermill / f"{name}.ipynb", NOTEBOOKS / f"{name}.ipynb", {"phase": 4}, GATES)
    # a kernel that dies is seen in the cell it died in, or in the next one, whichever Papermill noticed first
    _refuses(verified, LIES[name] if LIES[name] in "; ".join(verified.reasons) else "was not executed")


@pytest.mark.parametrize("name", ["kernel_dies", "sleeps"])
def test_papermill_calls_every_cell_of_a_dead_kernel_completed(by_papermill: Path, name: str) -> None:
    cells = json.loads((by_papermill / f"{name}.ipynb").read_text())["cells"]
    assert {cell["metadata"]["papermill"]["status"] for cell in cells} == {"completed"}


def test_a_misspelt_parameter_papermill_let_through_proves_nothing(tampered: Callable[..., Verified]) -> None:
    misspelt = {"phse": 4, "label": "it's"}
    source = 'phse = 4\nlabel = "it\'s"'
    verified = tampered(lambda cells: _find(cells, INJECTED).update(source=source), parameters=misspelt)
    _refuses(verified, "assigns phse, which is not declared")


def test_the_marker_texts_are_papermills_own(tmp_path: Path) -> None:
    execute = import_module("papermill.execute")
    markers = [execute.ERROR_MESSAGE_TEMPLATE % 5, execute.ERROR_ANCHOR_MSG]
    path = tmp_path / "marked.ipynb"
    cells = [{"cell_type": "markdown", "metadata": {"tags": [ERROR_MARKER]}, "source": text} for text in markers]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}))
    empty = tmp_path / "empty.ipynb"
    empty.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": []}))
    assert verify(path, empty, {}, set()).reasons == []
