-- set: post-backfill
-- severity: red
-- means: rows whose pace, usage or mismatch score, or grade, is not what the context in the same row gives
-- cause: the context was computed again and the score was not, or a score was edited
-- do: run phase 4 again; if it stays, look at the SELECT of player_composite_factors
SELECT game_date, player_lookup, pace_score, pace_differential, usage_spike_score, shot_zone_mismatch_score, player_zone_rate, opponent_zone_defense
FROM nba_precompute.player_composite_factors
WHERE game_date BETWEEN @first AND @last
  AND (ABS(pace_score - GREATEST(-3, LEAST(3, COALESCE(pace_differential, 0) / 2))) > 0.0501
    OR ABS(usage_spike_score - GREATEST(-3, LEAST(3, COALESCE(
      IF(avg_usage_rate_last_7_games = 0, 0, 0.3 * (projected_usage_rate - avg_usage_rate_last_7_games)
        * CASE WHEN projected_usage_rate <= avg_usage_rate_last_7_games OR star_teammates_out = 0 THEN 1
            WHEN star_teammates_out = 1 THEN 1.15 ELSE 1.3 END), 0)))) > 0.0501
    OR ABS(shot_zone_mismatch_score - GREATEST(-10, LEAST(10, COALESCE(
      opponent_zone_defense * LEAST(player_zone_rate, 50) / 50
        * IF(ABS(opponent_zone_defense * LEAST(player_zone_rate, 50)) > 250, 1.2, 1), 0)))) > 0.0501
    OR (player_zone IS NULL) != (player_zone_rate IS NULL)
    OR data_completeness_pct != 100 - 20 * ARRAY_LENGTH(missing_data_fields)
    OR quality_tier IS DISTINCT FROM CASE WHEN data_completeness_pct = 100 THEN 'gold' WHEN data_completeness_pct >= 60 THEN 'silver' ELSE 'bronze' END
    OR quality_score IS DISTINCT FROM CASE WHEN data_completeness_pct = 100 THEN 100 WHEN data_completeness_pct >= 60 THEN 85 ELSE 60 END)
ORDER BY game_date, player_lookup
