"""The state of a phase: derived from the warehouse and the sign-offs, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lib.coverage import Judge
from lib.phase_gate import phase_gate
from lib.standing import Standing, differences, standing
from lib.verdicts import RED, Verdict
from lib.wording import counted
from runbook.signing.check import Book, Checked
from runbook.signing.log import REVOCATION
from runbook.signing.statement import Predicate

UNKNOWN, BLOCKED, INCOMPLETE, PROVEN = "UNKNOWN", "BLOCKED", "INCOMPLETE", "PROVEN"
COMPLETE, WITH_WAIVER, STALE = "COMPLETE", "COMPLETE WITH WAIVER", "STALE"
HOLDS = (PROVEN, COMPLETE, WITH_WAIVER)


@dataclass(frozen=True)
class Asked:
    """Which phase of which warehouse is asked about, over which range."""

    warehouse_id: str
    phase: str
    first: date
    last: date


@dataclass(frozen=True)
class State:
    """A phase's state and the sentence that says why."""

    name: str
    says: str
    phase: str = ""
    unsigned_dates: int = 0  # game dates of the range after those that were signed


def state_of(judge: Judge, book: Book, at: Asked, verdict: Verdict, below: Sequence[State]) -> State:
    """The state of a phase whose gate says *verdict* over the range of *at*, above phases in the states *below*."""
    sign_offs = [line for line in book.standing_sign_offs if _concerns(line, at.phase, at.warehouse_id)]
    if sign_offs and (moved := _moved(judge, sign_offs[0], at, verdict)):
        return State(STALE, moved)
    if sign_offs and (stale := next((state for state in below if state.name == STALE), None)):
        return State(STALE, f"a phase below is stale: {stale.says}")
    short = [state for state in below if state.name not in HOLDS]
    if short and not (sign_offs and _only_after(judge, sign_offs[0], at, short)):
        return State(BLOCKED, verdict.sentence)
    if not sign_offs:
        return State(INCOMPLETE if verdict.verdict == RED else PROVEN, _unsigned(book, at, verdict))
    return _complete(judge, sign_offs, at.last)


def _concerns(line: Checked, phase: str, warehouse_id: str) -> bool:
    predicate = line.predicate
    return predicate is not None and (predicate.phase, predicate.warehouse_id) == (phase, warehouse_id)


def _takes_back(line: Checked, phase: str) -> bool:
    return (line.entry.kind, line.entry.phase) == (REVOCATION, phase)


def _unsigned(book: Book, at: Asked, verdict: Verdict) -> str:
    """What the gate says, and why no sign-off of the phase counts where there are some."""
    own = [
        line
        for line in book.lines
        if line.faults and (_concerns(line, at.phase, at.warehouse_id) or _takes_back(line, at.phase))
    ]
    faults = [*book.faults, *(f"{line.entry.envelope}: {line.faults[0]}" for line in own)]
    return f"{verdict.sentence} The sign-offs do not count: {faults[0]}" if faults else verdict.sentence


def _moved(judge: Judge, line: Checked, at: Asked, verdict: Verdict) -> str:
    predicate = _predicate(line)
    signed = predicate.standing
    if (signed.first, signed.last) != (at.first, at.last):
        verdict = phase_gate(judge, at.phase, signed.first, signed.last)
    moved = differences(signed, standing(judge, at.phase, signed.first, signed.last, verdict))
    if verdict.verdict == RED and not moved:
        moved = [f"its gate is red: {verdict.sentence}"]
    said = f"signed by {predicate.signer} on {predicate.signed_at.date()}, and since then: {'; '.join(moved)}"
    return said if moved else ""


def _only_after(judge: Judge, line: Checked, at: Asked, short: Sequence[State]) -> bool:
    """Whether every phase below that does not hold now held over what was signed: what is short came later."""
    signed = _predicate(line).standing
    if (signed.first, signed.last) == (at.first, at.last):
        return False
    return all(phase_gate(judge, state.phase, signed.first, signed.last).verdict != RED for state in short)


def _complete(judge: Judge, sign_offs: list[Checked], last: date) -> State:
    predicate = _predicate(sign_offs[0])
    signed = predicate.standing
    names = sorted({_name(line) for line in sign_offs if _same(signed, _predicate(line).standing)})
    said = f"signed by {' and '.join(names)} on {predicate.signed_at.date()}"
    if signed.first > judge.settings.start_date:
        return State(PROVEN, f"{said}, but only from {signed.first}: COMPLETE begins {judge.settings.start_date}")
    if all(judge.calendar.is_bootstrap(day) for day in judge.calendar.expected_dates(signed.first, signed.last)):
        return State(PROVEN, f"{said}, but the range to {signed.last} lies inside bootstrap: it completes nothing")
    if len(names) < 2 and (signed.waivers or signed.phase in judge.settings.signing.second_person):
        why = f" for the waiver of {'; '.join(signed.waivers)}" if signed.waivers else ""
        return State(PROVEN, f"{said}; a second person is needed{why}")
    name = WITH_WAIVER if signed.waivers else COMPLETE
    since = sum(day > signed.last for day in judge.calendar.games)
    said += f", to {signed.last}" + (f"; {counted(since, 'date')} since not signed" if since else "")
    return State(name, said, unsigned_dates=sum(signed.last < day <= last for day in judge.calendar.games))


def _same(one: Standing, other: Standing) -> bool:
    """Whether two people signed the same thing: who signed before a floor was lowered has not agreed to that."""
    return (one.first, one.last) == (other.first, other.last) and not differences(one, other)


def _name(line: Checked) -> str:
    """Whose key it was: what an envelope calls its signer is not asked."""
    return line.signer.name if line.signer else ""


def _predicate(line: Checked) -> Predicate:
    if line.predicate is None:
        raise ValueError("only sign-offs are asked")
    return line.predicate


def as_line(phase: int | str, state: State, verdict: Verdict | None) -> dict[str, Any]:
    """A line of ``runbook status --json``."""
    found = {"phase": phase, "state": state.name, "says": state.says, "unsigned_dates": state.unsigned_dates}
    if verdict is None:
        return found | {"tables": []}
    return found | {"verdict": verdict.verdict, "tables": [dict(line) for line in verdict.table]}
