"""The gates of a phase, computed from the warehouse and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from lib.blocking import FIRST_GATED_PHASE, by_season
from lib.calendar import as_ranges
from lib.coverage import Judge
from lib.errors import CannotJudge
from lib.exclusions import exclusion_findings, in_force, told
from lib.phase4_gate import Roots, amber_at_most, ask_defaults, default_findings, default_rates
from lib.states import ABSENT, FULL, PARTIAL, DateState, TableCoverage
from lib.verdicts import AMBER, RED, Finding, Verdict, worst
from lib.wording import counted


def coverage_gate(judge: Judge, phase: int, first: date, last: date) -> Verdict:
    """Every table of the phase, full on enough of its expected dates, none torn, outdated or doubled.

    From phase 4 on, no eligible date may be missing but for want of raw data, and no feature a default too often. The
    percentage is of all dates from the start of the history; over a range that begins later, which may be the weeks when
    nothing is eligible yet, it is of the eligible ones, and a default too often is amber.
    Raises CannotJudge where the range holds no expected date at all.
    """
    if not judge.calendar.expected_dates(first, last):
        raise CannotJudge(
            f"the range {first} to {last} holds no expected date: nothing can be judged; choose another range"
        )
    below = {phase - 1} if phase >= FIRST_GATED_PHASE else set()
    if below:
        ask_defaults(judge, first, last)
    known = judge.cover({phase, *below}, judge.calendar.season_start(first), last)
    covered = [c.between(first, date.max) for c in known.values() if c.phase == phase]
    if not covered:
        raise CannotJudge(f"no table is registered for phase {phase}")
    roots = Roots(judge, known, phase) if below else None
    rates = default_rates(judge, first, last) if below else []
    nothing_due = _nothing_due(covered)
    if below and not _is_whole(judge, first, last):
        covered, rates = [coverage.of_eligible() for coverage in covered], [amber_at_most(rate) for rate in rates]
    about = {"phase": phase, "first": str(first), "last": str(last)}
    return _verdict(judge, covered, roots, rates, about, nothing_due)


def _is_whole(judge: Judge, first: date, last: date) -> bool:
    """Whether a range can become COMPLETE: it begins where the history does, however early it ends."""
    dates = judge.calendar.expected_dates
    return first <= judge.settings.start_date or dates(first, last) == dates(
        judge.settings.start_date, judge.calendar.as_of
    )


def _verdict(
    judge: Judge,
    covered: Sequence[TableCoverage],
    roots: Roots | None,
    rates: list[dict[str, Any]],
    about: dict[str, Any],
    nothing_due: str,
) -> Verdict:
    threshold = judge.settings.coverage_pct(about["phase"])
    found = [_findings(coverage, threshold, judge, roots) for coverage in covered]
    lines = [_line(coverage, findings, roots) for coverage, findings in zip(covered, found, strict=True)]
    defaults = default_findings(rates)
    names = [coverage.table for coverage in covered]
    idle = exclusion_findings(judge.settings, judge.calendar, names)
    bounds = date.fromisoformat(about["first"]), date.fromisoformat(about["last"])
    still = _still_open(judge, *bounds)
    excluded = [told(rule, judge.calendar, *bounds) for rule in in_force(judge.settings, judge.calendar, names)]
    about |= {"as_of": str(judge.calendar.as_of), "threshold_pct": threshold, "exclusions": excluded}
    return Verdict(
        gate="coverage",
        verdict=worst([*(line["verdict"] for line in lines), *(f.severity for f in (*defaults, *idle, *still))]),
        sentence=_sentence(about["phase"], nothing_due, lines, threshold, defaults) + _excluded(excluded),
        findings=(*(finding for findings in found for finding in findings), *defaults, *idle, *still),
        table=tuple(lines),
        about=about | ({"features": rates} if roots else {}),
    )


def _still_open(judge: Judge, first: date, last: date) -> list[Finding]:
    """Dates that were left out because not all of the games up to them are over."""
    days = [day for day in sorted(judge.calendar.open) if first <= day <= last]
    if not days:
        return []
    what = f"games are still to be played, or the schedule says so: nothing is expected on {', '.join(map(str, days))}"
    mend = f"load the schedule once they are over; else end the range before: --end-date {judge.calendar.closed_until}"
    return [Finding(AMBER, "nba_raw.nbac_schedule", what, mend)]


def _excluded(rules: Sequence[str]) -> str:
    return f" Exclusions in force: {'; '.join(rules)}." if rules else ""


def _line(coverage: TableCoverage, findings: Sequence[Finding], roots: Roots | None) -> dict[str, Any]:
    full_bootstrap = [s for s in coverage.bootstrap if s.state == FULL]
    percent = coverage.coverage_pct
    return {
        "table": coverage.table,
        "covered": coverage.covered,
        "expected": coverage.expected,
        **({"eligible": coverage.eligible} if roots else {}),
        "coverage_pct": None if percent is None else round(percent, 2),
        "missing": coverage.missing,
        "partial": len(coverage.in_state(PARTIAL)),
        "absent": len(coverage.in_state(ABSENT)),
        **({"blocked": len(roots.waiting(coverage))} if roots else {}),
        "outdated": len(coverage.outdated),
        "found": sum(s.found for s in coverage.days),
        "bootstrap": f"{len(full_bootstrap)}/{len(coverage.bootstrap)}",
        "excluded": sum(s.excluded for s in coverage.days),
        "verdict": worst(finding.severity for finding in _moving(findings)),
    }


def _moving(findings: Sequence[Finding]) -> list[Finding]:
    """A date missing above the threshold is named, but leaves the verdict green."""
    return [f for f in findings if not (f.severity == AMBER and f.what.startswith("missing"))]


def _findings(coverage: TableCoverage, threshold: float, judge: Judge, roots: Roots | None) -> list[Finding]:
    missing = roots.findings(coverage) if roots else _missing(coverage, threshold, judge)
    rules = (_torn, _bootstrap_short, _bootstrap_waiting, _outdated, _doubled, _found)
    others = [finding for rule in rules if (finding := rule(coverage, threshold, judge)) is not None]
    return _too_few(coverage, threshold) + missing + others


def _too_few(coverage: TableCoverage, threshold: float) -> list[Finding]:
    percent = coverage.coverage_pct
    if percent is None or percent >= threshold:
        return []
    short = (
        f"{coverage.covered} of {coverage.expected} expected dates are full ({percent:.1f} %, needed {threshold:g} %)"
    )
    return [Finding(RED, coverage.table, short, _mend(coverage.phase))]


def _missing(coverage: TableCoverage, threshold: float, judge: Judge) -> list[Finding]:
    missing = [s for s in coverage.judged if s.state != FULL and not s.torn]
    if not missing:
        return []
    severity = AMBER if (coverage.coverage_pct or 0) >= threshold else RED
    because = _because([s.holding.waiting_for for s in missing if s.waits and s.holding.waiting_for], len(missing))
    mend = (
        _mend(coverage.phase)
        if any(s.todo for s in missing)
        else f"load the raw data that is missing, then {_mend(coverage.phase)}"
    )
    return [
        Finding(
            severity,
            coverage.table,
            f"missing {counted(len(missing), 'date')}{because}: {_dates(missing, judge)}",
            mend,
        )
    ]


def _because(reasons: Sequence[str], missing: int) -> str:
    """Why raw data keep dates back: of all that are missing, or of some."""
    if not reasons:
        return ""
    said = ", ".join(sorted(set(reasons)))
    return f" ({said})" if len(reasons) == missing else f" ({len(reasons)} of them: {said})"


def _torn(coverage: TableCoverage, threshold: float, judge: Judge) -> Finding | None:
    torn = coverage.torn
    if not torn:
        return None
    first = torn[0].holding
    example = f"{first.day} holds {first.present} of {first.expected} keys, {first.example} is not there"
    return Finding(
        RED,
        coverage.table,
        f"torn on {counted(len(torn), 'date')}: {_dates(torn, judge)}; {example}",
        _mend(coverage.phase),
    )


def _bootstrap_short(coverage: TableCoverage, threshold: float, judge: Judge) -> Finding | None:
    short = coverage.short_bootstrap
    if not short:
        return None
    return Finding(
        RED, coverage.table, f"bootstrap dates that are not full: {_dates(short, judge)}", _mend(coverage.phase)
    )


def _bootstrap_waiting(coverage: TableCoverage, threshold: float, judge: Judge) -> Finding | None:
    waiting = coverage.waiting_bootstrap
    if not waiting:
        return None
    length = judge.calendar.season_length
    lacking = any(s.lacks_bootstrap(threshold, length) for s in by_season(coverage, judge.calendar))
    what = f"bootstrap dates that wait for raw data: {_dates(waiting, judge)}; {waiting[0].reason}"
    mend = f"load the raw data that is missing, then {_mend(coverage.phase)}"
    return Finding(RED if lacking else AMBER, coverage.table, what, mend)


def _outdated(coverage: TableCoverage, threshold: float, judge: Judge) -> Finding | None:
    outdated = coverage.outdated
    if not outdated:
        return None
    why = (outdated[0].todo or "").removeprefix("outdated: ")
    return Finding(
        RED,
        coverage.table,
        f"outdated on {counted(len(outdated), 'date')}: {_dates(outdated, judge)}; {why}",
        _mend(coverage.phase),
    )


def _doubled(coverage: TableCoverage, threshold: float, judge: Judge) -> Finding | None:
    doubled = coverage.doubled(judge.calendar.unplayed)
    if not doubled:
        return None
    where = _dates(doubled, judge)
    # rows of others on a day without games are deleted only when somebody says so
    mend = _mend(coverage.phase)
    if not any(s.todo for s in doubled):
        mend = f"no run wrote these rows: look at them; {mend} --recompute-found deletes them"
    return Finding(RED, coverage.table, f"extra or doubled keys on {counted(len(doubled), 'date')}: {where}", mend)


def _found(coverage: TableCoverage, threshold: float, judge: Judge) -> Finding | None:
    found = [s for s in coverage.days if s.found]
    if not found:
        return None
    what = f"found on {counted(len(found), 'date')}, written by something else: {_dates(found, judge)}"
    return Finding(
        AMBER, coverage.table, what, f"{_mend(coverage.phase)} takes stock of them; --recompute-found replaces them"
    )


def _dates(states: Sequence[DateState], judge: Judge) -> str:
    return as_ranges((s.day for s in states), list(judge.calendar.games))


def _mend(phase: int) -> str:
    return f"runbook run --phase {phase}"


def _sentence(
    phase: int, nothing_due: str, lines: Sequence[dict[str, Any]], threshold: float, defaults: Sequence[Finding] = ()
) -> str:
    short = [line["table"].partition(".")[2] for line in lines if line["verdict"] == RED]
    if all(line["expected"] == 0 for line in lines) and not short:
        return nothing_due
    if short:
        return f"Phase {phase} is not complete: {len(lines) - len(short)} of {len(lines)} tables hold; red: {', '.join(short)}."
    if any(finding.severity == RED for finding in defaults):
        return f"Phase {phase} is not complete: {counted(len(defaults), 'feature')} too often at the default."
    return f"Phase {phase} holds: all {len(lines)} tables are full on at least {threshold:g} % of their expected dates."


def _nothing_due(covered: Sequence[TableCoverage]) -> str:
    """Why a range has no date to judge."""
    if any(coverage.due for coverage in covered):
        return "No date of the range is eligible yet: nothing for Phase 4 to do."
    if any(state.excluded for coverage in covered for state in coverage.days):
        return "Every date of the range is excluded or lies inside bootstrap: nothing to judge."
    return "The range lies inside bootstrap: nothing for Phase 4 to do."
