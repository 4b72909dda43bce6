-- set: post-backfill
-- severity: red
-- means: team rows with a sample of no or more than 15 games, more games with zones than games, or a percentage outside 0 to 1
-- cause: the window of the defence was counted over rows instead of games
-- do: look at the SELECT of team_defense_zone_analysis, then runbook run --phase 4
SELECT analysis_date, team_abbr, games_in_sample, games_with_zones, paint_pct_allowed_last_15, mid_range_pct_allowed_last_15, three_pt_pct_allowed_last_15
FROM nba_precompute.team_defense_zone_analysis
WHERE analysis_date BETWEEN @first AND @last
  AND (games_in_sample < 1 OR games_in_sample > 15 OR games_with_zones > games_in_sample
    OR paint_pct_allowed_last_15 < 0 OR paint_pct_allowed_last_15 > 1
    OR mid_range_pct_allowed_last_15 < 0 OR mid_range_pct_allowed_last_15 > 1
    OR three_pt_pct_allowed_last_15 < 0 OR three_pt_pct_allowed_last_15 > 1)
ORDER BY analysis_date, team_abbr
