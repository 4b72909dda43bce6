-- set: post-backfill
-- severity: red
-- means: rows whose feature array is not 25 long, not named by 25 names, or not what the columns of the row say; or whose grade is not that of their score
-- cause: the array was built from another list of features, or one of the two was edited
-- do: a model reads features by place: look at the SELECT of ml_feature_store_v2
SELECT game_date, player_lookup, ARRAY_LENGTH(features) AS features, ARRAY_LENGTH(feature_names) AS names
FROM nba_predictions.ml_feature_store_v2
WHERE game_date BETWEEN @first AND @last
  AND (ARRAY_LENGTH(features) != 25 OR ARRAY_LENGTH(feature_names) != 25 OR feature_count != 25
    OR features[SAFE_OFFSET(0)] != CAST(points_avg_last_5 AS FLOAT64) OR features[SAFE_OFFSET(1)] != CAST(points_avg_last_10 AS FLOAT64)
    OR features[SAFE_OFFSET(2)] != CAST(points_avg_season AS FLOAT64) OR features[SAFE_OFFSET(3)] != CAST(points_std_last_10 AS FLOAT64)
    OR features[SAFE_OFFSET(5)] != CAST(fatigue_score AS FLOAT64) OR features[SAFE_OFFSET(6)] != CAST(shot_zone_mismatch_score AS FLOAT64)
    OR features[SAFE_OFFSET(7)] != CAST(pace_score AS FLOAT64) OR features[SAFE_OFFSET(8)] != CAST(usage_spike_score AS FLOAT64)
    OR features[SAFE_OFFSET(13)] != CAST(opponent_def_rating_last_15 AS FLOAT64)
    OR features[SAFE_OFFSET(14)] != CAST(opponent_pace_last_15 AS FLOAT64) OR features[SAFE_OFFSET(15)] != IF(is_home, 1.0, 0.0)
    OR features[SAFE_OFFSET(16)] != IF(back_to_back, 1.0, 0.0) OR features[SAFE_OFFSET(22)] != CAST(team_pace_last_10 AS FLOAT64)
    OR features[SAFE_OFFSET(18)] != CAST(100 * paint_rate_last_10 AS INT64) / 10000
    OR features[SAFE_OFFSET(19)] != CAST(100 * mid_range_rate_last_10 AS INT64) / 10000
    -- where nothing is known the array says 35 %, the column 30
    OR (features[SAFE_OFFSET(20)] != CAST(100 * three_pt_rate_last_10 AS INT64) / 10000
      AND NOT (features[SAFE_OFFSET(20)] = 0.35 AND three_pt_rate_last_10 = 30))
    OR features[SAFE_OFFSET(21)] NOT BETWEEN 0 AND 0.5 OR features[SAFE_OFFSET(24)] NOT BETWEEN 0 AND 1
    OR features[SAFE_OFFSET(23)] != CAST(team_off_rating_last_10 AS FLOAT64)
    OR quality_tier IS DISTINCT FROM CASE WHEN feature_quality_score >= 95 THEN 'gold' WHEN feature_quality_score >= 70 THEN 'silver' ELSE 'bronze' END)
ORDER BY game_date, player_lookup
