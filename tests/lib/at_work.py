"""Working on a warehouse in tests: look at it, change its raw data, plan, run, compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from lib.backfill import Backfill, Outcome
from lib.calendar import closed_range, read_calendar
from lib.coverage import Judge
from lib.gates import coverage_gate
from lib.plan import Plan, Wish, make_plan
from lib.registry import Registry, registry
from lib.sandbox import load_raw
from lib.settings import Settings
from lib.states import DateState, TableCoverage
from lib.verdicts import Verdict
from lib.warehouse import EmbeddedWarehouse, connect
from tests.lib.raw_rows import RawRows

TEAM_OFFENSE = "nba_analytics.team_offense_game_summary"
TEAM_DEFENSE = "nba_analytics.team_defense_game_summary"
PLAYERS = "nba_analytics.player_game_summary"
UPCOMING_PLAYER = "nba_analytics.upcoming_player_game_context"
UPCOMING_TEAM = "nba_analytics.upcoming_team_game_context"
PHASE_3 = (TEAM_OFFENSE, TEAM_DEFENSE, PLAYERS, UPCOMING_PLAYER, UPCOMING_TEAM)
Rows = list[tuple[Any, ...]]


def made(path: Path, rows: RawRows, as_of: date) -> EmbeddedWarehouse:
    """A new warehouse that holds *rows* as its raw data."""
    warehouse = connect(f"duckdb:///{path}", wait=20)
    load_raw(warehouse, {name: _as_arrow(name, found) for name, found in rows.items()}, as_of, "made by hand")
    return warehouse


def _as_arrow(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    columns = [c for c in registry().table(name).contract.column_names if any(c in row for row in rows)]
    return pa.table({column: [row.get(column) for row in rows] for column in columns})


@contextmanager
def judging(warehouse: EmbeddedWarehouse, settings: Settings, tables: Registry | None = None) -> Iterator[Judge]:
    """A judge on one look at the warehouse."""
    with warehouse.reading() as session:
        yield Judge(session, settings, read_calendar(session, settings), tables)


def covered(warehouse: EmbeddedWarehouse, settings: Settings) -> dict[str, TableCoverage]:
    """Coverage of Phase 3 over the whole history."""
    with judging(warehouse, settings) as judge:
        return judge.cover([3], *closed_range(judge.calendar, settings, None, None))


def state(warehouse: EmbeddedWarehouse, settings: Settings, table: str, day: date) -> DateState:
    """One table on one date."""
    return next(s for s in covered(warehouse, settings)[table].days if s.day == day)


def gate_3(
    warehouse: EmbeddedWarehouse, settings: Settings, first: date | None = None, last: date | None = None
) -> Verdict:
    """The coverage gate of Phase 3."""
    with judging(warehouse, settings) as judge:
        return coverage_gate(judge, 3, *closed_range(judge.calendar, settings, first, last))


def line(verdict: Verdict, table: str) -> Mapping[str, Any]:
    """The figures of one table."""
    return next(row for row in verdict.table if row["table"] == table)


def said(verdict: Verdict, severity: str | None = None) -> str:
    """Every finding as one text."""
    found = [f for f in verdict.findings if severity in (None, f.severity)]
    return "\n".join(f"{f.severity} {f.where}: {f.what} [{f.mend}]" for f in found)


def game_dates(warehouse: EmbeddedWarehouse, settings: Settings) -> list[date]:
    """Every expected game date."""
    with judging(warehouse, settings) as judge:
        return list(judge.calendar.games)


def change(warehouse: EmbeddedWarehouse, sql: str, *parameters: object) -> None:
    """Changes the warehouse behind the runbook's back, in DuckDB's SQL."""
    with warehouse.writing() as connection:
        connection.execute(sql, list(parameters))


def ask(warehouse: EmbeddedWarehouse, sql: str, **parameters: object) -> Rows:
    """The rows of a GoogleSQL query."""
    with warehouse.reading() as session:
        return session.rows(sql, **parameters)


def planned(warehouse: EmbeddedWarehouse, settings: Settings, **wish: Any) -> Plan:
    """The plan of Phase 3 over the whole history."""
    with judging(warehouse, settings) as judge:
        first, last = closed_range(judge.calendar, settings, None, None)
        return make_plan(judge, [3], first, last, Wish(**wish))


def due(plan: Plan) -> dict[str, list[date]]:
    """The dates a plan computes, by table."""
    return {table: sorted(d for c in plan.chunks_of(table) for d in c.days) for group in plan.groups for table in group}


def carry_out(warehouse: EmbeddedWarehouse, settings: Settings, plan: Plan) -> list[Outcome]:
    """Runs a plan the way the launches do, one table after the other."""
    backfill = Backfill(warehouse, settings)
    backfill.take_stock(plan.found)
    return [o for group in plan.groups for table in group for o in backfill.run_chunks(plan.chunks_of(table))]


def run(warehouse: EmbeddedWarehouse, settings: Settings, **wish: Any) -> list[Outcome]:
    """Plans Phase 3 and carries the plan out."""
    return carry_out(warehouse, settings, planned(warehouse, settings, **wish))


def failures(outcomes: list[Outcome]) -> dict[tuple[str, date], str]:
    """What failed, by table and date."""
    return {(o.chunk.table, day): why for o in outcomes for day, why in o.failed.items()}


def contents(warehouse: EmbeddedWarehouse, tables: Sequence[str] = PHASE_3) -> dict[str, Rows]:
    """Every row of *tables*, without the volatile columns, in one order."""
    with warehouse.writing() as connection:
        return {name: _rows(connection, name) for name in tables}


def _rows(connection: duckdb.DuckDBPyConnection, name: str) -> Rows:
    columns = ", ".join(registry().tables[name].contract.business_columns)
    # by way of Arrow: fetching a TIMESTAMPTZ directly needs pytz
    found = connection.sql(f"SELECT {columns} FROM {name} ORDER BY ALL").to_arrow_table()
    return [tuple(row.values()) for row in found.to_pylist()]


def content_hashes(warehouse: EmbeddedWarehouse) -> dict[tuple[str, date], tuple[int, str]]:
    """Key count and content hash of every receipt."""
    rows = ask(warehouse, "SELECT table_name, day, key_count, content FROM runbook.receipts")
    return {(table, day): (keys, content) for table, day, keys, content in rows}


def with_threads(warehouse: EmbeddedWarehouse, threads: int) -> EmbeddedWarehouse:
    """The same file, computed with so many threads."""
    return replace(warehouse, threads=threads)
