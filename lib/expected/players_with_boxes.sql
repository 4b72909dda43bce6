-- Per expected game the gamebook's active players, else the second source's; a game with neither waits, with one key
-- that nothing can fill.
WITH schedule AS (
  SELECT game_id, game_date, home_team_tricode, away_team_tricode, game_status, processed_at
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN @first AND @last
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, game_date ORDER BY processed_at DESC, game_status DESC) = 1
),
games AS (
  SELECT
    game_date, home_team_tricode AS home, away_team_tricode AS away,
    CONCAT(FORMAT_DATE('%Y%m%d', game_date), '_', away_team_tricode, '_', home_team_tricode) AS game_id
  FROM schedule
  WHERE game_status = 3 AND SUBSTR(game_id, 1, 3) IN ('002', '004', '005', '006')
),
sides AS (
  SELECT game_date, game_id, home AS team_abbr FROM games
  UNION ALL
  SELECT game_date, game_id, away AS team_abbr FROM games
),
gamebook AS (
  -- active in the copy that was loaded last, and of those loaded together in one
  SELECT game_date, team_abbr, player_lookup
  FROM (
    SELECT game_date, team_abbr, player_lookup, player_status, COALESCE(processed_at, TIMESTAMP '1970-01-01 00:00:00+00') AS loaded
    FROM nba_raw.nbac_gamebook_player_stats
    WHERE game_date BETWEEN @first AND @last
  )
  GROUP BY game_date, team_abbr, player_lookup
  HAVING MAX(IF(player_status = 'active', loaded, NULL)) = MAX(loaded)
),
bdl AS (
  SELECT DISTINCT game_date, team_abbr, player_lookup
  FROM nba_raw.bdl_player_boxscores
  WHERE game_date BETWEEN @first AND @last
),
gamebook_players AS (
  SELECT sides.game_date, sides.game_id, gamebook.player_lookup
  FROM sides
  JOIN gamebook ON gamebook.game_date = sides.game_date AND gamebook.team_abbr = sides.team_abbr
),
bdl_players AS (
  SELECT sides.game_date, sides.game_id, bdl.player_lookup
  FROM sides
  JOIN bdl ON bdl.game_date = sides.game_date AND bdl.team_abbr = sides.team_abbr
  LEFT JOIN (SELECT DISTINCT game_id FROM gamebook_players) AS known ON known.game_id = sides.game_id
  WHERE known.game_id IS NULL
),
players AS (
  SELECT * FROM gamebook_players
  UNION ALL
  SELECT * FROM bdl_players
)
SELECT
  games.game_date, games.game_id, players.player_lookup AS entity,
  IF(players.player_lookup IS NULL, 'no box score', NULL) AS waiting, CAST(NULL AS INT64) AS games_before
FROM games
LEFT JOIN players ON players.game_id = games.game_id
