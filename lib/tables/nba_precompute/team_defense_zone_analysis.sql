CREATE TABLE IF NOT EXISTS nba_precompute.team_defense_zone_analysis (
  team_abbr                       STRING NOT NULL OPTIONS(description="Tricode of the defending team, playing that day or not"),
  analysis_date                   DATE NOT NULL OPTIONS(description="Day that is prepared, US/Eastern; every figure looks at games strictly before it"),
  season_year                     INT64 NOT NULL OPTIONS(description="Calendar year in which the season starts"),
  paint_pct_allowed_last_15       NUMERIC(5, 3) OPTIONS(description="Paint makes per attempt allowed in games_with_zones, fraction; NULL without attempts"),
  mid_range_pct_allowed_last_15   NUMERIC(5, 3) OPTIONS(description="The same for mid-range shots"),
  three_pt_pct_allowed_last_15    NUMERIC(5, 3) OPTIONS(description="The same for three-pointers"),
  paint_attempts_allowed_per_game NUMERIC(5, 1) OPTIONS(description="Paint attempts allowed per game of games_with_zones; NULL without such games"),
  mid_range_attempts_allowed_per_game NUMERIC(5, 1) OPTIONS(description="The same for mid-range attempts"),
  three_pt_attempts_allowed_per_game NUMERIC(5, 1) OPTIONS(description="The same for three-point attempts"),
  paint_points_allowed_per_game   NUMERIC(5, 1) OPTIONS(description="Points in the paint allowed per game of games_with_zones"),
  paint_blocks_per_game           NUMERIC(4, 1) OPTIONS(description="Own blocks of paint shots per game whose source names the blocker; NULL without such games"),
  mid_range_blocks_per_game       NUMERIC(4, 1) OPTIONS(description="The same for mid-range shots"),
  three_pt_blocks_per_game        NUMERIC(4, 1) OPTIONS(description="The same for three-pointers"),
  paint_defense_vs_league_avg     NUMERIC(5, 2) OPTIONS(description="Paint percentage allowed minus the league's, percentage points; above 0 is a worse defence"),
  mid_range_defense_vs_league_avg NUMERIC(5, 2) OPTIONS(description="The same for mid-range shots"),
  three_pt_defense_vs_league_avg  NUMERIC(5, 2) OPTIONS(description="The same for three-pointers"),
  defensive_rating_last_15        NUMERIC(6, 2) OPTIONS(description="Mean points allowed per 100 possessions"),
  opponent_points_per_game        NUMERIC(5, 1) OPTIONS(description="Mean points allowed"),
  opponent_pace                   NUMERIC(5, 1) OPTIONS(description="Mean possessions of the opponents per 48 minutes"),
  games_in_sample                 INT64 NOT NULL OPTIONS(description="The team's last games of the season before the date that have a box score, 15 at most"),
  games_with_zones                INT64 NOT NULL OPTIONS(description="Games of the sample that have shot zones: the zone figures count only these"),
  league_teams                    INT64 NOT NULL OPTIONS(description="Teams in the league average of the paint: 10 games or more in the last 30 days; below 10 teams 58.0, 41.0 and 35.5 percent stand for the league"),
  strongest_zone                  STRING OPTIONS(description="paint, mid_range or perimeter: the lowest figure against the league; NULL without zones"),
  weakest_zone                    STRING OPTIONS(description="The highest figure against the league"),
  data_quality_tier               STRING NOT NULL OPTIONS(description="high from 15 games in the sample, medium from 10, else low"),
  quality_tier                    STRING OPTIONS(description="gold, silver, bronze: how good the row's sources are"),
  quality_score                   NUMERIC(5, 2) OPTIONS(description="0 to 100: how good the row's sources are"),
  quality_issues                  ARRAY<STRING> OPTIONS(description="What the row had to do without"),
  data_hash                       STRING NOT NULL OPTIONS(description="First 16 hex digits of SHA-256 over the row's business columns as JSON"),
  processed_at                    TIMESTAMP NOT NULL OPTIONS(description="When the row was computed; in no hash"),
  PRIMARY KEY (analysis_date, team_abbr) NOT ENFORCED
)
PARTITION BY analysis_date
CLUSTER BY team_abbr, analysis_date
OPTIONS(description="Where a team's defence stands before a date: its last 15 games of the season", require_partition_filter=TRUE);

