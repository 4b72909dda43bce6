-- set: post-backfill
-- severity: red
-- means: team rows on which back-to-back and 0 days of rest do not go together
-- cause: one of the two counts calendar days and the other days between
-- do: look at the SELECT of upcoming_team_game_context, then runbook run --phase 3
SELECT game_date, team_abbr, days_since_last_game, team_days_rest, team_back_to_back
FROM nba_analytics.upcoming_team_game_context
WHERE game_date BETWEEN @first AND @last
  AND (team_back_to_back != (COALESCE(team_days_rest, -1) = 0) OR days_since_last_game IS DISTINCT FROM team_days_rest + 1)
ORDER BY game_date, team_abbr
