-- set: post-backfill
-- severity: red
-- means: player rows whose margin or result against the line is not points minus line
-- cause: a push was counted as OVER, or the line was loaded again and the row not computed again
-- do: runbook run --phase 3; if it stays, look at the SELECT of player_game_summary
SELECT game_date, game_id, player_lookup, points, points_line, margin, over_under_result
FROM nba_analytics.player_game_summary
WHERE game_date BETWEEN @first AND @last
  AND (margin != points - points_line
    OR over_under_result != CASE WHEN points > points_line THEN 'OVER' WHEN points < points_line THEN 'UNDER' ELSE 'PUSH' END)
ORDER BY game_date, game_id, player_lookup
