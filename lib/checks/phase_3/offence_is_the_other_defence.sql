-- set: post-backfill
-- severity: red
-- means: team rows whose points, shots, rates, margin or side are not those that the other team's row of the game allows
-- cause: the two team tables were computed from different raw data, or one was edited
-- do: one of the two team tables is older than its raw data: run phase 3 again
SELECT offence.game_date, offence.team_abbr, offence.points_scored, defence.points_allowed
FROM nba_analytics.team_offense_game_summary AS offence
JOIN nba_analytics.team_defense_game_summary AS defence
  ON defence.game_id = offence.game_id AND defence.opponent_team_abbr = offence.team_abbr
WHERE offence.game_date BETWEEN @first AND @last AND defence.game_date BETWEEN @first AND @last
  AND (offence.points_scored != defence.points_allowed OR offence.margin_of_victory != -defence.margin_of_victory
    OR offence.opponent_team_abbr != defence.defending_team_abbr OR offence.home_game = defence.home_game
    OR offence.overtime_periods IS DISTINCT FROM defence.overtime_periods
    OR offence.win_flag != (offence.margin_of_victory > 0) OR defence.win_flag != (defence.margin_of_victory > 0)
    OR offence.fg_makes IS DISTINCT FROM defence.opp_fg_makes OR offence.fg_attempts IS DISTINCT FROM defence.opp_fg_attempts
    OR offence.three_pt_makes IS DISTINCT FROM defence.opp_three_pt_makes
    OR offence.three_pt_attempts IS DISTINCT FROM defence.opp_three_pt_attempts
    OR offence.ft_makes IS DISTINCT FROM defence.opp_ft_makes OR offence.ft_attempts IS DISTINCT FROM defence.opp_ft_attempts
    OR offence.rebounds IS DISTINCT FROM defence.opp_rebounds OR offence.assists IS DISTINCT FROM defence.opp_assists
    OR offence.turnovers IS DISTINCT FROM defence.turnovers_forced OR offence.ts_pct IS DISTINCT FROM defence.opponent_ts_pct
    OR offence.shot_zones_available != defence.shot_zones_available
    OR offence.team_paint_attempts IS DISTINCT FROM defence.opp_paint_attempts
    OR offence.team_paint_makes IS DISTINCT FROM defence.opp_paint_makes
    OR offence.team_mid_range_attempts IS DISTINCT FROM defence.opp_mid_range_attempts
    OR offence.team_mid_range_makes IS DISTINCT FROM defence.opp_mid_range_makes
    OR defence.points_in_paint_allowed IS DISTINCT FROM 2 * defence.opp_paint_makes
    OR defence.mid_range_points_allowed IS DISTINCT FROM 2 * defence.opp_mid_range_makes
    OR defence.three_pt_points_allowed IS DISTINCT FROM 3 * defence.opp_three_pt_makes
    OR ABS(COALESCE(offence.offensive_rating - defence.defensive_rating, IF(offence.offensive_rating IS NULL AND defence.defensive_rating IS NULL, 0, 9))) > 0.2
    OR ABS(COALESCE(offence.pace - defence.opponent_pace, IF(offence.pace IS NULL AND defence.opponent_pace IS NULL, 0, 9))) > 0.15)
ORDER BY offence.game_date, offence.team_abbr
