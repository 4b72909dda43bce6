-- set: post-backfill
-- severity: red
-- means: player rows with more minutes than their game had, overtime counted
-- cause: the minutes text of the source was parsed in the wrong unit
-- do: look at the minutes of the raw box, then runbook run --phase 3
SELECT players.game_date, players.game_id, players.player_lookup, players.minutes_played, teams.overtime_periods
FROM nba_analytics.player_game_summary AS players
JOIN nba_analytics.team_offense_game_summary AS teams
  ON teams.game_id = players.game_id AND teams.team_abbr = players.team_abbr
WHERE players.game_date BETWEEN @first AND @last AND teams.game_date BETWEEN @first AND @last
  AND players.minutes_played > 48.5 + 5 * teams.overtime_periods
ORDER BY players.game_date, players.game_id, players.player_lookup
