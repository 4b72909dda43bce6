"""The monitor: who is at work, and which attempts failed."""

from __future__ import annotations

from datetime import date

from lib.coverage import Judge
from lib.stages import owners
from lib.verdicts import AMBER, RED, Finding, Verdict, verdict_of
from lib.warehouse import Warehouse

LATEST_ATTEMPTS = """
SELECT table_name, day, outcome, detail
FROM runbook.attempts
WHERE day BETWEEN @first AND @last
QUALIFY ROW_NUMBER() OVER (PARTITION BY table_name, day ORDER BY finished_at DESC, attempt DESC) = 1
"""


def runners_verdict(warehouse: Warehouse) -> Verdict:
    """Red while a live process still holds a stage of this warehouse."""
    alive = sorted({pid for _, pid in owners(warehouse.stages) if pid is not None})
    findings = [
        Finding(RED, warehouse.place, f"PID {pid} is still computing", "wait for it, or end it") for pid in alive
    ]
    return verdict_of("runners", f"{len(alive)} runners are alive.", findings)


def attempts_verdict(judge: Judge, phase: int, first: date, last: date) -> Verdict:
    """Red where the latest attempt at a date of the phase failed or was cut off and the date still needs one.

    Where the date needs nothing (it was full and forced anew, or is not expected any more) a failure is amber, and an
    interruption nothing: the ledger is history, the warehouse says what is there.
    """
    rows = judge.session.rows(LATEST_ATTEMPTS, first=first, last=last)
    latest = [row for row in rows if judge.settings.phase_of(row[0]) == phase]
    failed = [row for row in latest if row[2] in ("failed", "interrupted")]
    needed = _needed(judge, phase, first, last) if failed else set()
    findings = [
        _finding(table, day, outcome, detail, (table, day) in needed)
        for table, day, outcome, detail in sorted(failed, key=str)
        if outcome == "failed" or (table, day) in needed
    ]
    return verdict_of("attempts", f"{len(latest)} latest attempts, {len(findings)} of them failed.", findings)


def _needed(judge: Judge, phase: int, first: date, last: date) -> set[tuple[str, date]]:
    """The tables and dates that have to be computed."""
    covered = judge.cover([phase], first, last)
    return {(name, state.day) for name, coverage in covered.items() for state in coverage.days if state.todo}


def _finding(table: str, day: date, outcome: str, detail: str, needed: bool) -> Finding:
    retry = f"runbook run --tables {table.partition('.')[2]} --dates {day}" + ("" if needed else " --force")
    return Finding(RED if needed else AMBER, f"{table} {day}", f"{outcome}: {detail}", retry)
