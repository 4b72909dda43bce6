-- set: post-backfill
-- severity: red
-- means: upcoming player rows whose rest, games, minutes, averages or usage are not those of the games before their date
-- cause: a game before was computed again, added or lost, or a window reads other games than it says
-- do: runbook run --phase 3; if it stays, look at the windows in the SELECT of upcoming_player_game_context
WITH games AS (
  SELECT
    game_date, season_year, player_lookup, points, minutes_played, usage_rate,
    DATE_DIFF(game_date, LAG(game_date) OVER (PARTITION BY season_year, player_lookup ORDER BY game_date), DAY) AS gap
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @first AND @last
),
told AS (
  SELECT
    game_date, player_lookup, gap, LAG(gap) OVER (PARTITION BY season_year, player_lookup ORDER BY game_date) AS last_gap,
    COUNT(*) OVER before AS games, SUM(usage_rate) OVER before AS usage_season, COUNT(usage_rate) OVER before AS usage_games,
    SUM(points) OVER l5 AS points_5, COUNT(points) OVER l5 AS games_5, SUM(points) OVER l10 AS points_10,
    COUNT(points) OVER l10 AS games_10, SUM(usage_rate) OVER l7 AS usage_7, COUNT(usage_rate) OVER l7 AS usage_games_7,
    COUNT(*) OVER d7 AS games_in_7, COUNT(*) OVER d14 AS games_in_14, COALESCE(SUM(minutes_played) OVER d7, 0) AS minutes_7,
    COALESCE(SUM(minutes_played) OVER d14, 0) AS minutes_14, COALESCE(SUM(IF(gap = 1, 1, 0)) OVER d13, 0) AS pairs_14
  FROM games
  WINDOW
    before AS (PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
    l5 AS (PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN 5 PRECEDING AND 1 PRECEDING),
    l7 AS (PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING),
    l10 AS (PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN 10 PRECEDING AND 1 PRECEDING),
    d7 AS (PARTITION BY season_year, player_lookup ORDER BY UNIX_DATE(game_date) RANGE BETWEEN 7 PRECEDING AND 1 PRECEDING),
    d13 AS (PARTITION BY season_year, player_lookup ORDER BY UNIX_DATE(game_date) RANGE BETWEEN 13 PRECEDING AND 1 PRECEDING),
    d14 AS (PARTITION BY season_year, player_lookup ORDER BY UNIX_DATE(game_date) RANGE BETWEEN 14 PRECEDING AND 1 PRECEDING)
),
contexts AS (
  SELECT
    told.*, context.season_year, context.games_played_season, context.days_rest, context.days_rest_before_last_game,
    context.games_in_last_7_days, context.games_in_last_14_days, context.minutes_in_last_7_days, context.minutes_in_last_14_days,
    context.back_to_backs_last_14_days, context.l5_games_used, context.l10_games_used, context.avg_minutes_per_game_last_7,
    context.points_avg_last_5, context.points_avg_last_10, context.avg_usage_rate_last_7_games, context.projected_usage_rate,
    context.games_played_season - told.games AS unseen
  FROM nba_analytics.upcoming_player_game_context AS context
  JOIN told ON told.game_date = context.game_date AND told.player_lookup = context.player_lookup
  WHERE context.game_date BETWEEN @first AND @last
),
judged AS (
  SELECT *, LAG(unseen) OVER (PARTITION BY season_year, player_lookup ORDER BY game_date) AS unseen_before FROM contexts
),
whole_seasons AS (
  SELECT season_year
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN DATE_SUB(@first, INTERVAL 300 DAY) AND @last
    AND SUBSTR(game_id, 1, 3) = '002' AND game_status NOT IN (4, 5)
  GROUP BY season_year
  HAVING MIN(game_date) >= @first
)
SELECT game_date, player_lookup, games_played_season, games, points_avg_last_5, points_5, games_5
FROM judged
-- games before the range stay as many as they were; they grow by those of a date that this table holds alone
WHERE unseen < 0 OR unseen < unseen_before
  -- and before the first game of a season that the range holds from its start there is none: it would be the date's own
  OR (unseen > 0 AND games = 0 AND season_year IN (SELECT season_year FROM whole_seasons))
  -- where the range begins within a season, earlier games are not seen: nothing is said of such rows
  OR (unseen = 0
    AND (days_rest IS DISTINCT FROM gap - 1 OR days_rest_before_last_game IS DISTINCT FROM last_gap - 1
      OR games_in_last_7_days != games_in_7 OR games_in_last_14_days != games_in_14
      OR minutes_in_last_7_days IS DISTINCT FROM minutes_7 OR minutes_in_last_14_days IS DISTINCT FROM minutes_14
      OR back_to_backs_last_14_days != pairs_14 OR l5_games_used != games_5
      OR l10_games_used != games_10
      OR (avg_minutes_per_game_last_7 IS NULL) != (games_in_7 = 0)
      OR ABS(avg_minutes_per_game_last_7 * games_in_7 - minutes_7) > 0.051 * games_in_7
      OR (points_avg_last_5 IS NULL) != (games_5 = 0)
      OR ABS(points_avg_last_5 * games_5 - points_5) > 0.051 * games_5
      OR (points_avg_last_10 IS NULL) != (games_10 = 0)
      OR ABS(points_avg_last_10 * games_10 - points_10) > 0.051 * games_10
      OR (avg_usage_rate_last_7_games IS NULL) != (usage_games_7 = 0)
      OR ABS(avg_usage_rate_last_7_games * usage_games_7 - usage_7) > 0.051 * usage_games_7
      OR (projected_usage_rate IS NULL) != (usage_games = 0)
      OR ABS(projected_usage_rate * usage_games - usage_season) > 0.051 * usage_games))
ORDER BY game_date, player_lookup
