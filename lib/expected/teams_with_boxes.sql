-- Both schedule teams of each expected game; they wait while a team has neither a team box nor five player rows.
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
team_boxes AS (
  SELECT DISTINCT game_date, team_abbr
  FROM nba_raw.nbac_team_boxscore
  WHERE game_date BETWEEN @first AND @last
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
gamebook_counts AS (
  SELECT game_date, team_abbr, COUNT(*) AS players
  FROM gamebook
  GROUP BY game_date, team_abbr
),
bdl_counts AS (
  SELECT game_date, team_abbr, COUNT(DISTINCT player_lookup) AS players
  FROM nba_raw.bdl_player_boxscores
  WHERE game_date BETWEEN @first AND @last
  GROUP BY game_date, team_abbr
),
gamebook_games AS (
  SELECT DISTINCT sides.game_id
  FROM sides
  JOIN gamebook_counts ON gamebook_counts.game_date = sides.game_date AND gamebook_counts.team_abbr = sides.team_abbr
),
boxed AS (
  SELECT
    sides.game_date, sides.game_id, sides.team_abbr,
    team_boxes.team_abbr IS NOT NULL
      OR COALESCE(IF(gamebook_games.game_id IS NOT NULL, gamebook_counts.players, bdl_counts.players), 0) >= 5 AS has_box
  FROM sides
  LEFT JOIN team_boxes ON team_boxes.game_date = sides.game_date AND team_boxes.team_abbr = sides.team_abbr
  LEFT JOIN gamebook_counts ON gamebook_counts.game_date = sides.game_date AND gamebook_counts.team_abbr = sides.team_abbr
  LEFT JOIN bdl_counts ON bdl_counts.game_date = sides.game_date AND bdl_counts.team_abbr = sides.team_abbr
  LEFT JOIN gamebook_games ON gamebook_games.game_id = sides.game_id
)
SELECT
  game_date, game_id, team_abbr AS entity,
  IF(LOGICAL_AND(has_box) OVER (PARTITION BY game_id), NULL, 'no box score') AS waiting, CAST(NULL AS INT64) AS games_before
FROM boxed
