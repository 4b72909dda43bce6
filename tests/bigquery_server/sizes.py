"""The size model: bytes that a statement reads, by the columns it names and the partitions it is bound to.

INT64, FLOAT64, DATE and TIMESTAMP are 8 bytes, NUMERIC 16, BOOL 1, STRING 2 and its UTF-8 bytes, NULL nothing. Every
reference to a table is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
from sqlglot import exp

from tests.bigquery_server.trouble import invalid

WIDTHS = {"BIGINT": 8, "DOUBLE": 8, "DATE": 8, "TIMESTAMP WITH TIME ZONE": 8, "BOOLEAN": 1}
Sizes = dict[date | None, dict[str, int]]


@dataclass(frozen=True)
class Reading:
    """One reference to a table: its columns, and which dates of the partition column it is bound to."""

    table: str
    columns: frozenset[str]
    first: date | None
    last: date | None
    days: frozenset[date] | None

    def takes(self, day: date | None) -> bool:
        """Whether the partition of *day* is read."""
        if self.first is None and self.last is None and self.days is None:
            return True
        inside = day is not None and (self.first or date.min) <= day <= (self.last or date.max)
        return inside and (self.days is None or day in self.days)


def readings(tree: exp.Expr, tables: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Reading]:
    """Every reference to one of *tables*; refused where a needed partition filter is missing."""
    for reference in tree.find_all(exp.Table):
        name = f"{reference.db}.{reference.name}"
        if reference.db and name in tables and not isinstance(reference.parent, (exp.Insert, exp.Schema)):
            yield _reading(reference, name, tables[name], values)


def bytes_read(found: Iterable[Reading], sizes: Mapping[str, Sizes]) -> int:
    """Bytes of all of them."""
    return sum(
        columns.get(name, 0)
        for reading in found
        for day, columns in sizes[reading.table].items()
        if reading.takes(day)
        for name in reading.columns
    )


def measured(connection: duckdb.DuckDBPyConnection, name: str, partition: str | None) -> Sizes:
    """Bytes of a table by partition and column."""
    described = connection.execute(f"DESCRIBE {name}").fetchall()
    day = partition or "CAST(NULL AS DATE)"
    sums = ", ".join(f"CAST(COALESCE(SUM({_width(column, kind)}), 0) AS BIGINT)" for column, kind, *_ in described)
    rows = connection.execute(f"SELECT {day}, {sums} FROM {name} GROUP BY ALL").fetchall()
    return {row[0]: dict(zip([column for column, *_ in described], row[1:], strict=True)) for row in rows}


def _width(column: str, kind: str) -> str:
    name = f'"{column}"'
    if kind.endswith("[]"):
        return f"len({name}) * 8" if not kind.startswith("VARCHAR") else f"list_sum([2 + strlen(x) for x in {name}])"
    if kind == "VARCHAR":
        return f"2 + strlen({name})"
    return f"IF({name} IS NULL, 0, {16 if kind.startswith('DECIMAL') else WIDTHS.get(kind, 8)})"


def _reading(reference: exp.Table, name: str, table: Any, values: Mapping[str, Any]) -> Reading:
    scope = reference.find_ancestor(exp.Select, exp.Delete, exp.Update)
    where = scope.args.get("where") if scope is not None else None
    alias = reference.alias or reference.name
    first, last, days = _bounds(where, table.partition, alias, values)
    if table.requires_filter and (first, last, days) == (None, None, None):
        raise invalid(
            f"Cannot query over table '{name}' without a filter over column(s) '{table.partition}' that can be used for"
            " partition elimination"
        )
    return Reading(name, _columns(scope, table.columns), first, last, days)


def _columns(scope: exp.Expr | None, known: Iterable[str]) -> frozenset[str]:
    known = frozenset(known)
    if scope is None or isinstance(scope, exp.Delete):
        return frozenset()
    projections = scope.args.get("expressions") or []
    if any(isinstance(part, exp.Star) or (isinstance(part, exp.Column) and part.name == "*") for part in projections):
        return known
    return known & {column.name for column in scope.find_all(exp.Column)}


def _bounds(
    where: exp.Expr | None, partition: str | None, alias: str, values: Mapping[str, Any]
) -> tuple[date | None, date | None, frozenset[date] | None]:
    first = last = days = None
    for condition in _anded(where.this if where else None):
        column = condition.this if isinstance(condition, (exp.Between, exp.In, exp.EQ)) else None
        if not isinstance(column, exp.Column) or column.name != partition or column.table not in ("", alias):
            continue
        if isinstance(condition, exp.Between):
            first, last = (_constant(condition.args[side], values) for side in ("low", "high"))
        elif isinstance(condition, exp.EQ):
            first = last = _constant(condition.expression, values)
        else:
            days = _listed(condition, values)
    return first, last, days


def _anded(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.And):
        yield from _anded(condition.left)
        yield from _anded(condition.right)
    elif condition is not None:
        yield condition


def _constant(value: exp.Expr, values: Mapping[str, Any]) -> date | None:
    if isinstance(value, exp.Parameter):
        return values.get(value.name)
    if isinstance(value, exp.Cast):
        return date.fromisoformat(value.this.name)
    return None


def _listed(condition: exp.In, values: Mapping[str, Any]) -> frozenset[date] | None:
    unnest = condition.args.get("unnest")
    if unnest is not None and isinstance(unnest.expressions[0], exp.Parameter):
        return frozenset(values.get(unnest.expressions[0].name) or ())
    listed = [_constant(item, values) for item in condition.expressions]
    return frozenset(item for item in listed if item is not None) or None
