"""One notebook, one process, one kernel: every way to end badly is named, and nothing outlives its run."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lib.errors import BadInput
from runbook.execute import Event, Job, Outcome, execute_group

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "tests" / "notebooks"
TIME_OUT = {"sleeps": 3, "busy_in_c": 3}

pytestmark = pytest.mark.timeout(120)


def _job(folder: Path, name: str, parameters: dict[str, Any] | None = None, mark: str = "seen") -> Job:
    return Job(
        step=name,
        template=NOTEBOOKS / f"{name}.ipynb",
        output=folder / f"{name}.ipynb",
        parameters={"phase": 4} if parameters is None else parameters,
        gates=None,
        timeout_seconds=TIME_OUT.get(name, 60),
        env={"RUNBOOK_TEST": mark, "PYTHONOPTIMIZE": "2"},
        log=folder / "logs" / f"{name}.log",
    )


def _alive(mark: str) -> list[str]:
    """Command lines of the processes with `mark` in their environment that are still there two seconds later."""
    for _ in range(100):
        found = [process for process in psutil.process_iter() if mark in _environment(process)]
        if not found:
            return []
        time.sleep(0.02)
    return [_command(process) for process in found]


def _environment(process: psutil.Process) -> list[str]:
    try:
        return list(process.environ().values()) if process.status() != psutil.STATUS_ZOMBIE else []
    except psutil.Error:
        return []


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


class Group:
    """Every fixture notebook, run in one group of two at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = f"mark-{uuid.uuid4()}"
        self.events: list[Event] = []
        names = [path.stem for path in sorted(NOTEBOOKS.glob("*.ipynb")) if path.stem != "noisy"]
        self.outcomes = execute_group([_job(folder, name, mark=self.mark) for name in names], 2, self.events.append)
        self.by_name = {outcome.step: outcome for outcome in self.outcomes}

    def cells(self, name: str) -> list[dict[str, Any]]:
        return list(json.loads((self.folder / f"{name}.ipynb").read_text())["cells"])


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Group:
    return Group(tmp_path_factory.mktemp("group"))


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
        ("kernel_dies", "DeadKernelError: Kernel died"),
        ("sleeps", "time-out: not finished after 3 s"),
        ("busy_in_c", "time-out: not finished after 3 s"),
        ("exits_with_0", "cell 6 (`import sys`) raised SystemExit: 0"),
        ("skipped_cell", "cell 5 (`1 / 0`) is tagged skip-execution"),
        ("allowed_error", "cell 5 (`1 / 0`) is tagged raises-exception"),
        ("bare_assert", "cell 6 (`assert phase == 3`) raised AssertionError"),
        ("shell_line", "cell 5 (`!false`) uses system(...)"),
        ("shell_cell", "cell 5 (`%%bash`) uses %%bash"),
        (
            "thread_raises",
            "cell 6 (`import threading`) hides a traceback in stderr: ZeroDivisionError: division by zero",
        ),
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


def test_events_count_the_code_cells(group: Group) -> None:
    told = [(event.kind, event.cell, event.cells) for event in group.events if event.step == "good"]
    assert told == [("started", 0, 6), *(("cell", n, 6) for n in range(1, 7)), ("finished", 6, 6)]


def test_warnings_are_counted_not_hidden(group: Group) -> None:
    assert group.by_name["warns"].stderr_warnings == 1
    assert group.by_name["good"].stderr_warnings == 0


def test_the_kernel_is_this_interpreter_in_the_repository_with_a_clean_environment(group: Group) -> None:
    (cell,) = (cell for cell in group.cells("environment") if "sys.executable" in "".join(cell["source"]))
    printed = "".join(cell["outputs"][0]["text"]).splitlines()
    assert printed[:3] == [sys.executable, str(ROOT), f"{group.mark} False True"]


def test_a_finished_archive_is_read_only_and_nothing_else_is_left_beside_it(group: Group) -> None:
    assert stat.S_IMODE((group.folder / "good.ipynb").stat().st_mode) == 0o444
    left = {path.name for path in group.folder.iterdir() if path.is_file()}
    finished = {f"{name}.ipynb" for name, outcome in group.by_name.items() if outcome.output.exists()}
    assert left == finished | {f"{name}.partial.ipynb" for name in ("kernel_dies", "sleeps", "busy_in_c")}


def test_no_process_is_left_behind(group: Group) -> None:
    assert _alive(group.mark) == []


def test_a_finished_archive_is_never_overwritten(group: Group) -> None:
    before = (group.folder / "good.ipynb").read_bytes()
    with pytest.raises(BadInput, match="is already there"):
        execute_group([_job(group.folder, "good")], 1, group.events.append)
    assert (group.folder / "good.ipynb").read_bytes() == before


@pytest.mark.parametrize("parameters", [{"phse": 4}, {"phase": "4"}])
def test_wrong_parameters_are_refused_before_anything_starts(tmp_path: Path, parameters: dict[str, Any]) -> None:
    events: list[Event] = []
    with pytest.raises(BadInput, match="parameter ph"):
        execute_group([_job(tmp_path, "good"), _job(tmp_path, "raises", parameters)], 2, events.append)
    assert (events, list(tmp_path.iterdir())) == ([], [])


def test_a_notebook_runs_with_its_defaults_and_from_a_folder_with_odd_characters(tmp_path: Path) -> None:
    folder = tmp_path / "a {run} with 'spaces'"
    (outcome,) = execute_group([_job(folder, "good", {})], 1, lambda event: None)
    assert (outcome.state, outcome.reason) == ("proven", "")


