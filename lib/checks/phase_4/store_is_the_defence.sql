-- set: post-backfill
-- severity: red
-- means: rows of the feature store whose opponent is rated otherwise than in team_defense_zone_analysis
-- cause: the defence was computed again and the store was not, or the wrong side was taken for the opponent
-- do: runbook run --phase 4
SELECT store.game_date, store.player_lookup, store.opponent_team_abbr, store.opponent_def_rating_last_15, defence.defensive_rating_last_15
FROM nba_predictions.ml_feature_store_v2 AS store
JOIN nba_precompute.team_defense_zone_analysis AS defence
  ON defence.analysis_date = store.game_date AND defence.team_abbr = store.opponent_team_abbr
WHERE store.game_date BETWEEN @first AND @last AND defence.analysis_date BETWEEN @first AND @last
  AND store.opponent_def_rating_last_15 != defence.defensive_rating_last_15
ORDER BY store.game_date, store.player_lookup
