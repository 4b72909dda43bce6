"""What the server holds: datasets and tables with their metadata, and the rows in one DuckDB in memory."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from tests.bigquery_server.sizes import Reading, Sizes, bytes_read, measured, readings
from tests.bigquery_server.translate import for_duckdb, parsed, questions, statements
from tests.bigquery_server.trouble import NotStrict, Refused, invalid, not_found
from tests.bigquery_server.wire import Field, duckdb_type, field_of

LEAST_BILLED = 10 * 2**20
MAX_PARTITIONS_PER_JOB = 4_000
MAX_PARTITIONS_PER_DAY = 30_000
CONCURRENT = "Transaction is aborted due to concurrent update against table {}. Transaction ID: none"


@dataclass
class TableOf:
    """One table: its resource as it was given, and how often it was changed."""

    resource: dict[str, Any]
    version: int = 0
    modified: float = field(default_factory=time.time)
    partitions_today: int = 0

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        return [column["name"] for column in self.resource["schema"]["fields"]]

    @property
    def partition(self) -> str | None:
        """The column it is partitioned by."""
        return self.resource.get("timePartitioning", {}).get("field")

    @property
    def requires_filter(self) -> bool:
        """Whether a query must name the partitions."""
        return bool(self.resource.get("requirePartitionFilter"))


@dataclass
class Result:
    """Rows of a query with their schema; bytes by the size model."""

    fields: list[Field] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    bytes_processed: int = 0
    bytes_billed: int = 0
    changed: int = 0
    kind: str = "SELECT"


@dataclass
class Transaction:
    """A snapshot of the tables, and what was mutated in it."""

    connection: duckdb.DuckDBPyConnection
    began: int
    mutated: dict[str, int] = field(default_factory=dict)  # partitions by table
    row_count: int = 0


class Store:
    """Datasets, tables and rows. Its methods may be called by several threads."""

    def __init__(self) -> None:
        self.database = duckdb.connect()
        self.database.execute("SET TimeZone = 'UTC'")
        self.datasets: dict[str, dict[str, Any]] = {}
        self.tables: dict[str, TableOf] = {}
        self.read: list[tuple[str, Reading, int]] = []  # purpose, reading, bytes
        self.lock = threading.RLock()
        self._sizes: dict[tuple[str, int], Sizes] = {}
        self._commits: dict[str, int] = {}  # the clock of the last mutation of a table
        self._mutating: dict[str, Transaction] = {}
        self._clock = 0

    def add_dataset(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Creates a dataset; 409 where it is there."""
        name = resource["datasetReference"]["datasetId"]
        with self.lock:
            if name in self.datasets:
                raise Refused(409, "duplicate", f"Already Exists: Dataset {name}")
            self.datasets[name] = resource
            self.database.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}"')
        return resource

    def add_table(self, resource: dict[str, Any], as_rows: str | None = None) -> TableOf:
        """Creates an empty table; 404 without its dataset, 409 where it is there."""
        reference = resource["tableReference"]
        name = f"{reference['datasetId']}.{reference['tableId']}"
        with self.lock:
            if reference["datasetId"] not in self.datasets:
                raise not_found(f"Dataset {reference['datasetId']}")
            if name in self.tables:
                raise Refused(409, "duplicate", f"Already Exists: Table {name}")
            self._create(name, resource["schema"]["fields"])
            self.tables[name] = TableOf(resource)
            return self.tables[name]

    def table(self, name: str) -> TableOf:
        """A table by ``dataset.table``; 404 where there is none."""
        with self.lock:
            if name not in self.tables:
                raise not_found(f"Table {name}")
            return self.tables[name]

    def alter(self, name: str, fields: list[Field]) -> None:
        """Adds columns at the end; any other change is refused, as is a column that may not be NULL."""
        with self.lock:
            held = self.table(name).resource["schema"]["fields"]
            added = fields[len(held) :]
            if [f["name"] for f in fields[: len(held)]] != [f["name"] for f in held]:
                raise invalid(f"Provided Schema does not match Table {name}")
            if any(f.get("mode") == "REQUIRED" for f in added):
                raise invalid(f"Provided Schema does not match Table {name}. Cannot add required fields")
            for column in added:
                self.database.cursor().execute(
                    f'ALTER TABLE {name} ADD COLUMN "{column["name"]}" {duckdb_type(column)}'
                )
            self.table(name).resource["schema"]["fields"] = fields
            self._touched(name)

    def drop_table(self, name: str) -> None:
        """Removes a table."""
        with self.lock:
            self.table(name)
            self.database.cursor().execute(f"DROP TABLE {name}")
            del self.tables[name]

    def count(self, name: str) -> int:
        """Rows of a table."""
        row = self.database.cursor().execute(f"SELECT COUNT(*) FROM {name}").fetchone()
        return int(row[0]) if row else 0

    def load(self, resource: dict[str, Any], rows: pa.Table) -> None:
        """Replaces a table by *rows*; a NULL where a value is required is refused."""
        reference = resource["tableReference"]
        name = f"{reference['datasetId']}.{reference['tableId']}"
        with self.lock:
            if name not in self.tables:
                self.add_table(resource)
            unknown = set(rows.column_names) - set(self.tables[name].columns)
            if unknown:
                raise invalid(f"Provided Schema does not match Table {name}. Cannot add fields (field: {unknown})")
            cursor = self.database.cursor()
            cursor.register("incoming", rows)
            cursor.begin()
            try:
                cursor.execute(f"DELETE FROM {name}")
                cursor.execute(f"INSERT INTO {name} BY NAME SELECT * FROM incoming")
                cursor.commit()
            except duckdb.Error as error:
                cursor.rollback()
                raise invalid(str(error)) from error
            cursor.unregister("incoming")
            self._touched(name)

    def billed(self, script: str, values: Mapping[str, Any]) -> int:
        """Bytes that are billed: what is read of each table, and never less than ten megabytes of one."""
        by_table: dict[str, int] = {}
        for reading in self._readings(script, values):
            sizes = {reading.table: self._size(reading.table)}
            by_table[reading.table] = by_table.get(reading.table, 0) + bytes_read([reading], sizes)
        return sum(max(size, LEAST_BILLED) for size in by_table.values())

    def _readings(self, script: str, values: Mapping[str, Any]) -> list[Reading]:
        return [
            reading
            for statement in statements(script)
            if statement.upper().split()[0] not in ("BEGIN", "COMMIT", "ASSERT", "CREATE")
            for reading in readings(parsed(statement), self.tables, values)
        ]

    def estimate(self, script: str, values: Mapping[str, Any], purpose: str = "dry run") -> int:
        """Bytes that a script would read."""
        found = self._readings(script, values)
        sizes = {reading.table: self._size(reading.table) for reading in found}
        if purpose != "dry run":
            self.read += [(purpose, reading, bytes_read([reading], sizes)) for reading in found]
        return bytes_read(found, sizes)

    def run(self, script: str, values: Mapping[str, Any], label: str, hook: Any) -> Result:
        """Runs a query or a script; what it wrote is kept wholly or not at all."""
        parts = statements(script)
        explicit = parts[0].upper().startswith("BEGIN TRANSACTION")
        if len(parts) > 1 and not explicit:
            raise NotStrict(f"a script that is no transaction:\n{script}")
        with self._transaction() as transaction:
            result = Result()
            for part in parts:
                word = part.upper().split()[0]
                if word not in ("BEGIN", "COMMIT"):
                    hook(part)
                    result = self._statement(transaction, part, values, label)
            hook("COMMIT TRANSACTION" if explicit else "commit")
        return result

    def keep(self, name: str, script: str, values: Mapping[str, Any], label: str) -> Result:
        """Replaces a destination table by the rows of a query."""
        dataset, _, table = name.partition(".")
        if dataset not in self.datasets:
            raise not_found(f"Dataset {dataset}")
        text = for_duckdb(script, label)
        cursor = self.database.cursor()
        self._execute(cursor, f"CREATE OR REPLACE TABLE {name} AS {text}", text, values)
        fields = [field_of(c, k) for c, k, *_ in cursor.execute(f"DESCRIBE {name}").fetchall()]
        with self.lock:
            reference = {"projectId": "p", "datasetId": dataset, "tableId": table}
            self.tables[name] = TableOf({"tableReference": reference, "schema": {"fields": fields}})
        return Result(fields, [])

    def _statement(self, transaction: Transaction, sql: str, values: Mapping[str, Any], label: str) -> Result:
        word = sql.upper().split()[0]
        if word in ("SELECT", "WITH", "--", "("):
            return self._select(transaction.connection, sql, values, label)
        if word in ("INSERT", "DELETE", "UPDATE", "MERGE"):
            return self._mutate(transaction, word, sql, values, label)
        if word == "ASSERT":
            return self._assert(transaction, sql, values)
        if sql.upper().startswith("CREATE SNAPSHOT TABLE IF NOT EXISTS"):
            return self._snapshot(sql)
        if sql.upper().startswith("ALTER TABLE"):
            return self._alter(sql)
        raise NotStrict(f"a statement that this server does not know:\n{sql}")

    def _select(self, connection: Any, sql: str, values: Mapping[str, Any], label: str) -> Result:
        asked = questions(sql)
        if not asked:
            return self._query(connection, sql, values, label)
        answers = [self._query(connection, question.sql, values, label) for question in asked]
        fields = [
            {"name": question.name, "type": "RECORD", "mode": "REPEATED", "fields": answer.fields}
            for question, answer in zip(asked, answers, strict=True)
        ]
        return Result(fields, [tuple(answer.rows for answer in answers)])

    def _query(self, connection: Any, sql: str, values: Mapping[str, Any], label: str) -> Result:
        text = for_duckdb(sql, label)
        relation = self._execute(connection, text, text, values, relation=True)
        fields = [field_of(name, str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True)]
        try:
            table = relation.to_arrow_table()
        except duckdb.Error as error:
            raise invalid(str(error)) from error
        rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True)) if table.num_columns else []
        return Result(fields, rows)

    def _mutate(self, transaction: Transaction, word: str, sql: str, values: Mapping[str, Any], label: str) -> Result:
        target = parsed(sql).find(exp_table())
        assert target is not None
        name = f"{target.db}.{target.name}"
        table = self.table(name)
        if word != "INSERT":
            self._claim(transaction, name)
        transaction.mutated.setdefault(name, 0)
        if table.partition and word == "INSERT":
            transaction.mutated[name] = max(transaction.mutated[name], len(values.get("days") or ()))
        if transaction.mutated[name] > MAX_PARTITIONS_PER_JOB:
            raise Refused(
                400, "quotaExceeded", f"Too many partitions produced by query, allowed {MAX_PARTITIONS_PER_JOB}"
            )
        for rows in ("receipts", "attempts", "rows", "facts"):
            if f"@{rows})" in sql:
                self._offer(transaction.connection, f"parameter_{rows}", values[rows], table)
        text = for_duckdb(sql, label)
        changed = self._execute(transaction.connection, text, text, values).fetchone()
        transaction.row_count = int(changed[0]) if changed else 0
        return Result(changed=transaction.row_count, kind=word)

    def _assert(self, transaction: Transaction, sql: str, values: Mapping[str, Any]) -> Result:
        connection = transaction.connection
        condition, _, message = sql[len("ASSERT") :].rpartition(" AS ")
        condition = condition.replace("@@row_count", str(transaction.row_count))
        text = for_duckdb(f"SELECT {condition}", "")
        row = self._execute(connection, text, text, values).fetchone()
        if not row or row[0] is not True:
            raise invalid(f"Assertion failed: {message.strip().strip(chr(39))}")
        return Result(kind="ASSERT")

    def _snapshot(self, sql: str) -> Result:
        words = sql.split()
        name, source = words[6], words[8]
        if name not in self.tables:
            dataset, _, table = name.partition(".")
            if dataset not in self.datasets:
                raise not_found(f"Dataset {dataset}")
            self.database.cursor().execute(f"CREATE TABLE {name} AS FROM {source}")
            reference = {"projectId": "p", "datasetId": dataset, "tableId": table}
            self.tables[name] = TableOf({**self.table(source).resource, "tableReference": reference})
        return Result(kind="CREATE_SNAPSHOT_TABLE")

    def _alter(self, sql: str) -> Result:
        raise NotStrict(f"ALTER is not known yet:\n{sql}")

    def _offer(self, connection: Any, name: str, rows: list[dict[str, Any]], table: TableOf) -> None:
        kinds = {column["name"]: duckdb_type(column) for column in table.resource["schema"]["fields"]}
        values = {column: [row[column] for row in rows] for column in kinds}
        connection.register(f"{name}_untyped", pa.table({c: pa.array(v) for c, v in values.items()}))
        casts = ", ".join(f'CAST("{column}" AS {kind}) AS "{column}"' for column, kind in kinds.items())
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {casts} FROM {name}_untyped")

    def _execute(self, connection: Any, sql: str, names: str, values: Mapping[str, Any], relation: bool = False) -> Any:
        given = {name: value for name, value in values.items() if re.search(rf"\${name}\b", names)}
        try:
            return connection.sql(sql, params=given) if relation else connection.execute(sql, given)
        except duckdb.TransactionException as error:
            raise invalid(CONCURRENT.format(str(error)[:80])) from error
        except duckdb.Error as error:
            raise invalid(str(error)) from error

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        cursor = self.database.cursor()
        with self.lock:
            cursor.begin()
            cursor.execute("SELECT COUNT(*) FROM duckdb_tables()").fetchall()  # takes the snapshot
            transaction = Transaction(cursor, self._clock)
        try:
            yield transaction
            with self.lock:
                self._commit(transaction)
        except BaseException:
            self._roll_back(cursor)
            raise
        finally:
            with self.lock:
                self._mutating = {n: t for n, t in self._mutating.items() if t is not transaction}

    def _commit(self, transaction: Transaction) -> None:
        for name, partitions in transaction.mutated.items():
            table = self.tables[name]
            if table.partitions_today + partitions > MAX_PARTITIONS_PER_DAY:
                raise Refused(403, "quotaExceeded", f"Quota exceeded: partition modifications of {name} a day")
        try:
            transaction.connection.commit()
        except duckdb.Error as error:
            raise invalid(CONCURRENT.format(str(error)[:80])) from error
        self._clock += 1
        for name, partitions in transaction.mutated.items():
            self.tables[name].partitions_today += partitions
            self._commits[name] = self._clock
            self._touched(name)

    def _roll_back(self, cursor: duckdb.DuckDBPyConnection) -> None:
        try:
            cursor.rollback()
        except duckdb.Error:
            return  # it was never begun, or the database has rolled it back itself

    def _claim(self, transaction: Transaction, name: str) -> None:
        """A table that somebody else mutates, or has mutated since the snapshot: the first committer wins."""
        with self.lock:
            other = self._mutating.get(name)
            if other is not None and other is not transaction:
                raise invalid(CONCURRENT.format(name))
            if self._commits.get(name, 0) > transaction.began:
                raise invalid(CONCURRENT.format(name))
            self._mutating[name] = transaction

    def _touched(self, name: str) -> None:
        self.tables[name].version += 1
        self.tables[name].modified = time.time()

    def _size(self, name: str) -> Sizes:
        table = self.table(name)
        key = (name, table.version)
        if key not in self._sizes:
            self._sizes[key] = measured(self.database.cursor(), name, table.partition)
        return self._sizes[key]

    def _create(self, name: str, fields: list[Field]) -> None:
        columns = ", ".join(
            f'"{f["name"]}" {duckdb_type(f)}{" NOT NULL" if f.get("mode") == "REQUIRED" else ""}' for f in fields
        )
        self.database.cursor().execute(f"CREATE TABLE {name} ({columns})")


def exp_table() -> Any:
    """sqlglot's node of a table."""
    from sqlglot import exp

    return exp.Table
