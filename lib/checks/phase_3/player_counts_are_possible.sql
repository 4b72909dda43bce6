-- set: post-backfill
-- severity: red
-- means: player rows with a count below 0, more makes than attempts, or a usage rate below 0
-- cause: the columns of a source were read in the wrong order, or a value was edited
-- do: look at the raw box of the player, load it again, then runbook run --phase 3
SELECT game_date, game_id, player_lookup, points, fg_makes, fg_attempts, three_pt_makes, three_pt_attempts, ft_makes, ft_attempts
FROM nba_analytics.player_game_summary
WHERE game_date BETWEEN @first AND @last
  AND (points < 0 OR assists < 0 OR offensive_rebounds < 0 OR defensive_rebounds < 0 OR steals < 0 OR blocks < 0
    OR turnovers < 0 OR personal_fouls < 0 OR minutes_played < 0 OR usage_rate < 0 OR fg_makes > fg_attempts
    OR three_pt_makes > three_pt_attempts OR ft_makes > ft_attempts OR three_pt_makes > fg_makes
    OR three_pt_attempts > fg_attempts)
ORDER BY game_date, game_id, player_lookup
