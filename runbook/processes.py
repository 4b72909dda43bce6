"""Processes that do not outlive the one they work for. What only Linux can do is skipped elsewhere."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

# Drawn in by Jupyter for one URI format nobody uses: it builds a grammar at import, for more than a second.
SLOW_IMPORT = "rfc3987_syntax"


def keep_from_importing(*names: str) -> None:
    """Make `import name` fail at once in this process; its importers treat the module as optional."""
    for name in names:
        sys.modules[name] = None  # type: ignore[assignment]


def tie_to_parent(parent: int) -> None:
    """Be killed by the system when process `parent` ends, however it ends; exit now if it already has."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies, so that none is lost from sight."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def kill_tree(pid: int) -> None:
    """Kill process `pid` and everything below it, in whatever process group or session."""
    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(pid)
        for process in [*top.children(recursive=True), top]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def kill_strays(keep: Collection[int], within_seconds: float = 2.0) -> None:
    """Kill and reap every child of this process that is not in `keep`, until there is none left.

    With `adopt_orphans`, these are what ended notebooks left behind.
    """
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        strays = [child.pid for child in psutil.Process().children() if child.pid not in keep]
        if not strays:
            return
        for pid in strays:
            kill_tree(pid)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.005)
