-- set: post-backfill
-- severity: red
-- means: team rows whose points are not 2 a basket, 1 more a three and 1 a free throw
-- cause: one column of the raw team box was read wrongly, or edited
-- do: look at the raw team box, load it again, then runbook run --phase 3
SELECT game_date, game_id, team_abbr, points_scored, fg_makes, three_pt_makes, ft_makes
FROM nba_analytics.team_offense_game_summary
WHERE game_date BETWEEN @first AND @last AND points_scored != 2 * fg_makes + three_pt_makes + ft_makes
ORDER BY game_date, game_id, team_abbr
