"""The monitor: who is at work, and which attempts failed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import psutil

from lib.coverage import Judge
from lib.lease import Fence, Lease, as_rows
from lib.stages import owners
from lib.verdicts import AMBER, RED, Finding, Verdict, verdict_of
from lib.warehouse import Warehouse

LATEST_ATTEMPTS = """
SELECT table_name, day, outcome, detail
FROM runbook.attempts
WHERE day BETWEEN @first AND @last
QUALIFY ROW_NUMBER() OVER (PARTITION BY table_name, day ORDER BY finished_at DESC, attempt DESC) = 1
"""


def runners_verdict(warehouse: Warehouse, phase: object, ours: Mapping[str, Fence]) -> Verdict:
    """Red while another runner holds the phase, or a live process a stage that no other phase's runner accounts for.

    *ours* are the leases of the run that asks: it may look at its own work. Runners of other phases are listed.
    """
    leases = [lease for lease in warehouse.leases() if lease.fence != ours.get(lease.phase)]
    others = [lease for lease in leases if lease.phase == str(phase)]
    findings = [Finding(RED, warehouse.place, str(lease), "wait for it, or end it") for lease in others]
    stray = _computing(warehouse, leases)
    findings += [
        Finding(RED, warehouse.place, f"PID {pid} is still computing", "wait for it, or end it") for pid in stray
    ]
    sentence = f"{len(others) + len(stray)} runners are alive."
    return verdict_of("runners", sentence, findings, table=tuple(as_rows(leases)))


def _computing(warehouse: Warehouse, leases: list[Lease]) -> list[int]:
    """The live processes with a stage that do not belong to a runner who is known by its lease."""
    alive = sorted({pid for _, pid in owners(warehouse.stages) if pid is not None})
    known = {lease.owner.pid for lease in leases}
    return [pid for pid in alive if not known & _line_of(pid)]


def _line_of(pid: int) -> set[int]:
    """The process and those that started it."""
    try:
        return {pid, *(parent.pid for parent in psutil.Process(pid).parents())}
    except psutil.Error:
        return {pid}


def attempts_verdict(judge: Judge, phase: int, first: date, last: date) -> Verdict:
    """Red where the latest attempt at a date of the phase failed or was cut off and the date still needs one.

    Where the date needs nothing (it was full and forced anew, or is not expected any more) a failure is amber, and an
    interruption nothing: the ledger is history, the warehouse says what is there.
    """
    rows = judge.session.ask(LATEST_ATTEMPTS, first=first, last=last)()
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
