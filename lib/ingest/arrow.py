"""Contract to Arrow: types, column order, order of rows."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from lib.contract import Contract
from lib.errors import CannotJudge
from lib.ingest.query import arrow
from lib.registry import Table, registry

DATASETS = ("nba_raw", "nba_static")
TYPES = {
    "STRING": pa.string(),
    "INT64": pa.int64(),
    "FLOAT64": pa.float64(),
    "BOOL": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
}


def raw_tables() -> list[Table]:
    """The registered tables that hold data from outside."""
    return [table for table in registry().raw if table.contract.dataset in DATASETS]


def arrow_schema(contract: Contract) -> pa.Schema:
    """The Arrow schema of *contract*, columns in order; CannotJudge where a type has no Arrow type here."""
    for column in contract.columns:
        if column.type not in TYPES:
            raise CannotJudge(
                f"{contract.name}.{column.name}: {column.type} cannot be read from files; change the contract"
            )
    return pa.schema([pa.field(column.name, TYPES[column.type]) for column in contract.columns])


def table_of(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    select: str,
    processed_at: pa.Scalar,
) -> pa.Table:
    """The rows of *select* as *contract* has them, in the order of its key; columns that *select* lacks are NULL."""
    found = arrow(con, select)
    if "processed_at" in contract.column_names:
        found = found.append_column("processed_at", pa.repeat(processed_at, found.num_rows))
    schema = arrow_schema(contract)
    nothing = pa.nulls(found.num_rows)
    columns = [found[field.name] if field.name in found.column_names else nothing for field in schema]
    table = pa.table(
        [column.cast(field.type) for column, field in zip(columns, schema, strict=True)],
        schema=schema,
    )
    return table.sort_by([(name, "ascending") for name in contract.key])
