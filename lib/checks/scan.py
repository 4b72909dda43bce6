"""Runs checks written in SQL in as few scans as they allow.

A check over the rows of one table is a condition, a check over its groups a HAVING. All conditions of a table are counted
in one scan, all HAVINGs over equal groups in another; what joins tables is counted by itself. Only a check that fails is
then asked for its rows. How many units a check judges is counted in the same scan as the rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects import BigQuery

from lib.checks.model import Check, Offenders, Scope
from lib.registry import registry

ROWS, GROUPS, QUERY = "rows", "groups", "query"


@dataclass(frozen=True)
class Shape:
    """How a check can be asked: rows or groups of one table with a condition, or only as the query it is."""

    kind: str
    table: str
    condition: str = ""
    where: str = ""
    groups: str = ""

    @property
    def scan(self) -> tuple[str, str, str, str]:
        """Checks with the same value are counted together."""
        return self.kind, self.table, self.where, self.groups


@cache
def shape_of(check: Check) -> Shape:
    """The shape of a check, read off its SQL."""
    tree = sqlglot.parse_one(check.sql, read=BigQuery)
    table = check.tables[0]
    if not isinstance(tree, exp.Select) or not _of_one_table(tree):
        return Shape(QUERY, table)
    where, group, having = (tree.args.get(part) for part in ("where", "group", "having"))
    if group and having and where:
        groups = ", ".join(item.sql(BigQuery) for item in group.expressions)
        return Shape(GROUPS, table, having.this.sql(BigQuery), where.this.sql(BigQuery), groups)
    bounds = [part for part in where.this.flatten() if _is_bound(part)] if where else []
    conditions = [part for part in where.this.flatten() if not _is_bound(part)] if where else []
    if group or len(bounds) != 1 or not conditions or not isinstance(where.this, exp.And):  # type: ignore[union-attr]
        return Shape(QUERY, table)
    return Shape(ROWS, table, " AND ".join(f"({part.sql(BigQuery)})" for part in conditions), bounds[0].sql(BigQuery))


Rows = Callable[[], list[tuple[Any, ...]]]
Counts = dict[Check, tuple[int, int]]


def ask_scans(scope: Scope, checks: Iterable[Check]) -> Callable[[], Counts]:
    """Units and failures by check, once they are needed."""
    scans: dict[tuple[str, str, str, str], list[Check]] = defaultdict(list)
    queries: dict[Check, Rows] = {}
    for check in checks:
        shape = shape_of(check)
        if shape.kind == QUERY:  # its units come with the rows of the table
            day = registry().tables[shape.table].date_column
            scans[(ROWS, shape.table, f"{day} BETWEEN @first AND @last", "")].append(check)
            queries[check] = scope.ask(f"SELECT COUNT(*) AS failed FROM (\n{check.sql}\n)")
        else:
            scans[shape.scan].append(check)
    asked = [_ask_scan(scope, key, of_scan) for key, of_scan in scans.items()]

    def counts() -> Counts:
        found = {check: units for of_scan in asked for check, units in of_scan().items()}
        return found | {check: (found[check][0], rows()[0][0]) for check, rows in queries.items()}

    return counts


def run_scans(scope: Scope, checks: Iterable[Check]) -> dict[Check, Offenders]:
    """What each check finds; CannotJudge where a query fails: an error is never a pass."""
    return {check: _offenders(scope, check, *counts) for check, counts in ask_scans(scope, checks)().items()}


def _offenders(scope: Scope, check: Check, units: int, failed: int) -> Offenders:
    if failed == 0:
        return Offenders(units)
    found = scope.judge.session.arrow(check.sql, first=scope.first, last=scope.last)
    rows = [tuple(row.values()) for row in found.to_pylist()]
    return Offenders(max(units, len(rows)), tuple(found.column_names), rows)


def _ask_scan(scope: Scope, key: tuple[str, str, str, str], checks: list[Check]) -> Callable[[], Counts]:
    kind, table, where, groups = key
    shapes = [shape_of(check) for check in checks]
    if kind == GROUPS:
        flags = ", ".join(f"({shape.condition}) AS fails_{i}" for i, shape in enumerate(shapes))
        totals = ", ".join(f"COALESCE(COUNTIF(fails_{i}), 0) AS failed_{i}" for i in range(len(shapes)))
        inner = f"SELECT {flags} FROM {table} WHERE {where} GROUP BY {groups}"
        grouped = scope.ask(f"SELECT COUNT(*) AS units, {totals} FROM ({inner})")
        return lambda: {check: (grouped()[0][0], grouped()[0][1 + i]) for i, check in enumerate(checks)}
    asked = [
        f"{check.units} AS units_{i}, COALESCE(COUNTIF({shape.condition or 'FALSE'}), 0) AS failed_{i}"
        for i, (check, shape) in enumerate(zip(checks, shapes, strict=True))
    ]
    rows = scope.ask(f"SELECT {', '.join(asked)} FROM {table} WHERE {where}")
    return lambda: {check: (rows()[0][2 * i], rows()[0][2 * i + 1]) for i, check in enumerate(checks)}


def _of_one_table(tree: exp.Select) -> bool:
    tables = list(tree.find_all(exp.Table))
    parts = (exp.Join, exp.CTE, exp.Subquery, exp.Window, exp.Unnest, exp.Qualify)
    return len(tables) == 1 and not any(tree.find(part) for part in parts) and not tree.args.get("distinct")


def _is_bound(part: exp.Expr) -> bool:
    return isinstance(part, exp.Between) and part.args["low"].name == "first"
