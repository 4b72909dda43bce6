"""What a plan will cost before it is run: bytes, money, jobs and partitions, per table; only where the engine bills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from lib.plan import Chunk, Plan
from lib.settings import BigQueryFacts, Settings
from lib.verdicts import RED, Finding, Verdict, verdict_of

TIB = 2**40


@dataclass(frozen=True)
class TableCost:
    """What the chunks of one table read and change. Bytes by dry run, of tables that are still empty by a model."""

    table: str
    bytes_read: int
    jobs: int
    partitions: int
    bytes_billed: int = 0  # the least that is billed for each table of each query is more than a small table holds

    def money(self, facts: BigQueryFacts) -> float:
        """Dollars, on demand."""
        return self.bytes_billed / TIB * facts.price_per_tib

    def line(self, facts: BigQueryFacts) -> dict[str, object]:
        """The figures for a table."""
        share = 100 * self.partitions / facts.partitions_per_day
        return {
            "table": self.table,
            "MiB read": round(self.bytes_read / 2**20, 1),
            "MiB billed": round(self.bytes_billed / 2**20, 1),
            "dollars": round(self.money(facts), 4),
            "jobs": self.jobs,
            "partitions changed": self.partitions,
            "% of a day's limit": round(share, 1),
        }


@runtime_checkable
class Billed(Protocol):
    """A warehouse that bills what is read and limits what is changed."""

    def cost_of(self, chunk: Chunk, settings: Settings) -> TableCost:
        """What a chunk will read and change, without running it."""

    def spent_on(self, table: str) -> tuple[int, int]:
        """Jobs of this process for a table, and the bytes that are billed for them."""


def costs_of(warehouse: object, plan: Plan, settings: Settings) -> list[TableCost]:
    """The costs of a plan by table; empty where the engine bills nothing."""
    if not isinstance(warehouse, Billed):
        return []
    found: dict[str, TableCost] = {}
    for chunk in plan.chunks:
        cost, before = warehouse.cost_of(chunk, settings), found.get(chunk.table)
        found[chunk.table] = _sum(chunk.table, [cost, before] if before else [cost])
    return list(found.values())


def in_all(costs: Iterable[TableCost]) -> TableCost:
    """The costs of all tables."""
    return _sum("all", list(costs))


def cost_findings(costs: list[TableCost], facts: BigQueryFacts) -> list[Finding]:
    """Red where the plan costs more than the budget, or uses too much of a day's limit."""
    total = in_all(costs)
    findings = []
    if total.money(facts) > facts.budget:
        what = f"{total.bytes_billed / TIB:.3f} TiB are billed for the plan, ${total.money(facts):.2f}; the budget is ${facts.budget:g}"
        findings.append(
            Finding(RED, "budget", what, "run fewer dates at once, or raise budget in runbook.toml, [bigquery]")
        )
    limit = facts.quota_share_pct / 100 * facts.partitions_per_day
    for cost in costs:
        if cost.partitions > limit:
            what = f"{cost.partitions} partitions would be changed, {facts.quota_share_pct:g} % of a day's limit are {limit:.0f}"
            findings.append(Finding(RED, cost.table, what, "run it over several days: --start-date, --end-date"))
    jobs = facts.quota_share_pct / 100 * facts.jobs_per_run
    if total.jobs > jobs:
        findings.append(
            Finding(RED, "jobs", f"{total.jobs} jobs, at most {jobs:.0f} may be", "run fewer tables or dates at once")
        )
    return findings


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
    chunks = plan.chunks_of(table)
    return (
        sum(warehouse.cost_of(chunk, settings).bytes_billed for chunk in chunks) if isinstance(warehouse, Billed) else 0
    )


def with_spent(verdict: Verdict, warehouse: object, table: str, estimated: int) -> Verdict:
    """The verdict of a launch with what it cost beside what was estimated; unchanged where nothing is billed."""
    if not isinstance(warehouse, Billed):
        return verdict
    jobs, actual = warehouse.spent_on(table)
    said = f" {jobs} jobs are billed for {actual / 2**20:.0f} MiB, {estimated / 2**20:.0f} MiB were estimated."
    about = dict(verdict.about) | {"jobs": jobs, "bytes_billed": actual, "bytes_estimated": estimated}
    return replace(verdict, sentence=verdict.sentence + said, about=about)


def _sum(table: str, costs: list[TableCost]) -> TableCost:
    figures = ("bytes_read", "jobs", "partitions", "bytes_billed")
    return TableCost(table, *(sum(getattr(cost, figure) for cost in costs) for figure in figures))
