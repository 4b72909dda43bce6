"""How many of the machine's cores a process computes with."""

from __future__ import annotations

import os

SHARE = "RUNBOOK_THREADS"


def share(side_by_side: int) -> dict[str, str]:
    """The environment of processes that run side by side: each gets its part of the machine's cores.

    Two processes with a thread for every core each take longer than two with one each.
    """
    return {SHARE: str(max(1, (os.cpu_count() or 1) // max(1, side_by_side)))}


def share_of_this_process() -> int:
    """Threads for this process: its part where it was given one, else one for each core."""
    given = os.environ.get(SHARE, "")
    return int(given) if given.isdigit() and int(given) else os.cpu_count() or 1
