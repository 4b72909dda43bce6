-- set: post-backfill
-- severity: red
-- means: player rows whose margin, result or line movement is not what points, line and opening line give
-- cause: a push was counted as OVER, or the line was loaded again and the row not computed again
-- do: runbook run --phase 3; if it stays, look at the SELECT of player_game_summary
SELECT game_date, game_id, player_lookup, points, points_line, opening_line, margin, over_under_result, line_movement
FROM nba_analytics.player_game_summary
WHERE game_date BETWEEN @first AND @last
  AND (margin IS DISTINCT FROM points - points_line OR line_movement IS DISTINCT FROM points_line - opening_line
    OR (points_line IS NULL) != (points_line_source IS NULL)
    OR over_under_result IS DISTINCT FROM CASE WHEN points > points_line THEN 'OVER' WHEN points < points_line THEN 'UNDER' WHEN points = points_line THEN 'PUSH' END)
ORDER BY game_date, game_id, player_lookup
