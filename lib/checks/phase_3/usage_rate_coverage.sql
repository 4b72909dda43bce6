-- severity: red
-- means: seasons in which fewer than 95 % of the rows with minutes have a usage_rate
-- do: look for games whose team row is missing: usage needs team_offense_game_summary of the same date
SELECT season_year, COUNT(usage_rate) AS with_usage, COUNT(*) AS player_rows
FROM nba_analytics.player_game_summary
WHERE game_date BETWEEN @first AND @last AND minutes_played > 0
GROUP BY season_year
HAVING 100 * COUNT(usage_rate) < 95 * COUNT(*)
