-- set: post-backfill
-- severity: red
-- means: team rows whose possessions, pace, rating, true shooting or paint points are not what their own box gives
-- cause: possessions were computed from other columns, or the box was edited afterwards
-- do: runbook run --phase 3; if it stays, look at the SELECT of team_offense_game_summary
SELECT game_date, game_id, team_abbr, points_scored, fg_attempts, ft_attempts, turnovers, offensive_rebounds, possessions, pace, offensive_rating
FROM nba_analytics.team_offense_game_summary
WHERE game_date BETWEEN @first AND @last
  AND (ABS(offensive_rating - SAFE_DIVIDE(10000 * points_scored, 100 * (fg_attempts + turnovers - offensive_rebounds) + 44 * ft_attempts)) > 0.2
    OR ABS(100 * possessions + 50 - (100 * (fg_attempts + turnovers - offensive_rebounds) + 44 * ft_attempts)) > 56
    OR ABS(100 * pace * (48 + 5 * overtime_periods) - 48 * (100 * (fg_attempts + turnovers - offensive_rebounds) + 44 * ft_attempts)) > 15 * (48 + 5 * overtime_periods)
    OR ABS(ts_pct - SAFE_DIVIDE(100 * points_scored, 200 * fg_attempts + 88 * ft_attempts)) > 0.001
    OR points_in_paint_scored IS DISTINCT FROM 2 * team_paint_makes
    OR (fg_attempts + ft_attempts + turnovers + offensive_rebounds IS NOT NULL
      AND (possessions IS NULL OR pace IS NULL OR offensive_rating IS NULL OR ts_pct IS NULL))
    OR (team_paint_attempts IS NOT NULL) != shot_zones_available OR (shot_zones_source IS NOT NULL) != shot_zones_available)
ORDER BY game_date, game_id, team_abbr
