"""Which games each source covers: pulls that were cut short, and games that are absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from lib.ingest.kinds import KINDS
from lib.ingest.query import first_row, rows
from lib.wording import counted, some

WHAT = {
    "players": "player rows",
    "teams": "team lines",
    "shots": "shots",
    "lines": "betting lines",
}
ROUND = (5_000, 102_400)  # pulls stop at multiples of these without an error
_TITLES: Mapping[str, str] = {kind.name: kind.title for kind in KINDS}

# Pulls come in the order of the game ids, so the last game covered is the highest id, not the latest date.
_PULLS = """
WITH pulled AS ({rows})
SELECT file, season, count(*), max(game_id), arg_max(canonical, game_id), max(game_date)
FROM pulled GROUP BY GROUPING SETS ((file, season), (file)) ORDER BY file, season NULLS LAST
"""
_ABSENT = """
SELECT season, kind, count(*), count(*) FILTER (NOT covered), min(game_date) FILTER (NOT covered),
  max(game_date) FILTER (NOT covered), list(canonical ORDER BY game_date, game_id) FILTER (NOT covered)
FROM (
  SELECT games.*, EXISTS (FROM {source} r WHERE r.canonical = games.canonical AND r.dropped IS NULL) AS covered
  FROM games WHERE status = 3 AND counts
) GROUP BY ALL HAVING bool_or(NOT covered)
ORDER BY season, min(game_id)
"""
_TORN = """
WITH tried AS (
  SELECT canonical, CAST(coalesce(t.fga, p.fga) AS BIGINT) AS attempts
  FROM (SELECT canonical, sum(fga) AS fga FROM players WHERE dropped IS NULL GROUP BY ALL) p
  FULL JOIN (SELECT canonical, sum(fga) AS fga FROM teams WHERE dropped IS NULL GROUP BY ALL HAVING count(*) = 2) t
  USING (canonical)
), charted AS (SELECT canonical, count(*) AS shots FROM shots WHERE dropped IS NULL GROUP BY ALL)
SELECT canonical, shots, attempts FROM charted JOIN tried USING (canonical) WHERE shots <> attempts ORDER BY canonical
"""


def capped(con: duckdb.DuckDBPyConnection) -> list[str]:
    """A finding per pull whose rows of a season, or of all, are a round number."""
    found = []
    for source in WHAT:
        if source == "lines":
            pulled = "SELECT file, coalesce(season, label) AS season, game_id, canonical, game_date FROM lines"
        else:
            pulled = f"SELECT file, season, game_id, canonical, game_date FROM {source}"
        found += _round_pulls(rows(con, _PULLS.format(rows=pulled)))
    return found


def _round_pulls(pulls: list[tuple[Any, ...]]) -> list[str]:
    found: dict[str, list[str]] = {}
    for file, season, count, game_id, canonical, last_date in pulls:
        told = file in found and season is None  # a round sum of round seasons is nothing new
        if any(count % cap == 0 for cap in ROUND) and not told:
            found.setdefault(file, []).append(
                f"{file}: exactly {count:,} rows{f' for {season}' if season else ''}, a round number: the pull was "
                f"probably cut short; the last game it covers is {game_id} ({canonical}), the latest date {last_date}"
            )
    return [finding for findings in found.values() for finding in findings]


def absent(con: duckdb.DuckDBPyConnection) -> list[str]:
    """A finding per source, season and kind of game that has final games without rows; one for a source without any."""
    found = []
    for source, what in WHAT.items():
        if first_row(con, f"SELECT count(*) FROM {source} WHERE dropped IS NULL") == (0,):
            found.append(f"no game has {what}: there is no file of {_TITLES[source]}, or all its rows were left out")
            continue
        for season, kind, games, gone, first, last, names in rows(con, _ABSENT.format(source=source)):
            span = f"{first} to {last}" if first != last else f"{first}"
            which = f": {', '.join(names)}" if gone <= 6 else ""
            found.append(f"{season} {kind}: {gone:,} of {counted(games, 'game')} without {what} ({span}){which}")
    return found


def torn_shots(con: duckdb.DuckDBPyConnection) -> list[str]:
    """One finding for the games whose shots are not as many as their field-goal attempts."""
    torn = [f"{game} ({shots} of {attempts})" for game, shots, attempts in rows(con, _TORN)]
    return (
        [f"{counted(len(torn), 'game')} with more or fewer shots than field-goal attempts: {some(torn)}"]
        if torn
        else []
    )
