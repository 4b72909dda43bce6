-- Every team with its expected games of the season before the date, counted on the schedule, whether it plays that
-- day or not; on expected dates after bootstrap.
WITH schedule AS (
  SELECT game_id, game_date, season_year, home_team_tricode, away_team_tricode, game_status, processed_at
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN @history_from AND @last
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, game_date ORDER BY processed_at DESC, game_status DESC) = 1
),
seasons AS (
  SELECT season_year, MIN(game_date) AS season_start
  FROM schedule
  WHERE SUBSTR(game_id, 1, 3) = '002' AND game_status NOT IN (4, 5)
  GROUP BY season_year
),
games AS (
  SELECT game_date, season_year, home_team_tricode AS home, away_team_tricode AS away
  FROM schedule
  WHERE game_status = 3 AND SUBSTR(game_id, 1, 3) IN ('002', '004', '005', '006')
),
played AS (
  SELECT game_date, season_year, home AS team_abbr FROM games
  UNION ALL
  SELECT game_date, season_year, away AS team_abbr FROM games
),
due AS (
  SELECT DISTINCT games.game_date, games.season_year
  FROM games
  JOIN seasons ON seasons.season_year = games.season_year
  WHERE games.game_date BETWEEN @first AND @last
    AND DATE_DIFF(games.game_date, seasons.season_start, DAY) >= @bootstrap_days
)
SELECT due.game_date, '' AS game_id, played.team_abbr AS entity, CAST(NULL AS STRING) AS waiting, COUNT(*) AS games_before
FROM due
JOIN played ON played.season_year = due.season_year AND played.game_date < due.game_date
GROUP BY due.game_date, played.team_abbr
