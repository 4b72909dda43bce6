"""`python -m runbook.supervise FOLDER`: imports Papermill once and forks a process for each notebook.

It has no thread when it forks, which a program that shows progress or has used DuckDB cannot say of itself. Groups of
tasks arrive as lines of JSON on stdin; what happens to each leaves as lines of JSON on stdout, the notebook processes'
lines among them. FOLDER holds the kernels' sockets and is removed at the end.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from lib.errors import RunbookError
from lib.garbage import look_seldom
from lib.settings import load_settings
from lib.translate_ahead import translate_ahead
from runbook import notebook_process
from runbook.processes import SLOW_IMPORT, adopt_orphans, keep_from_importing, kill_strays, kill_tree

# How long a notebook process that was told to stop may take to save what it has.
GRACE_SECONDS = 2.0
_TICK_SECONDS = 0.02


@dataclass
class _Running:
    """One notebook process; `why` says why it was told to stop, `kill_at` when it will be killed."""

    task: dict[str, Any]
    started: float
    deadline: float
    why: str = ""
    kill_at: float = float("inf")


class Supervisor:
    """Runs groups of notebooks, some side by side, and lets none of their processes outlive them."""

    def __init__(self, events: int, private: Path, spare: Iterator[None]) -> None:
        self._events = events
        self._private = private
        self._parent = os.getppid()
        self._running: dict[int, _Running] = {}
        self._stopping = ""
        self._spare = spare  # work for when there is nothing else to do, a piece at a time

    def stop(self, signum: int, frame: FrameType | None = None) -> None:
        """Signal handler: tell every notebook to stop and start no other one."""
        self._stopping = f"interrupted ({signal.Signals(signum).name})"

    def serve(self) -> None:
        """Run group after group until stdin ends or the parent is gone."""
        while self._parent == os.getppid():
            if not select.select([sys.stdin], [], [], 1.0)[0]:
                continue
            line = sys.stdin.readline()
            if not line:
                return
            group = json.loads(line)
            self.run_group(group["tasks"], group["workers"])

    def run_group(self, tasks: list[dict[str, Any]], workers: int) -> None:
        """Run the tasks, at most `workers` at once; ends with a `done` event when no process of theirs is left."""
        waiting = list(tasks)
        while self._running or (waiting and not self._stopping):
            while waiting and len(self._running) < workers and not self._stopping:
                self._launch(waiting.pop(0))
            self.use_time()
            time.sleep(_TICK_SECONDS)
            self._reap()
            self._enforce()
        self._report({"kind": "done", "why": self._stopping})
        self._stopping = ""

    def use_time(self) -> None:
        """Does a piece of what was left for spare time."""
        with suppress(RunbookError):  # a notebook says what is wrong with a table's SQL
            next(self._spare, None)

    def _launch(self, task: dict[str, Any]) -> None:
        report = partial(self._report, task=task["task"])
        private = self._private / str(task["task"])
        shutil.rmtree(private, ignore_errors=True)
        supervisor = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become_notebook(task, private, supervisor, report)
        with suppress(OSError):
            os.setpgid(pid, pid)
        now = time.monotonic()
        self._running[pid] = _Running(task, now, now + task["timeout_seconds"])
        report({"kind": "started", "pid": pid, "at": time.time()})

    def _reap(self) -> None:
        """Take note of the notebooks that ended and kill whatever they left behind."""
        ended = [(pid, status) for pid in self._running for done, status in [os.waitpid(pid, os.WNOHANG)] if done]
        for pid, status in ended:
            running = self._running.pop(pid)
            kill_strays(keep=self._running)
            private = self._private / str(running.task["task"])
            notebook_process.publish_log(private, Path(running.task["log"]), running.task["env"])
            shutil.rmtree(private, ignore_errors=True)
            end = {"status": os.waitstatus_to_exitcode(status), "why": running.why}
            self._report({"kind": "ended", **end, "seconds": time.monotonic() - running.started}, running.task["task"])

    def _enforce(self) -> None:
        """Stop what is out of time or no longer wanted: first by a word, then by force."""
        now = time.monotonic()
        if not self._stopping and self._parent != os.getppid():
            self._stopping = "interrupted (the program that asked for it is gone)"
        for pid, running in self._running.items():
            overdue = now > running.deadline
            if not running.why and (self._stopping or overdue):
                why = self._stopping or f"time-out: not finished after {running.task['timeout_seconds']} s"
                running.why, running.kill_at = why, now + GRACE_SECONDS
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGTERM)
            if now > running.kill_at:
                kill_tree(pid)

    def _report(self, message: dict[str, Any], task: int | None = None) -> None:
        # One write of less than a pipe's buffer is never torn, so the notebook processes may write here too.
        line = json.dumps({**message, "task": task})
        with suppress(BrokenPipeError):
            os.write(self._events, line.encode() + b"\n")


def _become_notebook(task: dict[str, Any], private: Path, supervisor: int, report: notebook_process.Report) -> None:
    """Be the notebook's process until its end; never returns."""
    code = 1
    try:
        code = notebook_process.run(task, private, supervisor, report)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _translated() -> Iterator[None]:
    yield from translate_ahead(load_settings())


def main() -> None:
    """Import once, then serve; stdout is kept for events only."""
    look_seldom()
    events = os.dup(1)
    os.dup2(2, 1)
    keep_from_importing(SLOW_IMPORT, "gcsfs", "debugpy")  # papermill's way to a cloud; a debugger for nobody
    for name in notebook_process.PRELOADED:
        importlib.import_module(name)
    # what validates notebooks is compiled once
    sys.modules["nbformat"].validate({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []})
    private = Path(sys.argv[1])
    supervisor = Supervisor(events, private, _translated())
    supervisor.use_time()  # what the first notebook asks
    adopt_orphans()
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    try:
        supervisor.serve()
    finally:
        # The program that made the folder may have been killed.
        shutil.rmtree(private, ignore_errors=True)


if __name__ == "__main__":
    main()
