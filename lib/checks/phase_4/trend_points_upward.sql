-- set: features
-- severity: red
-- means: seasons in which the mean of 5 games of players on a rising trend rose less in two games than that of falling ones
-- cause: the newest games come first in the list, and were taken for the oldest
-- do: the sign of recent_trend is turned round: the newest games come first
-- units: COUNT(DISTINCT season_year)
WITH rows_of_players AS (
  SELECT
    season_year, features[OFFSET(11)] AS trend,
    points_avg_last_5 - LAG(points_avg_last_5, 2) OVER (PARTITION BY season_year, player_lookup ORDER BY game_date) AS rise
  FROM nba_predictions.ml_feature_store_v2
  WHERE game_date BETWEEN @first AND @last
),
told AS (
  SELECT
    season_year, COUNTIF(trend > 0) AS rising, COUNTIF(trend < 0) AS falling,
    SUM(IF(trend > 0, rise, 0)) AS rise_of_rising, SUM(IF(trend < 0, rise, 0)) AS rise_of_falling
  FROM rows_of_players
  WHERE rise IS NOT NULL
  GROUP BY season_year
)
SELECT season_year, rising, falling, rise_of_rising, rise_of_falling
FROM told
WHERE rising >= 100 AND falling >= 100 AND rise_of_rising * falling <= rise_of_falling * rising
