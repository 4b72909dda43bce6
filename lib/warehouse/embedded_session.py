"""A session of the embedded warehouse: GoogleSQL in, rows out, from one consistent state of the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from lib.contract import Contract
from lib.dialect import to_duckdb
from lib.errors import CannotJudge, QueryFailed
from lib.warehouse.interface import Answers

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class EmbeddedSession:
    """One consistent look at the file."""

    connection: duckdb.DuckDBPyConnection
    jobs_are_dear: bool = False
    _kept: dict[str, str] = field(default_factory=dict)

    def rows(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a query; CannotJudge where it fails: an error is never an empty answer."""
        return self._run(to_duckdb(sql), parameters).fetchall()

    def arrow_schema(self, table: str) -> pa.Schema:
        """The types of a table's columns, as an answer would have them."""
        with _failures_are_said():
            return self.connection.sql(f"FROM {table} LIMIT 0").to_arrow_table().schema

    def ask(self, sql: str, **parameters: object) -> Callable[[], list[tuple[Any, ...]]]:
        """The rows of a query once they are needed, looked up once."""
        return cache(lambda: self.rows(sql, **parameters))

    def recall(self, answers: Answers) -> None:
        """A file is looked at again faster than answers are kept."""

    def facts(self) -> dict[str, str]:
        """What is noted about the warehouse: as_of, kind, id."""
        return dict(self.rows("SELECT name, value FROM runbook.meta"))

    def view(self, name: str, sql: str, contract: Contract | None = None, **parameters: object) -> None:
        """Gives a query a name; its rows are kept, so that they are computed once."""
        self.keep(name, sql, contract, **parameters)

    def arrow(self, sql: str, **parameters: object) -> pa.Table:
        """The rows of a query as an Arrow table."""
        text = to_duckdb(sql)
        with _failures_are_said():
            return self.connection.sql(text, params=_used(text, parameters)).to_arrow_table()

    def keep(self, name: str, sql: str, contract: Contract | None = None, **parameters: object) -> None:
        """Keeps a query's rows under *name* for the rest of the session; *contract* tells the types of a table's rows."""
        self._run(f"CREATE OR REPLACE TEMP TABLE {name} AS {to_duckdb(sql, contract)}", parameters)

    def keep_once(self, sql: str, **parameters: object) -> str:
        """The name under which a query's rows are kept; asked for again, the query is not run again."""
        asked = repr((sql, sorted(parameters.items())))
        if asked not in self._kept:
            self._kept[asked] = f"kept_{len(self._kept)}"
            self.keep(self._kept[asked], sql, None, **parameters)
        return self._kept[asked]

    def write_stage(self, name: str, stage: Path, where: str) -> None:
        """Writes what was kept under *name* to a file of its own."""
        self._run(
            f"COPY (SELECT * FROM {name} WHERE {where}) TO {quoted(stage)} (FORMAT parquet, USE_TMP_FILE false)", {}
        )

    @cached_property
    def tables(self) -> dict[str, tuple[str, ...]]:
        """Every table by ``dataset.table``, with its columns."""
        found = self._run(
            "SELECT table_schema || '.' || table_name, list(column_name ORDER BY ordinal_position)"
            " FROM information_schema.columns WHERE table_schema NOT IN ('main', 'information_schema', 'pg_catalog')"
            " GROUP BY ALL",
            {},
        )
        return {name: tuple(columns) for name, columns in found.fetchall()}

    def _run(self, text: str, parameters: Mapping[str, object]) -> duckdb.DuckDBPyConnection:
        with _failures_are_said():
            return self.connection.execute(text, _used(text, parameters))


def _used(text: str, parameters: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in parameters.items() if re.search(rf"\${name}\b", text)}


@contextmanager
def _failures_are_said() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        if "No space left" in str(error):
            raise CannotJudge(f"the disk is full: {first_line(error)}; free some space and run again") from error
        raise QueryFailed(f"the warehouse could not answer: {first_line(error)}") from error


def quoted(path: Path) -> str:
    """A path as SQL text."""
    return "'" + str(path).replace("'", "''") + "'"


def first_line(error: BaseException) -> str:
    """What an error says first."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
