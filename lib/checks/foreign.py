"""Where something else wrote rows of the phase, what a check finds is mended by replacing them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from lib.coverage import Judge
from lib.verdicts import Verdict


def of_foreign_rows(judge: Judge, phase: int, first: date, last: date, verdict: Verdict) -> Verdict:
    """*verdict* with the command that replaces foreign rows before each mend; as it is where a run wrote every row."""
    if not verdict.findings:
        return verdict
    covered = judge.cover([phase], first, last).values()
    if not any(state.foreign for coverage in covered for state in coverage.days):
        return verdict
    command = f"runbook run --phase {phase} --recompute-found replaces what something else wrote"
    findings = tuple(replace(f, mend=f"{command}; if it stays: {f.mend}") for f in verdict.findings)
    return replace(verdict, findings=findings)
