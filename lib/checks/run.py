"""Runs checks and says what they found, as one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from lib.blocking import FIRST_GATED_PHASE
from lib.checks.model import NOTHING, POST_BACKFILL, SETS, SETTLED_DAYS, Check, Result, Scope
from lib.checks.offenders import write_offenders
from lib.checks.read import checks_of
from lib.checks.scan import ask_scans, run_scans
from lib.coverage import Judge
from lib.errors import CannotJudge
from lib.verdicts import AMBER, Finding, Verdict, verdict_of
from lib.wording import counted

SAMPLE = 5


def run_set(
    judge: Judge, phase: int, first: date, last: date, sets: tuple[str, ...] = SETS, folder: Path | None = None
) -> Verdict:
    """Every check of the named sets that judges *phase*; CannotJudge where there is none.

    The full set of offending rows is written to *folder*, where one is given.
    """
    checks = checks_of(phase, sets)
    if not checks:
        raise CannotJudge(f"no check is written for phase {phase}: a phase without checks is not checked")
    results = run_checks(Scope(judge, phase, first, last), checks)
    written = write_offenders(folder, results) if folder else {}
    return verdict_of_results("quality" if len(sets) != 1 else sets[0], phase, results, written)


def ask_checks(scope: Scope, checks: Sequence[Check]) -> None:
    """Asks all that *checks* will ask, so that an engine may answer it together."""
    ask_scans(scope, [check for check in checks if check.look is None])
    for check in checks:
        if check.asks:
            check.asks(scope)


def run_checks(scope: Scope, checks: Sequence[Check]) -> list[Result]:
    """What each check finds, in their order; CannotJudge where one cannot be asked."""
    ask_checks(scope, checks)
    scanned = run_scans(scope, [check for check in checks if check.look is None])
    results = [Result(check, check.look(scope) if check.look else scanned[check]) for check in checks]
    _refuse_empty(scope, results)
    return results


def _refuse_empty(scope: Scope, results: Sequence[Result]) -> None:
    """A check that judged nothing did not pass, unless the range is too early in a season for any row."""
    days = scope.judge.calendar.expected_dates(scope.first, scope.last)
    start = scope.judge.calendar.season_start
    due = [day for day in days if scope.phase < FIRST_GATED_PHASE or (day - start(day)).days >= SETTLED_DAYS]
    judged = [r for r in results if r.check.sql or r.check.set == POST_BACKFILL]
    empty = [result.check for result in judged if not result.offenders.units]
    if due and empty:
        where = f" in {empty[0].tables[0]}" if empty[0].tables else ""
        raise CannotJudge(
            f"check {empty[0].name} found nothing to judge{where} from {scope.first} to {scope.last}: an empty answer is"
            f" never a pass; fill the tables with 'runbook run --phase {scope.phase}'"
        )


def verdict_of_results(
    gate: str, phase: int, results: Sequence[Result], written: Mapping[str, Path] | None = None
) -> Verdict:
    """The results as a verdict: a line for each check, a finding for each that fails, with a sample of its rows."""
    failed = [result for result in results if result.failed]
    notes = [result.offenders.note for result in results if result.offenders.note]
    judged = [result for result in results if result.verdict != NOTHING]
    idle = f" {len(results) - len(judged)} found nothing to judge." if len(judged) < len(results) else ""
    sentence = " ".join([f"{len(judged) - len(failed)} of {len(judged)} checks pass.{idle}", *notes])
    return verdict_of(
        gate,
        sentence,
        [_finding(result) for result in failed] + ([] if judged else [_nothing_judged(gate, results)]),
        table=tuple(_line(result) for result in results),
        about={"phase": phase, "offending": [_sample(result, written or {}) for result in failed]},
    )


def _nothing_judged(gate: str, results: Sequence[Result]) -> Finding:
    """Where no check found anything to judge, nothing was proven."""
    what = f"none of its {counted(len(results), 'check')} found anything to judge: nothing is proven by it"
    return Finding(AMBER, gate, what, "choose a longer range, with a season to compare with", results[0].check.doc)


def _finding(result: Result) -> Finding:
    check = result.check
    what = f"{result.failed} of {result.offenders.units}: {check.means}, for instance {_told(result)}"
    return Finding(check.severity, check.name, what, result.offenders.mend or check.do, check.doc)


def _line(result: Result) -> dict[str, Any]:
    check, units = result.check, result.offenders.units
    return {
        "check": check.name,
        "column": _short(check.columns),
        "units": units,
        "pass": units - result.failed,
        "fail": result.failed,
        "severity": check.severity,
        "verdict": result.verdict,
    }


def _short(columns: Iterable[str]) -> str:
    text = ", ".join(columns)
    return text if len(text) <= 48 else f"{text[:45]}..."


def _sample(result: Result, written: Mapping[str, Path]) -> dict[str, Any]:
    rows = [[_text(value) for value in row] for row in result.offenders.rows[:SAMPLE]]
    sample = {
        "check": result.check.name,
        "columns": list(result.offenders.columns),
        "rows": rows,
        "total": result.failed,
    }
    file = written.get(result.check.name)
    return sample | ({"file": f"{file.parent.parent.name}/{file.parent.name}/{file.name}"} if file else {})


def _told(result: Result) -> str:
    first = result.offenders.rows[0]
    return ", ".join(f"{n} {_text(v)}" for n, v in zip(result.offenders.columns, first, strict=True))


def _text(value: Any) -> str:
    return "-" if value is None else str(value)
