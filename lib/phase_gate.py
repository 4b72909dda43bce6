"""Which gate a phase has: decided here alone, for the verbs, the notebooks and the signing."""

from __future__ import annotations

from datetime import date

from lib.coverage import Judge
from lib.gates import coverage_gate
from lib.raw_gate import raw_gate
from lib.verdicts import Verdict

ML = "ml"  # readiness and model
RAW_PHASE, PREDICTIONS_PHASE = 2, 5


def phase_gate(judge: Judge, phase: int | str, first: date, last: date) -> Verdict:
    """The gate of a phase: raw data for 2, readiness for ``ml``, predictions for 5, expected keys for the others."""
    if phase == ML:
        from lib.ml.readiness import readiness_gate  # scikit-learn takes a second, and no other phase needs it

        return readiness_gate(judge, first, last)
    number = int(phase)
    if number == PREDICTIONS_PHASE:
        from lib.ml.phase5 import predictions_gate

        return predictions_gate(judge, first, last)
    if number == RAW_PHASE:
        return raw_gate(judge.session, judge.settings, judge.calendar, first, last)
    return coverage_gate(judge, number, first, last)
