-- set: post-backfill
-- severity: red
-- means: team rows whose offensive_rating is not points a hundred possessions
-- cause: possessions were computed from other columns, or the box was edited afterwards
-- do: runbook run --phase 3; if it stays, look at the SELECT of team_offense_game_summary
SELECT game_date, game_id, team_abbr, points_scored, fg_attempts, ft_attempts, turnovers, offensive_rebounds, offensive_rating
FROM nba_analytics.team_offense_game_summary
WHERE game_date BETWEEN @first AND @last
  AND ABS(offensive_rating - SAFE_DIVIDE(10000 * points_scored, 100 * (fg_attempts + turnovers - offensive_rebounds) + 44 * ft_attempts)) > 0.2
ORDER BY game_date, game_id, team_abbr
