-- set: features
-- severity: red
-- means: features with one single value over 20 game dates and more of a season
-- cause: the column it comes from was never computed, or is always its default
-- do: a feature that never changes was never computed: look at the column it comes from
-- units: 23 * COUNT(DISTINCT season_year)
-- playoff_game may stay 0 until April, and injury_risk where no injury report is loaded
SELECT season_year, feature_names[ORDINAL(place)] AS feature, MIN(features[ORDINAL(place)]) AS value, COUNT(*) AS store_rows
FROM nba_predictions.ml_feature_store_v2,
  UNNEST([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25]) AS place
WHERE game_date BETWEEN @first AND @last
GROUP BY season_year, feature
HAVING COUNT(DISTINCT game_date) >= 20 AND MIN(features[ORDINAL(place)]) = MAX(features[ORDINAL(place)])
ORDER BY season_year, feature
