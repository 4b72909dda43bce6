"""``read_folder``: from a folder of files to the raw tables."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from lib.errors import BadInput
from lib.ingest import boxes, findings, schedule
from lib.ingest.arrow import arrow_schema, raw_tables, table_of
from lib.ingest.files import read_sources
from lib.ingest.kinds import KINDS
from lib.ingest.model import Ingested
from lib.ingest.people import make_people
from lib.ingest.query import arrow, first_row
from lib.ingest.report import source_reports
from lib.ingest.stage import stage

SELECTS = {
    "nba_raw.nbac_schedule": schedule.SCHEDULE_ROWS,
    "nba_raw.nbac_gamebook_player_stats": boxes.PLAYER_ROWS,
    "nba_raw.nbac_team_boxscore": boxes.TEAM_ROWS,
    "nba_raw.bigdataball_play_by_play": boxes.SHOT_ROWS,
    "nba_raw.odds_api_game_lines": boxes.LINE_ROWS,
}


def read_folder(folder: Path, besides: Collection[str] = ()) -> Ingested:
    """Reads every Parquet and CSV file of *folder*, but those named in *besides*, that is recognised by its columns.

    The same files always give the same rows, whatever their names' case or the machine. As-of is the day after the last
    final game. BadInput, with one sentence, where a file cannot be taken as it is; nothing is written anywhere.
    """
    sources, strangers = read_sources(folder, besides)
    with duckdb.connect() as con:
        for kind in KINDS:
            stage(con, kind, [source for source in sources if source.kind is kind])
        schedule.make_games(con)
        boxes.place(con)
        schedule.make_points(con)
        as_of = _as_of(con)
        _register_noons(con)
        names = make_people(con)
        said = (*findings.strangers(strangers), *findings.all_findings(con), *names)
        return Ingested(
            _tables(con, as_of),
            as_of,
            source_reports(con, sources),
            (*said, *findings.no_source(SELECTS)),
        )


def _as_of(con: duckdb.DuckDBPyConnection) -> datetime.date:
    found = first_row(con, "SELECT max(game_date) FROM games WHERE status = 3")
    if found is None or found[0] is None:
        raise BadInput("schedule: no game has a result (WL), so the files speak for no day; pull it again after a game")
    last: datetime.date = found[0]
    return last + datetime.timedelta(days=1)


def _register_noons(con: duckdb.DuckDBPyConnection) -> None:
    """Noon US/Eastern of each game date, as UTC: the time of a line whose file gives none."""
    dates = arrow(con, "SELECT DISTINCT game_date FROM games ORDER BY ALL")["game_date"]
    local = pc.add(
        dates.cast(pa.timestamp("us")),
        pa.scalar(datetime.timedelta(hours=12), pa.duration("us")),
    )
    instants = pc.assume_timezone(local, "America/New_York").cast(pa.timestamp("us", tz="UTC"))
    con.register(
        "noons",
        pa.table({"game_date": dates, "noon": instants.cast(pa.timestamp("us"))}),
    )


def _tables(con: duckdb.DuckDBPyConnection, as_of: datetime.date) -> dict[str, pa.Table]:
    midnight = datetime.datetime.combine(as_of, datetime.time(), datetime.UTC)
    processed_at = pa.scalar(midnight, pa.timestamp("us", tz="UTC"))
    tables = {}
    for raw in raw_tables():
        select = SELECTS.get(raw.name)
        empty = arrow_schema(raw.contract).empty_table()
        tables[raw.name] = table_of(con, raw.contract, select, processed_at) if select else empty
    return tables
