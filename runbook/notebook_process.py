"""What happens inside the one process that executes one notebook, from its first breath to the finished archive."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from runbook.processes import adopt_orphans, tie_to_parent

# Modules the supervisor imports before it forks.
PRELOADED = ("papermill", "runbook.kernel_manager", "nbclient.client")

Report = Callable[[dict[str, Any]], None]


def working_copy(output: Path, pid: int) -> Path:
    """Where process `pid` writes the notebook until it is finished."""
    return output.with_name(f".{output.stem}.{pid}.ipynb")


def run(task: dict[str, Any], private: Path, supervisor: int, report: Report) -> int:
    """Execute the task's notebook and publish its archive; 0 when a whole archive lies at its output.

    A cell that raised leaves a whole archive too: whether it proves anything is judged afterwards.
    """
    _settle(task, private, supervisor)
    output = Path(task["output"])
    working = working_copy(output, os.getpid())
    try:
        _execute(task, working, report)
        publish(working, output)
    except BaseException as error:
        # Whatever it was, a signal included, it must be named: the working copy does not show it.
        lines = str(error).strip().splitlines() or ["(no message)"]
        report({"kind": "trouble", "text": f"{type(error).__name__}: {lines[-1]}"[:500]})
        raise
    return 0


def _settle(task: dict[str, Any], private: Path, supervisor: int) -> None:
    """Own process group, own log, own environment; die with the supervisor, and take the kernel along."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tie_to_parent(supervisor)
    adopt_orphans()
    _redirect(Path(task["log"]))
    private.mkdir(mode=0o700)
    os.environ.clear()
    os.environ.update(task["env"], JUPYTER_RUNTIME_DIR=str(private), IPYTHONDIR=str(private / "ipython"))
    os.chdir(task["cwd"])


def _stop(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(f"stopped by {signal.Signals(signum).name}")


def _redirect(log: Path) -> None:
    """Send stdout and stderr, of this process and of the kernel below it, to the log."""
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    source = os.open(os.devnull, os.O_RDONLY)
    for here, there in ((source, 0), (sink, 1), (sink, 2)):
        os.dup2(here, there)
    os.close(sink)
    os.close(source)


def _execute(task: dict[str, Any], working: Path, report: Report) -> None:
    papermill, kernel_manager = import_module("papermill"), import_module("runbook.kernel_manager")
    started = 0

    def progress(cell: Any, cell_index: int) -> None:
        nonlocal started
        started += 1
        report({"kind": "cell", "cell": started})

    try:
        papermill.execute_notebook(
            task["template"].replace("{", "{{").replace("}", "}}"),
            str(working).replace("{", "{{").replace("}", "}}"),
            parameters=task["parameters"],
            kernel_name="python3",
            language="python",
            progress_bar=False,
            autosave_cell_every=0,
            shutdown_kernel="immediate",
            kernel_manager_class=kernel_manager.OwnKernelManager,
            on_cell_execute=progress,
        )
    except papermill.PapermillExecutionError as error:
        # The error stands in the archive; the gate that is red raises like any other cell.
        print(error, file=sys.stderr)


def publish(working: Path, output: Path) -> None:
    """Give a finished notebook its name, whole and read-only; never over one that is already there."""
    if output.exists():
        raise FileExistsError(f"{output} is already there")
    with working.open("rb") as file:
        os.fsync(file.fileno())
    working.chmod(0o444)
    os.replace(working, output)
    folder = os.open(output.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
