-- set: post-backfill
-- severity: red
-- means: rows of the feature store that disagree with the tables they are taken from
-- cause: the cache was computed again and the store was not
-- do: the store is older than its input: run phase 4 again
SELECT store.game_date, store.player_lookup, store.points_avg_last_5, cache.points_avg_last_5 AS in_cache
FROM nba_predictions.ml_feature_store_v2 AS store
JOIN nba_precompute.player_daily_cache AS cache
  ON cache.cache_date = store.game_date AND cache.player_lookup = store.player_lookup
WHERE store.game_date BETWEEN @first AND @last AND cache.cache_date BETWEEN @first AND @last
  AND (store.points_avg_last_5 != cache.points_avg_last_5 OR store.features[OFFSET(0)] != CAST(cache.points_avg_last_5 AS FLOAT64))
ORDER BY store.game_date, store.player_lookup
