"""The production warehouse: BigQuery by its real client, with the caller's own credentials."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.cloud import bigquery

from lib.contract import Column, Contract
from lib.errors import BadInput, CannotJudge, QueryFailed, RunbookError
from lib.lease import Lease, Owner
from lib.registry import registry
from lib.warehouse.bigquery import leases
from lib.warehouse.bigquery.address import Address, read_address
from lib.warehouse.bigquery.jobs import Jobs, Spent
from lib.warehouse.bigquery.parameters import TableRows
from lib.warehouse.bigquery.publish import insert_rows, note_facts, publish_script
from lib.warehouse.bigquery.session import BigQuerySession
from lib.warehouse.bigquery.statements import prefixed
from lib.warehouse.bigquery.tables import (
    add_columns,
    create_tables,
    exists,
    refuse_foreign_columns,
    refuse_streaming,
    snapshot,
    type_text,
)
from lib.warehouse.bigquery.tables import (
    field as schema_field,
)
from lib.warehouse.interface import Publication, Row

if TYPE_CHECKING:
    import pyarrow as pa

META = "runbook.meta"


@dataclass
class BigQueryWarehouse:
    """A project's datasets. Raw data are read where they are; what is written lies in prefixed datasets."""

    url: str
    address: Address
    engine: str = f"bigquery, client {bigquery.__version__}"
    _jobs: Jobs | None = None
    _guarded: set[str] = field(default_factory=set)

    @classmethod
    def at(cls, url: str) -> BigQueryWarehouse:
        """The warehouse of a URL; nothing is asked of Google yet."""
        return cls(url, read_address(url))

    def __getstate__(self) -> dict[str, Any]:
        """For another process: a client has connections that no other process can share."""
        return self.__dict__ | {"_jobs": None}

    @property
    def jobs(self) -> Jobs:
        """The jobs of this process."""
        if self._jobs is None:
            self._jobs = Jobs(self.address)
        return self._jobs

    @property
    def spent(self) -> Spent:
        """What the jobs of this process were and cost."""
        return self.jobs.spent

    @property
    def absolute_url(self) -> str:
        """The URL: it names no local file."""
        return self.address.url

    @property
    def place(self) -> str:
        """Project and prefix."""
        return self.address.place

    @property
    def in_place(self) -> bool:
        """Whether production's own datasets are written."""
        return self.address.in_place

    @property
    def stages(self) -> Path:
        """Where this host notes which stage tables its processes own."""
        return self.beside("stages")

    def beside(self, kind: str) -> Path:
        """A local file that belongs to the warehouse, in the user's folder of states."""
        return _state_folder() / f"{self.address.project}.{self.address.prefix or 'in_place'}" / kind

    @contextmanager
    def labelled(self, **labels: str | None) -> Iterator[None]:
        """Every job inside carries these labels."""
        with self.jobs.labelled(**labels):
            yield

    @contextmanager
    def reading(self) -> Iterator[BigQuerySession]:
        """A session; BadInput where there is no warehouse."""
        if not self.exists():
            raise BadInput(
                f"there is no warehouse at {self.place}: no table {self.address.table(META)}; make it with"
                " 'runbook migrate'"
            )
        session = BigQuerySession(self.jobs, self.meta)
        try:
            yield session
        finally:
            session.close()

    def aside(self) -> AbstractContextManager[BigQuerySession]:
        """The same: nobody waits for a reader."""
        return self.reading()

    def exists(self) -> bool:
        """Whether the runbook's own tables are there."""
        return exists(self.jobs, META)

    def create(self, contracts: Iterable[Contract], meta: Mapping[str, str]) -> None:
        """Creates datasets and tables that are not there yet, by requests for metadata, and notes facts."""
        create_tables(self.jobs, contracts)
        if meta:
            sql, values = note_facts(meta)
            self.jobs.run(prefixed(sql, self.address.datasets), values, "note")

    def load(self, tables: Mapping[str, pa.Table]) -> None:
        """Replaces whole tables, one load job each; CannotJudge where raw data have no prefix of their own."""
        if not self.address.raw_prefix:
            raise CannotJudge(
                f"raw data of {self.place} are read where they are and never loaded; for a trial with raw data of its"
                " own say raw_prefix in the URL"
            )
        for name, rows in tables.items():
            self._load(self.address.table(name), registry().table(name).contract, rows)

    def publish(self, publication: Publication) -> None:
        """Replaces the dates of one table, with receipts and attempts, by one job."""
        if publication.stage is not None:
            self._guard(registry().table(publication.table).contract)
        sql, values = publish_script(self.address, publication)
        try:
            self.jobs.run(sql, values, "publish")
        except QueryFailed as error:
            if publication.fence is None:
                raise
            raise leases.refusal(self.jobs, publication.fence, error) from error

    def take_leases(self, phases: Sequence[str], owner: Owner, patience: float) -> leases.RowLeases:
        """Takes the leases of *phases*, all or none, by one transaction; raises Taken where another holder lives."""
        if not self.exists():
            own = [table.contract for table in registry().tables.values() if table.contract.dataset == "runbook"]
            self.create(
                own, {"id": uuid.uuid4().hex, "kind": "production", "created_at": f"{datetime.now(UTC):%FT%TZ}"}
            )
        return leases.take(self.jobs, phases, owner, patience)

    def leases(self) -> list[Lease]:
        """The leases that were not given back."""
        return leases.held(self.jobs)

    def append(self, table: str, rows: Sequence[Row]) -> None:
        """Adds rows to one of the runbook's own tables."""
        contract = registry().table(table).contract
        sql = prefixed(insert_rows(contract, "rows"), self.address.datasets)
        self.jobs.run(sql, {"rows": TableRows(contract, tuple(rows))}, "append")

    def stage_rows(self, table: str, rows: pa.Table, stage: Path) -> None:
        """Loads rows that were computed here into a stage table."""
        name = f"{self.address.stage_dataset}.stage_{re.sub('[^A-Za-z0-9_]', '_', stage.stem)}"
        self._load(name, registry().table(table).contract, rows)
        columns = ", ".join(registry().table(table).contract.column_names)
        stage.write_text(json.dumps({"table": name, "select": f"SELECT {columns} FROM {name}"}))

    def drop_stage(self, stage: Path) -> None:
        """Removes a stage table and the note about it."""
        text = stage.read_text() if stage.exists() else ""
        if text:
            self.jobs.call(self.jobs.client.delete_table, json.loads(text)["table"], not_found_ok=True)
        stage.unlink(missing_ok=True)

    def meta(self) -> dict[str, str]:
        """What is noted about the warehouse, read off the table: no job."""
        rows = self.jobs.table_rows(self.address.table(META))
        return {row["name"]: row["value"] for row in rows}

    def state(self) -> object:
        """When each table was changed last; leases are left out, which a sign of life changes and nothing hangs on."""
        names = [self.address.table(name) for name in registry().tables if name != leases.TABLE]
        return tuple(self.jobs.each(lambda name: _changed(self.jobs, name), names))

    def notes(self) -> list[str]:
        """When a real project was tested last from this machine, or that none ever was."""
        try:
            last = tested_file().read_text().strip()
        except OSError:
            return ["No real project was ever tested from here: make test-bigquery PROJECT=..."]
        return [f"A real project was last tested {last}."]

    def trouble(self) -> list[str]:
        """What stands in the way of writing."""
        try:
            if not self.exists():
                return [f"there is no warehouse at {self.place}: make it with 'runbook migrate'"]
        except RunbookError as error:
            return [str(error)]
        return []

    def column_types(self) -> Mapping[str, Mapping[str, str]]:
        """Every table of the contracts' datasets: its columns with their types, as contracts write them."""
        names = [name for name in registry().tables if exists(self.jobs, name)]
        tables = self.jobs.each(lambda n: self.jobs.call(self.jobs.client.get_table, self.address.table(n)), names)
        return {
            name: {column.name: type_text(column) for column in table.schema}
            for name, table in zip(names, tables, strict=True)
        }

    def type_of(self, column: Column) -> str:
        """The type of a contract's column: as it is written."""
        return column.type

    def is_ours(self, table: str) -> bool:
        """Whether the table is made and altered here: raw data only where they have a prefix of their own."""
        return bool(self.address.raw_prefix) or not self.address.is_raw(table.partition(".")[0])

    def add_columns(self, table: str, columns: Sequence[Column]) -> None:
        """Adds columns that may be NULL, in place after a snapshot; the audit sees to those that must not be."""
        if self.in_place:
            snapshot(self.jobs, registry().table(table).contract, self.jobs.labels.get("run", ""))
        add_columns(self.jobs, registry().table(table).contract, columns)

    def spent_on(self, table: str) -> tuple[int, int]:
        """Jobs of this process for a table, and the bytes that are billed for them."""
        jobs = [job for job in self.spent.jobs if job.table == table]
        return len(jobs), sum(job.bytes_billed for job in jobs)

    def _guard(self, contract: Contract) -> None:
        """Before the first publish into a table: nothing in its streaming buffer; in place its columns and a snapshot."""
        if contract.name in self._guarded:
            return
        refuse_streaming(self.jobs, contract)
        if self.address.in_place:
            refuse_foreign_columns(self.jobs, contract)
            snapshot(self.jobs, contract, self.jobs.labels.get("run", ""))
        self._guarded.add(contract.name)

    def _load(self, name: str, contract: Contract, rows: pa.Table) -> None:
        import io

        import pyarrow.parquet as pq

        wanted = [column for column in contract.columns if column.name in rows.column_names]
        stream = io.BytesIO()
        pq.write_table(rows.select([column.name for column in wanted]), stream)
        config = bigquery.LoadJobConfig(
            source_format="PARQUET", write_disposition="WRITE_TRUNCATE", schema=[schema_field(c) for c in wanted]
        )
        lists = bigquery.ParquetOptions()  # type: ignore[no-untyped-call]
        lists.enable_list_inference = True
        config.parquet_options = lists

        def begin(job_id: str) -> Any:
            stream.seek(0)
            return self.jobs.client.load_table_from_file(
                stream, f"{self.address.project}.{name}", job_config=config, job_id=job_id, num_retries=3,
                size=stream.getbuffer().nbytes, timeout=self.address.http_timeout,
            )  # fmt: skip

        self.jobs.finished(begin, "load")


def tested_file() -> Path:
    """Where the test on a real project notes its day."""
    return _state_folder() / "bigquery-tested.txt"


def _state_folder() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "runbook"


def _changed(jobs: Jobs, name: str) -> tuple[str, str]:
    table = jobs.found(jobs.client.get_table, name)
    return name, "" if table is None else f"{table.etag} {table.modified} {table.num_rows}"
