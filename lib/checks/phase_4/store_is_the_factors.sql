-- set: post-backfill
-- severity: red
-- means: rows of the feature store whose composite scores are not those of player_composite_factors
-- cause: the factors were computed again and the store was not
-- do: runbook run --phase 4
SELECT store.game_date, store.player_lookup, store.fatigue_score, factors.fatigue_score AS in_factors
FROM nba_predictions.ml_feature_store_v2 AS store
JOIN nba_precompute.player_composite_factors AS factors
  ON factors.game_date = store.game_date AND factors.player_lookup = store.player_lookup
WHERE store.game_date BETWEEN @first AND @last AND factors.game_date BETWEEN @first AND @last
  AND (store.fatigue_score != factors.fatigue_score OR store.shot_zone_mismatch_score != COALESCE(factors.shot_zone_mismatch_score, 0)
    OR store.pace_score != COALESCE(factors.pace_score, 0) OR store.usage_spike_score != COALESCE(factors.usage_spike_score, 0))
ORDER BY store.game_date, store.player_lookup
