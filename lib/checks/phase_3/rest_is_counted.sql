-- set: post-backfill
-- severity: red
-- means: team rows whose rest is not the days since the row before of the same team and season
-- cause: a game between was added to the schedule, moved or lost, and the row was not computed again
-- do: runbook run --phase 3; if it stays, look for a game that the schedule dates wrongly
WITH games AS (
  SELECT
    game_date, team_abbr, team_days_rest,
    DATE_DIFF(game_date, LAG(game_date) OVER (PARTITION BY season_year, team_abbr ORDER BY game_date), DAY) - 1 AS counted
  FROM nba_analytics.upcoming_team_game_context
  WHERE game_date BETWEEN @first AND @last
)
SELECT game_date, team_abbr, team_days_rest, counted
FROM games
WHERE counted IS NOT NULL AND COALESCE(team_days_rest, -1) != counted
ORDER BY game_date, team_abbr
