"""The floor (a), our write path (b), one date at a time (c), and what grows with the history (e)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import duckdb

from lib.backfill import Backfill
from lib.calendar import Calendar, read_calendar
from lib.coverage import Judge
from lib.dialect import to_duckdb
from lib.plan import Chunk, Plan, Wish, make_plan
from lib.registry import Table, registry
from lib.sandbox import compute_all
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse
from tests.bench.leagues import Place
from tests.bench.measure import Figure, Ratio, rounds

PHASES = (3, 4)
FLOOR = "a: each table in one statement"
SINGLES = 3  # dates, each of ten tables: enough to carry on from, and minutes where all dates would be hours


def floor(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    """(a) Each table in one statement over the whole history: no stage, no audit, no receipts, no gates."""
    with warehouse.reading() as session:
        calendar = read_calendar(session, settings)
    days = calendar.expected_dates(settings.start_date, calendar.as_of)
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in registry().computed:
            if settings.phase_of(table.name) in PHASES and table.name in settings.tables:
                _insert_whole(connection, table, settings, calendar, days)


def _insert_whole(
    connection: duckdb.DuckDBPyConnection, table: Table, settings: Settings, calendar: Calendar, days: list[date]
) -> None:
    text = to_duckdb(table.select or "", table.contract)
    known = {
        "dates": days,
        "first": days[0],
        "last": days[-1],
        "history_from": calendar.season_start(days[0]),
        **settings.eligibility(table.name),
    }
    used = {name: value for name, value in known.items() if re.search(rf"\${name}\b", text)}
    connection.execute(f"INSERT INTO {table.name} BY NAME {text}", used)


def ours(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    """(b) The ordinary write path over all ten tables: staged, audited, published with receipts."""
    compute_all(warehouse, settings, PHASES)


def planned(warehouse: EmbeddedWarehouse, settings: Settings, wish: Wish | None = None) -> Plan:
    """What is to be computed in phases 3 and 4."""
    with warehouse.reading() as session:
        judge = Judge(session, settings, read_calendar(session, settings))
        return make_plan(judge, PHASES, settings.start_date, judge.calendar.as_of, wish)


def date_by_date(warehouse: EmbeddedWarehouse, settings: Settings, days: Iterable[date]) -> None:
    """(c) The same write path, one date of one table at a time; what would be outdated behind it is left out."""
    wanted = frozenset(days)
    made = planned(warehouse, settings, Wish(days=wanted, force=True))
    for name in (name for group in made.groups for name in group):
        single = [
            Chunk(name, chunk.history_from, {day: chunk.reasons[day]}, 0.0)
            for chunk in made.chunks_of(name)
            for day in chunk.days
            if day in wanted
        ]
        Backfill(warehouse, settings).run_chunks(single)


def one_more_date(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    """(e) The latest date of every table, anew."""
    with warehouse.reading() as session:
        calendar = read_calendar(session, settings)
    latest = calendar.expected_dates(settings.start_date, calendar.as_of)[-1]
    made = planned(warehouse, settings, Wish(days=frozenset([latest]), force=True))
    for group in made.groups:
        for name in group:
            Backfill(warehouse, settings).run_chunks(made.chunks_of(name))


def computed(place: Place, folder: Path) -> EmbeddedWarehouse:
    """A warehouse with all ten tables, by our write path."""
    warehouse = place.copy(folder / "computed.duckdb")
    ours(warehouse, place.settings)
    return warehouse


def write_path(place: Place, folder: Path, count: int) -> Iterator[Figure | Ratio]:
    """(a), (b) and (c) side by side."""
    target = folder / "measured.duckdb"
    fresh = lambda: place.copy(target)  # noqa: E731
    warehouse = fresh()
    yield (bare := rounds(FLOOR, count, lambda: floor(warehouse, place.settings), fresh))
    yield (
        staged := rounds(
            "b: ten tables, staged, audited, published", count, lambda: ours(warehouse, place.settings), fresh
        )
    )
    yield Ratio("b / a", staged.median / bare.median, aim=2.0)
    with warehouse.reading() as session:
        calendar = read_calendar(session, place.settings)
    dates = calendar.expected_dates(place.settings.start_date, calendar.as_of)
    sample = dates[100 :: len(dates) // SINGLES][:SINGLES]
    yield (
        single := rounds(
            f"c: date by date, {len(sample)} dates", count, lambda: date_by_date(warehouse, place.settings, sample)
        )
    )
    whole = single.median / len(sample) * len(dates)
    yield Ratio(f"c, carried on to {len(dates)} dates / b", whole / staged.median)
