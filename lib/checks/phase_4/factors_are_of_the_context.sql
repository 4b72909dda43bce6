-- set: post-backfill
-- severity: red
-- means: composite rows whose context is not that of upcoming_player_game_context, or whose fatigue is not what it gives
-- cause: the context was computed again and the factors were not
-- do: runbook run --phase 4; if it stays, look at the SELECT of player_composite_factors
SELECT factors.game_date, factors.player_lookup, factors.fatigue_score, factors.days_rest, context.days_rest AS in_context
FROM nba_precompute.player_composite_factors AS factors
JOIN nba_analytics.upcoming_player_game_context AS context
  ON context.game_date = factors.game_date AND context.player_lookup = factors.player_lookup
WHERE factors.game_date BETWEEN @first AND @last AND context.game_date BETWEEN @first AND @last
  AND (factors.team_abbr != context.team_abbr OR factors.opponent_team_abbr != context.opponent_team_abbr OR factors.game_id != context.game_id
    OR factors.universal_player_id != context.universal_player_id
    OR factors.days_rest IS DISTINCT FROM context.days_rest OR factors.back_to_back != context.back_to_back
    OR factors.pace_differential IS DISTINCT FROM context.pace_differential
    OR factors.projected_usage_rate IS DISTINCT FROM context.projected_usage_rate
    OR factors.avg_usage_rate_last_7_games IS DISTINCT FROM context.avg_usage_rate_last_7_games
    OR factors.star_teammates_out != context.star_teammates_out
    OR factors.fatigue_score != GREATEST(0, LEAST(100, 100 + CASE WHEN context.back_to_back THEN -15 WHEN context.days_rest >= 3 THEN 5 ELSE 0 END
      - IF(context.games_in_last_7_days >= 4, 10, 0) - IF(context.minutes_in_last_7_days > 240, 10, 0)
      - IF(context.avg_minutes_per_game_last_7 > 35, 8, 0)
      - CASE WHEN context.back_to_backs_last_14_days >= 2 THEN 12 WHEN context.back_to_backs_last_14_days = 1 THEN 5 ELSE 0 END)))
ORDER BY factors.game_date, factors.player_lookup
