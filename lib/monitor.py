"""The monitor: who is at work, and which attempts failed."""

from __future__ import annotations

import socket
from datetime import date

import psutil

from lib.coverage import Judge
from lib.verdicts import RED, Finding, Verdict, verdict_of
from lib.warehouse import EmbeddedWarehouse

LATEST_ATTEMPTS = """
SELECT table_name, day, outcome, detail
FROM runbook.attempts
WHERE day BETWEEN @first AND @last
QUALIFY ROW_NUMBER() OVER (PARTITION BY table_name, day ORDER BY finished_at DESC, attempt DESC) = 1
"""


def runners_verdict(warehouse: EmbeddedWarehouse) -> Verdict:
    """Red while a live process still holds a stage of this warehouse."""
    alive = [pid for pid in _stage_owners(warehouse) if psutil.pid_exists(pid)]
    findings = [
        Finding(RED, str(warehouse.path), f"PID {pid} is still computing", "wait for it, or end it") for pid in alive
    ]
    return verdict_of("runners", f"{len(alive)} runners are alive.", findings)


def attempts_verdict(judge: Judge, phase: int, first: date, last: date) -> Verdict:
    """Red where the latest attempt at a date of the phase failed or was cut off."""
    rows = judge.session.rows(LATEST_ATTEMPTS, first=first, last=last)
    latest = [row for row in rows if judge.settings.phase_of(row[0]) == phase]
    failed = [row for row in latest if row[2] in ("failed", "interrupted")]
    findings = [
        Finding(RED, f"{table} {day}", f"{outcome}: {detail}", _retry(table, day))
        for table, day, outcome, detail in sorted(failed, key=str)
    ]
    return verdict_of("attempts", f"{len(latest)} latest attempts, {len(failed)} of them failed.", findings)


def _retry(table: str, day: date) -> str:
    return f"runbook run --tables {table.partition('.')[2]} --dates {day}"


def _stage_owners(warehouse: EmbeddedWarehouse) -> set[int]:
    stages = warehouse.stages.glob(f"{socket.gethostname()}-*-*.parquet")
    return {int(pid) for stage in stages if (pid := stage.stem.rsplit("-", 2)[1]).isdigit()}
