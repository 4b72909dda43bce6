-- set: post-backfill
-- severity: red
-- means: rows of the feature store whose form, pace or usage is not that of player_daily_cache
-- cause: the cache was computed again and the store was not
-- do: the store is older than its input: run phase 4 again
SELECT store.game_date, store.player_lookup, store.points_avg_last_5, cache.points_avg_last_5 AS in_cache
FROM nba_predictions.ml_feature_store_v2 AS store
LEFT JOIN (
  SELECT
    cache_date, player_lookup, team_abbr, points_avg_last_5, points_avg_last_10, points_avg_season, points_std_last_10,
    minutes_avg_last_10, usage_rate_last_10, team_pace_last_10, team_off_rating_last_10, games_in_last_7_days
  FROM nba_precompute.player_daily_cache
  WHERE cache_date BETWEEN @first AND @last
) AS cache
  ON cache.cache_date = store.game_date AND cache.player_lookup = store.player_lookup
WHERE store.game_date BETWEEN @first AND @last
  AND (store.points_avg_last_5 != COALESCE(cache.points_avg_last_5, 10) OR store.points_avg_last_10 != COALESCE(cache.points_avg_last_10, 10)
    OR store.points_avg_season != COALESCE(cache.points_avg_season, 10) OR store.points_std_last_10 != COALESCE(cache.points_std_last_10, 5)
    OR store.minutes_avg_last_10 != COALESCE(cache.minutes_avg_last_10, 0) OR store.usage_rate_last_10 != COALESCE(cache.usage_rate_last_10, 25)
    OR store.team_pace_last_10 != COALESCE(cache.team_pace_last_10, 100)
    OR store.team_off_rating_last_10 != COALESCE(cache.team_off_rating_last_10, 112) OR store.team_abbr != cache.team_abbr
    OR store.features[SAFE_OFFSET(4)] != CAST(COALESCE(cache.games_in_last_7_days, 3) AS FLOAT64))
ORDER BY store.game_date, store.player_lookup
