"""How long a chain should take, and how long it took: seconds by table and in all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lib.plan import Plan

if TYPE_CHECKING:
    from runbook.chain import Chain, ChainStep
    from runbook.manifest import StepRecord

SECONDS_OF_TRAINING = 6.0
SECONDS_PER_NOTEBOOK = 2.5  # kernel, imports and one look at the warehouse
WHOLE = "whole chain"


def estimated(plan: Plan, steps: Sequence[ChainStep]) -> dict[str, Any]:
    """Expected seconds of the whole chain, notebook after notebook, and of computing each table."""
    training = any(step.notebook == "60_train" for step in steps)
    whole = plan.seconds + SECONDS_PER_NOTEBOOK * len(steps) + SECONDS_OF_TRAINING * training
    return {"chain_seconds": round(whole, 1), "notebooks": len(steps), "table_seconds": _by_table(plan)}


def beside_actual(chain: Chain, records: Iterable[StepRecord]) -> list[dict[str, Any]]:
    """A line a table and one for the chain: expected and actual seconds. Computing alone; the chain with its notebooks."""
    records = list(records)
    actual = {
        v["table"]: sum(line["seconds"] for line in v["tables"]) for r in records for v in r.verdicts if "table" in v
    }
    dates = {name: sum(len(c.reasons) for c in chain.plan.chunks_of(name)) for name in actual}
    expected = _by_table(chain.plan)
    lines = [_line(name, dates[name], expected.get(name, 0.0), seconds) for name, seconds in actual.items()]
    ends = [record.started + timedelta(seconds=record.seconds) for record in records]
    took = (max(ends) - min(record.started for record in records)).total_seconds() if records else 0.0
    whole = estimated(chain.plan, chain.steps)["chain_seconds"]
    return [*lines, _line(WHOLE, chain.plan.dates, whole, took)]


def _by_table(plan: Plan) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for chunk in plan.chunks:
        seconds[chunk.table] = round(seconds.get(chunk.table, 0.0) + chunk.seconds, 2)
    return seconds


def _line(name: str, dates: int, expected: float, actual: float) -> dict[str, Any]:
    return {"table": name, "dates": dates, "estimated_seconds": float(expected), "actual_seconds": round(actual, 2)}
