-- severity: red
-- means: features with one single value over 1,000 rows and more of a season
-- do: a feature that never changes was never computed: look at the column it comes from
-- playoff_game may stay 0 until April, and injury_risk where no injury report is loaded
SELECT season_year, feature_names[ORDINAL(place)] AS feature, MIN(features[ORDINAL(place)]) AS value, COUNT(*) AS store_rows
FROM nba_predictions.ml_feature_store_v2,
  UNNEST([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25]) AS place
WHERE game_date BETWEEN @first AND @last
GROUP BY season_year, feature
HAVING COUNT(*) >= 1000 AND MIN(features[ORDINAL(place)]) = MAX(features[ORDINAL(place)])
ORDER BY season_year, feature
