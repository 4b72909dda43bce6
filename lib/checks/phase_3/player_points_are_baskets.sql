-- set: post-backfill
-- severity: red
-- means: player rows whose points are not 2 a basket, 1 more a three and 1 a free throw
-- cause: one column of the raw box was read wrongly, or edited
-- do: look at the raw box of the player, load it again, then runbook run --phase 3
SELECT game_date, game_id, player_lookup, points, fg_makes, three_pt_makes, ft_makes
FROM nba_analytics.player_game_summary
WHERE game_date BETWEEN @first AND @last AND points != 2 * fg_makes + three_pt_makes + ft_makes
ORDER BY game_date, game_id, player_lookup
