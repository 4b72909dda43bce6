-- severity: red
-- means: seasons in which usage_rate has one single value
-- do: a constant column was never computed: look at its SQL
SELECT season_year, MIN(usage_rate) AS lowest, MAX(usage_rate) AS highest
FROM nba_analytics.player_game_summary
WHERE game_date BETWEEN @first AND @last
GROUP BY season_year
HAVING COUNT(usage_rate) > 50 AND MIN(usage_rate) = MAX(usage_rate)