WITH due AS (
  SELECT game_id, game_date, season_year, game_status, processed_at
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, game_date ORDER BY processed_at DESC, game_status DESC) = 1
),
due_dates AS (
  SELECT DISTINCT game_date, season_year
  FROM due
  WHERE game_status = 3 AND SUBSTR(game_id, 1, 3) IN ('002', '004', '005', '006')
    AND DATE_DIFF(game_date, @history_from, DAY) >= @bootstrap_days
),
season AS (
  SELECT game_id, game_date, season_year, home_team_tricode, away_team_tricode, game_status, processed_at
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN @history_from AND @last
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, game_date ORDER BY processed_at DESC, game_status DESC) = 1
),
season_games AS (
  SELECT game_date, season_year, home_team_tricode AS home, away_team_tricode AS away
  FROM season
  WHERE game_status = 3 AND SUBSTR(game_id, 1, 3) IN ('002', '004', '005', '006')
),
played AS (
  SELECT game_date, season_year, home AS team_abbr FROM season_games
  UNION ALL
  SELECT game_date, season_year, away AS team_abbr FROM season_games
),
eligible AS (
  SELECT due_dates.game_date AS analysis_date, due_dates.season_year, played.team_abbr
  FROM due_dates
  JOIN played ON played.season_year = due_dates.season_year AND played.game_date < due_dates.game_date
  GROUP BY due_dates.game_date, due_dates.season_year, played.team_abbr
  HAVING COUNT(*) >= @minimum_games
),
defence AS (
  SELECT
    game_date, season_year, defending_team_abbr AS team_abbr, points_allowed, shot_zones_available,
    opp_paint_attempts, opp_paint_makes, opp_mid_range_attempts, opp_mid_range_makes,
    opp_three_pt_attempts, opp_three_pt_makes, points_in_paint_allowed, blocks_paint, blocks_mid_range, blocks_three_pt,
    CAST(100 * defensive_rating AS INT64) AS rating_hundredths, CAST(10 * opponent_pace AS INT64) AS pace_tenths
  FROM nba_analytics.team_defense_game_summary
  WHERE game_date BETWEEN @history_from AND @last
),
zoned AS (
  SELECT
    *,
    -- the box score knows the threes of every game; without the other zones they would weigh too much
    IF(shot_zones_available, opp_three_pt_attempts, NULL) AS zoned_three_attempts,
    IF(shot_zones_available, opp_three_pt_makes, NULL) AS zoned_three_makes
  FROM defence
),
recent AS (
  SELECT
    eligible.analysis_date, zoned.*,
    ROW_NUMBER() OVER (PARTITION BY eligible.analysis_date, eligible.team_abbr ORDER BY zoned.game_date DESC) AS age
  FROM eligible
  JOIN zoned
    ON zoned.team_abbr = eligible.team_abbr AND zoned.season_year = eligible.season_year
      AND zoned.game_date < eligible.analysis_date
),
samples AS (
  SELECT
    analysis_date, team_abbr, COUNT(*) AS games, COUNTIF(shot_zones_available) AS zone_games,
    SUM(opp_paint_attempts) AS paint_attempts, SUM(opp_paint_makes) AS paint_makes,
    SUM(opp_mid_range_attempts) AS mid_attempts, SUM(opp_mid_range_makes) AS mid_makes,
    SUM(zoned_three_attempts) AS three_attempts, SUM(zoned_three_makes) AS three_makes,
    SUM(points_in_paint_allowed) AS paint_points, COUNT(blocks_paint) AS block_games, SUM(blocks_paint) AS paint_blocks,
    SUM(blocks_mid_range) AS mid_blocks, SUM(blocks_three_pt) AS three_blocks,
    SUM(rating_hundredths) AS rating_hundredths, COUNT(rating_hundredths) AS rating_games,
    SUM(pace_tenths) AS pace_tenths, COUNT(pace_tenths) AS pace_games, SUM(points_allowed) AS points
  FROM recent
  WHERE age <= 15
  GROUP BY analysis_date, team_abbr
),
last_30_days AS (
  SELECT
    due_dates.game_date AS analysis_date, zoned.team_abbr,
    SUM(opp_paint_attempts) AS paint_attempts, SUM(opp_paint_makes) AS paint_makes,
    SUM(opp_mid_range_attempts) AS mid_attempts, SUM(opp_mid_range_makes) AS mid_makes,
    SUM(zoned_three_attempts) AS three_attempts, SUM(zoned_three_makes) AS three_makes
  FROM due_dates
  JOIN zoned
    ON zoned.season_year = due_dates.season_year AND zoned.game_date < due_dates.game_date
      AND DATE_DIFF(due_dates.game_date, zoned.game_date, DAY) <= 30
  GROUP BY due_dates.game_date, zoned.team_abbr
  HAVING COUNT(*) >= 10
),
-- percentages are kept in millionths: a sum of whole numbers is the same in whatever order it is taken
team_millionths AS (
  SELECT
    analysis_date,
    DIV(2000000 * paint_makes + paint_attempts, NULLIF(2 * paint_attempts, 0)) AS paint,
    DIV(2000000 * mid_makes + mid_attempts, NULLIF(2 * mid_attempts, 0)) AS mid,
    DIV(2000000 * three_makes + three_attempts, NULLIF(2 * three_attempts, 0)) AS three
  FROM last_30_days
),
league AS (
  SELECT
    analysis_date, COUNT(paint) AS teams,
    IF(COUNT(paint) >= 10, DIV(2 * SUM(paint) + COUNT(paint), NULLIF(2 * COUNT(paint), 0)), 580000) AS paint,
    IF(COUNT(mid) >= 10, DIV(2 * SUM(mid) + COUNT(mid), NULLIF(2 * COUNT(mid), 0)), 410000) AS mid,
    IF(COUNT(three) >= 10, DIV(2 * SUM(three) + COUNT(three), NULLIF(2 * COUNT(three), 0)), 355000) AS three
  FROM team_millionths
  GROUP BY analysis_date
),
compared AS (
  SELECT
    eligible.team_abbr, eligible.analysis_date, eligible.season_year, COALESCE(samples.games, 0) AS games,
    COALESCE(samples.zone_games, 0) AS zone_games, COALESCE(league.teams, 0) AS league_teams,
    samples.paint_attempts, samples.paint_makes, samples.mid_attempts, samples.mid_makes, samples.three_attempts,
    samples.three_makes, samples.paint_points, samples.block_games, samples.paint_blocks, samples.mid_blocks,
    samples.three_blocks, samples.rating_hundredths, samples.rating_games, samples.pace_tenths, samples.pace_games,
    samples.points,
    DIV(2000000 * paint_makes + paint_attempts, NULLIF(2 * paint_attempts, 0)) - COALESCE(league.paint, 580000) AS paint_gap,
    DIV(2000000 * mid_makes + mid_attempts, NULLIF(2 * mid_attempts, 0)) - COALESCE(league.mid, 410000) AS mid_gap,
    DIV(2000000 * three_makes + three_attempts, NULLIF(2 * three_attempts, 0)) - COALESCE(league.three, 355000) AS three_gap
  FROM eligible
  LEFT JOIN samples ON samples.analysis_date = eligible.analysis_date AND samples.team_abbr = eligible.team_abbr
  LEFT JOIN league ON league.analysis_date = eligible.analysis_date
),
measured AS (
  SELECT
    *,
    -- a zone nobody shot from is neither the strongest nor the weakest
    LEAST(COALESCE(paint_gap, 9000000), COALESCE(mid_gap, 9000000), COALESCE(three_gap, 9000000)) AS lowest_gap,
    GREATEST(COALESCE(paint_gap, -9000000), COALESCE(mid_gap, -9000000), COALESCE(three_gap, -9000000)) AS highest_gap
  FROM compared
),
final AS (
  SELECT
    team_abbr,
    analysis_date,
    season_year,
    -- the quotients are rounded in whole numbers, halves up: ROUND of a FLOAT64 differs between engines at a tie
    CAST(DIV(2000 * paint_makes + paint_attempts, NULLIF(2 * paint_attempts, 0)) / 1000 AS NUMERIC) AS paint_pct_allowed_last_15,
    CAST(DIV(2000 * mid_makes + mid_attempts, NULLIF(2 * mid_attempts, 0)) / 1000 AS NUMERIC) AS mid_range_pct_allowed_last_15,
    CAST(DIV(2000 * three_makes + three_attempts, NULLIF(2 * three_attempts, 0)) / 1000 AS NUMERIC)
      AS three_pt_pct_allowed_last_15,
    CAST(DIV(20 * paint_attempts + zone_games, NULLIF(2 * zone_games, 0)) / 10 AS NUMERIC) AS paint_attempts_allowed_per_game,
    CAST(DIV(20 * mid_attempts + zone_games, NULLIF(2 * zone_games, 0)) / 10 AS NUMERIC) AS mid_range_attempts_allowed_per_game,
    CAST(DIV(20 * three_attempts + zone_games, NULLIF(2 * zone_games, 0)) / 10 AS NUMERIC)
      AS three_pt_attempts_allowed_per_game,
    CAST(DIV(20 * paint_points + zone_games, NULLIF(2 * zone_games, 0)) / 10 AS NUMERIC) AS paint_points_allowed_per_game,
    CAST(DIV(20 * paint_blocks + block_games, NULLIF(2 * block_games, 0)) / 10 AS NUMERIC) AS paint_blocks_per_game,
    CAST(DIV(20 * mid_blocks + block_games, NULLIF(2 * block_games, 0)) / 10 AS NUMERIC) AS mid_range_blocks_per_game,
    CAST(DIV(20 * three_blocks + block_games, NULLIF(2 * block_games, 0)) / 10 AS NUMERIC) AS three_pt_blocks_per_game,
    CAST(SIGN(paint_gap) * DIV(ABS(paint_gap) + 50, 100) / 100 AS NUMERIC) AS paint_defense_vs_league_avg,
    CAST(SIGN(mid_gap) * DIV(ABS(mid_gap) + 50, 100) / 100 AS NUMERIC) AS mid_range_defense_vs_league_avg,
    CAST(SIGN(three_gap) * DIV(ABS(three_gap) + 50, 100) / 100 AS NUMERIC) AS three_pt_defense_vs_league_avg,
    CAST(DIV(2 * rating_hundredths + rating_games, NULLIF(2 * rating_games, 0)) / 100 AS NUMERIC) AS defensive_rating_last_15,
    CAST(DIV(20 * points + games, NULLIF(2 * games, 0)) / 10 AS NUMERIC) AS opponent_points_per_game,
    CAST(DIV(2 * pace_tenths + pace_games, NULLIF(2 * pace_games, 0)) / 10 AS NUMERIC) AS opponent_pace,
    games AS games_in_sample,
    zone_games AS games_with_zones,
    league_teams,
    CASE lowest_gap
      WHEN 9000000 THEN NULL
      WHEN paint_gap THEN 'paint'
      WHEN mid_gap THEN 'mid_range'
      ELSE 'perimeter'
    END AS strongest_zone,
    CASE highest_gap
      WHEN -9000000 THEN NULL
      WHEN paint_gap THEN 'paint'
      WHEN mid_gap THEN 'mid_range'
      ELSE 'perimeter'
    END AS weakest_zone,
    CASE WHEN games >= 15 THEN 'high' WHEN games >= 10 THEN 'medium' ELSE 'low' END AS data_quality_tier,
    CASE WHEN games >= 15 AND zone_games >= 15 THEN 'gold' WHEN games >= 10 AND zone_games >= 5 THEN 'silver' ELSE 'bronze' END
      AS quality_tier,
    CAST(CASE WHEN games >= 15 AND zone_games >= 15 THEN 100 WHEN games >= 10 AND zone_games >= 5 THEN 85 ELSE 60 END AS NUMERIC)
      AS quality_score,
    ARRAY_CONCAT(
      IF(games >= 15, [], [CONCAT('missing_games:', CAST(games AS STRING), '/15')]),
      IF(zone_games >= games, [], [CONCAT('missing_shot_zones:', CAST(zone_games AS STRING), '/', CAST(games AS STRING))])
    ) AS quality_issues
  FROM measured
)
SELECT final.*, SUBSTR(TO_HEX(SHA256(TO_JSON_STRING(final))), 1, 16) AS data_hash, CURRENT_TIMESTAMP() AS processed_at
FROM final;
