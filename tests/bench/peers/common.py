"""What the peers share: raw data as Parquet, the SELECTs as text with a range, environments, and the comparison."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from lib.backfill import Backfill
from lib.dialect import to_duckdb
from lib.plan import Wish
from lib.registry import Table, registry
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse
from tests.bench.backfill import planned

# tables that read nothing but their own date: a batch of any size gives the same rows
TABLES = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
DATES = " AND game_date IN (SELECT UNNEST($dates))"


@dataclass(frozen=True)
class Span:
    """A closed range of dates."""

    first: date
    last: date


def tables() -> list[Table]:
    """The three tables, upstream first."""
    return [table for table in registry().computed if table.name.partition(".")[2] in TABLES]


def select_text(table: Table, first: str, last: str) -> str:
    """DuckDB text of a table's SELECT over a range that is written as two SQL expressions."""
    text = to_duckdb(table.select or "", table.contract).replace(DATES, "")
    text = re.sub(r"\$first\b", first, re.sub(r"\$last\b", last, text))
    left = re.findall(r"\$\w+", text)
    if left:
        raise ValueError(f"{table.name} reads more than its own date: {left}")
    return text


def raw_sources() -> list[str]:
    """The raw tables that the three read."""
    names = {source.table for table in tables() for source in table.sources}
    return sorted(name for name in names if registry().tables[name].select is None)


def export_raw(warehouse: EmbeddedWarehouse, folder: Path) -> Path:
    """The raw tables as Parquet files ``<dataset>.<table>.parquet``."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        for name in raw_sources():
            connection.execute(f"COPY {name} TO '{folder / name}.parquet' (FORMAT parquet)")
    return folder


def load_script(raw: Path, database: Path) -> str:
    """Python text that loads the raw tables into a peer's own DuckDB file; its DuckDB is not ours."""
    lines = [f"import duckdb; c = duckdb.connect({str(database)!r}); c.execute('CREATE SCHEMA IF NOT EXISTS nba_raw')"]
    lines += [f"c.execute({_load(name, raw)!r})" for name in raw_sources()]
    return "\n".join(lines)


def _load(name: str, raw: Path) -> str:
    return f"CREATE OR REPLACE TABLE {name} AS FROM read_parquet('{raw / name}.parquet')"


def environment(folder: Path, *packages: str) -> Path:
    """The ``bin`` folder of a virtual environment with *packages*, made once."""
    done = folder / "installed"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
        done.touch()
    return folder / "bin"


def run(words: list[str], cwd: Path) -> str:
    """Runs a peer; RuntimeError with its last lines where it ends badly."""
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def ours(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    """The three tables over the whole history by our write path, one after the other."""
    made = planned(warehouse, settings, Wish(tables=frozenset(table.name for table in tables())))
    for table in tables():
        Backfill(warehouse, settings).run_chunks(made.chunks_of(table.name))


def differences(warehouse: EmbeddedWarehouse, results: Path, span: Span) -> dict[str, int]:
    """Rows of each table that only one of the two sides has, business columns in the contract's types."""
    found = {}
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in tables():
            columns = ", ".join(table.contract.business_columns)
            where = f"WHERE {table.date_column} BETWEEN DATE '{span.first}' AND DATE '{span.last}'"
            mine = f"SELECT {columns} FROM {table.name} {where}"
            theirs = f"SELECT {_cast(connection, table)} FROM read_parquet('{results / table.name}.parquet') {where}"
            counted = f"SELECT count(*) FROM (({mine} EXCEPT ALL {theirs}) UNION ALL ({theirs} EXCEPT ALL {mine}))"
            rows = connection.execute(f"SELECT count(*) FROM ({mine})").fetchone()
            if not rows or not rows[0]:
                raise RuntimeError(f"{table.name} holds no row from {span.first} to {span.last}: nothing was compared")
            differing = connection.execute(counted).fetchone()
            found[table.name] = int(differing[0]) if differing else -1
    return found


def _cast(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    types = dict(
        connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema || '.' || table_name = $name",
            {"name": table.name},
        ).fetchall()
    )
    return ", ".join(f"CAST({name} AS {types[name]}) AS {name}" for name in table.contract.business_columns)
