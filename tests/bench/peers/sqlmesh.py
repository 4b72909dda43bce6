"""SQLMesh: three models, incremental by time range, in batches of 30 dates or of one."""

from __future__ import annotations

from pathlib import Path

from lib.registry import Table
from tests.bench.peers.common import Span, environment, load_script, run, select_text, tables

PACKAGES = ("sqlmesh[duckdb]",)
CONFIG = """
gateways:
  local:
    connection: {{type: duckdb, database: '{database}'}}
    state_connection: {{type: duckdb, database: '{database}.state'}}
default_gateway: local
model_defaults: {{dialect: duckdb, start: '{first}'}}
"""
MODEL = """
MODEL (
  name {name},
  kind INCREMENTAL_BY_TIME_RANGE (time_column {day}, batch_size {batch}),
  start '{span.first}', end '{span.last}', cron '@daily', grain ({grain})
);
{select}
"""


def project(folder: Path, raw: Path, span: Span, batch: int, venv: Path) -> Path:
    """A project with the raw data loaded; gives the program."""
    (folder / "models").mkdir(parents=True)
    database = folder / "peer.duckdb"
    (folder / "config.yaml").write_text(CONFIG.format(database=database, first=span.first))
    for table in tables():
        (folder / "models" / f"{table.name}.sql").write_text(_model(table, span, batch))
    programs = environment(venv, *PACKAGES)
    run([str(programs / "python"), "-c", load_script(raw, database)], folder)
    return programs


def _model(table: Table, span: Span, batch: int) -> str:
    select = select_text(table, "CAST(@start_ds AS DATE)", "CAST(@end_ds AS DATE)")
    grain = ", ".join(table.contract.key)
    return MODEL.format(name=table.name, day=table.date_column, batch=batch, span=span, grain=grain, select=select)


def build(folder: Path, programs: Path) -> None:
    """Plans and applies: every batch of every model."""
    run([str(programs / "sqlmesh"), "plan", "--auto-apply", "--no-prompts", "--skip-tests"], folder)


def export(folder: Path, programs: Path) -> Path:
    """The peer's rows as Parquet."""
    copies = [f"c.execute({_copy(folder, table)!r})" for table in tables()]
    script = "\n".join([f"import duckdb; c = duckdb.connect({str(folder / 'peer.duckdb')!r})", *copies])
    run([str(programs / "python"), "-c", script], folder)
    return folder


def _copy(folder: Path, table: Table) -> str:
    return f"COPY (FROM {table.name}) TO '{folder / table.name}.parquet' (FORMAT parquet)"
