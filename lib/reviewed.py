"""The reviewed plan: run exactly what was reviewed, or say what has moved since.

A run of a plan may end early. What it published counts as done, not as moved: trying again is relative to the plan,
never to today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from lib.basis import HELD, RAW, Basis, changed_code, changed_rules, parts_moved, states_of, warehouse_id, watched
from lib.coverage import Judge
from lib.errors import BadInput
from lib.plan import Chunk, Plan, read_plan
from lib.states import DateState
from lib.wording import counted

AGAIN = "make a new plan with 'runbook plan --out FILE' and have it reviewed"
NAMED = 3  # dates that a sentence names
PUBLISHED = """
SELECT table_name, day, run
FROM runbook.attempts
WHERE day BETWEEN @first AND @last AND outcome = 'published'
QUALIFY ROW_NUMBER() OVER (PARTITION BY table_name, day ORDER BY finished_at DESC, attempt DESC) = 1
"""


@dataclass(frozen=True)
class _Day:
    """One table on one date: what the plan knew of it, and what is so now."""

    table: str
    day: date
    was: str | None
    now: str | None
    state: DateState | None


def read_reviewed(path: Path) -> Plan:
    """A plan that can be run as it was reviewed; BadInput where the file is none, was changed, or is of another kind."""
    plan = read_plan(path)
    if plan.basis is None:
        raise BadInput(f"{path} does not say what it was made from, so nobody can say what has moved since: {AGAIN}")
    return plan


def left_of(plan: Plan, judge: Judge) -> Plan:
    """What the plan still has to do. Raises BadInput, naming each thing, where anything has moved since it was made."""
    basis = plan.basis
    if basis is None:
        raise BadInput(f"the plan does not say what it was made from: {AGAIN}")
    if basis.warehouse_id != warehouse_id(judge):
        raise BadInput(f"the plan was made for another warehouse, {basis.warehouse}: {AGAIN}")
    moved = changed_code(basis, judge.registry) + changed_rules(basis, judge, plan.first, plan.last)
    _refuse(moved)  # where rules differ every state may
    days = _days(plan, judge, basis)
    ours = _published_by(plan, judge)
    _refuse(_moved_states(plan, days, ours))
    return _without(plan, {(d.table, d.day) for d in days if _is_done(d, ours)}, days)


def refuse_changed_code(plan: Plan) -> None:
    """BadInput where contracts or SQL are others than a reviewed plan was made from; others carry their SQL in the digest."""
    _refuse(changed_code(plan.basis) if plan.basis else [])


def _refuse(moved: list[str]) -> None:
    if moved:
        raise BadInput(f"not what was reviewed any more, nothing was changed; moved: {'; '.join(moved)}. So {AGAIN}")


def _days(plan: Plan, judge: Judge, basis: Basis) -> list[_Day]:
    asked = (judge, plan.phases, basis.model, plan.first, plan.last)
    now, covered = states_of(*asked), watched(*asked)
    states = {(name, str(state.day)): state for name, coverage in covered.items() for state in coverage.days}
    return [
        _Day(
            name,
            date.fromisoformat(day),
            basis.states.get(name, {}).get(day),
            now.get(name, {}).get(day),
            states.get((name, day)),
        )
        for name in sorted({*now, *basis.states})
        for day in sorted({*now.get(name, {}), *basis.states.get(name, {})})
    ]


def _published_by(plan: Plan, judge: Judge) -> set[tuple[str, date]]:
    """The planned tables and dates whose latest publish was by a run of this plan."""
    planned = {(chunk.table, day) for chunk in plan.chunks for day in chunk.reasons}
    rows, mark = judge.session.ask(PUBLISHED, first=plan.first, last=plan.last)(), plan.mark  # hashes the whole plan
    return {(table, day) for table, day, run in rows if run and run.endswith(mark)} & planned


def _moved_states(plan: Plan, days: Iterable[_Day], ours: set[tuple[str, date]]) -> list[str]:
    moved: dict[tuple[str, str], list[date]] = {}
    for entry in days:
        for part in _moved_parts(plan, entry, ours):
            moved.setdefault((entry.table, part), []).append(entry.day)
    return [f"state of {table}, {part} on {_named(found)}" for (table, part), found in sorted(moved.items())]


def _moved_parts(plan: Plan, entry: _Day, ours: set[tuple[str, date]]) -> list[str]:
    if entry.was is None or entry.now is None:
        if (entry.table, entry.day) in ours and entry.now is None:
            return []  # no longer expected, and taken away as planned
        return ["dates that came or went"]
    parts = parts_moved(entry.was, entry.now)
    if RAW in parts:
        return [RAW]  # whatever else moved comes from it
    if (entry.table, entry.day) in ours and _fits(entry.state):
        return []
    stock = entry.day in plan.found.get(entry.table, ()) and entry.state is not None and entry.state.receipt is not None
    if stock and HELD not in parts and entry.state and entry.state.receipt and entry.state.receipt.kind == "found":
        return []
    return parts


def _fits(state: DateState | None) -> bool:
    """Whether the rows are those that the receipt speaks of; no rows where there is none."""
    if state is None or state.receipt is None:
        return state is None or state.holding.rows == 0
    return (state.receipt.key_count, state.receipt.content) == (state.holding.rows, state.holding.content)


def _is_done(entry: _Day, ours: set[tuple[str, date]]) -> bool:
    return (entry.table, entry.day) in ours and (entry.state is None or entry.state.todo is None)


def _without(plan: Plan, done: set[tuple[str, date]], days: Iterable[_Day]) -> Plan:
    chunks = [_chunk_without(chunk, done) for chunk in plan.chunks]
    left = tuple(chunk for chunk in chunks if chunk.reasons)
    busy = {chunk.table for chunk in left}
    groups = tuple(kept for group in plan.groups if (kept := tuple(name for name in group if name in busy)))
    stocked = {(d.table, d.day) for d in days if d.state and d.state.receipt and d.state.receipt.kind == "found"}
    found = {name: tuple(day for day in found if (name, day) not in stocked) for name, found in plan.found.items()}
    return replace(
        plan, chunks=left, groups=groups, found={name: found_days for name, found_days in found.items() if found_days}
    )


def _chunk_without(chunk: Chunk, done: set[tuple[str, date]]) -> Chunk:
    reasons: Mapping[date, str] = {day: why for day, why in chunk.reasons.items() if (chunk.table, day) not in done}
    share = len(reasons) / max(len(chunk.reasons), 1)
    return replace(chunk, reasons=reasons, seconds=round(chunk.seconds * share, 2))


def _named(days: list[date]) -> str:
    more = f" and {len(days) - NAMED} more" if len(days) > NAMED else ""
    return f"{counted(len(days), 'date')} ({', '.join(map(str, days[:NAMED]))}{more})"
