"""Placing the rows of every other kind in the games, and the SELECTs that turn them into the raw tables' rows."""

from __future__ import annotations

import duckdb

from lib.ingest.stage import EXHIBITION
from lib.ingest.teams import name_sql

NO_GAME, NOT_ITS_GAME, PRACTICE = (
    "game not in the schedule",
    "team not in that game",
    "preseason or All-Star",
)
NO_LINE = "neither spread nor total"

_BOX = """pts AS points, fgm AS {fg}_made, fga AS {fg}_attempted, fg3m AS {three}_made, fg3a AS {three}_attempted,
  ftm AS {ft}_made, fta AS {ft}_attempted,
  oreb AS offensive_rebounds, dreb AS defensive_rebounds, reb AS total_rebounds,
  ast AS assists, stl AS steals, blk AS blocks, tov AS turnovers, pf AS personal_fouls, plus_minus"""
# Minutes as MM:SS, whatever their shape; {x} is the text, not NULL.
_CLOCK = """CASE WHEN contains({x}, ':') THEN lpad({x}, CAST(greatest(length({x}), 5) AS INT), '0')
  ELSE printf('%02d:%02d', CAST({seconds} // 60 AS INT), CAST({seconds} % 60 AS INT)) END"""
_SECONDS = """CASE WHEN contains({x}, ':') THEN 0
  WHEN starts_with({x}, 'PT') THEN 60 * CAST(regexp_extract({x}, 'PT(\\d+)M', 1) AS BIGINT)
    + CAST(round(coalesce(TRY_CAST(regexp_extract({x}, 'M([0-9.]+)S', 1) AS DOUBLE), 0)) AS BIGINT)
  ELSE CAST(round(60 * CAST({x} AS DOUBLE)) AS BIGINT) END"""
NO_TIME = "regexp_full_match(min, '0+(\\.0*)?|0+:00|PT0+M(0*(\\.0*)?S)?')"
_SHOWN = ("pts", "fga", "fta", "reb", "ast", "stl", "blk", "tov", "pf", "plus_minus")
SHOWS_SOMETHING = f"({' OR '.join(f'coalesce({name}, 0) <> 0' for name in _SHOWN)})"


def place(con: duckdb.DuckDBPyConnection) -> None:
    """Says of every staged row why it is ``dropped`` (NULL where it is not) and which game it belongs to."""
    for kind in ("players", "teams"):
        _place(con, kind, "r.team_abbreviation NOT IN (g.home, g.away)")
    _place(con, "shots", "r.team_id NOT IN (g.home, g.away)")
    con.execute(
        f"""CREATE OR REPLACE TABLE lines AS
        SELECT r.* RENAME (date AS game_date, season AS label), g.game_id, g.canonical, g.season, g.kind,
          g.home AS at_home, g.away AS visiting,
          CASE WHEN copy IS NOT NULL THEN copy WHEN g.game_id IS NULL THEN '{NO_GAME}'
            WHEN NOT g.counts THEN '{PRACTICE}'
            WHEN spread IS NULL AND total IS NULL THEN '{NO_LINE}' END AS dropped
        FROM lines r LEFT JOIN games g ON g.game_date = r.date AND g.first_team = least(r.home, r.away)
          AND g.second_team = greatest(r.home, r.away)"""
    )


def _place(con: duckdb.DuckDBPyConnection, kind: str, not_its_game: str) -> None:
    exhibition = EXHIBITION.replace("game_id", "r.game_id")
    con.execute(
        f"""CREATE OR REPLACE TABLE {kind} AS
        SELECT r.*, g.canonical, g.season, g.kind, g.season_year, g.home, g.away,
          CASE WHEN copy IS NOT NULL THEN copy WHEN {exhibition} THEN '{PRACTICE}'
            WHEN g.game_id IS NULL THEN '{NO_GAME}' WHEN {not_its_game} THEN '{NOT_ITS_GAME}' END AS dropped
        FROM {kind} r LEFT JOIN games g USING (game_id, game_date)"""
    )


def minutes_sql(text: str) -> str:
    """SQL for minutes as MM:SS; the text '0' stays '0' where the row shows that somebody did play (see PLAYER_ROWS)."""
    return _CLOCK.replace("{seconds}", f"({_SECONDS})").replace("{x}", text)


def _box(fg: str, three: str, ft: str) -> str:
    return _BOX.format(fg=fg, three=three, ft=ft)


# A rounded 0 of somebody who did something is a stint of under half a minute, not no time: it is kept as it stands.
PLAYER_ROWS = f"""
SELECT canonical AS game_id, people.lookup AS player_lookup, game_date, season_year, player_name,
  team_abbreviation AS team_abbr, home AS home_team_abbr, away AS away_team_abbr, 'active' AS player_status,
  CASE WHEN {NO_TIME} AND {SHOWS_SOMETHING} THEN min ELSE {minutes_sql("min")} END AS minutes,
  {_box("field_goals", "three_pointers", "free_throws")}
FROM players JOIN people USING (player_id) WHERE dropped IS NULL
"""
TEAM_ROWS = f"""
SELECT canonical AS game_id, team_abbreviation AS team_abbr, game_id AS nba_game_id, game_date, season_year,
  team_abbreviation = home AS is_home, {minutes_sql("min")} AS minutes, {_box("fg", "three_pt", "ft")}
FROM teams WHERE dropped IS NULL
"""
SHOT_ROWS = """
SELECT game_event_id AS event_id, canonical AS game_id, game_date, home AS home_team_abbr, away AS away_team_abbr,
  'shot' AS event_type, CASE shot_type WHEN '3PT' THEN '3pt ' ELSE '' END || lower(action_type) AS event_subtype,
  people.lookup AS player_1_lookup, team_id AS player_1_team_abbr, shot_made_flag AS shot_made, shot_type, shot_distance
FROM shots JOIN people USING (player_id) WHERE dropped IS NULL
"""
_LINE = """game_date, at_home AS home_team_abbr, visiting AS away_team_abbr,
  coalesce(bookmaker_key, 'closing') AS bookmaker_key"""
LINE_ROWS = f"""
WITH signed AS (
  SELECT *, CASE whos_favored WHEN 'home' THEN home WHEN 'away' THEN away END AS favourite,
    coalesce(snapshot_timestamp, noon) AS snapshot
  FROM lines JOIN noons USING (game_date) WHERE dropped IS NULL
), sided AS (
  SELECT *, unnest([home, away]) AS team FROM signed WHERE spread IS NOT NULL AND (favourite IS NOT NULL OR spread = 0)
)
SELECT {_LINE}, 'spreads' AS market_key, {name_sql("team")} AS outcome_name,
  CASE WHEN spread = 0 THEN 0 WHEN team = favourite THEN -abs(spread) ELSE abs(spread) END AS outcome_point,
  snapshot AS snapshot_timestamp FROM sided
UNION ALL
SELECT {_LINE}, 'totals', unnest(['Over', 'Under']), total, snapshot FROM signed WHERE total IS NOT NULL
"""
