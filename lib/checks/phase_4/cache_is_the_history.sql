-- set: post-backfill
-- severity: red
-- means: cache rows whose averages, deviation, minutes or usage are not those of the player's last games before their date
-- cause: a game before was computed again, added or lost, or a window reads other games than it says
-- do: runbook run --phase 4; if it stays, look at the windows in the SELECT of player_daily_cache
WITH games AS (
  SELECT game_date, season_year, player_lookup, points, minutes_played, usage_rate, ts_pct
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @first AND @last
),
told AS (
  SELECT
    game_date, player_lookup, COUNT(*) OVER before AS games, SUM(usage_rate) OVER before AS usage_season,
    COUNT(usage_rate) OVER before AS usage_games, SUM(points) OVER l5 AS points_5, COUNT(points) OVER l5 AS games_5,
    SUM(points) OVER l10 AS points_10, COUNT(points) OVER l10 AS games_10, SUM(points * points) OVER l10 AS squares_10,
    SUM(minutes_played) OVER l10 AS minutes_10, COUNT(minutes_played) OVER l10 AS minute_games_10,
    SUM(usage_rate) OVER l10 AS usage_10, COUNT(usage_rate) OVER l10 AS usage_games_10,
    SUM(ts_pct) OVER l10 AS shooting_10, COUNT(ts_pct) OVER l10 AS shooting_games_10
  FROM games
  WINDOW
    before AS (PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
    l5 AS (PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN 5 PRECEDING AND 1 PRECEDING),
    l10 AS (PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN 10 PRECEDING AND 1 PRECEDING)
)
SELECT cache.cache_date, cache.player_lookup, cache.games_played_season, cache.points_avg_last_5, told.points_5, told.games_5
FROM nba_precompute.player_daily_cache AS cache
JOIN told ON told.game_date = cache.cache_date AND told.player_lookup = cache.player_lookup
WHERE cache.cache_date BETWEEN @first AND @last
  -- where the range begins within a season, earlier games are not seen: nothing is said of such rows
  AND told.games = cache.games_played_season
  AND ((cache.points_avg_last_5 IS NULL) != (told.games_5 = 0)
    OR ABS(cache.points_avg_last_5 * told.games_5 - told.points_5) > 0.051 * told.games_5
    OR (cache.points_avg_last_10 IS NULL) != (told.games_10 = 0)
    OR ABS(cache.points_avg_last_10 * told.games_10 - told.points_10) > 0.051 * told.games_10
    OR cache.points_avg_season IS NULL
    OR (cache.points_std_last_10 IS NULL) != (told.games_10 < 2)
    OR ABS(cache.points_std_last_10 - SQRT((told.games_10 * told.squares_10 - told.points_10 * told.points_10)
      / NULLIF(told.games_10 * (told.games_10 - 1), 0))) > 0.0051
    OR (cache.minutes_avg_last_10 IS NULL) != (told.minute_games_10 = 0)
    OR ABS(cache.minutes_avg_last_10 * told.minute_games_10 - told.minutes_10) > 0.051 * told.minute_games_10
    OR (cache.usage_rate_last_10 IS NULL) != (told.usage_games_10 = 0)
    OR ABS(cache.usage_rate_last_10 * told.usage_games_10 - told.usage_10) > 0.0051 * told.usage_games_10
    OR (cache.player_usage_rate_season IS NULL) != (told.usage_games = 0)
    OR ABS(cache.player_usage_rate_season * told.usage_games - told.usage_season) > 0.0051 * told.usage_games
    OR (cache.ts_pct_last_10 IS NULL) != (told.shooting_games_10 = 0)
    OR ABS(cache.ts_pct_last_10 * told.shooting_games_10 - told.shooting_10) > 0.00051 * told.shooting_games_10)
ORDER BY cache.cache_date, cache.player_lookup
