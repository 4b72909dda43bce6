"""Checks: each is one query that returns the offending rows.

A file ``phase_<n>/<name>.sql`` is a check; its head says how bad it is, what it means and what to do. The files are
discovered, so a check is listed nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from lib.errors import CannotJudge
from lib.verdicts import AMBER, RED, Finding, Verdict, verdict_of
from lib.warehouse import Session

FOLDER = Path(__file__).parent
HEAD = re.compile(r"^-- (severity|means|do): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """One check: its query returns the offending rows."""

    name: str
    phase: int
    severity: str
    means: str
    do: str
    sql: str

    def offenders(self, session: Session, first: date, last: date) -> list[tuple[Any, ...]]:
        """The offending rows from *first* to *last*; CannotJudge where the query fails."""
        return session.rows(self.sql, first=first, last=last)


@cache
def checks_of(phase: int) -> tuple[Check, ...]:
    """Every check of a phase, by name."""
    return tuple(_read(path, phase) for path in sorted((FOLDER / f"phase_{phase}").glob("*.sql")))


def run_checks(session: Session, phase: int, first: date, last: date) -> Verdict:
    """Runs every check of the phase over the whole range; CannotJudge where there is none to run."""
    checks = checks_of(phase)
    if not checks:
        raise CannotJudge(f"no check is written for phase {phase}: a phase without checks is not checked")
    results = [(check, check.offenders(session, first, last)) for check in checks]
    failed = [(check, rows) for check, rows in results if rows]
    findings = [
        Finding(c.severity, c.name, f"{len(rows)} rows: {c.means}, for instance {_sample(rows)}", c.do)
        for c, rows in failed
    ]
    lines = tuple(
        {
            "check": c.name,
            "means": c.means,
            "offending": len(rows),
            "severity": c.severity,
            "verdict": c.severity if rows else "green",
        }
        for c, rows in results
    )
    sentence = f"{len(checks) - len(failed)} of {len(checks)} checks pass."
    return verdict_of("quality", sentence, findings, table=lines, about={"phase": phase})


def _read(path: Path, phase: int) -> Check:
    text = path.read_text()
    head = dict(HEAD.findall(text))
    if head.keys() != {"severity", "means", "do"} or head["severity"] not in (RED, AMBER):
        raise CannotJudge(
            f"{path.name}: a check begins with '-- severity: red|amber', '-- means: ...' and '-- do: ...'"
        )
    return Check(path.stem, phase, head["severity"], head["means"], head["do"], text)


def _sample(rows: list[tuple[Any, ...]]) -> str:
    return ", ".join(str(value) for value in rows[0])
