"""The games: who played whom, where, when, with what result; every other kind is placed by them."""

from __future__ import annotations

import duckdb

from lib.errors import BadInput
from lib.ingest.query import first_row, rows
from lib.ingest.stage import EXHIBITION
from lib.ingest.teams import known_sql
from lib.wording import some

SEASON_YEAR = "CAST(substr(game_id, 4, 2) AS INT) + CASE WHEN substr(game_id, 4, 2) >= '46' THEN 1900 ELSE 2000 END"
SEASON = "season_year || '-' || lpad(CAST((season_year + 1) % 100 AS TEXT), 2, '0')"
GAME_KIND = """CASE left(game_id, 3) WHEN '001' THEN 'preseason' WHEN '002' THEN 'regular season' 
  WHEN '003' THEN 'All-Star' WHEN '004' THEN 'playoffs' WHEN '005' THEN 'play-in' ELSE 'Cup final' END"""
OUTSIDE = "exhibition with a team outside the league"

# A game at a neutral site has two rows that both say '@', so two claims for home. The shot chart says who is home, else
# the lines do, else the second team by code: any rule that does not depend on the order of the rows would serve.
_GAMES = f"""
CREATE TABLE games AS
WITH sides AS (
  SELECT game_id, game_date, min(said_home) AS one, max(said_home) AS two, count(DISTINCT said_home) > 1 AS neutral,
    least(min(said_home), min(said_away)) AS first_team, greatest(max(said_home), max(said_away)) AS second_team,
    count(*) AS team_rows, count(wl) > 0 AS has_result,
    coalesce(min(team_abbreviation) FILTER (wl = 'W'),
      min(CASE team_abbreviation WHEN said_home THEN said_away ELSE said_home END) FILTER (wl = 'L')) AS winner
  FROM schedule WHERE dropped IS NULL GROUP BY ALL
), by_shots AS (SELECT game_id, game_date, min(htm) AS home FROM shots GROUP BY ALL),
by_lines AS (SELECT date, least(home, away) AS first_team, greatest(home, away) AS second_team, min(home) AS home
  FROM lines GROUP BY ALL),
decided AS (
  SELECT s.*, {SEASON_YEAR} AS season_year, {GAME_KIND} AS kind,
    CASE WHEN NOT neutral THEN 'matchup' WHEN by_shots.home IN (s.first_team, s.second_team) THEN 'the shot chart'
      WHEN by_lines.home IS NOT NULL THEN 'the lines' ELSE 'the order of the codes' END AS decided_by,
    CASE decided_by WHEN 'matchup' THEN one WHEN 'the shot chart' THEN by_shots.home
      WHEN 'the lines' THEN by_lines.home ELSE s.second_team END AS home
  FROM sides s LEFT JOIN by_shots USING (game_id, game_date)
  LEFT JOIN by_lines ON by_lines.date = s.game_date AND by_lines.first_team = s.first_team
    AND by_lines.second_team = s.second_team
)
SELECT * EXCLUDE (one, two), CASE home WHEN first_team THEN second_team ELSE first_team END AS away, {SEASON} AS season,
  strftime(game_date, '%Y%m%d') || '_' || away || '_' || home AS canonical,
  CASE WHEN has_result THEN 3 WHEN lead(game_date) OVER (PARTITION BY game_id ORDER BY game_date) IS NOT NULL THEN 4
    ELSE 1 END AS status,
  kind NOT IN ('preseason', 'All-Star') AS counts
FROM decided
"""
_POINTS = """
CREATE TABLE points AS
WITH sides AS (
  SELECT game_id, game_date, home AS team, TRUE AS at_home FROM games
  UNION ALL SELECT game_id, game_date, away, FALSE FROM games
), scheduled AS (SELECT game_id, game_date, team_abbreviation AS team, min(pts) AS pts FROM schedule
  WHERE dropped IS NULL GROUP BY ALL),
boxed AS (SELECT game_id, game_date, team_abbreviation AS team, min(pts) AS pts FROM teams
  WHERE dropped IS NULL GROUP BY ALL),
lined AS (
  SELECT game_id, game_date, home AS team, min(score_home) AS pts FROM lines WHERE dropped IS NULL GROUP BY ALL
  UNION ALL SELECT game_id, game_date, away, min(score_away) FROM lines WHERE dropped IS NULL GROUP BY ALL
), summed AS (SELECT game_id, game_date, team_abbreviation AS team, sum(pts) AS pts FROM players
  WHERE dropped IS NULL GROUP BY ALL)
SELECT sides.*, CAST(coalesce(scheduled.pts, boxed.pts, lined.pts, summed.pts) AS BIGINT) AS pts,
  CASE WHEN scheduled.pts IS NOT NULL THEN 'the schedule' WHEN boxed.pts IS NOT NULL THEN 'the team lines'
    WHEN lined.pts IS NOT NULL THEN 'the betting lines' 
    WHEN summed.pts IS NOT NULL THEN 'the sum of the players' END AS source
FROM sides LEFT JOIN scheduled USING (game_id, game_date, team) LEFT JOIN boxed USING (game_id, game_date, team)
LEFT JOIN lined USING (game_id, game_date, team) LEFT JOIN summed USING (game_id, game_date, team)
"""
SCHEDULE_ROWS = """
SELECT game_id, game_date, season_year, home AS home_team_tricode, away AS away_team_tricode, status AS game_status,
  kind = 'regular season' AS is_regular_season, kind IN ('playoffs', 'play-in') AS is_playoffs,
  kind = 'All-Star' AS is_all_star, h.pts AS home_team_score, a.pts AS away_team_score,
  CASE WHEN status = 3 THEN winner END AS winning_team_tricode
FROM games LEFT JOIN (SELECT game_id, game_date, pts FROM points WHERE at_home) h USING (game_id, game_date)
LEFT JOIN (SELECT game_id, game_date, pts FROM points WHERE NOT at_home) a USING (game_id, game_date)
"""


