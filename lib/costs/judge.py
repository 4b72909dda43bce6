"""What a plan will cost before it is run, and what it did cost, per table; only where the engine bills."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from lib.costs.figures import TableCost, cost_findings, in_all, sum_of
from lib.plan import Plan
from lib.settings import Settings
from lib.verdicts import Verdict, verdict_of

if TYPE_CHECKING:
    from lib.costs.estimate import Estimator
    from lib.warehouse.bigquery.jobs import Jobs


@runtime_checkable
class Billed(Protocol):
    """A warehouse that bills what is read and limits what is changed."""

    @property
    def jobs(self) -> Jobs:
        """What sends its jobs."""

    def meta(self) -> dict[str, str]:
        """What is noted about it."""

    def spent_on(self, table: str) -> tuple[int, int]:
        """Jobs of this process for a table, and the bytes that are billed for them."""


def _estimator(warehouse: Billed, settings: Settings) -> Estimator:
    from lib.costs.estimate import Estimator  # with the client of the cloud, which only its users pay for

    return Estimator(warehouse.jobs, settings, warehouse.meta)


def _absent(plan: Plan) -> dict[str, set[date]]:
    """By table the dates of which it holds nothing, and which the plan fills."""
    absent: dict[str, set[date]] = {}
    for chunk in plan.chunks:
        absent.setdefault(chunk.table, set()).update(d for d, why in chunk.reasons.items() if why.startswith("absent"))
    return absent


def costs_of(warehouse: object, plan: Plan, settings: Settings) -> list[TableCost]:
    """The costs of a plan by table; empty where the engine bills nothing."""
    if not isinstance(warehouse, Billed):
        return []
    # before a run what its own plan fills is to come; a launch finds it there, and counts it as it is
    estimator = replace(_estimator(warehouse, settings), absent=_absent(plan))
    names = dict.fromkeys(chunk.table for chunk in plan.chunks)
    return [sum_of(name, map(estimator.cost_of, plan.chunks_of(name))) for name in names]


def cost_verdict(warehouse: object, plan: Plan, settings: Settings) -> Verdict | None:
    """Whether the plan is within budget and quotas; None where the engine bills nothing."""
    costs = costs_of(warehouse, plan, settings)
    if not isinstance(warehouse, Billed):
        return None
    total, facts = in_all(costs), settings.bigquery
    sentence = (
        f"The plan reads {total.bytes_read / 2**20:.1f} MiB by about {total.jobs} jobs, is billed for"
        f" {total.bytes_billed / 2**20:.0f} MiB (${total.money(facts):.4f}) and changes {total.partitions} partitions."
    )
    return verdict_of(
        "warehouse", sentence, cost_findings(costs, facts), about={"costs": [c.line(facts) for c in costs]}
    )


def estimate_of(warehouse: object, plan: Plan, table: str, settings: Settings) -> int:
    """Bytes that are expected to be billed for the chunks of one table; 0 where nothing is billed."""
    if not isinstance(warehouse, Billed):
        return 0
    estimator = _estimator(warehouse, settings)
    return sum(estimator.cost_of(chunk).bytes_billed for chunk in plan.chunks_of(table))


def with_spent(verdict: Verdict, warehouse: object, table: str, estimated: int) -> Verdict:
    """The verdict of a launch with what it cost beside what was estimated; unchanged where nothing is billed."""
    if not isinstance(warehouse, Billed):
        return verdict
    jobs, actual = warehouse.spent_on(table)
    said = f" {jobs} jobs are billed for {actual / 2**20:.0f} MiB, {estimated / 2**20:.0f} MiB were estimated."
    about = dict(verdict.about) | {"jobs": jobs, "bytes_billed": actual, "bytes_estimated": estimated}
    return replace(verdict, sentence=verdict.sentence + said, about=about)
