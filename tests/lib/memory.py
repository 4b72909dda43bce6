"""A DuckDB in memory that holds the registered tables, for tests of the SELECTs alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from lib.dialect import create_table, to_duckdb
from lib.registry import Table, registry

Row = Mapping[str, Any]


class Memory:
    """Tables of the registry, filled with the given raw rows."""

    def __init__(self, raw: Mapping[str, Sequence[Row]]) -> None:
        self.connection = duckdb.connect()
        self.parameters: dict[str, object] = {}
        self.pending: set[str] = set()
        self.connection.execute("SET TimeZone = 'UTC'")
        for table in registry().tables.values():
            self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.contract.dataset}")
            self.connection.execute(create_table(table.contract))
        for name, rows in raw.items():
            self.insert(registry().table(name), rows)

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Appends *rows*; a column that a row does not name is NULL, a value that does not fit its type an error."""
        if not rows:
            return
        names = table.contract.column_names
        arrow = pa.table({name: pa.array([row.get(name) for row in rows]) for name in names})
        self.connection.register("new_rows", arrow)
        self.connection.execute(f"INSERT INTO {table.name} SELECT * FROM new_rows")
        self.connection.unregister("new_rows")

    def select(self, name: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        """The rows that the SELECT of table *name* gives, not stored."""
        table = registry().table(name)
        assert table.select is not None
        return self.query(to_duckdb(table.select, table.contract), parameters)

    def compute(self, dates: Iterable[date], season_start: date) -> None:
        """Has every table computed over *dates*, each when its rows are first asked for."""
        self.parameters = bounds(dates, season_start)
        self.pending = {table.name for table in registry().computed}

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Every row of table *name*, which is computed first, after its upstream, where that is still due."""
        table = registry().table(name)
        if table.name in self.pending:
            self.pending.remove(table.name)
            for source in table.upstream:
                self.rows(source)
            self.insert(table, self.select(table.name, self.parameters))
        return self.query(f"SELECT * FROM {table.name}", {})

    def query(self, sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        """The rows of DuckDB text *sql*; parameters that it does not name are left out."""
        used = {name: value for name, value in parameters.items() if f"${name}" in sql}
        # by way of Arrow: fetching a TIMESTAMPTZ directly needs pytz
        rows: list[dict[str, Any]] = self.connection.sql(sql, params=used).to_arrow_table().to_pylist()
        return rows


def bounds(dates: Iterable[date], season_start: date) -> dict[str, object]:
    """The parameters of a SELECT over *dates*."""
    days = sorted(dates)
    return {
        "dates": days,
        "first": days[0],
        "last": days[-1],
        "history_from": season_start,
        "bootstrap_days": 14,
        "minimum_games": 5,
    }
