-- set: post-backfill
-- severity: red
-- means: rows of the feature store whose opponent is rated or paced otherwise than in team_defense_zone_analysis
-- cause: the defence was computed again and the store was not, or the wrong side was taken for the opponent
-- do: runbook run --phase 4
SELECT store.game_date, store.player_lookup, store.opponent_team_abbr, store.opponent_def_rating_last_15, defence.defensive_rating_last_15
FROM nba_predictions.ml_feature_store_v2 AS store
LEFT JOIN (
  SELECT
    analysis_date, team_abbr, defensive_rating_last_15, opponent_pace
  FROM nba_precompute.team_defense_zone_analysis
  WHERE analysis_date BETWEEN @first AND @last
) AS defence
  ON defence.analysis_date = store.game_date AND defence.team_abbr = store.opponent_team_abbr
WHERE store.game_date BETWEEN @first AND @last
  AND (store.opponent_def_rating_last_15 != COALESCE(defence.defensive_rating_last_15, 112)
    OR store.opponent_pace_last_15 != COALESCE(defence.opponent_pace, 100))
ORDER BY store.game_date, store.player_lookup
