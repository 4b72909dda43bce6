-- set: post-backfill
-- severity: red
-- means: cache rows whose games, minutes or team are not those of upcoming_player_game_context, or whose zones are not those of player_shot_zone_analysis
-- cause: one of the two was computed again and the cache was not
-- do: runbook run --phase 4
SELECT cache.cache_date, cache.player_lookup, cache.games_in_last_7_days, context.games_in_last_7_days AS in_context
FROM nba_precompute.player_daily_cache AS cache
JOIN nba_analytics.upcoming_player_game_context AS context
  ON context.game_date = cache.cache_date AND context.player_lookup = cache.player_lookup
LEFT JOIN (
  SELECT analysis_date, player_lookup, primary_scoring_zone, paint_rate_last_10, three_pt_rate_last_10, assisted_rate_last_10
  FROM nba_precompute.player_shot_zone_analysis
  WHERE analysis_date BETWEEN @first AND @last
) AS zones ON zones.analysis_date = cache.cache_date AND zones.player_lookup = cache.player_lookup
WHERE cache.cache_date BETWEEN @first AND @last AND context.game_date BETWEEN @first AND @last
  AND (cache.team_abbr != context.team_abbr OR cache.games_played_season != context.games_played_season
    OR cache.games_in_last_7_days != context.games_in_last_7_days OR cache.games_in_last_14_days != context.games_in_last_14_days
    OR cache.minutes_in_last_7_days IS DISTINCT FROM context.minutes_in_last_7_days
    OR cache.minutes_in_last_14_days IS DISTINCT FROM context.minutes_in_last_14_days
    OR cache.back_to_backs_last_14_days != context.back_to_backs_last_14_days
    OR cache.avg_minutes_per_game_last_7 IS DISTINCT FROM context.avg_minutes_per_game_last_7
    OR cache.primary_scoring_zone IS DISTINCT FROM zones.primary_scoring_zone
    OR cache.paint_rate_last_10 IS DISTINCT FROM zones.paint_rate_last_10
    OR cache.three_pt_rate_last_10 IS DISTINCT FROM zones.three_pt_rate_last_10
    OR cache.assisted_rate_last_10 IS DISTINCT FROM zones.assisted_rate_last_10
    OR cache.shot_zone_data_available != (cache.primary_scoring_zone IS NOT NULL)
    OR cache.early_season_flag != (cache.games_played_season < 10)
    OR cache.quality_tier IS DISTINCT FROM CASE WHEN cache.games_played_season < 10 THEN 'bronze' WHEN cache.primary_scoring_zone IS NULL THEN 'silver' ELSE 'gold' END)
ORDER BY cache.cache_date, cache.player_lookup
