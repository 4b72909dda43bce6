"""Moments of writing, by name. A test kills the process at one of them; nothing else ever does anything here."""

from __future__ import annotations

import os
import signal

VARIABLE = "RUNBOOK_TEST_DIE_AT"
MOMENTS = (
    "plan saved",
    "plan named",
    "sources saved",
    "sources named",
    "run folder written",
    "run folder named",
    "manifest saved",
    "manifest named",
    "stage computed",
    "stage written",
    "rows deleted",
    "rows inserted",
    "receipts written",
    "rows published",
    "progress noted",
    "log saved",
    "log named",
    "archive saved",
    "archive named",
    "adopted saved",
    "adopted named",
    "envelope saved",
    "envelope named",
    "line appended",
    "head witnessed",
    "page saved",
    "page named",
)


def moment(name: str) -> None:
    """The process is at the moment *name*; killed with SIGKILL where the environment of a test asks for it."""
    if os.environ.get(VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
