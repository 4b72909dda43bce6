-- set: post-backfill
-- severity: red
-- means: teams whose rest, as their own row has it, is not what their opponent's row says of them
-- cause: one of the two upcoming tables is older than the schedule
-- do: one of the two upcoming tables is older than the schedule: run phase 3 again, then phase 4
SELECT own.game_date, own.team_abbr, own.team_days_rest, other.opponent_days_rest
FROM nba_analytics.upcoming_team_game_context AS own
JOIN (
  SELECT game_date, opponent_team_abbr, MIN(opponent_days_rest) AS opponent_days_rest, MAX(opponent_days_rest) AS highest
  FROM nba_analytics.upcoming_player_game_context
  WHERE game_date BETWEEN @first AND @last
  GROUP BY game_date, opponent_team_abbr
) AS other ON other.game_date = own.game_date AND other.opponent_team_abbr = own.team_abbr
WHERE own.game_date BETWEEN @first AND @last
  AND (COALESCE(own.team_days_rest, -1) != COALESCE(other.opponent_days_rest, -1)
    OR COALESCE(other.highest, -1) != COALESCE(other.opponent_days_rest, -1))
ORDER BY own.game_date, own.team_abbr
