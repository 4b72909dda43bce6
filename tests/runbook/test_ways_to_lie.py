"""Each way in which an executed notebook can lie, and the name under which it is found out: none of them is proven."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadInput
from lib.settings import ROOT
from runbook.archive import INJECTED, judged, verify
from runbook.execute import execute_group
from runbook.notebook import GATE_MIME
from tests.runbook.running import NOTEBOOKS, Group, Program, job

pytestmark = pytest.mark.timeout(120)

Cells = list[dict[str, Any]]
Found = tuple[str, str]  # state and reason


@dataclass
class Scene:
    """Where a lie is told."""

    group: Group
    by_papermill: Callable[[], Path]
    start: Callable[..., Program]
    folder: Path


Way = Callable[[Scene], Found]


def executed(name: str) -> Way:
    """A fixture notebook, executed by the runner."""

    def tell(scene: Scene) -> Found:
        outcome = scene.group.by_name[name]
        return outcome.state, outcome.reason

    return tell


def left_by_papermill(name: str) -> Way:
    """What Papermill leaves of a fixture notebook, with its time-out of a cell, and calls completed."""

    def tell(scene: Scene) -> Found:
        verified = verify(scene.by_papermill() / f"{name}.ipynb", NOTEBOOKS / f"{name}.ipynb", {"phase": 4}, None)
        return verified.state, "; ".join(verified.reasons)

    return tell


def edited(edit: Callable[[Cells], object]) -> Way:
    """The archive of the good notebook, edited after its run."""

    def tell(scene: Scene) -> Found:
        content = json.loads((scene.group.folder / "good.ipynb").read_text())
        edit(content["cells"])
        (scene.folder / "edited.ipynb").write_text(json.dumps(content))
        verified = verify(scene.folder / "edited.ipynb", NOTEBOOKS / "good.ipynb", {"phase": 4}, None)
        return verified.state, "; ".join(verified.reasons)

    return tell


def refused(parameters: dict[str, Any]) -> Way:
    """Parameters with which nothing is even started."""

    def tell(scene: Scene) -> Found:
        with pytest.raises(BadInput) as error:
            execute_group([job(scene.folder, "good", parameters)], 1, lambda event: None)
        assert list(scene.folder.iterdir()) == []
        return "not proven", str(error.value)

    return tell


def signalled(signum: signal.Signals, name: str) -> Way:
    """A signal to the program while a cell runs."""

    def tell(scene: Scene) -> Found:
        program = scene.start(name, "good")
        program.wait_for("cell", name, 4)
        program.process.send_signal(signum)
        assert program.finish() == 130
        assert program.outcomes[1] == ["good", "not proven", f"never started: interrupted ({signum.name})"]
        assert (scene.folder / f"{name}.partial.ipynb").exists()
        return _told(program, name)

    return tell


def killed(victim: str) -> Way:
    """SIGKILL of one of its processes while a cell runs."""

    def tell(scene: Scene) -> Found:
        program = scene.start("busy_in_c")
        program.wait_for("cell", "busy_in_c", 4)
        getattr(program, victim)().kill()
        assert program.finish() == 0
        return _told(program, "busy_in_c")

    return tell


def killed_amid_a_save(scene: Scene) -> Found:
    """SIGKILL while a notebook of megabytes is being written."""
    program = scene.start("noisy")
    program.wait_for("cell", "noisy", 4)
    notebook = program.notebook()
    working = scene.folder / f".noisy.{notebook.pid}.ipynb"
    while working.stat().st_size < 1_000_000:
        time.sleep(0.001)
    notebook.kill()
    program.finish()
    assert not working.exists()
    return _told(program, "noisy")


def _told(program: Program, name: str) -> Found:
    assert program.alive() == []
    assert not (program.folder / f"{name}.ipynb").exists()
    step, state, reason = program.outcomes[0]
    assert step == name
    return state, reason


def logged(scene: Scene) -> Found:
    """A traceback that no cell shows: a process of the notebook wrote it to standard error."""
    log = scene.folder / "good.log"
    log.write_text("WARNING slow\n\x1b[31mTraceback (most recent call last):\x1b[0m\n  ...\nKeyError: 7\n")
    verified = judged(scene.group.folder / "good.ipynb", NOTEBOOKS / "good.ipynb", {"phase": 4}, None, log)
    assert verified.stderr_warnings == 1
    return verified.state, "; ".join(verified.reasons)


def _find(cells: Cells, what: str) -> dict[str, Any]:
    (cell,) = (cell for cell in cells if what in "".join(cell["source"]) or what in cell["metadata"].get("tags", []))
    return cell


def _swap_counts(cells: Cells) -> None:
    first, second = _find(cells, '"complete"'), _find(cells, '"fresh"')
    first["execution_count"], second["execution_count"] = second["execution_count"], first["execution_count"]


def _detach(cells: Cells) -> None:
    outputs = _find(cells, '"complete"')["outputs"]
    (verdict,) = (output["data"][GATE_MIME] for output in outputs if GATE_MIME in output.get("data", {}))
    verdict["detached"] = True


WAYS: dict[str, tuple[Way, str]] = {
    "kernel death": (executed("kernel_dies"), "DeadKernelError: Kernel died"),
    "cell time-out": (left_by_papermill("sleeps"), "did not finish: the kernel never answered"),
    "notebook time-out": (executed("sleeps"), "time-out: not finished after 3 s"),
    "SIGINT": (signalled(signal.SIGINT, "busy_in_c"), "interrupted (SIGINT)"),
    "SIGTERM": (signalled(signal.SIGTERM, "sleeps"), "interrupted (SIGTERM)"),
    "SIGKILL mid-cell: notebook": (killed("notebook"), "the notebook's process was killed (SIGKILL)"),
    "SIGKILL mid-cell: kernel": (killed("kernel"), "DeadKernelError: Kernel died"),
    "SIGKILL mid-cell: supervisor": (killed("supervisor"), "the supervising process was killed"),
    "SIGKILL mid-save": (killed_amid_a_save, "the notebook's process was killed (SIGKILL)"),
    "sys.exit(0)": (executed("exits_with_0"), "raised SystemExit: 0"),
    "skip-execution": (executed("skipped_cell"), "cell 5 (`1 / 0`) is tagged skip-execution"),
    "raises-exception": (executed("allowed_error"), "cell 5 (`1 / 0`) is tagged raises-exception"),
    "PYTHONOPTIMIZE": (executed("bare_assert"), "cell 6 (`assert phase == 3`) raised AssertionError"),
    "failing !": (executed("shell_line"), "cell 5 (`!false`) uses system(...)"),
    "failing %%bash": (executed("shell_cell"), "cell 5 (`%%bash`) uses %%bash"),
    "exception in a thread": (executed("thread_raises"), "hides a traceback in stderr: ZeroDivisionError"),
    "traceback in the log": (logged, "good.log holds 1 traceback: KeyError: 7"),
    "misspelt parameter": (refused({"phse": 4}), "unknown parameter phse; did you mean phase?"),
    "mistyped parameter": (refused({"phase": "4"}), "parameter phase must be int, not str '4'"),
    "code in the injected cell": (
        edited(lambda cells: _find(cells, INJECTED)["source"].append("\nprint()")),
        "the injected cell holds more than `name = literal`",
    ),
    "edited cell": (
        edited(lambda cells: _find(cells, "class GateFailed")["source"].append("\n# harmless")),
        "differs from the template",
    ),
    "removed gate cell": (edited(lambda cells: cells.remove(_find(cells, '"fresh"'))), "gate fresh gave no verdict"),
    "cells out of order": (edited(_swap_counts), "did not run once each and in order"),
    "work that was detached": (edited(_detach), "gate complete speaks of detached work, which proves nothing"),
    "patched gate function": (executed("patched_gate"), "binds the name gate again"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_lie_is_not_proven_and_is_called_by_its_name(
    way: str, group: Group, by_papermill: Callable[[], Path], start: Callable[..., Program], tmp_path: Path
) -> None:
    tell, name = WAYS[way]
    state, reason = tell(Scene(group, by_papermill, start, tmp_path))
    assert state == "not proven"
    assert name in reason


RUN_PAPERMILL = """
import sys
sys.modules["rfc3987_syntax"] = None
import papermill
source, target = sys.argv[1:]
papermill.execute_notebook(
    source, target, {"phase": 4}, progress_bar=False, execution_timeout=2, shutdown_kernel="immediate"
)
"""


@pytest.fixture
def by_papermill(tmp_path: Path) -> Callable[[], Path]:
    """Lets Papermill alone run the notebook that sleeps, with a cell time-out of two seconds."""

    def run() -> Path:
        command = [sys.executable, "-c", RUN_PAPERMILL, str(NOTEBOOKS / "sleeps.ipynb"), str(tmp_path / "sleeps.ipynb")]
        subprocess.run(command, check=False, cwd=ROOT, capture_output=True)
        return tmp_path

    return run


@pytest.mark.parametrize(
    "source",
    [
        "import lib.step\nlib.step.gate = print",
        "from lib import gates\ngates.coverage_gate = lambda *words: None",
        "from lib.step import Step\nsetattr(Step, 'coverage', None)",
        "gate = print",
        "globals()['gate'] = print",
        "exec('gate = print')",
        "def again():\n    global gate\n    gate = print",
    ],
)
def test_a_patch_of_a_gate_is_found_however_it_is_written(group: Group, tmp_path: Path, source: str) -> None:
    content = json.loads((NOTEBOOKS / "good.ipynb").read_text())
    _find(content["cells"], "print(phase")["source"] = source
    (tmp_path / "patched.ipynb").write_text(json.dumps(content))
    (outcome,) = execute_group([_of(tmp_path, "patched")], 1, lambda event: None)
    assert outcome.state == "not proven"
    assert "patches" in outcome.reason or "binds the name gate again" in outcome.reason


def _of(folder: Path, name: str) -> Any:
    made = job(folder / "out", name)
    return type(made)(**{**vars(made), "template": folder / f"{name}.ipynb"})