def make_games(con: duckdb.DuckDBPyConnection) -> None:
    """Makes ``games`` from the staged schedule; BadInput where its rows contradict each other."""
    outside = f"NOT ({known_sql('said_home')} AND {known_sql('said_away')} AND {known_sql('team_abbreviation')})"
    con.execute(
        f"""ALTER TABLE schedule ADD COLUMN dropped TEXT; UPDATE schedule SET dropped =
        CASE WHEN copy IS NOT NULL THEN copy WHEN {EXHIBITION} AND {outside} THEN '{OUTSIDE}' END"""
    )
    _refuse(
        con,
        "team_abbreviation NOT IN (said_home, said_away)",
        "has rows whose MATCHUP does not name their own team",
    )
    _refuse(
        con,
        "count(DISTINCT (least(said_home, said_away), greatest(said_home, said_away))) > 1",
        "has three teams",
    )
    _refuse(
        con,
        "count(DISTINCT team_abbreviation) FILTER (wl = 'W') > 1",
        "has two winners",
    )
    con.execute(_GAMES)
    con.execute(
        """CREATE OR REPLACE TABLE schedule AS SELECT schedule.*, games.season FROM schedule
        LEFT JOIN games USING (game_id, game_date)"""
    )
    twice = rows(con, "SELECT game_id FROM games WHERE has_result GROUP BY ALL HAVING count(*) > 1")
    if twice:
        raise BadInput(f"schedule: {some([row[0] for row in twice])} is final on two dates; remove the wrong rows")


def make_points(con: duckdb.DuckDBPyConnection) -> None:
    """Makes ``points``, one row per game and side, from the first source that has the score."""
    con.execute(_POINTS)


def _refuse(con: duckdb.DuckDBPyConnection, condition: str, fault: str) -> None:
    grouped = "count(" in condition
    where, having = ("", f"HAVING {condition}") if grouped else (f"AND {condition}", "")
    found = first_row(
        con,
        f"""SELECT game_id, game_date, min(file) FROM schedule WHERE dropped IS NULL {where}
        GROUP BY ALL {having} ORDER BY ALL LIMIT 1""",
    )
    if found:
        raise BadInput(f"{found[2]}: GAME_ID {found[0]} of {found[1]} {fault}; correct the file")
