-- set: post-backfill
-- severity: red
-- means: rows whose total_composite_adjustment is not the sum of its four parts
-- cause: one of the parts was computed again, and the total was not
-- do: run phase 4 again; if it stays, look at the SELECT of player_composite_factors
SELECT game_date, player_lookup, total_composite_adjustment
FROM nba_precompute.player_composite_factors
WHERE game_date BETWEEN @first AND @last
  AND 20 * total_composite_adjustment
    != fatigue_score - 100 + 20 * (shot_zone_mismatch_score + pace_score + usage_spike_score)
ORDER BY game_date, player_lookup
