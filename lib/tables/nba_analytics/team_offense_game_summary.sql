CREATE TABLE IF NOT EXISTS nba_analytics.team_offense_game_summary (
  game_id                 STRING NOT NULL OPTIONS(description="Canonical game id, YYYYMMDD_AWAY_HOME"),
  nba_game_id             STRING NOT NULL OPTIONS(description="League's 10-digit id"),
  game_date               DATE NOT NULL OPTIONS(description="Day of the game, US/Eastern"),
  team_abbr               STRING NOT NULL OPTIONS(description="Team's tricode"),
  opponent_team_abbr      STRING NOT NULL OPTIONS(description="Opponent's tricode"),
  season_year             INT64 NOT NULL OPTIONS(description="Calendar year in which the season starts"),
  points_scored           INT64 NOT NULL OPTIONS(description="Points"),
  fg_attempts             INT64 OPTIONS(description="Field goals attempted"),
  fg_makes                INT64 OPTIONS(description="Field goals made"),
  three_pt_attempts       INT64 OPTIONS(description="Three-pointers attempted"),
  three_pt_makes          INT64 OPTIONS(description="Three-pointers made"),
  ft_attempts             INT64 OPTIONS(description="Free throws attempted"),
  ft_makes                INT64 OPTIONS(description="Free throws made"),
  offensive_rebounds      INT64 OPTIONS(description="Offensive rebounds"),
  rebounds                INT64 OPTIONS(description="Total rebounds"),
  assists                 INT64 OPTIONS(description="Assists"),
  turnovers               INT64 OPTIONS(description="Turnovers, team turnovers included"),
  personal_fouls          INT64 OPTIONS(description="Personal fouls"),
  team_paint_attempts     INT64 OPTIONS(description="Two-pointers from 8 feet or nearer; NULL without shot zones"),
  team_paint_makes        INT64 OPTIONS(description="Of them made"),
  team_mid_range_attempts INT64 OPTIONS(description="Other two-pointers; NULL without shot zones"),
  team_mid_range_makes    INT64 OPTIONS(description="Of them made"),
  points_in_paint_scored  INT64 OPTIONS(description="Points from the paint: 2 x makes"),
  offensive_rating        NUMERIC(6, 2) OPTIONS(description="Points per 100 possessions"),
  pace                    NUMERIC(5, 1) OPTIONS(description="Possessions per 48 minutes"),
  possessions             INT64 OPTIONS(description="FGA + 0.44 FTA + TOV - OREB, cut to a whole number"),
  ts_pct                  NUMERIC(5, 3) OPTIONS(description="True shooting, PTS / (2 (FGA + 0.44 FTA)), fraction"),
  home_game               BOOL NOT NULL OPTIONS(description="Played at home"),
  win_flag                BOOL NOT NULL OPTIONS(description="Won"),
  margin_of_victory       INT64 NOT NULL OPTIONS(description="Own points minus the opponent's"),
  overtime_periods        INT64 OPTIONS(description="Overtime periods of 5 minutes"),
  primary_source_used     STRING NOT NULL OPTIONS(description="nbac_team_boxscore, or reconstructed_team_from_players"),
  shot_zones_available    BOOL NOT NULL OPTIONS(description="Play-by-play holds at least nine in ten of the shots"),
  shot_zones_source       STRING OPTIONS(description="Where the zones come from"),
  quality_tier            STRING OPTIONS(description="gold, silver, bronze: how good the row's sources are"),
  quality_score           NUMERIC(5, 2) OPTIONS(description="0 to 100: how good the row's sources are"),
  quality_issues          ARRAY<STRING> OPTIONS(description="What the row had to do without"),
  data_hash               STRING NOT NULL OPTIONS(description="First 16 hex digits of SHA-256 over the row's business columns as JSON"),
  processed_at            TIMESTAMP NOT NULL OPTIONS(description="When the row was computed; in no hash"),
  PRIMARY KEY (game_id, team_abbr) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY team_abbr, game_date, home_game
OPTIONS(description="What a team did with the ball in one game", require_partition_filter=TRUE);

WITH schedule AS (
  SELECT game_id, game_date, season_year, home_team_tricode, away_team_tricode, game_status, processed_at
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, game_date ORDER BY processed_at DESC, game_status DESC) = 1
),
games AS (
  SELECT
    game_id AS nba_game_id, game_date, season_year, home_team_tricode AS home, away_team_tricode AS away,
    CONCAT(FORMAT_DATE('%Y%m%d', game_date), '_', away_team_tricode, '_', home_team_tricode) AS game_id
  FROM schedule
  WHERE game_status = 3 AND SUBSTR(game_id, 1, 3) IN ('002', '004', '005', '006')
),
sides AS (
  SELECT game_id, nba_game_id, game_date, season_year, home AS team_abbr, away AS opponent_team_abbr, TRUE AS home_game
  FROM games
  UNION ALL
  SELECT game_id, nba_game_id, game_date, season_year, away AS team_abbr, home AS opponent_team_abbr, FALSE AS home_game
  FROM games
),
team_boxes AS (
  SELECT
    game_date, team_abbr, minutes, points, fg_made, fg_attempted, three_pt_made, three_pt_attempted, ft_made, ft_attempted,
    offensive_rebounds, defensive_rebounds, total_rebounds, assists, steals, blocks, turnovers, personal_fouls, processed_at
  FROM nba_raw.nbac_team_boxscore
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY game_date, team_abbr
    ORDER BY
      processed_at DESC, points DESC, fg_made, fg_attempted, three_pt_made, three_pt_attempted, ft_made, ft_attempted,
      offensive_rebounds, defensive_rebounds, total_rebounds, assists, steals, blocks, turnovers, personal_fouls, minutes
  ) = 1
),
gamebook AS (
  SELECT
    game_date, player_lookup, team_abbr, player_status, minutes, points, field_goals_made, field_goals_attempted,
    three_pointers_made, three_pointers_attempted, free_throws_made, free_throws_attempted, offensive_rebounds,
    defensive_rebounds, total_rebounds, assists, steals, blocks, turnovers, personal_fouls, processed_at
  FROM nba_raw.nbac_gamebook_player_stats
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY game_date, player_lookup, team_abbr
    ORDER BY
      processed_at DESC, IF(player_status = 'active', 0, 1), player_status, points DESC, minutes DESC, field_goals_made,
      field_goals_attempted,
      three_pointers_made, three_pointers_attempted, free_throws_made, free_throws_attempted, offensive_rebounds,
      defensive_rebounds, assists, steals, blocks, turnovers, personal_fouls
  ) = 1
),
bdl AS (
  SELECT
    game_date, player_lookup, team_abbr, minutes, points, field_goals_made, field_goals_attempted,
    three_pointers_made, three_pointers_attempted, free_throws_made, free_throws_attempted, offensive_rebounds,
    defensive_rebounds, rebounds, assists, steals, blocks, turnovers, personal_fouls, processed_at
  FROM nba_raw.bdl_player_boxscores
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY game_date, player_lookup, team_abbr
    ORDER BY
      processed_at DESC, points DESC, minutes DESC, field_goals_made, field_goals_attempted,
      three_pointers_made, three_pointers_attempted, free_throws_made, free_throws_attempted, offensive_rebounds,
      defensive_rebounds, assists, steals, blocks, turnovers, personal_fouls
  ) = 1
),
gamebook_rows AS (
  SELECT
    sides.game_id, sides.team_abbr, box.minutes, box.points, box.field_goals_made, box.field_goals_attempted,
    box.three_pointers_made, box.three_pointers_attempted, box.free_throws_made, box.free_throws_attempted,
    box.offensive_rebounds, box.defensive_rebounds, box.total_rebounds, box.assists, box.steals, box.blocks,
    box.turnovers, box.personal_fouls
  FROM sides
  JOIN gamebook AS box ON box.game_date = sides.game_date AND box.team_abbr = sides.team_abbr
  WHERE box.player_status = 'active'
),
bdl_rows AS (
  SELECT
    sides.game_id, sides.team_abbr, box.minutes, box.points, box.field_goals_made, box.field_goals_attempted,
    box.three_pointers_made, box.three_pointers_attempted, box.free_throws_made, box.free_throws_attempted,
    box.offensive_rebounds, box.defensive_rebounds, box.rebounds AS total_rebounds, box.assists, box.steals, box.blocks,
    box.turnovers, box.personal_fouls
  FROM sides
  JOIN bdl AS box ON box.game_date = sides.game_date AND box.team_abbr = sides.team_abbr
  LEFT JOIN (SELECT DISTINCT game_id FROM gamebook_rows) AS known ON known.game_id = sides.game_id
  WHERE known.game_id IS NULL
),
player_rows AS (
  SELECT * FROM gamebook_rows
  UNION ALL
  SELECT * FROM bdl_rows
),
player_seconds AS (
  SELECT
    *,
    CASE
      WHEN REGEXP_CONTAINS(minutes, r'^[0-9]+:[0-5][0-9]$|^PT[0-9]+M[0-5]?[0-9]([.][0-9]+)?S$')
        THEN 60 * SAFE_CAST(REGEXP_EXTRACT(minutes, r'^(?:PT)?([0-9]+)') AS INT64)
          + SAFE_CAST(REGEXP_EXTRACT(minutes, r'[:M]([0-9]+)') AS INT64)
      WHEN REGEXP_CONTAINS(minutes, r'^[0-9]+([.][0-9]+)?$')
        THEN CAST(ROUND(60 * SAFE_CAST(minutes AS FLOAT64)) AS INT64)
    END AS seconds
  FROM player_rows
),
rebuilt AS (
  SELECT
    game_id, team_abbr, DIV(SUM(seconds), 60) AS team_minutes, SUM(points) AS points,
    SUM(field_goals_made) AS fg_made, SUM(field_goals_attempted) AS fg_attempted,
    SUM(three_pointers_made) AS three_pt_made, SUM(three_pointers_attempted) AS three_pt_attempted,
    SUM(free_throws_made) AS ft_made, SUM(free_throws_attempted) AS ft_attempted,
    SUM(offensive_rebounds) AS offensive_rebounds, SUM(defensive_rebounds) AS defensive_rebounds,
    SUM(total_rebounds) AS total_rebounds, SUM(assists) AS assists, SUM(steals) AS steals, SUM(blocks) AS blocks,
    SUM(turnovers) AS turnovers, SUM(personal_fouls) AS personal_fouls
  FROM player_seconds
  GROUP BY game_id, team_abbr
  HAVING COUNT(*) >= 5
),
-- the team box where there is one, else the sum of the players
boxes AS (
  SELECT
    sides.game_id, sides.nba_game_id, sides.game_date, sides.season_year, sides.team_abbr, sides.opponent_team_abbr,
    sides.home_game,
    IF(box.team_abbr IS NOT NULL, 'nbac_team_boxscore', 'reconstructed_team_from_players') AS primary_source_used,
    -- whole overtimes nearest to the minutes; 240 where nobody gives any
    GREATEST(0, DIV(
      COALESCE(SAFE_CAST(REGEXP_EXTRACT(box.minutes, r'^([0-9]+)') AS INT64), rebuilt.team_minutes, 240) - 228, 25
    )) AS overtime_periods,
    IF(box.team_abbr IS NOT NULL, box.points, rebuilt.points) AS points,
    IF(box.team_abbr IS NOT NULL, box.fg_made, rebuilt.fg_made) AS fg_made,
    IF(box.team_abbr IS NOT NULL, box.fg_attempted, rebuilt.fg_attempted) AS fg_attempted,
    IF(box.team_abbr IS NOT NULL, box.three_pt_made, rebuilt.three_pt_made) AS three_pt_made,
    IF(box.team_abbr IS NOT NULL, box.three_pt_attempted, rebuilt.three_pt_attempted) AS three_pt_attempted,
    IF(box.team_abbr IS NOT NULL, box.ft_made, rebuilt.ft_made) AS ft_made,
    IF(box.team_abbr IS NOT NULL, box.ft_attempted, rebuilt.ft_attempted) AS ft_attempted,
    IF(box.team_abbr IS NOT NULL, box.offensive_rebounds, rebuilt.offensive_rebounds) AS offensive_rebounds,
    IF(box.team_abbr IS NOT NULL, box.defensive_rebounds, rebuilt.defensive_rebounds) AS defensive_rebounds,
    IF(box.team_abbr IS NOT NULL, box.total_rebounds, rebuilt.total_rebounds) AS total_rebounds,
    IF(box.team_abbr IS NOT NULL, box.assists, rebuilt.assists) AS assists,
    IF(box.team_abbr IS NOT NULL, box.steals, rebuilt.steals) AS steals,
    IF(box.team_abbr IS NOT NULL, box.blocks, rebuilt.blocks) AS blocks,
    IF(box.team_abbr IS NOT NULL, box.turnovers, rebuilt.turnovers) AS turnovers,
    IF(box.team_abbr IS NOT NULL, box.personal_fouls, rebuilt.personal_fouls) AS personal_fouls
  FROM sides
  LEFT JOIN team_boxes AS box ON box.game_date = sides.game_date AND box.team_abbr = sides.team_abbr
  LEFT JOIN rebuilt ON rebuilt.game_id = sides.game_id AND rebuilt.team_abbr = sides.team_abbr
  WHERE box.team_abbr IS NOT NULL OR rebuilt.team_abbr IS NOT NULL
),
shots AS (
  SELECT DISTINCT
    game_id, event_id, game_date, player_1_team_abbr, event_type, event_subtype, shot_made, shot_type, shot_distance
  FROM nba_raw.bigdataball_play_by_play
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
),
zoned AS (
  SELECT
    game_date, player_1_team_abbr AS team_abbr, shot_made,
    CASE
      WHEN shot_type = '3PT' OR (shot_type IS NULL AND (LOWER(event_subtype) LIKE '%3pt%' OR shot_distance >= 23.75)) THEN 'three'
      WHEN shot_distance <= 8 THEN 'paint'
      ELSE 'mid_range'
    END AS zone
  FROM shots
  WHERE event_type = 'shot' AND shot_made IS NOT NULL AND shot_distance IS NOT NULL
),
zones AS (
  SELECT
    game_date, team_abbr, COUNT(*) AS shots,
    COUNTIF(zone = 'paint') AS paint_attempts, COUNTIF(zone = 'paint' AND shot_made) AS paint_makes,
    COUNTIF(zone = 'mid_range') AS mid_range_attempts, COUNTIF(zone = 'mid_range' AND shot_made) AS mid_range_makes
  FROM zoned
  GROUP BY game_date, team_abbr
),
measured AS (
  SELECT
    own.*, other.points AS opponent_points, zones.paint_attempts, zones.paint_makes, zones.mid_range_attempts,
    zones.mid_range_makes,
    -- a pull that was cut short holds part of a game's shots: fewer than nine in ten are no zone data
    COALESCE(10 * zones.shots >= 9 * own.fg_attempted, FALSE) AS shot_zones_available,
    240 + 25 * own.overtime_periods AS team_minutes,
    100 * own.fg_attempted + 44 * own.ft_attempted AS shooting_hundredths,
    DIV(100 * own.fg_attempted + 44 * own.ft_attempted + 100 * own.turnovers - 100 * own.offensive_rebounds + 5, 10)
      AS possession_tenths
  FROM boxes AS own
  JOIN boxes AS other ON other.game_id = own.game_id AND other.team_abbr = own.opponent_team_abbr
  LEFT JOIN zones ON zones.game_date = own.game_date AND zones.team_abbr = own.team_abbr
),
final AS (
  SELECT
    game_id,
    nba_game_id,
    game_date,
    team_abbr,
    opponent_team_abbr,
    season_year,
    points AS points_scored,
    fg_attempted AS fg_attempts,
    fg_made AS fg_makes,
    three_pt_attempted AS three_pt_attempts,
    three_pt_made AS three_pt_makes,
    ft_attempted AS ft_attempts,
    ft_made AS ft_makes,
    offensive_rebounds,
    total_rebounds AS rebounds,
    assists,
    turnovers,
    personal_fouls,
    IF(shot_zones_available, paint_attempts, NULL) AS team_paint_attempts,
    IF(shot_zones_available, paint_makes, NULL) AS team_paint_makes,
    IF(shot_zones_available, mid_range_attempts, NULL) AS team_mid_range_attempts,
    IF(shot_zones_available, mid_range_makes, NULL) AS team_mid_range_makes,
    IF(shot_zones_available, 2 * paint_makes, NULL) AS points_in_paint_scored,
    -- the quotients are rounded in whole numbers, halves up: ROUND of a FLOAT64 differs between engines at a tie
    CAST(DIV(200000 * points + possession_tenths, NULLIF(2 * possession_tenths, 0)) / 100 AS NUMERIC) AS offensive_rating,
    CAST(DIV(480 * possession_tenths + team_minutes, 2 * team_minutes) / 10 AS NUMERIC) AS pace,
    DIV(possession_tenths, 10) AS possessions,
    CAST(DIV(100000 * points + shooting_hundredths, NULLIF(2 * shooting_hundredths, 0)) / 1000 AS NUMERIC) AS ts_pct,
    home_game,
    points > opponent_points AS win_flag,
    points - opponent_points AS margin_of_victory,
    overtime_periods,
    primary_source_used,
    shot_zones_available,
    IF(shot_zones_available, 'bigdataball_play_by_play', NULL) AS shot_zones_source,
    IF(primary_source_used = 'nbac_team_boxscore', 'gold', 'silver') AS quality_tier,
    CAST(IF(primary_source_used = 'nbac_team_boxscore', 100, 85) AS NUMERIC) AS quality_score,
    ARRAY_CONCAT(
      IF(primary_source_used = 'nbac_team_boxscore', [], ['reconstructed']),
      IF(shot_zones_available, [], ['missing_shot_zones']),
      IF(points = 2 * (fg_made - three_pt_made) + 3 * three_pt_made + ft_made, [], ['points_do_not_add_up'])
    ) AS quality_issues
  FROM measured
)
SELECT final.*, SUBSTR(TO_HEX(SHA256(TO_JSON_STRING(final))), 1, 16) AS data_hash, CURRENT_TIMESTAMP() AS processed_at
FROM final;
