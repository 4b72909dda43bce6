"""What the watchman sees: every phase over the whole range and over the last game dates, changing nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from lib.errors import CannotJudge, RunbookError
from lib.gates import coverage_gate
from lib.phase_gate import PREDICTIONS_PHASE, RAW_PHASE
from lib.step import Step
from lib.verdicts import AMBER, GREEN, RED, Finding, Verdict, worst
from runbook.options import Place

UNKNOWN, NOT_BEGUN = "unknown", "not begun"
WAREHOUSE = "warehouse"
Phase = int | str


@dataclass(frozen=True)
class Sight:
    """One gate of a phase: its verdict, or why nobody could judge it."""

    gate: str
    verdict: Verdict | None
    error: str = ""

    @property
    def state(self) -> str:
        """green, amber, red, or unknown."""
        return self.verdict.verdict if self.verdict else UNKNOWN

    def as_json(self, phase: Phase) -> dict[str, Any]:
        """The gate for machines."""
        if self.verdict is None:
            return {"gate": self.gate, "phase": phase, "verdict": UNKNOWN, "error": self.error}
        return {**self.verdict.as_json(), "gate": self.gate}


@dataclass(frozen=True)
class PhaseSight:
    """All gates of one phase. A phase that nothing was ever written for has not begun: it is neither well nor ill."""

    phase: Phase
    sights: tuple[Sight, ...] = ()

    @property
    def state(self) -> str:
        """The worst of its gates; what could not be judged is worse than red."""
        states = [sight.state for sight in self.sights]
        return UNKNOWN if UNKNOWN in states else worst(states) if states else NOT_BEGUN

    @property
    def findings(self) -> list[Finding]:
        """What is wrong, each thing once, red first."""
        found = dict.fromkeys(f for sight in self.sights if sight.verdict for f in sight.verdict.findings)
        return sorted(found, key=lambda finding: finding.severity != RED)

    @property
    def sentence(self) -> str:
        """What a person reads first: the errors, else the worst gate's sentence."""
        errors = [f"{sight.gate}: {sight.error}" for sight in self.sights if sight.error]
        told = [sight.verdict.sentence for sight in self.sights if sight.verdict and sight.state == self.state]
        return " ".join(errors or told[:1]) or "Nothing has been written for it yet."

    def as_json(self) -> dict[str, Any]:
        """The phase for machines."""
        gates = [sight.as_json(self.phase) for sight in self.sights]
        return {"phase": self.phase, "verdict": self.state, "sentence": self.sentence, "gates": gates}


@dataclass(frozen=True)
class Watch:
    """What was seen, and over which dates; ``window`` are the last expected game dates."""

    as_of: date
    first: date
    last: date
    window: tuple[date, ...]
    phases: tuple[PhaseSight, ...] = field(default=())

    @property
    def state(self) -> str:
        """The worst of all phases."""
        states = [phase.state for phase in self.phases if phase.state != NOT_BEGUN]
        return UNKNOWN if UNKNOWN in states or not states else worst(states)

    def exit_code(self, strict: bool) -> int:
        """3 where anything could not be judged, 1 where anything is red (with *strict*: amber), else 0."""
        return {UNKNOWN: 3, RED: 1, AMBER: int(strict), GREEN: 0}[self.state]

    def as_json(self) -> dict[str, Any]:
        """The whole for machines."""
        window = {"dates": len(self.window), "first": str(self.window[0]), "last": str(self.window[-1])}
        dates = {"as_of": str(self.as_of), "first": str(self.first), "last": str(self.last), "window": window}
        return {"verdict": self.state, **dates, "phases": [phase.as_json() for phase in self.phases]}


def look(place: Place, days: int) -> Watch:
    """Judges every phase of *place*, and its last *days* game dates, all as they are at one moment.

    Raises RunbookError where it could not look.
    """
    step = Step("watchman", RAW_PHASE, place.warehouse, place.settings, place.start_date, place.end_date)
    with step.looking():
        with step.judge() as (judge, first, last):
            expected = judge.calendar.expected_dates(first, last)
            if not expected:
                raise CannotJudge(f"no game was expected from {first} to {last}: there is nothing to watch over")
            window, as_of = tuple(expected[-days:]), judge.calendar.as_of
        seen = [PhaseSight(WAREHOUSE, (_sight("contracts", step.contracts),))]
        seen += [PhaseSight(phase, tuple(_sights(step, phase, window))) for phase in place.phases]
    return Watch(as_of, first, last, window, tuple(seen))


def _sights(watchman: Step, phase: Phase, window: Sequence[date]) -> Iterator[Sight]:
    if isinstance(phase, int) and phase not in (RAW_PHASE, PREDICTIONS_PHASE):
        step = watchman.of_phase(phase)
        yield _sight("coverage", step.coverage)
        yield _sight("quality", step.quality)  # every set of checks
        yield _sight(f"last {len(window)} game dates", partial(_of_window, step, phase, window))
        return
    sight = _sight("gate", partial(watchman.coverage, phase))
    if phase != PREDICTIONS_PHASE or sight.verdict is None or sight.verdict.table:
        yield sight


def _of_window(step: Step, phase: int, window: Sequence[date]) -> Verdict:
    with step.judge() as (judge, _, last):
        return coverage_gate(judge, phase, window[0], last)


def _sight(gate: str, judged: Callable[[], Verdict]) -> Sight:
    try:
        return Sight(gate, judged())
    except RunbookError as error:
        return Sight(gate, None, str(error))
    except Exception as error:  # whatever kept it from looking, it has not looked
        return Sight(gate, None, f"{type(error).__name__}: {error}")


def lines(watch: Watch) -> list[Mapping[str, Any]]:
    """One line a phase, for a person."""
    return [{"phase": sight.phase, "verdict": sight.state, "says": sight.sentence} for sight in watch.phases]
