-- The keys of players_with_boxes after bootstrap, each with its games of the season before the date, counted on raw
-- boxes. A game without a box score makes the whole date wait: its players are unknown.
WITH schedule AS (
  SELECT game_id, game_date, season_year, home_team_tricode, away_team_tricode, game_status, processed_at
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN @history_from AND @last
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, game_date ORDER BY processed_at DESC, game_status DESC) = 1
),
seasons AS (
  SELECT season_year, MIN(game_date) AS season_start
  FROM schedule
  WHERE SUBSTR(game_id, 1, 3) = '002' AND game_status NOT IN (4, 5)
  GROUP BY season_year
),
games AS (
  SELECT
    game_date, season_year, home_team_tricode AS home, away_team_tricode AS away,
    CONCAT(FORMAT_DATE('%Y%m%d', game_date), '_', away_team_tricode, '_', home_team_tricode) AS game_id
  FROM schedule
  WHERE game_status = 3 AND SUBSTR(game_id, 1, 3) IN ('002', '004', '005', '006')
),
sides AS (
  SELECT game_date, season_year, game_id, home AS team_abbr FROM games
  UNION ALL
  SELECT game_date, season_year, game_id, away AS team_abbr FROM games
),
gamebook AS (
  -- active in the copy that was loaded last, and of those loaded together in one
  SELECT game_date, team_abbr, player_lookup
  FROM (
    SELECT game_date, team_abbr, player_lookup, player_status, COALESCE(processed_at, TIMESTAMP '1970-01-01 00:00:00+00') AS loaded
    FROM nba_raw.nbac_gamebook_player_stats
    WHERE game_date BETWEEN @history_from AND @last
  )
  GROUP BY game_date, team_abbr, player_lookup
  HAVING MAX(IF(player_status = 'active', loaded, NULL)) = MAX(loaded)
),
bdl AS (
  SELECT DISTINCT game_date, team_abbr, player_lookup
  FROM nba_raw.bdl_player_boxscores
  WHERE game_date BETWEEN @history_from AND @last
),
gamebook_players AS (
  SELECT sides.game_date, sides.season_year, sides.game_id, gamebook.player_lookup
  FROM sides
  JOIN gamebook ON gamebook.game_date = sides.game_date AND gamebook.team_abbr = sides.team_abbr
),
bdl_players AS (
  SELECT sides.game_date, sides.season_year, sides.game_id, bdl.player_lookup
  FROM sides
  JOIN bdl ON bdl.game_date = sides.game_date AND bdl.team_abbr = sides.team_abbr
  LEFT JOIN (SELECT DISTINCT game_id FROM gamebook_players) AS known ON known.game_id = sides.game_id
  WHERE known.game_id IS NULL
),
players AS (
  SELECT * FROM gamebook_players
  UNION ALL
  SELECT * FROM bdl_players
),
numbered AS (
  SELECT
    game_id, player_lookup,
    RANK() OVER (PARTITION BY season_year, player_lookup ORDER BY game_date) - 1 AS games_before
  FROM players
),
due AS (
  SELECT games.game_date, games.game_id, numbered.player_lookup, numbered.games_before
  FROM games
  JOIN seasons ON seasons.season_year = games.season_year
  LEFT JOIN numbered ON numbered.game_id = games.game_id
  WHERE games.game_date BETWEEN @first AND @last
    AND DATE_DIFF(games.game_date, seasons.season_start, DAY) >= @bootstrap_days
)
SELECT
  due.game_date, due.game_id, due.player_lookup AS entity, IF(open_dates.game_date IS NULL, NULL, 'no box score') AS waiting,
  due.games_before
FROM due
LEFT JOIN (SELECT DISTINCT game_date FROM due WHERE player_lookup IS NULL) AS open_dates ON open_dates.game_date = due.game_date
