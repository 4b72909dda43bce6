"""A session of the embedded warehouse: GoogleSQL in, rows out, from one consistent state of the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from lib.contract import Contract
from lib.dialect import to_duckdb
from lib.errors import CannotJudge, QueryFailed
from lib.warehouse.interface import Answers, Parameters
from lib.warehouse.kept import KEPT_ONCE, KeptNames, key_of, new_home
from lib.warehouse.questions import Answer, Questions, set_up

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class EmbeddedSession:
    """One consistent look at the file. With more than one of the ``cores``, questions are answered side by side."""

    connection: duckdb.DuckDBPyConnection
    cores: int = 1
    jobs_are_dear: bool = False
    home: str = field(default_factory=new_home)
    _kept: set[str] = field(default_factory=set)
    _names: KeptNames = field(default_factory=KeptNames)
    _made: dict[str, Answer] = field(default_factory=dict)  # what is kept once, each table made before its first reader

    def __post_init__(self) -> None:
        self.connection.execute(f"ATTACH ':memory:' AS {self.home} (READ_WRITE)")
        self._questions = Questions(set_up(self.connection, self.home), self.home, self.cores)

    def close(self) -> None:
        """Gives up what was asked and is not needed, and what was kept: another session may have the file open still."""
        self._questions.close()
        self._made.clear()  # it knows this object, too
        with suppress(duckdb.Error):  # a database that failed for good has said so already
            self.connection.execute(f"SET search_path = 'main'; DETACH {self.home}")

    def rows(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a query; CannotJudge where it fails: an error is never an empty answer."""
        return self._look(self.connection, sql, parameters)

    def arrow_schema(self, table: str) -> pa.Schema:
        """The types of a table's columns, as an answer would have them."""
        with _failures_are_said():
            return self.connection.sql(f"FROM {table} LIMIT 0").to_arrow_table().schema

    def ask(self, sql: str, **parameters: object) -> Callable[[], list[tuple[Any, ...]]]:
        """The rows of a query once they are needed, looked up once, by then or before."""
        return self._questions.ask(key_of(sql, parameters), lambda connection: self._look(connection, sql, parameters))

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
        text = self._ready(sql)
        with _failures_are_said():
            return self.connection.sql(text, params=_used(text, parameters)).to_arrow_table()

    def keep(self, name: str, sql: str, contract: Contract | None = None, **parameters: object) -> None:
        """Keeps a query's rows under *name* for the rest of the session; *contract* tells the types of a table's rows."""
        if name in self._kept:
            self._questions.settle()
        self._kept.add(name)
        self._make(self.connection, name, sql, contract, parameters)

    def keep_by_part(
        self, name: str, sql: str, contract: Contract, whole: Parameters, parts: Sequence[Parameters]
    ) -> None:
        """The same, once in a session: with one core for *whole*, else for *parts* side by side."""
        if self.cores == 1 or len(parts) == 1:
            self.keep(name, sql, contract, **whole)
            return
        names = [f"{name}_{number}" for number in range(len(parts))]
        makes = [
            partial(self._make, name=part, sql=sql, contract=contract, parameters=parameters)
            for part, parameters in zip(names, parts, strict=True)
        ]
        for made in [self._questions.ask(part, make) for part, make in zip(names, makes, strict=True)]:
            made()
        self._kept.add(name)
        self._run(f"CREATE VIEW {self.home}.main.{name} AS {' UNION ALL '.join(f'FROM {part}' for part in names)}", {})

    def keep_once(self, sql: str, **parameters: object) -> str:
        """The name under which a query's rows are kept; asked for again, the query is not run again."""
        name, new = self._names.of(sql, parameters)
        if new:
            make = partial(self._make, name=name, sql=sql, contract=None, parameters=parameters)
            self._made[name] = self._questions.ask(name, make)
        return name

    def write_stage(self, name: str, stage: Path, where: str) -> None:
        """Writes what was kept under *name* to a file of its own."""
        self._run(
            f"COPY (SELECT * FROM {name} WHERE {where}) TO {quoted(stage)} (FORMAT parquet, COMPRESSION lz4_raw, USE_TMP_FILE false)",
            {},
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

    def _make(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        sql: str,
        contract: Contract | None,
        parameters: Mapping[str, object],
    ) -> list[tuple[Any, ...]]:
        text = f"CREATE OR REPLACE TABLE {self.home}.main.{name} AS {self._ready(sql, contract)}"
        return self._run(text, parameters, connection).fetchall()

    def _look(
        self, connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]
    ) -> list[tuple[Any, ...]]:
        return self._run(self._ready(sql), parameters, connection).fetchall()

    def _ready(self, sql: str, contract: Contract | None = None) -> str:
        """The DuckDB text of a query, whose tables are all made by now."""
        for name in set(KEPT_ONCE.findall(sql)) & self._made.keys():
            self._made[name]()
        return to_duckdb(sql, contract)

    def _run(
        self, text: str, parameters: Mapping[str, object], connection: duckdb.DuckDBPyConnection | None = None
    ) -> duckdb.DuckDBPyConnection:
        with _failures_are_said():
            return (connection or self.connection).execute(text, _used(text, parameters))


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
