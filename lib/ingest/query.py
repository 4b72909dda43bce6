"""Asking the in-memory DuckDB: every answer is read to its end, so that the next question finds the connection free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa


def rows(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """All rows of *query*."""
    return con.execute(query, list(values)).fetchall()


def first_row(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
    """The first row of *query*; None where it has none."""
    return next(iter(rows(con, query, values)), None)


def arrow(con: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    """The rows of *query* as an Arrow table."""
    table: pa.Table = con.sql(query).to_arrow_table()
    return table
