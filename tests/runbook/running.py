"""Running the fixture notebooks: all of them in one group, or in a program of their own that is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import psutil

from lib.settings import ROOT
from runbook.execute import Event, Job, execute_group

NOTEBOOKS = ROOT / "tests" / "notebooks"
TIME_OUT = {"sleeps": 3, "busy_in_c": 3}
CANARY = "canary-7f3a-of-the-mine"


def job(folder: Path, name: str, parameters: dict[str, Any] | None = None, mark: str = "seen") -> Job:
    return Job(
        step=name,
        template=NOTEBOOKS / f"{name}.ipynb",
        output=folder / f"{name}.ipynb",
        parameters={"phase": 4} if parameters is None else parameters,
        gates=None,
        timeout_seconds=TIME_OUT.get(name, 60),
        env={"RUNBOOK_TEST": mark, "PYTHONOPTIMIZE": "2", "RUNBOOK_TEST_PASSWORD": CANARY},
        log=folder / "logs" / f"{name}.log",
    )


def alive(mark: str) -> list[str]:
    """Command lines of the processes with `mark` in their environment that are still there two seconds later."""
    for _ in range(100):
        found = [process for process in psutil.process_iter() if mark in _environment(process)]
        if not found:
            return []
        time.sleep(0.02)
    return [_command(process) for process in found]


def below_supervisor() -> list[str]:
    """Command lines of whatever processes this program's supervisor still has below it."""
    mine = psutil.Process().children()
    return [_command(process) for supervisor in mine for process in supervisor.children(recursive=True)]


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
        self.outcomes = execute_group([job(folder, name, mark=self.mark) for name in names], 2, self.events.append)
        self.by_name = {outcome.step: outcome for outcome in self.outcomes}

    def cells(self, name: str) -> list[dict[str, Any]]:
        return list(json.loads((self.folder / f"{name}.ipynb").read_text())["cells"])


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
        return alive(self.mark)
