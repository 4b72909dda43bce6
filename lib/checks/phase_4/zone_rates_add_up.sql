-- set: post-backfill
-- severity: red
-- means: players whose three zone rates do not add up to 100 percent
-- cause: the three zones are counted over different games
-- do: zones are counted over different games: only those with shot zones may count
SELECT analysis_date, player_lookup, paint_rate_last_10, mid_range_rate_last_10, three_pt_rate_last_10
FROM nba_precompute.player_shot_zone_analysis
WHERE analysis_date BETWEEN @first AND @last
  AND ABS(paint_rate_last_10 + mid_range_rate_last_10 + three_pt_rate_last_10 - 100) > 0.02
ORDER BY analysis_date, player_lookup
