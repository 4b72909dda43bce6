"""Cyclic garbage: a process of the runbook lives for one command or one notebook, and looks for it seldom.

Python itself looks after some hundred new objects, and then often at all that was imported: up to a sixth of the time of a
command such as ``runbook gate 3``.
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 100_000
YOUNG_ROUNDS, OLD_ROUNDS = 50, 1000


def look_seldom() -> None:
    """From now on, here and in what is forked from here."""
    gc.set_threshold(NEW_OBJECTS, YOUNG_ROUNDS, OLD_ROUNDS)
