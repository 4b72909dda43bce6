-- Both schedule teams of each expected game.
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
)
SELECT game_date, game_id, home AS entity, CAST(NULL AS STRING) AS waiting, CAST(NULL AS INT64) AS games_before FROM games
UNION ALL
SELECT game_date, game_id, away AS entity, CAST(NULL AS STRING) AS waiting, CAST(NULL AS INT64) AS games_before FROM games
