"""What the chunks of a table cost: bytes, money, jobs and partitions; and what is too much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lib.settings import BigQueryFacts
from lib.verdicts import RED, Finding

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


def in_all(costs: Iterable[TableCost]) -> TableCost:
    """The costs of all tables."""
    return sum_of("all", costs)


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


def sum_of(table: str, costs: Iterable[TableCost]) -> TableCost:
    """The costs of several chunks as one."""
    costs = list(costs)
    figures = ("bytes_read", "jobs", "partitions", "bytes_billed")
    return TableCost(table, *(sum(getattr(cost, figure) for cost in costs) for figure in figures))
