-- set: post-backfill
-- severity: amber
-- means: player rows whose shots near the basket, of mid range and of three are more than all their shots
-- cause: play-by-play events of a game are doubled
-- do: load the play-by-play of the game again, then runbook run --phase 3
SELECT game_date, game_id, player_lookup, paint_attempts, mid_range_attempts, three_pt_attempts, fg_attempts
FROM nba_analytics.player_game_summary
WHERE game_date BETWEEN @first AND @last AND paint_attempts + mid_range_attempts + three_pt_attempts > fg_attempts + 1
ORDER BY game_date, game_id, player_lookup
