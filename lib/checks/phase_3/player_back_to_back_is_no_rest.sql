-- set: post-backfill
-- severity: red
-- means: player rows on which back-to-back and 0 days of rest do not go together
-- cause: one of the two counts calendar days and the other days between
-- do: look at the SELECT of upcoming_player_game_context, then runbook run --phase 3
SELECT game_date, player_lookup, days_rest, back_to_back
FROM nba_analytics.upcoming_player_game_context
WHERE game_date BETWEEN @first AND @last AND back_to_back != (COALESCE(days_rest, -1) = 0)
ORDER BY game_date, player_lookup
