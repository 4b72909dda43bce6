-- severity: red
-- means: seasons of 60 dates and more without a single back-to-back
-- do: a column that is never TRUE was never computed: look at its SQL
SELECT season_year, COUNT(DISTINCT game_date) AS dates
FROM nba_analytics.upcoming_team_game_context
WHERE game_date BETWEEN @first AND @last
GROUP BY season_year
HAVING COUNT(DISTINCT game_date) >= 60 AND COUNTIF(team_back_to_back) = 0
