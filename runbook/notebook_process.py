"""What happens inside the one process that executes one notebook, from its first breath to the finished archive."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from lib.files import READ_ONLY, sync_folder, write_whole
from lib.moments import moment
from runbook.kernel import PRELOADED as IN_KERNEL
from runbook.kernel import Child
from runbook.processes import adopt_orphans, tie_to_parent
from runbook.secrets import known_secrets, redacted, redacted_notebook

# Modules the supervisor imports before it forks.
PRELOADED = ("papermill", "runbook.kernel_manager", "nbclient.client", *IN_KERNEL)

Report = Callable[[dict[str, Any]], None]

_SCHEME = "redacted://"  # papermill's name for the writer below


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
        report({"kind": "trouble", "text": redacted(f"{type(error).__name__}: {lines[-1]}")[:500]})
        raise
    return 0


def _settle(task: dict[str, Any], private: Path, supervisor: int) -> None:
    """Own process group, log, environment and kernel in waiting; die with the supervisor, and take the kernel along."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tie_to_parent(supervisor)
    adopt_orphans()
    private.mkdir(mode=0o700)
    _redirect(raw_log(private))
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    os.environ.clear()
    os.environ.update(task["env"], JUPYTER_RUNTIME_DIR=str(private), IPYTHONDIR=str(private / "ipython"))
    os.chdir(task["cwd"])
    import_module("runbook.kernel_manager").OwnProvisioner.waiting = Child()


def _stop(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(f"stopped by {signal.Signals(signum).name}")


def raw_log(private: Path) -> Path:
    """Where a notebook's processes write to, outside the run's folder."""
    return private / "log"


def publish_log(private: Path, log: Path, environment: Mapping[str, str]) -> None:
    """Gives the log of an ended notebook its name, without secrets, whole and read-only."""
    raw = raw_log(private)
    if raw.exists() and not log.exists():
        text = redacted(raw.read_text(encoding="utf-8", errors="replace"), known_secrets(environment))
        write_whole(log, text.encode(), "log", READ_ONLY)


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
    papermill.iorw.papermill_io.register(_SCHEME, RedactingWriter())
    started = 0

    def progress(cell: Any, cell_index: int) -> None:
        nonlocal started
        started += 1
        report({"kind": "cell", "cell": started})

    try:
        papermill.execute_notebook(
            task["template"].replace("{", "{{").replace("}", "}}"),
            _SCHEME + str(working).replace("{", "{{").replace("}", "}}"),
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
    working.chmod(READ_ONLY)
    moment("archive saved")
    os.replace(working, output)
    sync_folder(output.parent)
    moment("archive named")


class RedactingWriter:
    """Papermill's way to the disk: no secret of an output is ever written, not even to the working copy."""

    def write(self, text: str, path: str) -> None:
        """Writes a notebook's JSON."""
        Path(path.removeprefix(_SCHEME)).write_text(redacted_notebook(text), encoding="utf-8")

    def pretty_path(self, path: str) -> str:
        """The path as a person would write it."""
        return path.removeprefix(_SCHEME)
