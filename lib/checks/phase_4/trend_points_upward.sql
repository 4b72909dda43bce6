-- severity: red
-- means: seasons in which players on a rising trend have a lower mean of 5 games, against that of 10, than falling ones
-- do: the sign of recent_trend is turned round: the newest games come first
SELECT
  season_year, COUNTIF(features[OFFSET(11)] > 0) AS rising, COUNTIF(features[OFFSET(11)] < 0) AS falling,
  SUM(IF(features[OFFSET(11)] > 0, points_avg_last_5 - points_avg_last_10, 0)) AS change_of_rising,
  SUM(IF(features[OFFSET(11)] < 0, points_avg_last_5 - points_avg_last_10, 0)) AS change_of_falling
FROM nba_predictions.ml_feature_store_v2
WHERE game_date BETWEEN @first AND @last
GROUP BY season_year
HAVING COUNTIF(features[OFFSET(11)] > 0) >= 200 AND COUNTIF(features[OFFSET(11)] < 0) >= 200
  AND SUM(IF(features[OFFSET(11)] > 0, points_avg_last_5 - points_avg_last_10, 0)) * COUNTIF(features[OFFSET(11)] < 0)
    <= SUM(IF(features[OFFSET(11)] < 0, points_avg_last_5 - points_avg_last_10, 0)) * COUNTIF(features[OFFSET(11)] > 0)
