-- set: post-backfill
-- severity: red
-- means: games that player_game_summary holds and team_offense_game_summary does not
-- cause: the source writes game ids HOME_AWAY, or team rows were lost
-- do: the game id is not canonical (AWAY_HOME), or the team rows are missing: run phase 3 again
SELECT DISTINCT players.game_date, players.game_id
FROM nba_analytics.player_game_summary AS players
LEFT JOIN (
  SELECT game_id FROM nba_analytics.team_offense_game_summary WHERE game_date BETWEEN @first AND @last
) AS teams ON teams.game_id = players.game_id
WHERE players.game_date BETWEEN @first AND @last AND teams.game_id IS NULL
ORDER BY players.game_date, players.game_id
