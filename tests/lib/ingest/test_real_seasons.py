"""Two real seasons, where they are at hand."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lib.ingest import Ingested, read_folder
from lib.registry import registry
from tests.lib.ingest.raw_files import said

REAL = Path(os.environ.get("RUNBOOK_REAL_DATA") or Path(__file__).resolve().parents[4] / "shared" / "real")
real = pytest.mark.skipif(not REAL.is_dir(), reason="no real data: set RUNBOOK_REAL_DATA to a folder of it")


@pytest.fixture(scope="module")
def two_seasons() -> Ingested:
    return read_folder(REAL)


@real
def test_two_real_seasons_lose_no_point_and_no_game(two_seasons: Ingested) -> None:
    read_points = 0
    for name in ("leaguegamelog_players_regular.parquet", "leaguegamelog_players_playoffs.parquet"):
        read_points += pc.sum(pq.read_table(REAL / name)["PTS"].cast(pa.int64())).as_py()
    players = two_seasons.tables["nba_raw.nbac_gamebook_player_stats"]
    assert pc.sum(players["points"]).as_py() == read_points
    assert players.num_rows == 51_934 + 3_620
    schedule = two_seasons.tables["nba_raw.nbac_schedule"].to_pandas()
    regular = schedule[schedule["is_regular_season"]]
    assert regular.groupby("season_year").size().to_dict() == {2021: 1230, 2022: 1230}
    assert regular["home_team_score"].sum() + regular["away_team_score"].sum() == 272_115 + 282_127
    assert two_seasons.as_of == datetime.date(2023, 6, 13)


@real
def test_real_keys_are_unique_and_required_columns_filled(two_seasons: Ingested) -> None:
    for name, table in two_seasons.tables.items():
        contract = registry().table(name).contract
        assert table.group_by(list(contract.key)).aggregate([]).num_rows == table.num_rows
        assert all(table[column.name].null_count == 0 for column in contract.columns if column.required)


@real
@pytest.mark.parametrize(
    "words",
    [
        "exactly 102,400 rows for 2021-22",
        "exactly 102,400 rows for 2022-23",
        "2021-22 play-in: 6 of 6 games without player rows",
        "2022-23 playoffs: 84 of 84 games without team lines",
        "2021-22 regular season: 649 of 1,230 games without shots",
        "TOV: 2,470 of 4,920 team lines",
        "5 exhibitions against ADL, MRA",
        "with MIN 0 that shows something",
        "dnp and inactive are unknown",
        "the line's date is probably wrong",
    ],
)
def test_what_real_files_lack_is_said(two_seasons: Ingested, words: str) -> None:
    assert said(two_seasons, words)


@real
def test_every_real_row_is_accounted_for(two_seasons: Ingested) -> None:
    assert sum(report.read for report in two_seasons.report) == 5_558 + 51_934 + 3_620 + 4_920 + 204_800 + 2_643
    assert all(report.read == report.loaded + sum(report.dropped.values()) for report in two_seasons.report)
