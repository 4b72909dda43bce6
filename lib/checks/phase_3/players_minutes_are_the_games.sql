-- set: post-backfill
-- severity: red
-- means: teams whose players' minutes are not five times those of the game, overtime counted, within 6 minutes of rounding
-- cause: a player's box is missing, doubled or edited, so that nothing expects his row
-- do: compare the raw player boxes of the game with a printed one, load them again, then runbook run --phase 3
SELECT teams.game_date, teams.team_abbr, SUM(players.minutes_played) AS minutes, teams.overtime_periods
FROM nba_analytics.team_offense_game_summary AS teams
JOIN nba_analytics.player_game_summary AS players ON players.game_id = teams.game_id AND players.team_abbr = teams.team_abbr
WHERE teams.game_date BETWEEN @first AND @last AND players.game_date BETWEEN @first AND @last
GROUP BY teams.game_date, teams.team_abbr, teams.overtime_periods
-- where a player's minutes are unknown, nothing is said of their sum
HAVING COUNT(players.minutes_played) = COUNT(*) AND ABS(SUM(players.minutes_played) - 240 - 25 * teams.overtime_periods) > 6
ORDER BY teams.game_date, teams.team_abbr
