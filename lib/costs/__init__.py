"""Costs and quotas of an engine that bills."""

from lib.costs.figures import TableCost, cost_findings, in_all
from lib.costs.judge import Billed, cost_verdict, costs_of, estimate_of, with_spent

__all__ = ["Billed", "TableCost", "cost_findings", "cost_verdict", "costs_of", "estimate_of", "in_all", "with_spent"]