def test_parameters_of_every_type_arrive_unchanged(tmp_path: Path) -> None:
    odd = {"phase": -5, "label": "a\"b\\n\n'ü {x}", "share": 1e-7, "dry": True, "tables": ["a", "b\\"]}
    (outcome,) = execute_group([_job(tmp_path, "good", odd)], 1, lambda event: None)
    assert (outcome.state, outcome.reason) == ("proven", "")


def test_a_failing_listener_ends_the_group_and_the_next_one_runs(tmp_path: Path) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("no screen")

    with pytest.raises(RuntimeError, match="no screen"):
        execute_group([_job(tmp_path, "sleeps")], 1, fail)
    (outcome,) = execute_group([_job(tmp_path, "good")], 1, lambda event: None)
    assert outcome.state == "proven"


PROGRAM = """
import json, sys
from pathlib import Path
from tests_jobs import jobs
from runbook.execute import Interrupted, execute_group

def tell(event):
    print(json.dumps([event.kind, event.step, event.cell]), flush=True)

def show(outcomes):
    print(json.dumps(["outcomes", [[o.step, o.state, o.reason] for o in outcomes]]), flush=True)

try:
    show(execute_group(jobs(), 1, tell))
except KeyboardInterrupt as interrupt:
    show(interrupt.outcomes)
    sys.exit(130)
"""


class Program:
    """A program of its own that runs notebooks one at a time, to be killed in one way or another."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self.folder = folder
        self.mark = f"mark-{uuid.uuid4()}"
        fields = "', '".join(names)
        (folder / "tests_jobs.py").write_text(
            "from pathlib import Path\nfrom runbook.execute import Job\n"
            f"def jobs():\n    here, there = Path({str(folder)!r}), Path({str(NOTEBOOKS)!r})\n"
            f"    return [Job(n, there / (n + '.ipynb'), here / (n + '.ipynb'), {{}}, None, 60, {{}},"
            f" here / (n + '.log')) for n in ['{fields}']]\n"
        )
        env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "RUNBOOK_TEST": self.mark}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, env=env, start_new_session=True
        )
        self.outcomes: list[list[str]] = []

    def wait_for(self, *event: Any) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if json.loads(line) == list(event):
                return
        raise AssertionError(f"never told {event}")

    def finish(self) -> int:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message = json.loads(line)
            if message[0] == "outcomes":
                self.outcomes = message[1]
        return self.process.wait(20)

    def supervisor(self) -> psutil.Process:
        (process,) = psutil.Process(self.process.pid).children()
        return process

    def notebook(self) -> psutil.Process:
        (process,) = self.supervisor().children()
        return process

    def kernel(self) -> psutil.Process:
        (process,) = self.notebook().children()
        return process

    def alive(self) -> list[str]:
        return _alive(self.mark)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    started: list[Program] = []

    def start(*names: str) -> Program:
        started.append(Program(tmp_path, list(names)))
        return started[-1]

    yield start
    for program in started:
        program.process.kill()
        program.process.wait()


@pytest.mark.parametrize(("signum", "name"), [(signal.SIGINT, "busy_in_c"), (signal.SIGTERM, "sleeps")])
def test_a_signal_stops_every_notebook_in_order(
    start: Callable[..., Program], signum: signal.Signals, name: str
) -> None:
    program = start(name, "good")
    program.wait_for("cell", name, 4)
    program.process.send_signal(signum)
    assert program.finish() == 130
    why = f"interrupted ({signum.name})"
    assert program.outcomes == [[name, "not proven", why], ["good", "not proven", f"never started: {why}"]]
    assert program.alive() == []
    assert not (program.folder / f"{name}.ipynb").exists()
    assert (program.folder / f"{name}.partial.ipynb").exists()


@pytest.mark.parametrize(
    ("victim", "reason"),
    [
        ("notebook", "the notebook's process was killed (SIGKILL)"),
        ("kernel", "DeadKernelError: Kernel died"),
        ("supervisor", "the supervising process was killed"),
    ],
)
def test_a_sigkill_amid_a_cell_proves_nothing(start: Callable[..., Program], victim: str, reason: str) -> None:
    program = start("busy_in_c")
    program.wait_for("cell", "busy_in_c", 4)
    getattr(program, victim)().kill()
    assert program.finish() == 0
    assert program.outcomes == [["busy_in_c", "not proven", reason]]
    assert program.alive() == []
    assert not (program.folder / "busy_in_c.ipynb").exists()


def test_a_sigkill_of_the_whole_program_leaves_no_kernel(start: Callable[..., Program]) -> None:
    program = start("busy_in_c")
    program.wait_for("cell", "busy_in_c", 4)
    program.process.kill()
    program.process.wait()
    assert program.alive() == []


def test_a_sigkill_amid_a_save_leaves_no_archive(start: Callable[..., Program]) -> None:
    program = start("noisy")
    program.wait_for("cell", "noisy", 4)
    notebook = program.notebook()
    working = program.folder / f".noisy.{notebook.pid}.ipynb"
    while working.stat().st_size < 1_000_000:
        time.sleep(0.001)
    notebook.kill()
    program.finish()
    assert program.outcomes == [["noisy", "not proven", "the notebook's process was killed (SIGKILL)"]]
    assert not (program.folder / "noisy.ipynb").exists()
    assert not working.exists()


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
