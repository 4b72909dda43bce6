-- set: post-backfill
-- severity: red
-- means: shot zone rows whose shots, rates or percentages are not those of the player's last ten games with shot zones
-- cause: a game before was computed again, added or lost, or a window reads other games than it says
-- do: runbook run --phase 4; if it stays, look at the windows in the SELECT of player_shot_zone_analysis
WITH games AS (
  SELECT
    game_date, season_year, player_lookup, IF(shot_zones_available, 1, 0) AS zoned, paint_attempts, paint_makes, mid_range_attempts,
    mid_range_makes, IF(shot_zones_available, three_pt_attempts, NULL) AS three_attempts,
    IF(shot_zones_available, three_pt_makes, NULL) AS three_makes, assisted_fg_makes, unassisted_fg_makes
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @first AND @last
),
told AS (
  SELECT
    game_date, player_lookup, COUNT(*) OVER l10 AS games, SUM(zoned) OVER l10 AS zone_games,
    COALESCE(SUM(paint_attempts) OVER l10, 0) AS paint, SUM(paint_makes) OVER l10 AS paint_made,
    COALESCE(SUM(mid_range_attempts) OVER l10, 0) AS mid, SUM(mid_range_makes) OVER l10 AS mid_made,
    COALESCE(SUM(three_attempts) OVER l10, 0) AS three, SUM(three_makes) OVER l10 AS three_made,
    SUM(assisted_fg_makes) OVER l10 AS assisted, SUM(assisted_fg_makes + unassisted_fg_makes) OVER l10 AS makes
  FROM games
  WINDOW l10 AS (PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN 10 PRECEDING AND 1 PRECEDING)
)
SELECT zones.analysis_date, zones.player_lookup, zones.total_shots_last_10, told.paint, told.mid, told.three
FROM nba_precompute.player_shot_zone_analysis AS zones
JOIN told ON told.game_date = zones.analysis_date AND told.player_lookup = zones.player_lookup
-- fewer than ten games are seen where a season or the range begins: nothing is said of such rows
WHERE zones.analysis_date BETWEEN @first AND @last AND told.games = 10
  AND (zones.games_in_sample_10 != told.zone_games OR zones.total_shots_last_10 != told.paint + told.mid + told.three
    OR (zones.paint_rate_last_10 IS NULL) != (told.paint + told.mid + told.three = 0)
    OR (zones.mid_range_rate_last_10 IS NULL) != (told.paint + told.mid + told.three = 0)
    OR (zones.three_pt_rate_last_10 IS NULL) != (told.paint + told.mid + told.three = 0)
    OR (zones.primary_scoring_zone IS NULL) != (told.paint + told.mid + told.three = 0)
    OR ABS(zones.paint_rate_last_10 * (told.paint + told.mid + told.three) - 100 * told.paint) > 0.0051 * (told.paint + told.mid + told.three)
    OR ABS(zones.mid_range_rate_last_10 * (told.paint + told.mid + told.three) - 100 * told.mid) > 0.0051 * (told.paint + told.mid + told.three)
    OR ABS(zones.three_pt_rate_last_10 * (told.paint + told.mid + told.three) - 100 * told.three) > 0.0051 * (told.paint + told.mid + told.three)
    OR (zones.paint_pct_last_10 IS NULL) != (told.paint = 0) OR ABS(zones.paint_pct_last_10 * told.paint - told.paint_made) > 0.00051 * told.paint
    OR (zones.mid_range_pct_last_10 IS NULL) != (told.mid = 0) OR ABS(zones.mid_range_pct_last_10 * told.mid - told.mid_made) > 0.00051 * told.mid
    OR (zones.three_pt_pct_last_10 IS NULL) != (told.three = 0) OR ABS(zones.three_pt_pct_last_10 * told.three - told.three_made) > 0.00051 * told.three
    OR (zones.paint_attempts_per_game IS NULL) != (told.zone_games = 0) OR ABS(zones.paint_attempts_per_game * told.zone_games - told.paint) > 0.051 * told.zone_games
    OR (zones.mid_range_attempts_per_game IS NULL) != (told.zone_games = 0) OR ABS(zones.mid_range_attempts_per_game * told.zone_games - told.mid) > 0.051 * told.zone_games
    OR (zones.three_pt_attempts_per_game IS NULL) != (told.zone_games = 0) OR ABS(zones.three_pt_attempts_per_game * told.zone_games - told.three) > 0.051 * told.zone_games
    OR (zones.assisted_rate_last_10 IS NULL) != (COALESCE(told.makes, 0) = 0)
    OR ABS(zones.assisted_rate_last_10 * told.makes - 100 * told.assisted) > 0.0051 * told.makes
    OR zones.unassisted_rate_last_10 IS DISTINCT FROM 100 - zones.assisted_rate_last_10)
ORDER BY zones.analysis_date, zones.player_lookup
