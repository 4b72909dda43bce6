-- set: post-backfill
-- severity: red
-- means: rows of the feature store whose shot zones are not those of player_shot_zone_analysis
-- cause: the zones were computed again and the store was not
-- do: runbook run --phase 4
SELECT store.game_date, store.player_lookup, store.paint_rate_last_10, zones.paint_rate_last_10 AS in_zones
FROM nba_predictions.ml_feature_store_v2 AS store
LEFT JOIN (
  SELECT
    analysis_date, player_lookup, paint_rate_last_10, mid_range_rate_last_10, three_pt_rate_last_10, assisted_rate_last_10
  FROM nba_precompute.player_shot_zone_analysis
  WHERE analysis_date BETWEEN @first AND @last
) AS zones
  ON zones.analysis_date = store.game_date AND zones.player_lookup = store.player_lookup
WHERE store.game_date BETWEEN @first AND @last
  AND (store.paint_rate_last_10 != COALESCE(zones.paint_rate_last_10, 30)
    OR store.mid_range_rate_last_10 != COALESCE(zones.mid_range_rate_last_10, 20)
    OR store.three_pt_rate_last_10 != COALESCE(zones.three_pt_rate_last_10, 30)
    OR store.assisted_rate_last_10 != COALESCE(zones.assisted_rate_last_10, 60))
ORDER BY store.game_date, store.player_lookup
