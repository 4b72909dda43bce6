-- set: features
-- severity: amber
-- means: seasons in which more than 15 percent of the rows go by defaults for at least half of the features of phase 4
-- cause: raw data is thin, so that the features above it have nothing to be computed from
-- do: raw data is thin: look at quality_issues of the rows
SELECT season_year, COUNTIF(data_source = 'mixed') AS mixed, COUNT(*) AS store_rows
FROM nba_predictions.ml_feature_store_v2
WHERE game_date BETWEEN @first AND @last
GROUP BY season_year
HAVING COUNT(DISTINCT game_date) >= 20 AND 100 * COUNTIF(data_source = 'mixed') > 15 * COUNT(*)
ORDER BY season_year
