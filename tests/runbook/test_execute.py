"""One notebook, one process, one kernel: every way to end badly is named, and nothing outlives its run."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from lib.errors import BadInput
from lib.garbage import NEW_OBJECTS
from lib.settings import ROOT
from runbook.execute import Event, Outcome, execute_group
from tests.runbook.running import Group, Program, alive, below_supervisor, job

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("name", ["good", "warns", "environment", "leaves_a_process"])
def test_a_notebook_whose_gates_all_hold_is_proven(group: Group, name: str) -> None:
    outcome = group.by_name[name]
    assert (outcome.state, outcome.reason) == ("proven", "")
    assert outcome.verdicts == [{"gate": "complete", "verdict": "green"}, {"gate": "fresh", "verdict": "amber"}]
    assert outcome.seconds > 0
    assert outcome.output == group.folder / f"{name}.ipynb"


def test_a_red_gate_is_red_and_stops_the_notebook(group: Group) -> None:
    outcome = group.by_name["red_gate"]
    assert outcome.state == "red"
    assert outcome.reason == "gate 'covered' is red: 805 of 848, 806 needed"
    assert [verdict["verdict"] for verdict in outcome.verdicts] == ["green", "red"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raises", "cell 6 (`1 / 0`) raised ZeroDivisionError: division by zero"),
        ("busy_in_c", "time-out: not finished after 3 s"),
        ("red_gate_swallowed", "gate covered is red but did not stop the notebook"),
    ],
)
def test_every_other_end_is_not_proven_and_says_why(group: Group, name: str, reason: str) -> None:
    outcome = group.by_name[name]
    assert outcome.state == "not proven"
    assert outcome.reason.startswith(reason)


def test_outcomes_come_in_the_jobs_order_and_each_finish_is_told_once(group: Group) -> None:
    finished = [event.step for event in group.events if event.kind == "finished"]
    assert sorted(finished) == [outcome.step for outcome in group.outcomes]


def test_nobody_waits_for_a_supervisor_that_was_given_nothing_to_do() -> None:
    begun = "from runbook.execute import _Server, warm_up; warm_up(); server = _Server._current"
    said = subprocess.check_output(
        [sys.executable, "-c", f"{begun}; server.close(); print(server._process.returncode)"], cwd=ROOT
    )
    assert int(said) == -signal.SIGKILL  # it was importing still


def test_events_count_the_code_cells(group: Group) -> None:
    told = [(event.kind, event.cell, event.cells) for event in group.events if event.step == "good"]
    assert told == [("started", 0, 6), *(("cell", n, 6) for n in range(1, 7)), ("finished", 6, 6)]


def test_warnings_are_counted_not_hidden(group: Group) -> None:
    assert group.by_name["warns"].stderr_warnings == 1
    assert group.by_name["good"].stderr_warnings == 0


def printed(cells: list[dict[str, Any]]) -> list[str]:
    (cell,) = (cell for cell in cells if "sys.executable" in "".join(cell["source"]))
    return "".join(cell["outputs"][0]["text"]).splitlines()


def test_the_kernel_is_this_interpreter_in_the_repository_with_a_clean_environment(group: Group) -> None:
    assert printed(group.cells("environment"))[:3] == [sys.executable, str(ROOT), f"{group.mark} False True"]


def test_a_kernel_looks_for_garbage_seldom_and_brings_no_debugger(group: Group) -> None:
    assert printed(group.cells("environment"))[5].split() == [str(NEW_OBJECTS), "None"]


def test_a_finished_archive_is_read_only_and_nothing_else_is_left_beside_it(group: Group) -> None:
    assert stat.S_IMODE((group.folder / "good.ipynb").stat().st_mode) == 0o444
    left = {path.name for path in group.folder.iterdir() if path.is_file()}
    finished = {f"{name}.ipynb" for name, outcome in group.by_name.items() if outcome.output.exists()}
    assert left == finished | {f"{name}.partial.ipynb" for name in ("kernel_dies", "sleeps", "busy_in_c")}


def test_no_process_is_left_behind(group: Group) -> None:
    assert alive(group.mark) == []
    assert below_supervisor() == []


def test_the_supervisor_has_one_thread_so_it_may_fork(tmp_path: Path) -> None:
    execute_group([job(tmp_path, "good")], 1, lambda event: None)
    (supervisor,) = (each for each in psutil.Process().children() if "runbook.supervise" in each.cmdline())
    assert supervisor.num_threads() == 1


def test_every_notebook_has_a_kernel_of_its_own_that_knows_nothing_of_the_others(tmp_path: Path) -> None:
    jobs = [job(tmp_path / folder, "environment") for folder in ("first", "second")]
    execute_group(jobs, 1, lambda event: None)
    said = [printed(json.loads(each.output.read_text())["cells"])[4].split() for each in jobs]
    assert len({pid for pid, _ in said}) == 2
    assert [left for _, left in said] == ["False", "False"]


def test_a_finished_archive_is_never_overwritten(group: Group) -> None:
    before = (group.folder / "good.ipynb").read_bytes()
    with pytest.raises(BadInput, match="is already there"):
        execute_group([job(group.folder, "good")], 1, group.events.append)
    assert (group.folder / "good.ipynb").read_bytes() == before


@pytest.mark.parametrize("parameters", [{"phse": 4}, {"phase": "4"}])
def test_wrong_parameters_are_refused_before_anything_starts(tmp_path: Path, parameters: dict[str, Any]) -> None:
    events: list[Event] = []
    with pytest.raises(BadInput, match="parameter ph"):
        execute_group([job(tmp_path, "good"), job(tmp_path, "raises", parameters)], 2, events.append)
    assert (events, list(tmp_path.iterdir())) == ([], [])


def test_a_notebook_runs_with_its_defaults_and_from_a_folder_with_odd_characters(tmp_path: Path) -> None:
    folder = tmp_path / "a {run} with 'spaces'"
    (outcome,) = execute_group([job(folder, "good", {})], 1, lambda event: None)
    assert (outcome.state, outcome.reason) == ("proven", "")


def test_parameters_of_every_type_arrive_unchanged(tmp_path: Path) -> None:
    odd = {"phase": -5, "label": "a\"b\\n\n'ü {x}", "share": 1e-7, "dry": True, "tables": ["a", "b\\"]}
    (outcome,) = execute_group([job(tmp_path, "good", odd)], 1, lambda event: None)
    assert (outcome.state, outcome.reason) == ("proven", "")


def test_a_failing_listener_ends_the_group_and_the_next_one_runs(tmp_path: Path) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("no screen")

    with pytest.raises(RuntimeError, match="no screen"):
        execute_group([job(tmp_path, "sleeps")], 1, fail)
    (outcome,) = execute_group([job(tmp_path, "good")], 1, lambda event: None)
    assert outcome.state == "proven"


def test_a_sigkill_of_the_whole_program_leaves_no_kernel(start: Callable[..., Program]) -> None:
    program = start("busy_in_c")
    program.wait_for("cell", "busy_in_c", 4)
    program.process.kill()
    program.process.wait()
    assert program.alive() == []


def test_outcome_is_what_the_chain_writes_down() -> None:
    assert list(Outcome.__dataclass_fields__) == [
        "step",
        "output",
        "state",
        "reason",
        "verdicts",
        "seconds",
        "started",
        "stderr_warnings",
    ]
