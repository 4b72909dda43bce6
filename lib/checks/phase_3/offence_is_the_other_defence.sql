-- set: post-backfill
-- severity: red
-- means: games in which what a team scored is not what the other one allowed
-- cause: the two team tables were computed from different raw data, or one was edited
-- do: one of the two team tables is older than its raw data: run phase 3 again
SELECT offence.game_date, offence.team_abbr, offence.points_scored, defence.points_allowed
FROM nba_analytics.team_offense_game_summary AS offence
JOIN nba_analytics.team_defense_game_summary AS defence
  ON defence.game_id = offence.game_id AND defence.opponent_team_abbr = offence.team_abbr
WHERE offence.game_date BETWEEN @first AND @last AND defence.game_date BETWEEN @first AND @last
  AND offence.points_scored != defence.points_allowed
ORDER BY offence.game_date, offence.team_abbr
