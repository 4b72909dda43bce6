-- set: post-backfill
-- severity: red
-- means: games whose two team rows are not one home and one away, one won and one lost, with opposite margins
-- cause: one team row was lost or doubled, or a flag was computed from the wrong side
-- do: look at the raw team boxes of the game; one side is missing, doubled or turned round
SELECT game_date, game_id, COUNT(*) AS sides
FROM nba_analytics.team_offense_game_summary
WHERE game_date BETWEEN @first AND @last
GROUP BY game_date, game_id
HAVING COUNT(*) != 2 OR COUNTIF(home_game) != 1 OR COUNTIF(win_flag) != 1 OR SUM(margin_of_victory) != 0
ORDER BY game_date, game_id
