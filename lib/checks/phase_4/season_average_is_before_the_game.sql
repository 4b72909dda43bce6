-- set: post-backfill
-- severity: red
-- means: cache rows whose points_avg_season is not the mean of the games of the season before their date
-- cause: the window reads up to and with the date itself: the answer is among the features
-- do: look for <= in the SELECT of player_daily_cache; then runbook run --phase 4
WITH cache AS (
  SELECT cache_date, player_lookup, season_year, points_avg_season, games_played_season
  FROM nba_precompute.player_daily_cache
  WHERE cache_date BETWEEN @first AND @last
),
games AS (
  SELECT game_date, player_lookup, season_year, points
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @first AND @last
),
told AS (
  SELECT
    game_date, player_lookup,
    COUNT(points) OVER (PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS games_before,
    SUM(points) OVER (PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS points_before
  FROM games
)
SELECT cache.cache_date, cache.player_lookup, cache.points_avg_season, told.points_before, told.games_before
FROM cache
JOIN told ON told.game_date = cache.cache_date AND told.player_lookup = cache.player_lookup
WHERE told.games_before = cache.games_played_season
  AND ABS(cache.points_avg_season * told.games_before - told.points_before) > 0.051 * told.games_before
ORDER BY cache.cache_date, cache.player_lookup
