CREATE TABLE IF NOT EXISTS nba_analytics.player_game_summary (
  player_lookup        STRING NOT NULL OPTIONS(description="Player's key"),
  universal_player_id  STRING NOT NULL OPTIONS(description="Registry id; the player's key where no registry is read"),
  player_full_name     STRING OPTIONS(description="Name as printed"),
  game_id              STRING NOT NULL OPTIONS(description="Canonical game id, YYYYMMDD_AWAY_HOME"),
  game_date            DATE NOT NULL OPTIONS(description="Day of the game, US/Eastern"),
  team_abbr            STRING NOT NULL OPTIONS(description="Player's team"),
  opponent_team_abbr   STRING NOT NULL OPTIONS(description="Opponent's tricode"),
  season_year          INT64 NOT NULL OPTIONS(description="Calendar year in which the season starts"),
  points               INT64 OPTIONS(description="Points"),
  assists              INT64 OPTIONS(description="Assists"),
  offensive_rebounds   INT64 OPTIONS(description="Offensive rebounds"),
  defensive_rebounds   INT64 OPTIONS(description="Defensive rebounds"),
  steals               INT64 OPTIONS(description="Steals"),
  blocks               INT64 OPTIONS(description="Blocks"),
  turnovers            INT64 OPTIONS(description="Turnovers"),
  personal_fouls       INT64 OPTIONS(description="Personal fouls"),
  plus_minus           INT64 OPTIONS(description="Plus-minus, points; NULL from the second source"),
  fg_attempts          INT64 OPTIONS(description="Field goals attempted"),
  fg_makes             INT64 OPTIONS(description="Field goals made"),
  three_pt_attempts    INT64 OPTIONS(description="Three-pointers attempted"),
  three_pt_makes       INT64 OPTIONS(description="Three-pointers made"),
  ft_attempts          INT64 OPTIONS(description="Free throws attempted"),
  ft_makes             INT64 OPTIONS(description="Free throws made"),
  minutes_played       NUMERIC(5, 1) OPTIONS(description="Minutes on the floor; NULL where the source gives none"),
  usage_rate           NUMERIC(6, 2) OPTIONS(description="Usage rate, percent: 100 (FGA + 0.44 FTA + TOV) (TmMIN / 5) / (MIN (TmFGA + 0.44 TmFTA + TmTOV)); large after tiny stints, cut at 9999.9"),
  ts_pct               NUMERIC(5, 3) OPTIONS(description="True shooting, PTS / (2 (FGA + 0.44 FTA)), fraction"),
  efg_pct              NUMERIC(5, 3) OPTIONS(description="Effective field goal, (FGM + 0.5 3PM) / FGA, fraction"),
  paint_attempts       INT64 OPTIONS(description="Two-pointers from 8 feet or nearer; NULL without shot zones"),
  paint_makes          INT64 OPTIONS(description="Of them made"),
  mid_range_attempts   INT64 OPTIONS(description="Other two-pointers; NULL without shot zones"),
  mid_range_makes      INT64 OPTIONS(description="Of them made"),
  assisted_fg_makes    INT64 OPTIONS(description="Field goals made after an assist; NULL where the source names no passer"),
  unassisted_fg_makes  INT64 OPTIONS(description="Other field goals made"),
  and1_count           INT64 OPTIONS(description="Fouled while scoring: free throws 1 of 1"),
  paint_blocks         INT64 OPTIONS(description="Blocks of paint shots"),
  mid_range_blocks     INT64 OPTIONS(description="Blocks of mid-range shots"),
  three_pt_blocks      INT64 OPTIONS(description="Blocks of three-pointers"),
  starter_flag         BOOL NOT NULL OPTIONS(description="More than 20 minutes: stands for a starter"),
  win_flag             BOOL OPTIONS(description="Player's team won"),
  points_line          NUMERIC(4, 1) OPTIONS(description="Points line, last snapshot"),
  points_line_source   STRING OPTIONS(description="odds_api, or bettingpros"),
  over_under_result    STRING OPTIONS(description="OVER, UNDER or PUSH against the line"),
  margin               NUMERIC(6, 2) OPTIONS(description="Points minus the line"),
  opening_line         NUMERIC(4, 1) OPTIONS(description="First snapshot of the same bookmaker"),
  line_movement        NUMERIC(4, 1) OPTIONS(description="Line minus opening line"),
  is_active            BOOL NOT NULL OPTIONS(description="Played"),
  player_status        STRING NOT NULL OPTIONS(description="active"),
  primary_source_used  STRING NOT NULL OPTIONS(description="nbac_gamebook, or bdl_boxscores"),
  shot_zones_available BOOL NOT NULL OPTIONS(description="The team's game has shot zones"),
  quality_tier         STRING OPTIONS(description="gold, silver, bronze: how good the row's sources are"),
  quality_score        NUMERIC(5, 2) OPTIONS(description="0 to 100: how good the row's sources are"),
  quality_issues       ARRAY<STRING> OPTIONS(description="What the row had to do without"),
  data_hash            STRING NOT NULL OPTIONS(description="First 16 hex digits of SHA-256 over the row's business columns as JSON"),
  processed_at         TIMESTAMP NOT NULL OPTIONS(description="When the row was computed; in no hash"),
  PRIMARY KEY (game_id, player_lookup) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY universal_player_id, player_lookup, team_abbr, game_date
OPTIONS(description="What a player did in one game he played in", require_partition_filter=TRUE);

WITH schedule AS (
  SELECT game_id, game_date, season_year, home_team_tricode, away_team_tricode, game_status, processed_at
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, game_date ORDER BY processed_at DESC, game_status DESC) = 1
),
games AS (
  SELECT
    game_date, season_year, home_team_tricode AS home, away_team_tricode AS away,
    CONCAT(FORMAT_DATE('%Y%m%d', game_date), '_', away_team_tricode, '_', home_team_tricode) AS game_id
  FROM schedule
  WHERE game_status = 3 AND SUBSTR(game_id, 1, 3) IN ('002', '004', '005', '006')
),
sides AS (
  SELECT game_id, game_date, season_year, home AS team_abbr, away AS opponent_team_abbr FROM games
  UNION ALL
  SELECT game_id, game_date, season_year, away AS team_abbr, home AS opponent_team_abbr FROM games
),
gamebook AS (
  SELECT
    game_date, player_lookup, player_name, team_abbr, player_status, minutes, points, field_goals_made, field_goals_attempted,
    three_pointers_made, three_pointers_attempted, free_throws_made, free_throws_attempted, offensive_rebounds,
    defensive_rebounds, assists, steals, blocks, turnovers, personal_fouls, plus_minus, processed_at
  FROM nba_raw.nbac_gamebook_player_stats
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY game_date, player_lookup, team_abbr
    ORDER BY
      processed_at DESC, IF(player_status = 'active', 0, 1), player_status, points DESC, minutes DESC, field_goals_made,
      field_goals_attempted,
      three_pointers_made, three_pointers_attempted, free_throws_made, free_throws_attempted, offensive_rebounds,
      defensive_rebounds, assists, steals, blocks, turnovers, personal_fouls, plus_minus
  ) = 1
),
bdl AS (
  SELECT
    game_date, player_lookup, player_full_name, team_abbr, minutes, points, field_goals_made, field_goals_attempted,
    three_pointers_made, three_pointers_attempted, free_throws_made, free_throws_attempted, offensive_rebounds,
    defensive_rebounds, assists, steals, blocks, turnovers, personal_fouls, processed_at
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
    sides.game_id, sides.game_date, sides.season_year, sides.team_abbr, sides.opponent_team_abbr, box.player_lookup,
    box.player_name AS player_full_name, box.minutes, box.points, box.field_goals_made, box.field_goals_attempted,
    box.three_pointers_made, box.three_pointers_attempted, box.free_throws_made, box.free_throws_attempted,
    box.offensive_rebounds, box.defensive_rebounds, box.assists, box.steals, box.blocks, box.turnovers, box.personal_fouls,
    box.plus_minus, 'nbac_gamebook' AS primary_source_used
  FROM sides
  JOIN gamebook AS box ON box.game_date = sides.game_date AND box.team_abbr = sides.team_abbr
  WHERE box.player_status = 'active'
),
bdl_rows AS (
  SELECT
    sides.game_id, sides.game_date, sides.season_year, sides.team_abbr, sides.opponent_team_abbr, box.player_lookup,
    box.player_full_name, box.minutes, box.points, box.field_goals_made, box.field_goals_attempted,
    box.three_pointers_made, box.three_pointers_attempted, box.free_throws_made, box.free_throws_attempted,
    box.offensive_rebounds, box.defensive_rebounds, box.assists, box.steals, box.blocks, box.turnovers, box.personal_fouls,
    CAST(NULL AS INT64) AS plus_minus, 'bdl_boxscores' AS primary_source_used
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
team_lines AS (
  SELECT game_id, game_date, team_abbr, fg_attempts, ft_attempts, turnovers, overtime_periods, win_flag, shot_zones_available
  FROM nba_analytics.team_offense_game_summary
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
),
events AS (
  SELECT DISTINCT
    game_id, event_id, game_date, home_team_abbr, away_team_abbr, event_type, event_subtype, player_1_lookup,
    player_1_team_abbr, player_2_lookup, player_2_role, shot_made, shot_type, shot_distance
  FROM nba_raw.bigdataball_play_by_play
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
),
-- since October 2024 the source puts a numeric id in front of the name
plays AS (
  SELECT
    game_date, LEAST(home_team_abbr, away_team_abbr) AS pair, event_type, shot_made,
    REGEXP_REPLACE(player_1_lookup, r'^[0-9]+', '') AS player_1, player_1_team_abbr AS team_1,
    REGEXP_REPLACE(player_2_lookup, r'^[0-9]+', '') AS player_2,
    IF(player_1_team_abbr = home_team_abbr, away_team_abbr, home_team_abbr) AS team_2, player_2_role,
    event_type = 'free throw' AND event_subtype = 'free throw 1/1' AS and_one,
    CASE
      WHEN event_type != 'shot' OR shot_made IS NULL OR shot_distance IS NULL THEN NULL
      WHEN shot_type = '3PT' OR (shot_type IS NULL AND (LOWER(event_subtype) LIKE '%3pt%' OR shot_distance >= 23.75)) THEN 'three'
      WHEN shot_distance <= 8 THEN 'paint'
      ELSE 'mid_range'
    END AS zone
  FROM events
),
-- a source that never names a second player knows nothing of assists and blocks: unknown is not zero
known AS (
  SELECT
    game_date, pair, LOGICAL_OR(player_2_role IS NOT NULL) AS second_player_known,
    LOGICAL_OR(event_type = 'free throw') AS free_throws_known
  FROM plays
  GROUP BY game_date, pair
),
shooters AS (
  SELECT
    game_date, player_1 AS player_lookup, team_1 AS team_abbr,
    COUNTIF(zone = 'paint') AS paint_attempts, COUNTIF(zone = 'paint' AND shot_made) AS paint_makes,
    COUNTIF(zone = 'mid_range') AS mid_range_attempts, COUNTIF(zone = 'mid_range' AND shot_made) AS mid_range_makes,
    COUNTIF(zone IS NOT NULL AND shot_made AND COALESCE(player_2_role, '') = 'assist') AS assisted_fg_makes,
    COUNTIF(zone IS NOT NULL AND shot_made AND COALESCE(player_2_role, '') != 'assist') AS unassisted_fg_makes,
    COUNTIF(and_one) AS and1_count
  FROM plays
  GROUP BY game_date, player_1, team_1
),
blockers AS (
  SELECT
    game_date, player_2 AS player_lookup, team_2 AS team_abbr, COUNTIF(zone = 'paint') AS paint_blocks,
    COUNTIF(zone = 'mid_range') AS mid_range_blocks, COUNTIF(zone = 'three') AS three_pt_blocks
  FROM plays
  WHERE player_2_role = 'block'
  GROUP BY game_date, player_2, team_2
),
odds AS (
  SELECT game_date, player_lookup, bookmaker, SAFE_CAST(points_line AS NUMERIC) AS points_line, snapshot_timestamp
  FROM nba_raw.odds_api_player_points_props
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
),
odds_lines AS (
  SELECT
    game_date, player_lookup, points_line,
    FIRST_VALUE(points_line) OVER (
      PARTITION BY game_date, player_lookup, bookmaker ORDER BY snapshot_timestamp, points_line
    ) AS opening_line,
    ROW_NUMBER() OVER (
      PARTITION BY game_date, player_lookup
      ORDER BY CASE bookmaker WHEN 'draftkings' THEN 1 WHEN 'fanduel' THEN 2 ELSE 3 END, bookmaker, snapshot_timestamp DESC,
        points_line
    ) AS choice
  FROM odds
  WHERE points_line IS NOT NULL
),
pros AS (
  SELECT
    game_date, player_lookup, bookmaker, SAFE_CAST(points_line AS NUMERIC) AS points_line,
    SAFE_CAST(opening_line AS NUMERIC) AS opening_line, is_active, is_best_line, bookmaker_last_update
  FROM nba_raw.bettingpros_player_points_props
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
),
pros_lines AS (
  SELECT
    game_date, player_lookup, points_line, opening_line,
    ROW_NUMBER() OVER (
      PARTITION BY game_date, player_lookup
      ORDER BY IF(is_best_line, 0, 1), bookmaker_last_update DESC, bookmaker, points_line, opening_line DESC
    ) AS choice
  FROM pros
  WHERE is_active AND points_line IS NOT NULL
),
measured AS (
  SELECT
    box.*, line.win_flag, COALESCE(line.shot_zones_available, FALSE) AS shot_zones_available,
    COALESCE(known.second_player_known, FALSE) AS second_player_known, COALESCE(known.free_throws_known, FALSE) AS free_throws_known,
    COALESCE(shooters.paint_attempts, 0) AS paint_attempts, COALESCE(shooters.paint_makes, 0) AS paint_makes,
    COALESCE(shooters.mid_range_attempts, 0) AS mid_range_attempts, COALESCE(shooters.mid_range_makes, 0) AS mid_range_makes,
    COALESCE(shooters.assisted_fg_makes, 0) AS assisted_fg_makes, COALESCE(shooters.unassisted_fg_makes, 0) AS unassisted_fg_makes,
    COALESCE(shooters.and1_count, 0) AS and1_count, COALESCE(blockers.paint_blocks, 0) AS paint_blocks,
    COALESCE(blockers.mid_range_blocks, 0) AS mid_range_blocks, COALESCE(blockers.three_pt_blocks, 0) AS three_pt_blocks,
    COALESCE(odds_lines.points_line, pros_lines.points_line) AS points_line,
    IF(odds_lines.points_line IS NOT NULL, odds_lines.opening_line, pros_lines.opening_line) AS opening_line,
    CASE
      WHEN odds_lines.points_line IS NOT NULL THEN 'odds_api'
      WHEN pros_lines.points_line IS NOT NULL THEN 'bettingpros'
    END AS points_line_source,
    100 * box.field_goals_attempted + 44 * box.free_throws_attempted AS shooting_hundredths,
    100 * box.field_goals_attempted + 44 * box.free_throws_attempted + 100 * box.turnovers AS used_hundredths,
    box.seconds * (100 * line.fg_attempts + 44 * line.ft_attempts + 100 * line.turnovers) AS team_share,
    60 * (48 + 5 * line.overtime_periods) AS team_seconds
  FROM player_seconds AS box
  LEFT JOIN team_lines AS line ON line.game_id = box.game_id AND line.team_abbr = box.team_abbr
  LEFT JOIN known ON known.game_date = box.game_date AND known.pair = LEAST(box.team_abbr, box.opponent_team_abbr)
  LEFT JOIN shooters
    ON shooters.game_date = box.game_date AND shooters.player_lookup = box.player_lookup AND shooters.team_abbr = box.team_abbr
  LEFT JOIN blockers
    ON blockers.game_date = box.game_date AND blockers.player_lookup = box.player_lookup AND blockers.team_abbr = box.team_abbr
  LEFT JOIN odds_lines
    ON odds_lines.game_date = box.game_date AND odds_lines.player_lookup = box.player_lookup AND odds_lines.choice = 1
  LEFT JOIN pros_lines
    ON pros_lines.game_date = box.game_date AND pros_lines.player_lookup = box.player_lookup AND pros_lines.choice = 1
),
final AS (
  SELECT
    player_lookup,
    player_lookup AS universal_player_id,
    player_full_name,
    game_id,
    game_date,
    team_abbr,
    opponent_team_abbr,
    season_year,
    points,
    assists,
    offensive_rebounds,
    defensive_rebounds,
    steals,
    blocks,
    turnovers,
    personal_fouls,
    plus_minus,
    field_goals_attempted AS fg_attempts,
    field_goals_made AS fg_makes,
    three_pointers_attempted AS three_pt_attempts,
    three_pointers_made AS three_pt_makes,
    free_throws_attempted AS ft_attempts,
    free_throws_made AS ft_makes,
    -- the quotients are rounded in whole numbers, halves up: ROUND of a FLOAT64 differs between engines at a tie
    CAST(DIV(IF(seconds > 0, seconds, NULL) + 3, 6) / 10 AS NUMERIC) AS minutes_played,
    CAST(LEAST(99999, DIV(2000 * used_hundredths * team_seconds + team_share, NULLIF(2 * team_share, 0))) / 10 AS NUMERIC)
      AS usage_rate,
    CAST(DIV(100000 * points + shooting_hundredths, NULLIF(2 * shooting_hundredths, 0)) / 1000 AS NUMERIC) AS ts_pct,
    CAST(DIV(1000 * (2 * field_goals_made + three_pointers_made) + field_goals_attempted, NULLIF(2 * field_goals_attempted, 0))
      / 1000 AS NUMERIC) AS efg_pct,
    IF(shot_zones_available, paint_attempts, NULL) AS paint_attempts,
    IF(shot_zones_available, paint_makes, NULL) AS paint_makes,
    IF(shot_zones_available, mid_range_attempts, NULL) AS mid_range_attempts,
    IF(shot_zones_available, mid_range_makes, NULL) AS mid_range_makes,
    IF(shot_zones_available AND second_player_known, assisted_fg_makes, NULL) AS assisted_fg_makes,
    IF(shot_zones_available AND second_player_known, unassisted_fg_makes, NULL) AS unassisted_fg_makes,
    IF(shot_zones_available AND free_throws_known, and1_count, NULL) AS and1_count,
    IF(shot_zones_available AND second_player_known, paint_blocks, NULL) AS paint_blocks,
    IF(shot_zones_available AND second_player_known, mid_range_blocks, NULL) AS mid_range_blocks,
    IF(shot_zones_available AND second_player_known, three_pt_blocks, NULL) AS three_pt_blocks,
    COALESCE(seconds > 1200, FALSE) AS starter_flag,
    win_flag,
    CAST(ROUND(points_line, 1) AS NUMERIC) AS points_line,
    points_line_source,
    CASE
      WHEN points > points_line THEN 'OVER'
      WHEN points < points_line THEN 'UNDER'
      WHEN points = points_line THEN 'PUSH'
    END AS over_under_result,
    CAST(ROUND(points - points_line, 1) AS NUMERIC) AS margin,
    CAST(ROUND(opening_line, 1) AS NUMERIC) AS opening_line,
    CAST(ROUND(points_line - opening_line, 1) AS NUMERIC) AS line_movement,
    TRUE AS is_active,
    'active' AS player_status,
    primary_source_used,
    shot_zones_available,
    IF(primary_source_used = 'nbac_gamebook', 'gold', 'silver') AS quality_tier,
    CAST(IF(primary_source_used = 'nbac_gamebook', 100, 85) AS NUMERIC) AS quality_score,
    ARRAY_CONCAT(
      IF(primary_source_used = 'nbac_gamebook', [], ['backup_source_used']),
      IF(shot_zones_available, [], ['missing_shot_zones']),
      IF(COALESCE(seconds, 0) > 0, [], ['minutes_unknown'])
    ) AS quality_issues
  FROM measured
)
SELECT final.*, SUBSTR(TO_HEX(SHA256(TO_JSON_STRING(final))), 1, 16) AS data_hash, CURRENT_TIMESTAMP() AS processed_at
FROM final;
