"""Datasets and tables from the contracts: partitioned, clustered, described, labelled, keys not enforced."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from google.cloud import bigquery
from google.cloud.bigquery.table import ForeignKey, PrimaryKey, TableConstraints

from lib.contract import Column, Contract
from lib.errors import CannotJudge
from lib.warehouse.bigquery.jobs import Jobs

if TYPE_CHECKING:
    import pyarrow as pa

LABELS = {"made_by": "backfill-runbook"}
STAGE_LIFE_MS = 24 * 3600 * 1000
TYPED = re.compile(r"NUMERIC\((\d+), (\d+)\)")


def create_tables(jobs: Jobs, contracts: Iterable[Contract]) -> None:
    """Creates what is not there yet; raw data only where they have a prefix of their own."""
    address = jobs.address
    own = [c for c in contracts if address.raw_prefix or not address.is_raw(c.dataset)]
    for dataset in sorted({address.datasets[contract.dataset] for contract in own}):
        _create_dataset(jobs, dataset)
    _create_dataset(jobs, address.stage_dataset, STAGE_LIFE_MS)
    jobs.each(lambda contract: jobs.call(jobs.client.create_table, as_table(jobs, contract), exists_ok=True), own)


def as_table(jobs: Jobs, contract: Contract) -> bigquery.Table:
    """The table that a contract states."""
    table = bigquery.Table(
        f"{jobs.address.project}.{jobs.address.table(contract.name)}", schema=[field(c) for c in contract.columns]
    )
    table.description = contract.description
    table.labels = LABELS
    if contract.partition:
        table.time_partitioning = bigquery.TimePartitioning(field=contract.partition)
        table.require_partition_filter = True
    if contract.cluster:
        table.clustering_fields = list(contract.cluster)
    nothing: list[ForeignKey] = []
    table.table_constraints = TableConstraints(PrimaryKey(list(contract.key)), nothing)
    return table


def field(column: Column) -> bigquery.SchemaField:
    """One column: ``NUMERIC(5, 1)`` has its precision, ``ARRAY<STRING>`` is repeated."""
    element = re.fullmatch(r"ARRAY<(\w+)>", column.type)
    sized = TYPED.fullmatch(column.type)
    mode = "REPEATED" if element else "REQUIRED" if column.required else "NULLABLE"
    kind = element[1] if element else column.base_type
    if sized:
        return bigquery.SchemaField(
            column.name, kind, mode, description=column.description, precision=int(sized[1]), scale=int(sized[2])
        )
    return bigquery.SchemaField(column.name, kind, mode, description=column.description)


def type_text(column: bigquery.SchemaField) -> str:
    """The type of a column as a contract writes it: ``NUMERIC(5, 1)``, ``ARRAY<STRING>``."""
    kind = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}.get(column.field_type, column.field_type)
    if column.precision is not None:
        kind = f"{kind}({column.precision}, {column.scale or 0})"
    return f"ARRAY<{kind}>" if column.mode == "REPEATED" else kind


def arrow_type(column: bigquery.SchemaField) -> pa.DataType:
    """The type that the column has in an answer."""
    import pyarrow as pa

    known = {
        "STRING": pa.string(), "INTEGER": pa.int64(), "INT64": pa.int64(), "FLOAT": pa.float64(), "FLOAT64": pa.float64(),
        "BOOLEAN": pa.bool_(), "BOOL": pa.bool_(), "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us", "UTC"),
    }  # fmt: skip
    sized = column.precision is not None
    numeric = pa.decimal128(column.precision, column.scale or 0) if sized else pa.decimal128(38, 9)
    kind = known.get(column.field_type, numeric)
    return pa.list_(kind) if column.mode == "REPEATED" else kind


def add_columns(jobs: Jobs, contract: Contract, columns: Iterable[Column]) -> None:
    """Adds columns that may be NULL, by a request for metadata."""
    table = jobs.call(jobs.client.get_table, jobs.address.table(contract.name))
    added = [bigquery.SchemaField.from_api_repr(field(c).to_api_repr() | {"mode": _nullable(c)}) for c in columns]
    table.schema = [*table.schema, *added]
    jobs.call(jobs.client.update_table, table, ["schema"])


def _nullable(column: Column) -> str:
    return "REPEATED" if column.type.startswith("ARRAY<") else "NULLABLE"


def refuse_foreign_columns(jobs: Jobs, contract: Contract) -> None:
    """CannotJudge where the table has columns that the contract does not name: publishing would make them NULL."""
    name = jobs.address.table(contract.name)
    held = [column.name for column in jobs.call(jobs.client.get_table, name).schema]
    foreign = [column for column in held if column not in contract.column_names]
    if foreign:
        raise CannotJudge(
            f"{name} has columns that no contract names: {', '.join(foreign)}; writing in place would make them NULL:"
            " name them in lib/tables, or work beside production with dataset_prefix"
        )


def snapshot(jobs: Jobs, contract: Contract, run: str) -> str:
    """Keeps the table as it is under another name for 30 days; returns the name. One snapshot a run."""
    address = jobs.address
    stamp = re.sub(r"[^A-Za-z0-9_]", "_", run) or datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = f"{address.stage_dataset}_snapshots.{contract.dataset}__{contract.table}__{stamp}"
    _create_dataset(jobs, kept.partition(".")[0])
    sql = (
        f"CREATE SNAPSHOT TABLE IF NOT EXISTS {kept} CLONE {address.table(contract.name)}\n"
        "OPTIONS(expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 30 DAY))"
    )
    jobs.run(sql, purpose="snapshot")
    return kept


def refuse_streaming(jobs: Jobs, contract: Contract) -> None:
    """CannotJudge while rows of the table are still in the streaming buffer: no statement can delete them there."""
    name = jobs.address.table(contract.name)
    buffer = jobs.call(jobs.client.get_table, name).streaming_buffer
    if buffer is not None:
        raise CannotJudge(
            f"{name} holds about {buffer.estimated_rows} rows in its streaming buffer, since {buffer.oldest_entry_time}:"
            " wait until they are written (up to 90 minutes), then run again"
        )


def exists(jobs: Jobs, name: str) -> bool:
    """Whether there is a table ``dataset.table`` of the contracts."""
    return jobs.found(jobs.client.get_table, jobs.address.table(name)) is not None


def _create_dataset(jobs: Jobs, name: str, table_life_ms: int | None = None) -> None:
    dataset = bigquery.Dataset(f"{jobs.address.project}.{name}")
    dataset.location = jobs.address.location
    dataset.labels = LABELS
    if table_life_ms:
        dataset.default_table_expiration_ms = table_life_ms
    jobs.call(jobs.client.create_dataset, dataset, exists_ok=True)
