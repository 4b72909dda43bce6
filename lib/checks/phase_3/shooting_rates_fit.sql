-- set: post-backfill
-- severity: red
-- means: player rows whose ts_pct or efg_pct is not what their own shots give, or is missing where they shot
-- cause: the rate was computed from other columns, or the shots were edited afterwards
-- do: runbook run --phase 3; if it stays, look at the SELECT of player_game_summary
SELECT game_date, game_id, player_lookup, points, fg_attempts, fg_makes, three_pt_makes, ft_attempts, ts_pct, efg_pct
FROM nba_analytics.player_game_summary
WHERE game_date BETWEEN @first AND @last
  AND (ABS(ts_pct - SAFE_DIVIDE(100 * points, 200 * fg_attempts + 88 * ft_attempts)) > 0.001
    OR ABS(efg_pct - SAFE_DIVIDE(2 * fg_makes + three_pt_makes, 2 * fg_attempts)) > 0.001
    OR (ts_pct IS NULL AND fg_attempts + ft_attempts > 0) OR (efg_pct IS NULL AND fg_attempts > 0))
ORDER BY game_date, game_id, player_lookup
