-- set: post-backfill
-- severity: red
-- means: rows whose fatigue_score is below 0 or above 100
-- cause: the score was not clamped, or was edited
-- do: the score is clamped: look at the SELECT of player_composite_factors
SELECT game_date, player_lookup, fatigue_score
FROM nba_precompute.player_composite_factors
WHERE game_date BETWEEN @first AND @last AND (fatigue_score < 0 OR fatigue_score > 100)
ORDER BY game_date, player_lookup
