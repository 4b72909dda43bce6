-- set: post-backfill
-- severity: red
-- means: teams whose attempts from the field, of three or from the line are not the sum of their players'
-- cause: the player boxes or the team box of a game are short, doubled or edited
-- do: compare the raw team box with the player boxes of the game; one of them is short or doubled
SELECT
  teams.game_date, teams.team_abbr, teams.fg_attempts, SUM(players.fg_attempts) AS of_players,
  teams.three_pt_attempts, SUM(players.three_pt_attempts) AS threes_of_players,
  teams.ft_attempts, SUM(players.ft_attempts) AS free_throws_of_players
FROM nba_analytics.team_offense_game_summary AS teams
JOIN nba_analytics.player_game_summary AS players ON players.game_id = teams.game_id AND players.team_abbr = teams.team_abbr
WHERE teams.game_date BETWEEN @first AND @last AND players.game_date BETWEEN @first AND @last
GROUP BY teams.game_date, teams.team_abbr, teams.fg_attempts, teams.three_pt_attempts, teams.ft_attempts
HAVING ABS(teams.fg_attempts - SUM(players.fg_attempts)) > 2
  OR ABS(teams.three_pt_attempts - SUM(players.three_pt_attempts)) > 2
  OR ABS(teams.ft_attempts - SUM(players.ft_attempts)) > 2
ORDER BY teams.game_date, teams.team_abbr
