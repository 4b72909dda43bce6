"""The embedded warehouse: one DuckDB file, shared by several processes.

Reading opens the file read-only; a publish opens it alone for a moment; computing, which takes long, looks at a copy, so
that no publish waits for it. No connection outlives its operation.
"""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psutil

from lib.contract import Column, Contract
from lib.dialect import column_type, create_table
from lib.errors import BadInput, CannotJudge, RunbookError
from lib.lease import Lease, Owner
from lib.moments import moment
from lib.registry import registry
from lib.warehouse.embedded_session import EmbeddedSession, first_line, quoted
from lib.warehouse.interface import Publication
from lib.warehouse.leases import FileLeases, held, show, take
from lib.warehouse.locks import reading, writing
from lib.warehouse.questions import draw_no_bar
from lib.warehouse.threads import share_of_this_process

if TYPE_CHECKING:
    import pyarrow as pa

NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p"}
DIFFERENT_HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.*?) \(PID (?P<pid>\d+)\)")
COPY_AT_MOST = 2 * 10**9  # bytes; a larger file is computed from as it lies there
CONFIG = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


@dataclass
class EmbeddedWarehouse:
    """A DuckDB file. ``threads`` bounds what one process computes with: its share of the machine where it is None."""

    url: str
    path: Path
    wait: float = 60
    threads: int | None = None
    engine: str = field(default_factory=lambda: f"duckdb {duckdb.__version__}")

    @classmethod
    def at(cls, url: str, wait: float) -> EmbeddedWarehouse:
        """The warehouse of a URL such as ``duckdb:///sandbox/warehouse.duckdb`` (four slashes: an absolute path)."""
        return cls(url, Path(url.partition(":///")[2]).expanduser(), wait)

    @property
    def absolute_url(self) -> str:
        """The URL with an absolute path, for other processes."""
        return f"duckdb:///{self.path.resolve()}"

    @property
    def _cores(self) -> int:
        return self.threads or share_of_this_process()

    @property
    def place(self) -> str:
        """The path of the file, as it was given."""
        return str(self.path)

    @property
    def in_place(self) -> bool:
        """A file has nothing beside it."""
        return False

    @property
    def stages(self) -> Path:
        """Where stages are kept until they are published."""
        return self.beside("stages")

    def beside(self, kind: str) -> Path:
        """A file that belongs to the warehouse and lies in the same folder."""
        return self.path.with_name(f"{self.path.name}.{kind}")

    def exists(self) -> bool:
        """Whether there is anything at the path."""
        return self.path.exists()

    @contextmanager
    def labelled(self, **labels: str | None) -> Iterator[None]:
        """One process and one file: there is nothing to label."""
        yield

    @contextmanager
    def reading(self) -> Iterator[EmbeddedSession]:
        """A session that sees one state of the file. BadInput where there is no warehouse."""
        self._refuse_missing()
        self._refuse_foreign()
        with reading(self.path, self.wait), self._opened(read_only=True) as connection:
            with closing(self._session(connection)) as session:
                yield session

    @contextmanager
    def aside(self) -> Iterator[EmbeddedSession]:
        """A session on a copy of the file as it is now: however long it takes, nobody waits for its end to write.

        Where there is no room for a copy, or it would take minutes, the file is read as it lies.
        """
        with ExitStack() as opened:
            copied = self._copied(opened)
            look = closing(self._session(copied)) if copied else self.reading()
            yield opened.enter_context(look)

    def _copied(self, opened: ExitStack) -> duckdb.DuckDBPyConnection | None:
        """A connection to a copy that has no name any more; its folder stays until the end for what DuckDB puts by."""
        self._refuse_missing()
        self._refuse_foreign()
        size = self.path.stat().st_size
        try:
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="runbook-")))
            if size > COPY_AT_MOST or shutil.disk_usage(folder).free < 4 * size:
                return None
            copy = folder / self.path.name
            with reading(self.path, self.wait), self._opened(read_only=True):  # as long as it is open, nobody writes
                self._copy_to(copy)
        except OSError:
            return None
        connection = opened.enter_context(self._opened(read_only=True, path=copy))
        for file in (copy, _wal(copy)):
            file.unlink(missing_ok=True)
        return connection

    def _copy_to(self, copy: Path) -> None:
        shutil.copyfile(self.path, copy)
        with suppress(FileNotFoundError):  # there only after a crash
            shutil.copyfile(_wal(self.path), _wal(copy))

    def _session(self, connection: duckdb.DuckDBPyConnection) -> EmbeddedSession:
        try:
            connection.execute("FROM runbook.meta LIMIT 0")  # a list of all tables takes forty times as long
        except duckdb.CatalogException as error:
            text = f"{self.path} is a DuckDB file, but no warehouse of this runbook: it has no runbook.meta"
            raise BadInput(text) from error
        return EmbeddedSession(connection, self._cores)

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file alone, in one transaction: all of it is kept, or nothing."""
        self._refuse_unwritable()
        with writing(self.path, self.wait), self._opened(read_only=False) as connection:
            connection.begin()
            try:
                yield connection
                connection.commit()
            except BaseException:
                with _quietly():
                    connection.rollback()
                raise

    def create(self, contracts: Iterable[Contract], meta: Mapping[str, str]) -> None:
        """Creates the tables that are not there yet and notes the facts of *meta*."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.writing() as connection:
            for contract in contracts:
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {contract.dataset}")
                connection.execute(create_table(contract))
            connection.execute("DELETE FROM runbook.meta WHERE name IN (SELECT unnest($names))", {"names": list(meta)})
            for name, value in meta.items():
                connection.execute("INSERT INTO runbook.meta VALUES ($1, $2)", [name, value])

    def load(self, tables: Mapping[str, pa.Table]) -> None:
        """Replaces whole tables, all or none."""
        with self.writing() as connection:
            for name, rows in tables.items():
                connection.register("incoming", rows)
                connection.execute(f"DELETE FROM {name}")
                connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM incoming")
                connection.unregister("incoming")

    def publish(self, publication: Publication) -> None:
        """Replaces the dates of one table by a stage's, with receipts and attempts, in one transaction."""
        days = {"days": list(publication.days)}
        with _full_disk_is_said(self.path), self.writing() as connection:
            if publication.fence is not None:
                show(connection, publication.fence)
            if publication.stage is not None:
                column = publication.date_column
                connection.execute(f"DELETE FROM {publication.table} WHERE {column} IN (SELECT unnest($days))", days)
                moment("rows deleted")
                connection.execute(
                    f"INSERT INTO {publication.table} BY NAME FROM read_parquet({quoted(publication.stage)})"
                )
                moment("rows inserted")
            if publication.receipts or publication.stage is not None:
                forget = "DELETE FROM runbook.receipts WHERE table_name = $name AND day IN (SELECT unnest($days))"
                connection.execute(forget, {"name": publication.table, **days})
            _insert(connection, "runbook.receipts", publication.receipts)
            _insert(connection, "runbook.attempts", publication.attempts)
            moment("receipts written")
        moment("rows published")

    def column_types(self) -> dict[str, dict[str, str]]:
        """Every table by ``dataset.table``: its columns with their types, as DuckDB writes them."""
        with self.reading() as session:
            rows = session.connection.execute(
                "SELECT table_schema || '.' || table_name, column_name, data_type FROM information_schema.columns"
            ).fetchall()
        found: dict[str, dict[str, str]] = {}
        for name, column, kind in rows:
            found.setdefault(name, {})[column] = kind
        return found

    def type_of(self, column: Column) -> str:
        """The type of a contract's column, as DuckDB writes it."""
        return str(duckdb.sqltype(column_type(column)))

    def is_ours(self, table: str) -> bool:
        """Every table of a file is."""
        return True

    def add_columns(self, table: str, columns: Sequence[Column]) -> None:
        """Adds columns that may be NULL; the audit sees to those that must not be."""
        with self.writing() as connection:
            for column in columns:
                connection.execute(f'ALTER TABLE {table} ADD COLUMN "{column.name}" {column_type(column)}')

    def take_leases(self, phases: Sequence[str], owner: Owner, patience: float) -> FileLeases:
        """Takes the leases of *phases*, all or none; raises Taken where another holder lives."""
        self._refuse_unwritable()
        with self.reading():  # refuses what is no warehouse, before anything is written
            pass
        with self.writing() as connection:
            return take(self.path, connection, phases, owner, patience)

    def leases(self) -> list[Lease]:
        """The leases that are held now, by phase."""
        return held(self.path)

    def append(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Adds rows to one of the runbook's own tables; the values in the order of its contract."""
        with self.writing() as connection:
            _insert(connection, table, tuple(rows))

    def stage_rows(self, table: str, rows: pa.Table, stage: Path) -> None:
        """Puts rows that were computed here into a stage of *table*."""
        import pyarrow.parquet as pq

        pq.write_table(rows, stage)

    def drop_stage(self, stage: Path) -> None:
        """Removes the file of a stage."""
        stage.unlink(missing_ok=True)

    def meta(self) -> dict[str, str]:
        """What is noted about the warehouse: as_of, kind, id."""
        with self.reading() as session:
            return session.facts()

    def state(self) -> object:
        """Something that is another after every write; ask it inside a session, during which nobody writes."""
        log = self.path.with_name(f"{self.path.name}.wal")  # of a writer that was killed before its checkpoint
        found = [path.stat() for path in (self.path, log) if path.exists()]
        return tuple((one.st_ino, one.st_size, one.st_mtime_ns) for one in found)

    def notes(self) -> list[str]:
        """Nothing: the tests run on this very engine."""
        return []

    def trouble(self) -> list[str]:
        """What stands in the way of writing: a sentence each, empty where nothing does."""
        checks = (self._refuse_missing, self._refuse_unwritable, self._refuse_full)
        return [str(error) for check in checks for error in _raised(check)]

    @contextmanager
    def _opened(self, *, read_only: bool, path: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = self._connect(path or self.path, read_only)
        try:
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            connection.execute(f"SET threads = {self._cores}")
            draw_no_bar(connection)
            yield connection
        finally:
            connection.close()

    def _connect(self, path: Path, read_only: bool) -> duckdb.DuckDBPyConnection:
        deadline = time.monotonic() + self.wait
        while True:
            try:
                return duckdb.connect(str(path), read_only=read_only, config=CONFIG)  # type: ignore[arg-type]
            except duckdb.Error as error:
                holder = DIFFERENT_HOLDER.search(str(error))
                if holder is None:
                    raise CannotJudge(f"{path} cannot be opened as a DuckDB file: {first_line(error)}") from error
                if time.monotonic() > deadline:
                    raise CannotJudge(self._held_by(int(holder["pid"]))) from error
                time.sleep(random.uniform(0.01, 0.1))

    def _held_by(self, pid: int) -> str:
        try:
            command = " ".join(" ".join(psutil.Process(pid).cmdline()).split())[:80]
        except psutil.Error:
            command = "already gone, or somebody else's"
        return f"{self.path} is held open by PID {pid} ({command}): close that connection, or end the process"

    def _refuse_missing(self) -> None:
        if not self.path.is_file():
            raise BadInput(
                f"there is no warehouse at {self.path}: make one with 'runbook sandbox' or 'runbook ingest DIR'"
            )

    def _refuse_foreign(self) -> None:
        with self.path.open("rb") as stream:
            if stream.read(12)[8:] != b"DUCK":
                raise CannotJudge(
                    f"{self.path} is not a DuckDB file: nothing was read or changed; name another --warehouse"
                )

    def _refuse_unwritable(self) -> None:
        folder = self.path.parent
        kind = _file_system(folder)
        if kind in NETWORK_FILE_SYSTEMS:
            raise CannotJudge(
                f"{folder} is on a network file system ({kind}), where locks cannot be trusted: use a local one"
            )
        target = self.path if self.path.exists() else folder
        if not os.access(target, os.W_OK) or not os.access(folder, os.W_OK):
            raise CannotJudge(f"{target} is read-only: make it writable, or use another --warehouse")

    def _refuse_full(self) -> None:
        needed = max(200_000_000, self.path.stat().st_size // 2) if self.path.exists() else 200_000_000
        free = shutil.disk_usage(self.path.parent).free
        if free < needed:
            raise CannotJudge(
                f"{self.path.parent} has {free // 10**6} MB left, {needed // 10**6} MB are needed: free some space"
            )


def system_contracts() -> list[Contract]:
    """The contracts of what the runbook keeps for itself."""
    return [table.contract for table in registry().tables.values() if table.contract.dataset == "runbook"]


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: tuple[tuple[Any, ...], ...]) -> None:
    if not rows:
        return
    names = registry().table(table).contract.column_names
    columns = ", ".join(f"unnest(${name}) AS {name}" for name in names)  # pyarrow would import pandas for a list
    values = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    connection.execute(f"INSERT INTO {table} BY NAME SELECT {columns}", values)


def _wal(file: Path) -> Path:
    """What DuckDB keeps beside a file until it is written into it."""
    return file.with_name(f"{file.name}.wal")


def _file_system(folder: Path) -> str:
    mounts = sorted(psutil.disk_partitions(all=True), key=lambda mount: len(mount.mountpoint))
    place = folder.resolve()
    return next((m.fstype for m in reversed(mounts) if place.is_relative_to(m.mountpoint)), "")


def _raised(check: Any) -> list[RunbookError]:
    try:
        check()
    except RunbookError as error:
        return [error]
    return []


@contextmanager
def _quietly() -> Iterator[None]:
    with suppress(duckdb.Error):
        yield


@contextmanager
def _full_disk_is_said(path: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, OSError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        sentence = f"the disk of {path} is full: nothing was published; free some space and run again"
        raise CannotJudge(sentence if full else f"{path}: publish failed: {first_line(error)}") from error
