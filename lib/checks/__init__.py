"""Checks: each is one query that returns the offending rows.

A file ``phase_<n>/<name>.sql`` is a check; its head says which set it belongs to, how bad it is, what it means, where it
comes from and what to do. A rule that holds for many tables is a function in ``rules``. Both are discovered.
"""

from __future__ import annotations

from lib.checks.model import SETS, Check, Offenders, Result, Scope
from lib.checks.read import all_checks, checks_of, named
from lib.checks.run import ask_checks, run_checks, run_set, verdict_of_results

__all__ = [
    "SETS",
    "Check",
    "Offenders",
    "Result",
    "Scope",
    "all_checks",
    "ask_checks",
    "checks_of",
    "named",
    "run_checks",
    "run_set",
    "verdict_of_results",
]
