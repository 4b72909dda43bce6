-- set: post-backfill
-- severity: red
-- means: player rows whose opponent or result is not that of their team's row
-- cause: the flag is never set, or the opponent was read off a game id in the wrong order
-- do: runbook run --phase 3; if it stays, look at the SELECT of player_game_summary
SELECT players.game_date, players.game_id, players.player_lookup, players.team_abbr, players.opponent_team_abbr, players.win_flag
FROM nba_analytics.player_game_summary AS players
JOIN nba_analytics.team_offense_game_summary AS teams
  ON teams.game_id = players.game_id AND teams.team_abbr = players.team_abbr
WHERE players.game_date BETWEEN @first AND @last AND teams.game_date BETWEEN @first AND @last
  AND (players.opponent_team_abbr != teams.opponent_team_abbr OR players.win_flag != teams.win_flag)
ORDER BY players.game_date, players.game_id, players.player_lookup
