"""What the ledger tells of the latest attempts: history only, it never says what is in a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from lib.warehouse import Session
from lib.warehouse.interface import Row

# the attempts of the run that wrote last; outside a run, of the process that did
LATEST = """
WITH latest AS (
  SELECT COALESCE(run, owner) AS run
  FROM runbook.attempts
  QUALIFY ROW_NUMBER() OVER (ORDER BY finished_at DESC, attempt DESC) = 1
)
SELECT attempts.table_name, attempts.attempt, MIN(attempts.day) AS first_day, MAX(attempts.day) AS last_day, COUNT(*) AS dates,
  COUNTIF(attempts.outcome = 'failed') AS failed, COUNTIF(attempts.outcome = 'blocked') AS blocked,
  COUNTIF(attempts.outcome = 'interrupted') AS interrupted, MIN(UNIX_MICROS(attempts.started_at)) AS begun,
  MAX(UNIX_MICROS(attempts.finished_at)) AS ended
FROM runbook.attempts AS attempts
JOIN latest ON latest.run = COALESCE(attempts.run, attempts.owner)
GROUP BY attempts.table_name, attempts.attempt
"""


@dataclass(frozen=True)
class Attempt:
    """One try at a chunk: its dates, how many of them failed or were blocked, and when (seconds since 1970)."""

    table: str
    first: date
    last: date
    dates: int
    failed: int
    blocked: int
    interrupted: int
    begun: float
    ended: float

    @property
    def outcome(self) -> str:
        """How it ended, the worst first."""
        if self.failed:
            return "failed"
        return "interrupted" if self.interrupted else "blocked" if self.blocked else "ended well"


def _in_order(row: Row) -> tuple[Any, ...]:
    """By begin, table and first date."""
    return row[8], row[0], row[2]


def latest_attempts(session: Session, tables: Iterable[str]) -> list[Attempt]:
    """The attempts at *tables* of the run that wrote last, oldest first; outside a run, of the process that did."""
    wanted = set(tables)
    return [
        Attempt(table, first, last, dates, failed, blocked, interrupted, begun / 1e6, ended / 1e6)
        for table, _, first, last, dates, failed, blocked, interrupted, begun, ended in sorted(
            session.ask(LATEST)(), key=_in_order
        )
        if table in wanted
    ]
