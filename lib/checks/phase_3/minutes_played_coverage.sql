-- severity: red
-- means: seasons in which fewer than 99 % of the rows with points have minutes_played
-- do: look at the minutes text of the raw boxes; a shape that is not parsed becomes NULL
SELECT season_year, COUNT(minutes_played) AS with_minutes, COUNT(*) AS player_rows
FROM nba_analytics.player_game_summary
WHERE game_date BETWEEN @first AND @last AND points IS NOT NULL
GROUP BY season_year
HAVING 100 * COUNT(minutes_played) < 99 * COUNT(*)
