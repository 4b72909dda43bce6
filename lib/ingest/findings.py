"""What a reader should know before trusting the rows: each finding is one sentence with its figures."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import duckdb

from lib.ingest.arrow import raw_tables
from lib.ingest.boxes import NO_GAME, NO_TIME, NOT_ITS_GAME, SHOWS_SOMETHING
from lib.ingest.coverage import absent, capped, torn_shots
from lib.ingest.query import rows
from lib.ingest.stage import DIFFERENT
from lib.ingest.sums import contradictions, score_sources, unlike_sums
from lib.wording import counted, some

ROWS = {
    "schedule": "schedule row",
    "players": "player row",
    "teams": "team line",
    "shots": "shot",
    "lines": "betting line",
}


def all_findings(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Every finding that is read off the staged rows, in a fixed order."""
    parts = (
        *(capped, absent, torn_shots, unlike_sums, score_sources, contradictions),
        *(
            _open_games,
            _half_games,
            _neutral,
            _exhibitions,
            _copies,
            _out_of_place,
            _players,
            _shots,
            _lines,
        ),
    )
    return [finding for part in parts for finding in part(con)]


def strangers(files: Iterable[str]) -> list[str]:
    """A finding per file that is of no known kind."""
    return [f"{file}: its columns are those of no known kind; it was not read" for file in files]


def no_source(filled: Collection[str]) -> list[str]:
    """One finding that names the raw tables which no kind of file fills."""
    empty = [raw.name for raw in raw_tables() if raw.name not in filled]
    return [f"no kind of file fills {', '.join(empty)}: these tables are empty"] if empty else []


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(rows(con, query)[0][0])


def _open_games(con: duckdb.DuckDBPyConnection) -> list[str]:
    query = "SELECT canonical FROM games WHERE status = 1 AND counts ORDER BY game_date, game_id"
    names = [row[0] for row in rows(con, query)]
    return [f"{counted(len(names), 'game')} of the schedule without a result: {some(names)}"] if names else []


def _half_games(con: duckdb.DuckDBPyConnection) -> list[str]:
    names = [
        row[0]
        for row in rows(
            con,
            "SELECT canonical FROM games WHERE team_rows = 1 ORDER BY game_date, game_id",
        )
    ]
    said = "of the schedule with the row of one team only, the other taken from MATCHUP"
    return [f"{counted(len(names), 'game')} {said}: {some(names)}"] if names else []


def _neutral(con: duckdb.DuckDBPyConnection) -> list[str]:
    query = "SELECT canonical, home, decided_by FROM games WHERE neutral ORDER BY game_date, game_id"
    return [
        f"{game}: both teams are visitors by MATCHUP (neutral site); {home} counts as home by {decided_by}"
        for game, home, decided_by in rows(con, query)
    ]


def _exhibitions(con: duckdb.DuckDBPyConnection) -> list[str]:
    query = """SELECT count(DISTINCT game_id), string_agg(DISTINCT outsider, ', ' ORDER BY outsider) FROM (
      SELECT game_id, CASE WHEN said_home IN (SELECT home FROM games UNION SELECT away FROM games)
        THEN said_away ELSE said_home END AS outsider FROM schedule WHERE contains(dropped, 'outside'))"""
    games, teams = rows(con, query)[0]
    return [f"{counted(games, 'exhibition')} against {teams} left out of the schedule"] if games else []


def _copies(con: duckdb.DuckDBPyConnection) -> list[str]:
    found = []
    for kind, word in ROWS.items():
        query = f"SELECT file, row FROM {kind} WHERE copy = '{DIFFERENT}' ORDER BY place"
        places = [f"{file} row {row}" for file, row in rows(con, query)]
        if places:
            found.append(f"{counted(len(places), f'doubled {word}')} unlike the first, which was kept: {some(places)}")
    return found


def _out_of_place(con: duckdb.DuckDBPyConnection) -> list[str]:
    found = []
    for kind, reason in ((kind, reason) for kind in ROWS if kind != "schedule" for reason in (NO_GAME, NOT_ITS_GAME)):
        query = f"SELECT file, row FROM {kind} WHERE dropped = '{reason}' ORDER BY place"
        places = [f"{file} row {row}" for file, row in rows(con, query)]
        if places:
            found.append(f"{counted(len(places), ROWS[kind])} left out, {reason}: {some(places)}")
    return found


def _players(con: duckdb.DuckDBPyConnection) -> list[str]:
    query = f"""SELECT count(*), count(*) FILTER ({NO_TIME} AND {SHOWS_SOMETHING}),
      count(*) FILTER ({NO_TIME} AND NOT {SHOWS_SOMETHING}), count(*) FILTER (min IS NULL),
      count(*) > 0 AND bool_and(regexp_full_match(min, '\\d+(\\.0*)?'))
      FROM players WHERE dropped IS NULL"""
    count_all, stints, nothing, empty, rounded = rows(con, query)[0]
    said = {
        "with MIN 0 that shows something (a stint rounded away): the minutes stay as they are": stints,
        "with MIN 0 that shows nothing: the minutes are 00:00": nothing,
        "without MIN: the minutes are unknown": empty,
    }
    found = [f"{counted(count, 'player row')} {sentence}" for sentence, count in said.items() if count]
    if rounded:
        found.append("the players' minutes are whole numbers: rounded, not exact")
    if count_all:
        found.append("players who did not play have no row in these files: dnp and inactive are unknown")
    return found


def _shots(con: duckdb.DuckDBPyConnection) -> list[str]:
    if not _count(con, "SELECT count(*) FROM shots WHERE dropped IS NULL"):
        return []
    found = ["shots come without a second player: who assisted and who blocked is unknown"]
    count = _count(
        con,
        "SELECT count(*) FROM shots WHERE dropped IS NULL AND shot_distance IS NULL",
    )
    return found + ([f"{counted(count, 'shot')} without a distance"] if count else [])


def _lines(con: duckdb.DuckDBPyConnection) -> list[str]:
    found = _misdated(con)
    conditions = {
        "with a total but no spread": "spread IS NULL OR (spread <> 0 AND whos_favored IS NULL)",
        "with a spread but no total": "total IS NULL",
        "with the home team as the visitor": "home <> at_home",
    }
    for said, condition in conditions.items():
        query = f"SELECT canonical FROM lines WHERE dropped IS NULL AND ({condition}) ORDER BY place"
        names = [row[0] for row in rows(con, query)]
        found += [f"{counted(len(names), 'betting line')} {said}: {some(names)}"] if names else []
    stamped = "SELECT count(*) FROM lines WHERE dropped IS NULL AND snapshot_timestamp IS NULL"
    if count := _count(con, stamped):
        found.append(
            f"{counted(count, 'betting line')} without the time of reading: noon US/Eastern of the game day is put in"
        )
    labels = "SELECT DISTINCT label, season FROM lines WHERE dropped IS NULL AND label <> season ORDER BY ALL"
    return found + [f"the betting lines call the season {season} '{label}'" for label, season in rows(con, labels)]


def _misdated(con: duckdb.DuckDBPyConnection) -> list[str]:
    query = f"""SELECT file, row, lines.game_date, games.canonical FROM lines JOIN games ON counts
      AND first_team = least(lines.home, lines.away) AND second_team = greatest(lines.home, lines.away)
      AND abs(games.game_date - lines.game_date) = 1 WHERE dropped = '{NO_GAME}' ORDER BY place"""
    return [
        f"{file} row {row}: no such game on {date}, but {game} is a day away; the line's date is probably wrong"
        for file, row, date, game in rows(con, query)
    ]
