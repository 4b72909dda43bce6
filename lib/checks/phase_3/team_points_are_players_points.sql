-- set: post-backfill
-- severity: red
-- means: teams whose points are not the sum of their players' points
-- cause: the player boxes or the team box of a game are short, doubled or edited
-- do: compare the raw team box with the player boxes of the game; one of them is short or doubled
SELECT teams.game_date, teams.team_abbr, teams.points_scored, SUM(players.points) AS players_points
FROM nba_analytics.team_offense_game_summary AS teams
JOIN nba_analytics.player_game_summary AS players ON players.game_id = teams.game_id AND players.team_abbr = teams.team_abbr
WHERE teams.game_date BETWEEN @first AND @last AND players.game_date BETWEEN @first AND @last
GROUP BY teams.game_date, teams.team_abbr, teams.points_scored
HAVING ABS(teams.points_scored - SUM(players.points)) > 2
ORDER BY teams.game_date, teams.team_abbr
