"""A launch in a process of its own, for a person in JupyterLab: it outlives the kernel, and a cell can follow it again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lib.errors import BadInput, CannotJudge, RunbookError
from lib.live.cell import Seen, interactive
from lib.live.progress import Progress, read_progress
from lib.live.work import LAUNCH, Work, all_work, notes_of, read_note
from lib.settings import ROOT
from lib.verdicts import Finding, Verdict
from lib.warehouse import Warehouse

if TYPE_CHECKING:
    from lib.step import Step

LOOK_SECONDS = 0.3
LOG = "detached.log"
PROGRAM = "lib.detached_launch"


class StillRunning(RunbookError):
    """Nobody looks any more, and the detached launch goes on."""


def follow_detached(step: Step, table: str, seen: Seen) -> Verdict:
    """Starts a detached launch of *table*, or finds the one that runs, and follows it to its end.

    Raises BadInput where nobody sits before the notebook, StillRunning when the following is interrupted, CannotJudge
    where the launch ended without a verdict.
    """
    if not interactive():
        raise BadInput(
            "detach is for a person in JupyterLab: under Papermill and in the chain a launch runs in its notebook's "
            "own kernel, or the archive would prove nothing; leave detach out"
        )
    work: Work | None = None
    try:
        work = _running(step.warehouse, table) or _started(step, table)
        return _followed(work, table, seen)
    except KeyboardInterrupt:
        pid = f" as PID {work.pid}" if work else ""
        raise StillRunning(
            f"the launch of {table} goes on{pid} without this cell; run the cell again to follow it"
        ) from None


def _running(warehouse: Warehouse, table: str) -> Work | None:
    works = (work for work in all_work(warehouse) if work.kind == LAUNCH and work.title == table and not work.run)
    return next((work for work in works if work.alive and work.pid != os.getpid()), None)


def _started(step: Step, table: str) -> Work:
    notes = notes_of(step.warehouse)
    notes.mkdir(parents=True, exist_ok=True)
    bounds = [str(day) if day else "" for day in (step.first, step.last)]
    command = [sys.executable, "-m", PROGRAM, table, str(step.phase), step.warehouse.absolute_url, *bounds]
    with (notes / LOG).open("w") as log:
        # a session of its own: the kernel's end takes its process group along, and this is not in it
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    while True:
        mine = [work for work in all_work(step.warehouse) if work.pid == process.pid and work.title == table]
        if mine:
            return mine[-1]
        if process.poll() is not None:
            lines = (notes / LOG).read_text().strip().splitlines() or ["it said nothing"]
            raise CannotJudge(f"the detached launch of {table} did not start: {lines[-1]}")
        time.sleep(LOOK_SECONDS / 3)


def _followed(work: Work, table: str, seen: Seen) -> Verdict:
    while True:
        now = read_note(work.note) or work
        going_on = now.alive  # asked before the lines are read: after the end there is nothing more to come
        progress = read_progress(work.progress).get(table, Progress(table))
        seen(progress)
        if not going_on:
            break
        time.sleep(LOOK_SECONDS)
    if progress.verdict is None:
        raise CannotJudge(f"the detached launch of {table} ended without a verdict: {now.state}; run the cell again")
    return verdict_from(progress.verdict, {"table": table, "detached": True})


def verdict_from(facts: Mapping[str, Any], about: Mapping[str, Any]) -> Verdict:
    """A verdict from what ``as_json`` made of it."""
    findings = tuple(Finding(**finding) for finding in facts["findings"])
    return Verdict(facts["gate"], facts["verdict"], facts["sentence"], findings, tuple(facts["tables"]), about)
