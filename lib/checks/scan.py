"""Runs checks written in SQL in as few scans as they allow.

A check over the rows of one table is a condition, a check over its groups a HAVING. All conditions of a table are counted
in one scan, all HAVINGs over equal groups in another; only a check that fails is then asked for its rows. What joins
tables is asked as it is written. How many units a check judges is counted in the same scan as the rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import sqlglot
from sqlglot import exp

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
    tree = sqlglot.parse_one(check.sql, read="bigquery")
    table = check.tables[0]
    if not isinstance(tree, exp.Select) or not _of_one_table(tree):
        return Shape(QUERY, table)
    where, group, having = (tree.args.get(part) for part in ("where", "group", "having"))
    if group and having and where:
        groups = ", ".join(item.sql("bigquery") for item in group.expressions)
        return Shape(GROUPS, table, having.this.sql("bigquery"), where.this.sql("bigquery"), groups)
    bounds = [part for part in where.this.flatten() if _is_bound(part)] if where else []
    conditions = [part for part in where.this.flatten() if not _is_bound(part)] if where else []
    if group or len(bounds) != 1 or not conditions or not isinstance(where.this, exp.And):  # type: ignore[union-attr]
        return Shape(QUERY, table)
    return Shape(
        ROWS, table, " AND ".join(f"({part.sql('bigquery')})" for part in conditions), bounds[0].sql("bigquery")
    )


def run_scans(scope: Scope, checks: Iterable[Check]) -> dict[Check, Offenders]:
    """What each check finds; CannotJudge where a query fails: an error is never a pass."""
    checks = list(checks)
    counts = _counts(scope, checks)
    return {check: _offenders(scope, check, *counts.get(check, (0, None))) for check in checks}


def _offenders(scope: Scope, check: Check, units: int, failed: int | None) -> Offenders:
    if failed == 0:
        return Offenders(units)
    found = scope.judge.session.arrow(check.sql, first=scope.first, last=scope.last)
    rows = [tuple(row.values()) for row in found.to_pylist()]
    return Offenders(max(units, len(rows)), tuple(found.column_names), rows)


def _counts(scope: Scope, checks: list[Check]) -> dict[Check, tuple[int, int | None]]:
    """Units and failures by check; the failures of a query are not known before it is asked."""
    scans: dict[tuple[str, str, str, str], list[Check]] = defaultdict(list)
    queries: dict[str, list[Check]] = defaultdict(list)
    for check in checks:
        shape = shape_of(check)
        (queries[shape.table] if shape.kind == QUERY else scans[shape.scan]).append(check)
    for table, asked in queries.items():  # their units come with the rows of the table
        day = registry().tables[table].date_column
        scans[(ROWS, table, f"{day} BETWEEN @first AND @last", "")] += asked
    return {check: found for key, of_scan in scans.items() for check, found in _scan(scope, key, of_scan).items()}


def _scan(scope: Scope, key: tuple[str, str, str, str], checks: list[Check]) -> dict[Check, tuple[int, int | None]]:
    kind, table, where, groups = key
    shapes = [shape_of(check) for check in checks]
    if kind == GROUPS:
        flags = ", ".join(f"({shape.condition}) AS fails_{i}" for i, shape in enumerate(shapes))
        totals = ", ".join(f"COALESCE(COUNTIF(fails_{i}), 0)" for i in range(len(shapes)))
        inner = f"SELECT {flags} FROM {table} WHERE {where} GROUP BY {groups}"
        units, *failed = scope.rows(f"SELECT COUNT(*), {totals} FROM ({inner})")[0]
        return {check: (units, count) for check, count in zip(checks, failed, strict=True)}
    asked = [
        f"{check.units}, {f'COALESCE(COUNTIF({shape.condition}), 0)' if shape.kind == ROWS else 'NULL'}"
        for check, shape in zip(checks, shapes, strict=True)
    ]
    found = scope.rows(f"SELECT {', '.join(asked)} FROM {table} WHERE {where}")[0]
    return {check: (found[2 * i], found[2 * i + 1]) for i, check in enumerate(checks)}


def _of_one_table(tree: exp.Select) -> bool:
    tables = list(tree.find_all(exp.Table))
    parts = (exp.Join, exp.CTE, exp.Subquery, exp.Window, exp.Unnest, exp.Qualify)
    return len(tables) == 1 and not any(tree.find(part) for part in parts) and not tree.args.get("distinct")


def _is_bound(part: exp.Expr) -> bool:
    return isinstance(part, exp.Between) and part.args["low"].name == "first"
