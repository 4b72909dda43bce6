"""Files that have a raw table's own columns, for instance the rows of one date, written out and corrected by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from lib.dialect import column_type
from lib.errors import BadInput
from lib.ingest.arrow import arrow_schema, raw_tables
from lib.ingest.files import UNREADABLE, column_names, paths_of, unreadable
from lib.ingest.query import arrow
from lib.registry import Table
from lib.wording import counted

FILLED = ("processed_at",)  # when a row was loaded is known without the file


@dataclass(frozen=True)
class RawFiles:
    """The rows of each raw table that has a file, those files, and the others that are there."""

    tables: dict[str, pa.Table]
    files: tuple[str, ...]
    others: tuple[Path, ...]


def read_raw_files(folder: Path) -> RawFiles:
    """Reads every file of *folder* that has a raw table's columns.

    BadInput where a file cannot be read, lacks a column of its table (a date is replaced whole, and would lose it), or
    holds a value that is none of its column's type.
    """
    parts: dict[str, list[pa.Table]] = {}
    files, others = [], []
    for path in paths_of(folder):
        table = _raw_table(_columns(path))
        if table is None:
            others.append(path)
        else:
            files.append(path.name)
            parts.setdefault(table.name, []).append(_read(path, table))
    return RawFiles({name: pa.concat_tables(found) for name, found in parts.items()}, tuple(files), tuple(others))


def _columns(path: Path) -> list[str]:
    try:
        return column_names(path)
    except UNREADABLE as error:
        raise unreadable(path, error) from error


def _raw_table(columns: Iterable[str]) -> Table | None:
    """The one raw table that has all these columns, and whose required columns are all among them."""
    have = set(columns)
    fitting = [
        table
        for table in raw_tables()
        if table.contract.partition
        and have <= set(table.contract.column_names)
        and {column.name for column in table.contract.columns if column.required} <= have
    ]
    return max(fitting, key=lambda table: len(have) / len(table.contract.columns), default=None)


def _read(path: Path, table: Table) -> pa.Table:
    schema = arrow_schema(table.contract)
    reader = (
        "read_parquet(?)" if path.suffix.lower() == ".parquet" else "read_csv(?, all_varchar = true, header = true)"
    )
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        try:
            con.execute(f"CREATE TABLE read AS FROM {reader}", [str(path)])
        except duckdb.Error as error:
            raise unreadable(path, error) from error
        columns = [str(name) for name, *_ in con.execute("DESCRIBE read").fetchall()]
        _refuse_half_rows(path, table, columns)
        _refuse_values(con, path, table, columns)
        listed = ", ".join(f"CAST({name} AS {_type(table, name)}) AS {name}" for name in columns)
        found = arrow(con, f"SELECT {listed} FROM read")
    whole = [found[field.name] if field.name in columns else pa.nulls(found.num_rows) for field in schema]
    return pa.table([column.cast(field.type) for column, field in zip(whole, schema, strict=True)], schema=schema)


def _refuse_half_rows(path: Path, table: Table, columns: Iterable[str]) -> None:
    gone = [name for name in table.contract.column_names if name not in {*columns, *FILLED}]
    if gone:
        raise BadInput(
            f"{path.name}: {counted(len(gone), 'column')} of {table.name} not there: {', '.join(gone)}; the rows of a date are"
            " replaced whole, so write out all of their columns"
        )


def _refuse_values(con: duckdb.DuckDBPyConnection, path: Path, table: Table, columns: Iterable[str]) -> None:
    for name in columns:
        value, kind = f"TRY_CAST({name} AS {_type(table, name)})", table.contract.column(name).type
        rounded = f" OR TRY_CAST({name} AS DOUBLE) != {value}" if kind == "INT64" else ""
        wrong = con.execute(
            f"SELECT {name} FROM read WHERE {name} IS NOT NULL AND ({value} IS NULL{rounded}) LIMIT 1"
        ).fetchone()
        if wrong:
            raise BadInput(f"{path.name}: column {name} holds '{wrong[0]}', which is no {kind}; correct the file")


def _type(table: Table, column: str) -> str:
    return column_type(table.contract.column(column))
