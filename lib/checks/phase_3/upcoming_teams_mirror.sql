-- set: post-backfill
-- severity: red
-- means: team games whose two upcoming rows are not one home and one away with opposite spreads and one total
-- cause: the spread was taken from both sides and averaged, or one row is older than the other
-- do: runbook run --phase 3; if it stays, look at the SELECT of upcoming_team_game_context
SELECT game_date, game_id, COUNT(*) AS sides, SUM(game_spread) AS spreads, MIN(game_total) AS lowest_total, MAX(game_total) AS highest_total
FROM nba_analytics.upcoming_team_game_context
WHERE game_date BETWEEN @first AND @last
GROUP BY game_date, game_id
HAVING COUNT(*) != 2 OR COUNTIF(home_game) != 1 OR SUM(game_spread) != 0 OR MIN(game_total) != MAX(game_total)
  OR COUNT(game_spread) = 1 OR COUNT(game_total) = 1
ORDER BY game_date, game_id
