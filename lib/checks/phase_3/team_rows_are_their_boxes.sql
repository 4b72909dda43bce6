-- set: post-backfill
-- severity: red
-- means: team rows with another count than the raw team box that they name as their source
-- cause: the box was loaded again and the row not computed again, or one of the two was edited
-- do: runbook run --phase 3; if it stays, look at the SELECT of team_offense_game_summary
WITH boxes AS (
  SELECT
    game_date, team_abbr, points, fg_made, fg_attempted, three_pt_made, three_pt_attempted, ft_made, ft_attempted,
    offensive_rebounds, total_rebounds, assists, turnovers, personal_fouls
  FROM nba_raw.nbac_team_boxscore
  WHERE game_date BETWEEN @first AND @last
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY game_date, team_abbr
    ORDER BY
      processed_at DESC, points DESC, fg_made, fg_attempted, three_pt_made, three_pt_attempted, ft_made, ft_attempted,
      offensive_rebounds, defensive_rebounds, total_rebounds, assists, steals, blocks, turnovers, personal_fouls, minutes
  ) = 1
)
SELECT teams.game_date, teams.game_id, teams.team_abbr, teams.points_scored, boxes.points
FROM nba_analytics.team_offense_game_summary AS teams
JOIN boxes ON boxes.game_date = teams.game_date AND boxes.team_abbr = teams.team_abbr
WHERE teams.game_date BETWEEN @first AND @last AND teams.primary_source_used = 'nbac_team_boxscore'
  AND (teams.points_scored != boxes.points OR teams.fg_makes IS DISTINCT FROM boxes.fg_made
    OR teams.fg_attempts IS DISTINCT FROM boxes.fg_attempted OR teams.three_pt_makes IS DISTINCT FROM boxes.three_pt_made
    OR teams.three_pt_attempts IS DISTINCT FROM boxes.three_pt_attempted OR teams.ft_makes IS DISTINCT FROM boxes.ft_made
    OR teams.ft_attempts IS DISTINCT FROM boxes.ft_attempted OR teams.rebounds IS DISTINCT FROM boxes.total_rebounds
    OR teams.offensive_rebounds IS DISTINCT FROM boxes.offensive_rebounds OR teams.assists IS DISTINCT FROM boxes.assists
    OR teams.turnovers IS DISTINCT FROM boxes.turnovers OR teams.personal_fouls IS DISTINCT FROM boxes.personal_fouls)
ORDER BY teams.game_date, teams.game_id, teams.team_abbr
