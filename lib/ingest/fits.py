"""What a correction must hold before it may take the place of raw rows: one function a rule.

Each looks at the temporary table ``incoming`` beside the warehouse's own table, and names what does not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from lib.errors import BadInput
from lib.ingest.query import rows
from lib.registry import Table
from lib.wording import counted, some

# A game is known by its date and its two teams: their order in an id is not to be relied on.
PAIR = "least(home_team_tricode, away_team_tricode) || ' and ' || greatest(home_team_tricode, away_team_tricode)"
GAME = PAIR.replace("home_team_tricode", "split_part(game_id, '_', 2)").replace(
    "away_team_tricode", "split_part(game_id, '_', 3)"
)
NAMES = ("player_name", "player_full_name")
SCHEDULE = "nba_raw.nbac_schedule"
PROPS = "nba_raw.bettingpros_player_points_props"
# what a date is made of where a table has no game id
PARTS = {
    "nba_raw.odds_api_game_lines": ("game", "game_date, home_team_abbr, away_team_abbr"),
    "nba_raw.nbac_injury_report": ("team", "report_date, game_date, team"),
}


def refuse_what_does_not_fit(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """BadInput where ``incoming`` cannot take the place of the rows of *table* on its dates."""
    _refuse_nulls(connection, table)
    _refuse_doubled_keys(connection, table)
    if table.name == SCHEDULE:
        _refuse_lost_scores(connection, table)
    else:
        _refuse_dates_without_games(connection, table)
        _refuse_unknown_games(connection, table)
        _refuse_other_keys(connection, table)
    (_refuse_lost_players if table.name == PROPS else _refuse_lost_games)(connection, table)


def _refuse_nulls(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    for column in table.contract.columns:
        if column.required:
            found = rows(connection, f"SELECT {_key(table)} FROM incoming WHERE {column.name} IS NULL")
            _refuse(table, found, "row", f"without {column.name}", "fill it in")


def _refuse_doubled_keys(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    found = rows(connection, f"SELECT {_key(table)} FROM incoming GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL")
    _refuse(table, found, "key", "in the folder more than once", "keep one row of each")


def _refuse_lost_scores(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    found = rows(
        connection,
        f"""SELECT DISTINCT old.game_date, old.game_id FROM {table.name} old JOIN incoming USING (game_id, game_date)
        WHERE old.game_status = 3 AND (incoming.game_status IN (1, 2)
          OR (old.home_team_score IS NOT NULL AND incoming.home_team_score IS NULL)) ORDER BY ALL""",
    )
    _refuse(table, found, "final game", "would lose the result or the score", "pull the schedule with WL and PTS")


def _refuse_dates_without_games(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    found = rows(
        connection,
        f"""SELECT DISTINCT game_date FROM incoming
        WHERE game_date NOT IN (SELECT game_date FROM {SCHEDULE}) ORDER BY ALL""",
    )
    _refuse(table, found, "date", "without a game in the schedule", "add the schedule of the day to the folder")


def _refuse_unknown_games(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    if not _has(table, "game_id"):
        return
    found = rows(
        connection,
        f"""SELECT DISTINCT game_date, game_id FROM incoming WHERE game_id IS NOT NULL
        AND (game_date, {GAME}) NOT IN (SELECT (game_date, {PAIR}) FROM {SCHEDULE}) ORDER BY ALL""",
    )
    _refuse(table, found, "game", "that the schedule does not have on that date", "correct the id, or add the schedule")


def _refuse_other_keys(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Which namesake is meant is known only where all of a league's files are read together."""
    name = next((name for name in NAMES if _has(table, name)), None)
    if name is None:
        return
    same = f"game_date, game_id, team_abbr, {name}"
    found = rows(
        connection,
        f"""SELECT game_date, old.player_lookup || ' as ' || fresh.player_lookup
        FROM (FROM {table.name} ANTI JOIN incoming USING (game_id, player_lookup)) old
        JOIN (FROM incoming ANTI JOIN {table.name} USING (game_id, player_lookup)) fresh USING ({same}) ORDER BY ALL""",
    )
    _refuse(table, found, "player", "with another key than in the warehouse", "write the known key into player_lookup")


def _refuse_lost_games(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """A date is replaced whole, so a file that was cut short would take the rest of the date away."""
    word, part = PARTS.get(table.name) or ("game", f"game_date, {'game_id' if table.name == SCHEDULE else GAME}")
    known, day = ("game_id IS NOT NULL" if _has(table, "game_id") else "TRUE"), table.date_column
    found = rows(
        connection,
        f"""SELECT DISTINCT {part} FROM {table.name} WHERE {known} AND {day} IN (SELECT {day} FROM incoming)
        EXCEPT SELECT {part} FROM incoming WHERE {known} ORDER BY ALL""",
    )
    _refuse(table, found, word, "in the warehouse but not in the folder", "a date is replaced whole: add them")


def _refuse_lost_players(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """A line may be taken back; those of most players of a date were cut off."""
    players = "SELECT game_date, player_lookup FROM"
    found = rows(
        connection,
        f"""SELECT game_date FROM ({players} {table.name} GROUP BY ALL) old
        LEFT JOIN ({players} incoming GROUP BY ALL) fresh USING (game_date, player_lookup)
        WHERE game_date IN (SELECT game_date FROM incoming)
        GROUP BY game_date HAVING count(*) > 2 * count(fresh.player_lookup) ORDER BY ALL""",
    )
    _refuse(table, found, "date", "with the lines of fewer than half its players", "a date is replaced whole: add them")


def _key(table: Table) -> str:
    return ", ".join(table.contract.key)


def _has(table: Table, column: str) -> bool:
    return column in table.contract.column_names


def _refuse(table: Table, found: Sequence[tuple[Any, ...]], word: str, fault: str, mend: str) -> None:
    if found:
        which = some([" ".join(str(value) for value in row) for row in found])
        raise BadInput(f"{table.name}: {counted(len(found), word)} {fault} ({which}); {mend}. Nothing was changed")
