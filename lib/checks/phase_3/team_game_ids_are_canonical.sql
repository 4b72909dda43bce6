-- set: post-backfill
-- severity: red
-- means: team rows whose game_id is not date, away team, home team
-- cause: the source writes HOME_AWAY, or the id of another one was copied
-- do: look at is_home of the raw team box; then runbook run --phase 3
SELECT game_date, game_id, team_abbr, opponent_team_abbr, home_game
FROM nba_analytics.team_offense_game_summary
WHERE game_date BETWEEN @first AND @last
  AND game_id != CONCAT(FORMAT_DATE('%Y%m%d', game_date), '_',
    IF(home_game, opponent_team_abbr, team_abbr), '_', IF(home_game, team_abbr, opponent_team_abbr))
ORDER BY game_date, game_id, team_abbr
