-- set: post-backfill
-- severity: red
-- means: team games with fewer than 5 or more than 18 players
-- cause: the player boxes of the game are short or doubled
-- do: compare the raw boxes of the game with a printed one, load them again, then runbook run --phase 3
SELECT teams.game_date, teams.game_id, teams.team_abbr, COUNT(players.player_lookup) AS player_rows
FROM nba_analytics.team_offense_game_summary AS teams
-- a game without any box score of players waits for it: coverage names that
JOIN (
  SELECT DISTINCT game_id FROM nba_analytics.player_game_summary WHERE game_date BETWEEN @first AND @last
) AS boxed ON boxed.game_id = teams.game_id
LEFT JOIN (
  SELECT game_id, team_abbr, player_lookup FROM nba_analytics.player_game_summary WHERE game_date BETWEEN @first AND @last
) AS players ON players.game_id = teams.game_id AND players.team_abbr = teams.team_abbr
WHERE teams.game_date BETWEEN @first AND @last
GROUP BY teams.game_date, teams.game_id, teams.team_abbr
HAVING COUNT(players.player_lookup) < 5 OR COUNT(players.player_lookup) > 18
ORDER BY teams.game_date, teams.game_id, teams.team_abbr
