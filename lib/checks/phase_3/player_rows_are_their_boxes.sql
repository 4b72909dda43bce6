-- set: post-backfill
-- severity: red
-- means: player rows with another count than the gamebook's row that they name as their source
-- cause: the gamebook was loaded again and the row not computed again, or one of the two was edited
-- do: runbook run --phase 3; if it stays, look at the SELECT of player_game_summary
WITH boxes AS (
  SELECT
    game_date, player_lookup, team_abbr, player_name, points, assists, offensive_rebounds, defensive_rebounds, steals, blocks, turnovers,
    personal_fouls, plus_minus, field_goals_attempted, field_goals_made, three_pointers_attempted, three_pointers_made,
    free_throws_attempted, free_throws_made
  FROM nba_raw.nbac_gamebook_player_stats
  WHERE game_date BETWEEN @first AND @last
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY game_date, player_lookup, team_abbr
    ORDER BY
      processed_at DESC, IF(player_status = 'active', 0, 1), player_status, points DESC, minutes DESC, field_goals_made,
      field_goals_attempted,
      three_pointers_made, three_pointers_attempted, free_throws_made, free_throws_attempted, offensive_rebounds,
      defensive_rebounds, assists, steals, blocks, turnovers, personal_fouls, plus_minus
  ) = 1
)
SELECT players.game_date, players.game_id, players.player_lookup, players.points, boxes.points AS in_box
FROM nba_analytics.player_game_summary AS players
JOIN boxes
  ON boxes.game_date = players.game_date AND boxes.player_lookup = players.player_lookup AND boxes.team_abbr = players.team_abbr
WHERE players.game_date BETWEEN @first AND @last AND players.primary_source_used = 'nbac_gamebook'
  AND (players.points IS DISTINCT FROM boxes.points OR players.assists IS DISTINCT FROM boxes.assists
    OR players.offensive_rebounds IS DISTINCT FROM boxes.offensive_rebounds
    OR players.defensive_rebounds IS DISTINCT FROM boxes.defensive_rebounds OR players.steals IS DISTINCT FROM boxes.steals
    OR players.blocks IS DISTINCT FROM boxes.blocks OR players.turnovers IS DISTINCT FROM boxes.turnovers
    OR players.personal_fouls IS DISTINCT FROM boxes.personal_fouls OR players.plus_minus IS DISTINCT FROM boxes.plus_minus
    OR players.fg_attempts IS DISTINCT FROM boxes.field_goals_attempted OR players.fg_makes IS DISTINCT FROM boxes.field_goals_made
    OR players.three_pt_attempts IS DISTINCT FROM boxes.three_pointers_attempted
    OR players.three_pt_makes IS DISTINCT FROM boxes.three_pointers_made
    OR players.ft_attempts IS DISTINCT FROM boxes.free_throws_attempted OR players.ft_makes IS DISTINCT FROM boxes.free_throws_made
    OR players.player_full_name IS DISTINCT FROM boxes.player_name)
ORDER BY players.game_date, players.game_id, players.player_lookup
