"""Where something else wrote rows of the phase, what a check finds is mended by replacing them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from lib.coverage import Judge
from lib.verdicts import Verdict


def of_foreign_rows(judge: Judge, phase: int, first: date, last: date, verdict: Verdict) -> Verdict:
    """*verdict* with the command that replaces foreign rows before each mend; as it is where a run wrote every row.

    What is below comes first: computed again from wrong rows, a phase is as wrong as before.
    """
    if not verdict.findings:
        return verdict
    computed = sorted({judge.settings.phase_of(name) or 0 for name in judge.settings.tables})
    lowest = next((p for p in computed if 0 < p <= phase and _has_foreign_rows(judge, p, first, last)), None)
    if lowest is None:
        return verdict
    command = f"runbook run --phase {lowest} --recompute-found replaces what something else wrote"
    findings = tuple(replace(f, mend=f"{command}; if it stays: {f.mend}") for f in verdict.findings)
    return replace(verdict, findings=findings)


def _has_foreign_rows(judge: Judge, phase: int, first: date, last: date) -> bool:
    return any(state.foreign for coverage in judge.cover([phase], first, last).values() for state in coverage.days)
