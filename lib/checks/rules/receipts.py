"""Receipts against rows: is what a publish left still what the table holds?"""

from __future__ import annotations

from collections.abc import Callable

from lib.checks.model import RECEIPTS, Check, Offenders, Scope
from lib.coverage import DateState
from lib.verdicts import AMBER, RED


def _dates(scope: Scope, fails: Callable[[DateState], bool]) -> Offenders:
    covered = scope.judge.cover([scope.phase], scope.first, scope.last)
    states = [(name, state) for name, coverage in covered.items() for state in coverage.days if not state.excluded]
    rows = [(name, s.day, s.holding.rows, s.todo or "no receipt") for name, s in states if fails(s)]
    return Offenders(len(states), ("table", "date", "rows", "why"), rows)


CHECKS = (
    Check(
        "rows_are_as_published", RECEIPTS, None, RED,
        "dates whose rows, SQL or input are not those of their receipt",
        "something else wrote to the table, raw data was loaded again, or the SELECT was changed",
        "runbook run computes them again",
        look=lambda scope: _dates(scope, lambda state: state.outdated),
    ),
    Check(
        "rows_have_a_receipt", RECEIPTS, None, AMBER,
        "full dates without a receipt: written by something else",
        "the rows are older than this runbook, or were copied",
        "runbook run takes stock of them; --recompute-found replaces them",
        look=lambda scope: _dates(scope, lambda state: state.found),
    ),
)  # fmt: skip
