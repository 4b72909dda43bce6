-- set: features
-- severity: red
-- means: dates and teams whose team_win_pct is 0.5 for want of games although 10 and more were played
-- cause: the games of the team were not found when its record was computed
-- do: the team's games were not found: look at team_offense_game_summary of the season
SELECT store.game_date, store.team_abbr, COUNT(*) AS store_rows
FROM nba_predictions.ml_feature_store_v2 AS store
JOIN nba_analytics.upcoming_team_game_context AS context
  ON context.game_date = store.game_date AND context.team_abbr = store.team_abbr
WHERE store.game_date BETWEEN @first AND @last AND context.game_date BETWEEN @first AND @last
  AND context.game_number_in_season > 10 AND 'team_win_pct' IN UNNEST(store.default_features)
GROUP BY store.game_date, store.team_abbr
ORDER BY store.game_date, store.team_abbr
