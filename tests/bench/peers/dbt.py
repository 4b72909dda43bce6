"""dbt with DuckDB: three microbatch models, a batch a day."""

from __future__ import annotations

from pathlib import Path

from lib.registry import Table
from tests.bench.peers.common import Span, environment, load_script, run, select_text, tables

PACKAGES = ("dbt-core>=1.11,<1.12", "dbt-duckdb")
PROFILE = """
peer:
  target: local
  outputs:
    local: {{type: duckdb, path: '{database}', threads: 2}}
"""
PROJECT = """
name: peer
version: '1.0.0'
profile: peer
model-paths: [models]
flags: {{send_anonymous_usage_stats: false}}
models:
  peer:
    +materialized: incremental
    +incremental_strategy: microbatch
    +event_time: game_date
    +batch_size: day
    +begin: '{first}'
"""


def project(folder: Path, raw: Path, span: Span, venv: Path) -> Path:
    """A project with the raw data loaded; gives the program."""
    (folder / "models").mkdir(parents=True)
    database = folder / "peer.duckdb"
    (folder / "profiles.yml").write_text(PROFILE.format(database=database))
    (folder / "dbt_project.yml").write_text(PROJECT.format(first=span.first))
    for table in tables():
        (folder / "models" / f"{table.name.partition('.')[2]}.sql").write_text(_model(table))
    programs = environment(venv, *PACKAGES)
    run([str(programs / "python"), "-c", load_script(raw, database)], folder)
    return programs


def _model(table: Table) -> str:
    start = "CAST('{{ model.batch.event_time_start if model.batch else \"1970-01-01\" }}' AS TIMESTAMP)::DATE"
    text = select_text(table, start, start)
    for other in tables():
        text = text.replace(other.name, "{{ ref('" + other.name.partition(".")[2] + "').render() }}")
    return text


def build(folder: Path, programs: Path, span: Span) -> None:
    """Runs every batch of every model."""
    bounds = ["--event-time-start", str(span.first), "--event-time-end", str(span.last)]
    run([str(programs / "dbt"), "run", "--quiet", "--profiles-dir", str(folder), *bounds], folder)


def export(folder: Path, programs: Path) -> Path:
    """The peer's rows as Parquet."""
    copies = [
        f"c.execute({f'''COPY (FROM main.{t.name.partition('.')[2]}) TO '{folder / t.name}.parquet' (FORMAT parquet)'''!r})"
        for t in tables()
    ]
    script = "\n".join([f"import duckdb; c = duckdb.connect({str(folder / 'peer.duckdb')!r})", *copies])
    run([str(programs / "python"), "-c", script], folder)
    return folder
