-- set: post-backfill
-- severity: red
-- means: rows whose feature array is not 25 long, or not named by 25 names
-- cause: the array was built from another list of features
-- do: a model reads features by place: look at the SELECT of ml_feature_store_v2
SELECT game_date, player_lookup, ARRAY_LENGTH(features) AS features, ARRAY_LENGTH(feature_names) AS names
FROM nba_predictions.ml_feature_store_v2
WHERE game_date BETWEEN @first AND @last
  AND (ARRAY_LENGTH(features) != 25 OR ARRAY_LENGTH(feature_names) != 25 OR feature_count != 25)
ORDER BY game_date, player_lookup
