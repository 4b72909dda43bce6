-- set: post-backfill
-- severity: red
-- means: team rows whose rest is not the days since the row before of the same team and season
-- cause: a game between was added to the schedule, moved or lost, and the row was not computed again
-- do: runbook run --phase 3; if it stays, look for a game that the schedule dates wrongly
WITH games AS (
  SELECT
    game_date, team_abbr, team_days_rest,
    DATE_DIFF(game_date, LAG(game_date) OVER earlier, DAY) - 1 AS counted,
    game_number_in_season - LAG(game_number_in_season) OVER earlier AS games_on
  FROM nba_analytics.upcoming_team_game_context
  WHERE game_date BETWEEN @first AND @last
  WINDOW earlier AS (PARTITION BY season_year, team_abbr ORDER BY game_date)
)
SELECT game_date, team_abbr, team_days_rest, counted
FROM games
-- a date that is excluded leaves a hole: of the game after it nothing is said
WHERE games_on = 1 AND COALESCE(team_days_rest, -1) != counted
ORDER BY game_date, team_abbr
