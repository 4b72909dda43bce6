-- set: post-backfill
-- severity: red
-- means: defence rows whose ratings, points, pace or zones are not those of the team's last fifteen games before their date
-- cause: a game before was computed again, added or lost, or a window reads other games than it says
-- do: runbook run --phase 4; if it stays, look at the SELECT of team_defense_zone_analysis
WITH told AS (
  SELECT
    game_date, season_year, defending_team_abbr AS team_abbr, LAG(game_date) OVER (PARTITION BY season_year, defending_team_abbr ORDER BY game_date DESC) AS until,
    COUNT(*) OVER l15 AS games, SUM(IF(shot_zones_available, 1, 0)) OVER l15 AS zone_games,
    SUM(points_allowed) OVER l15 AS points, SUM(defensive_rating) OVER l15 AS rating, COUNT(defensive_rating) OVER l15 AS rating_games,
    SUM(opponent_pace) OVER l15 AS pace, COUNT(opponent_pace) OVER l15 AS pace_games,
    SUM(opp_paint_attempts) OVER l15 AS paint, SUM(opp_paint_makes) OVER l15 AS paint_made,
    SUM(opp_mid_range_attempts) OVER l15 AS mid, SUM(opp_mid_range_makes) OVER l15 AS mid_made,
    SUM(IF(shot_zones_available, opp_three_pt_attempts, NULL)) OVER l15 AS three,
    SUM(IF(shot_zones_available, opp_three_pt_makes, NULL)) OVER l15 AS three_made, SUM(points_in_paint_allowed) OVER l15 AS paint_points,
    SUM(blocks_paint) OVER l15 AS paint_blocks, SUM(blocks_mid_range) OVER l15 AS mid_blocks, SUM(blocks_three_pt) OVER l15 AS three_blocks,
    COUNT(blocks_paint) OVER l15 AS block_games
  FROM nba_analytics.team_defense_game_summary
  WHERE game_date BETWEEN @first AND @last
  WINDOW l15 AS (PARTITION BY season_year, defending_team_abbr ORDER BY game_date ROWS BETWEEN 14 PRECEDING AND CURRENT ROW)
)
SELECT defence.analysis_date, defence.team_abbr, defence.defensive_rating_last_15, told.rating, defence.games_in_sample, told.games
FROM nba_precompute.team_defense_zone_analysis AS defence
JOIN told
  ON told.season_year = defence.season_year AND told.team_abbr = defence.team_abbr AND told.game_date < defence.analysis_date
    AND (told.until IS NULL OR told.until >= defence.analysis_date)
-- fewer than fifteen games are seen where a season or the range begins: nothing is said of such rows
WHERE defence.analysis_date BETWEEN @first AND @last AND told.games = 15
  AND (defence.games_in_sample != told.games OR defence.games_with_zones != told.zone_games
    OR (defence.defensive_rating_last_15 IS NULL) != (told.rating_games = 0)
    OR ABS(defence.defensive_rating_last_15 * told.rating_games - told.rating) > 0.0051 * told.rating_games
    OR (defence.opponent_pace IS NULL) != (told.pace_games = 0) OR ABS(defence.opponent_pace * told.pace_games - told.pace) > 0.051 * told.pace_games
    OR defence.opponent_points_per_game IS NULL OR ABS(defence.opponent_points_per_game * told.games - told.points) > 0.051 * told.games
    OR (defence.paint_pct_allowed_last_15 IS NULL) != (COALESCE(told.paint, 0) = 0) OR ABS(defence.paint_pct_allowed_last_15 * told.paint - told.paint_made) > 0.00051 * told.paint
    OR (defence.mid_range_pct_allowed_last_15 IS NULL) != (COALESCE(told.mid, 0) = 0) OR ABS(defence.mid_range_pct_allowed_last_15 * told.mid - told.mid_made) > 0.00051 * told.mid
    OR (defence.three_pt_pct_allowed_last_15 IS NULL) != (COALESCE(told.three, 0) = 0) OR ABS(defence.three_pt_pct_allowed_last_15 * told.three - told.three_made) > 0.00051 * told.three
    OR (defence.paint_attempts_allowed_per_game IS NULL) != (told.zone_games = 0) OR ABS(defence.paint_attempts_allowed_per_game * told.zone_games - told.paint) > 0.051 * told.zone_games
    OR (defence.mid_range_attempts_allowed_per_game IS NULL) != (told.zone_games = 0) OR ABS(defence.mid_range_attempts_allowed_per_game * told.zone_games - told.mid) > 0.051 * told.zone_games
    OR (defence.three_pt_attempts_allowed_per_game IS NULL) != (told.zone_games = 0) OR ABS(defence.three_pt_attempts_allowed_per_game * told.zone_games - told.three) > 0.051 * told.zone_games
    OR (defence.paint_points_allowed_per_game IS NULL) != (told.zone_games = 0) OR ABS(defence.paint_points_allowed_per_game * told.zone_games - told.paint_points) > 0.051 * told.zone_games
    OR (defence.paint_blocks_per_game IS NULL) != (told.block_games = 0) OR ABS(defence.paint_blocks_per_game * told.block_games - told.paint_blocks) > 0.051 * told.block_games
    OR (defence.mid_range_blocks_per_game IS NULL) != (told.block_games = 0) OR ABS(defence.mid_range_blocks_per_game * told.block_games - told.mid_blocks) > 0.051 * told.block_games
    OR (defence.three_pt_blocks_per_game IS NULL) != (told.block_games = 0) OR ABS(defence.three_pt_blocks_per_game * told.block_games - told.three_blocks) > 0.051 * told.block_games)
ORDER BY defence.analysis_date, defence.team_abbr
