"""The raw tables of a simulated league, to be asked in SQL."""

from __future__ import annotations

import hashlib
from datetime import date

import duckdb
import pyarrow as pa

from lib.league import League

SEASON_STARTS = [date(2021, 10, 19), date(2022, 10, 18), date(2023, 10, 24), date(2024, 10, 22), date(2025, 10, 21)]
DARK = [
    date(2022, 11, 8), date(2023, 11, 7), date(2024, 11, 5),
    date(2021, 11, 25), date(2022, 11, 24), date(2023, 11, 23), date(2024, 11, 28), date(2025, 11, 27),
    *(date(year, 12, 24) for year in range(2021, 2026)),
]  # fmt: skip
ALL_STAR_FRIDAYS = [date(2022, 2, 18), date(2023, 2, 17), date(2024, 2, 16), date(2025, 2, 14)]
EXPECTED = "game_status = 3 AND substr(game_id, 1, 3) IN ('002', '004', '005', '006')"
SUMMED = ("points", "offensive_rebounds", "defensive_rebounds", "total_rebounds", "assists", "steals", "blocks",
          "personal_fouls")  # fmt: skip
RENAMED = {
    "field_goals_made": "fg_made", "field_goals_attempted": "fg_attempted", "three_pointers_made": "three_pt_made",
    "three_pointers_attempted": "three_pt_attempted", "free_throws_made": "ft_made",
    "free_throws_attempted": "ft_attempted",
}  # fmt: skip
GAMEBOOK_SECONDS = "split_part(minutes, ':', 1)::INT * 60 + split_part(minutes, ':', 2)::INT"


class Raw:
    """The raw tables of a league in DuckDB, by their short names."""

    def __init__(self, league: League) -> None:
        self.league = league
        self.connection = duckdb.connect()
        for name, table in league.tables.items():
            self.connection.register(name.partition(".")[2], table)
        self.connection.execute(
            """CREATE VIEW team_box AS SELECT * FROM nbac_team_boxscore
            QUALIFY row_number() OVER (PARTITION BY nba_game_id, team_abbr ORDER BY processed_at DESC) = 1"""
        )

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.connection.execute(query).fetchall()

    def one(self, query: str) -> object:
        return self.rows(query)[0][0]


def digest(league: League) -> str:
    """SHA-256 over every table as Arrow IPC."""
    total = hashlib.sha256()
    for name in sorted(league.tables):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, league.tables[name].schema) as writer:
            writer.write_table(league.tables[name].combine_chunks())
        total.update(name.encode() + sink.getvalue().to_pybytes())
    return total.hexdigest()
