-- set: post-backfill
-- severity: red
-- means: upcoming team rows whose game number, games, streaks or last result are not those of the team's games before
-- cause: a game before was added to the schedule, moved or lost, and the row was not computed again
-- do: runbook run --phase 3; if it stays, look at the windows in the SELECT of upcoming_team_game_context
WITH games AS (
  SELECT context.*, offence.margin_of_victory AS margin
  FROM nba_analytics.upcoming_team_game_context AS context
  LEFT JOIN (
    SELECT game_date, team_abbr, margin_of_victory FROM nba_analytics.team_offense_game_summary WHERE game_date BETWEEN @first AND @last
  ) AS offence ON offence.game_date = context.game_date AND offence.team_abbr = context.team_abbr
  WHERE context.game_date BETWEEN @first AND @last
),
told AS (
  SELECT
    *, ROW_NUMBER() OVER earlier AS nth, LAG(game_number_in_season) OVER earlier AS number_before, LAG(margin) OVER earlier AS margin_before,
    LAG(team_win_streak_entering) OVER earlier AS wins_before, LAG(team_loss_streak_entering) OVER earlier AS losses_before,
    COUNT(*) OVER (PARTITION BY season_year, team_abbr ORDER BY UNIX_DATE(game_date) RANGE BETWEEN 7 PRECEDING AND 1 PRECEDING) AS games_7,
    COUNT(*) OVER (PARTITION BY season_year, team_abbr ORDER BY UNIX_DATE(game_date) RANGE BETWEEN 14 PRECEDING AND 1 PRECEDING) AS games_14
  FROM games
  WINDOW earlier AS (PARTITION BY season_year, team_abbr ORDER BY game_date)
)
SELECT game_date, team_abbr, game_number_in_season, number_before, last_game_margin, margin_before
FROM told
WHERE game_number_in_season <= number_before OR game_number_in_season < nth
  -- a date that is excluded leaves a hole in the numbers: of the game after it nothing is said
  OR (margin_before IS NOT NULL AND game_number_in_season = number_before + 1
    AND (last_game_margin IS DISTINCT FROM margin_before OR last_game_result IS DISTINCT FROM IF(margin_before > 0, 'W', 'L')
      OR team_win_streak_entering != IF(margin_before > 0, wins_before + 1, 0)
      OR team_loss_streak_entering != IF(margin_before < 0, losses_before + 1, 0)))
  -- where the range begins within a season, earlier games are not seen
  OR (nth = game_number_in_season AND (games_in_last_7_days != games_7 OR games_in_last_14_days != games_14))
ORDER BY game_date, team_abbr
