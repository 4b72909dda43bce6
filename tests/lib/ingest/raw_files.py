"""Rows as the league's files have them, and what was read of them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lib.ingest import Ingested

Row = dict[str, str]
Files = dict[str, list[Row]]
Read = Callable[..., Ingested]
SEASON = "2024-25"
STATS = {"FGM": 4, "FGA": 9, "FG3M": 1, "FG3A": 3, "FTM": 1, "FTA": 2, "OREB": 1, "DREB": 4, "REB": 5}
MORE = {"AST": 3, "STL": 1, "BLK": 0, "TOV": 2, "PF": 2, "PTS": 10, "PLUS_MINUS": 5}
GAME = ("0022400001", "2024-10-22", "BOS", "NYK")


def side_rows(game: tuple[str, str, str, str] = GAME, **changes: str) -> list[Row]:
    """The two schedule rows of a game (id, date, home, away); the home team wins."""
    game_id, date, home, away = game
    base = {"SEASON_ID": "22024", "GAME_ID": game_id, "GAME_DATE": date}
    rows = [
        {**base, "TEAM_ABBREVIATION": home, "TEAM_NAME": home, "MATCHUP": f"{home} vs. {away}", "WL": "W"},
        {**base, "TEAM_ABBREVIATION": away, "TEAM_NAME": away, "MATCHUP": f"{away} @ {home}", "WL": "L"},
    ]
    return [{**row, **changes} for row in rows]


def team_rows(game: tuple[str, str, str, str] = GAME, **changes: str) -> list[Row]:
    """The two team lines of a game, 10 points each before *changes*."""
    stats = {name: str(value) for name, value in (STATS | MORE).items()}
    return [{**row, "MIN": "240", **stats, "VIDEO_AVAILABLE": "1", **changes} for row in side_rows(game)]


def player_row(who: str, name: str, game: tuple[str, str, str, str] = GAME, **changes: str) -> Row:
    """One player's line for the home team."""
    return {**team_rows(game)[0], "PLAYER_ID": who, "PLAYER_NAME": name, "MIN": "36", **changes}


def shot_row(event: str, game: tuple[str, str, str, str] = GAME, **changes: str) -> Row:
    """One made corner three by player 7 of the Celtics."""
    row = {
        "GAME_ID": game[0],
        "GAME_EVENT_ID": event,
        "PLAYER_ID": "7",
        "PLAYER_NAME": "Ann Other",
        "TEAM_ID": "1610612738",
    }
    row |= {
        "TEAM_NAME": "Boston Celtics",
        "ACTION_TYPE": "Jump Shot",
        "SHOT_TYPE": "3PT Field Goal",
        "SHOT_DISTANCE": "22",
    }
    return (
        row | {"SHOT_MADE_FLAG": "1", "GAME_DATE": game[1].replace("-", ""), "HTM": game[2], "VTM": game[3]} | changes
    )


def line_row(**changes: str) -> Row:
    """The closing line of GAME in another dialect: the Celtics give 5.5, total 221."""
    row = {"season": "2025", "date": "2024-10-22", "away": "ny", "home": "bos", "whos_favored": "home"}
    return row | {"spread": "5.5", "total": "221", "score_away": "9", "score_home": "12"} | changes


def write(folder: Path, name: str, rows: Sequence[Row]) -> None:
    """Writes *rows* as CSV or as Parquet full of text, by the name's ending."""
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(list(rows)), folder / name)
        return
    with (folder / name).open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def rows_of(ingested: Ingested, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ingested.tables[f"nba_raw.{table}"].to_pylist()
    return rows


def said(ingested: Ingested, words: str) -> bool:
    return any(words in finding for finding in ingested.findings)
