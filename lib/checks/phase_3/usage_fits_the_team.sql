-- set: post-backfill
-- severity: red
-- means: player rows whose usage_rate is not their share of the team's possessions while they played, or is missing where it is known
-- cause: the team row was computed again and the player row was not, or overtime was not counted
-- do: runbook run --phase 3; if it stays, look at the SELECT of player_game_summary
SELECT players.game_date, players.game_id, players.player_lookup, players.minutes_played, players.usage_rate
FROM nba_analytics.player_game_summary AS players
JOIN nba_analytics.team_offense_game_summary AS teams
  ON teams.game_id = players.game_id AND teams.team_abbr = players.team_abbr
WHERE players.game_date BETWEEN @first AND @last AND teams.game_date BETWEEN @first AND @last
  AND (
    -- minutes and usage are rounded to a tenth: so far may the product be off
    (players.usage_rate < 9999 AND ABS(players.usage_rate * players.minutes_played * (100 * teams.fg_attempts + 44 * teams.ft_attempts + 100 * teams.turnovers)
      - 100 * (48 + 5 * teams.overtime_periods) * (100 * players.fg_attempts + 44 * players.ft_attempts + 100 * players.turnovers))
      > (0.051 * players.usage_rate + 0.051 * players.minutes_played + 0.1) * (100 * teams.fg_attempts + 44 * teams.ft_attempts + 100 * teams.turnovers))
    OR (players.usage_rate IS NULL AND players.minutes_played > 0
      AND players.fg_attempts + players.ft_attempts + players.turnovers + teams.fg_attempts + teams.ft_attempts + teams.turnovers > 0)
  )
ORDER BY players.game_date, players.game_id, players.player_lookup
