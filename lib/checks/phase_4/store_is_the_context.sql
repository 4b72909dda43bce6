-- set: post-backfill
-- severity: red
-- means: rows of the feature store whose side, rest, back-to-back, injury risk, opponent or points line is not that of upcoming_player_game_context
-- cause: the context was computed again and the store was not
-- do: runbook run --phase 4
SELECT store.game_date, store.player_lookup, store.is_home, context.home_game, store.back_to_back, context.back_to_back AS in_context
FROM nba_predictions.ml_feature_store_v2 AS store
JOIN nba_analytics.upcoming_player_game_context AS context
  ON context.game_date = store.game_date AND context.player_lookup = store.player_lookup
WHERE store.game_date BETWEEN @first AND @last AND context.game_date BETWEEN @first AND @last
  AND (store.is_home != context.home_game OR store.back_to_back != context.back_to_back
    OR store.days_rest != COALESCE(context.days_rest, 2) OR store.opponent_team_abbr != context.opponent_team_abbr
    OR store.team_abbr != context.team_abbr OR store.game_id != context.game_id OR store.has_prop_line != context.has_prop_line
    OR store.universal_player_id != context.universal_player_id
    OR store.features[SAFE_OFFSET(9)] != COALESCE(GREATEST(-2, LEAST(2, context.days_rest - context.opponent_days_rest)), 0)
    OR store.features[SAFE_OFFSET(10)] != CASE context.player_status WHEN 'probable' THEN 1 WHEN 'questionable' THEN 2 WHEN 'doubtful' THEN 3
      WHEN 'out' THEN 3 ELSE 0 END
    OR store.features[SAFE_OFFSET(17)] != IF(context.season_phase = 'playoffs', 1, 0)
    OR store.current_points_line IS DISTINCT FROM context.current_points_line)
ORDER BY store.game_date, store.player_lookup
