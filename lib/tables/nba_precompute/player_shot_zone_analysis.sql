CREATE TABLE IF NOT EXISTS nba_precompute.player_shot_zone_analysis (
  player_lookup               STRING NOT NULL OPTIONS(description="Player's key"),
  universal_player_id         STRING NOT NULL OPTIONS(description="Registry id; the player's key where no registry is read"),
  analysis_date               DATE NOT NULL OPTIONS(description="Day that is prepared, US/Eastern; every figure looks at games strictly before it"),
  season_year                 INT64 NOT NULL OPTIONS(description="Calendar year in which the season starts"),
  paint_rate_last_10          NUMERIC(5, 2) OPTIONS(description="Share of paint shots in the shots of games_in_sample_10, percent; the three rates add up to 100; NULL without shots"),
  mid_range_rate_last_10      NUMERIC(5, 2) OPTIONS(description="Share of mid-range shots, percent"),
  three_pt_rate_last_10       NUMERIC(5, 2) OPTIONS(description="Share of three-pointers, percent"),
  total_shots_last_10         INT64 NOT NULL OPTIONS(description="Shots of the three zones in games_in_sample_10"),
  games_in_sample_10          INT64 NOT NULL OPTIONS(description="Those of the player's last 10 games of the season that have shot zones: all figures count only these"),
  sample_quality_10           STRING NOT NULL OPTIONS(description="excellent (all 10), good from 7, limited from 5, insufficient"),
  paint_pct_last_10           NUMERIC(5, 3) OPTIONS(description="Paint makes per attempt, fraction; NULL without attempts"),
  mid_range_pct_last_10       NUMERIC(5, 3) OPTIONS(description="Mid-range makes per attempt, fraction"),
  three_pt_pct_last_10        NUMERIC(5, 3) OPTIONS(description="Three-point makes per attempt, fraction"),
  paint_attempts_per_game     NUMERIC(4, 1) OPTIONS(description="Paint attempts per game of games_in_sample_10"),
  mid_range_attempts_per_game NUMERIC(4, 1) OPTIONS(description="Mid-range attempts per game"),
  three_pt_attempts_per_game  NUMERIC(4, 1) OPTIONS(description="Three-point attempts per game"),
  paint_rate_last_20          NUMERIC(5, 2) OPTIONS(description="Share of paint shots over the last 20 games, percent; NULL below 15 games with shot zones"),
  paint_pct_last_20           NUMERIC(5, 3) OPTIONS(description="Paint makes per attempt over the last 20 games, fraction; NULL below 15 games with shot zones"),
  games_in_sample_20          INT64 NOT NULL OPTIONS(description="Those of the last 20 games that have shot zones"),
  sample_quality_20           STRING NOT NULL OPTIONS(description="excellent (all 20), good from 14, limited from 10, insufficient"),
  assisted_rate_last_10       NUMERIC(5, 2) OPTIONS(description="Share of assisted field goals in those made in games whose source names the passer, percent; NULL without any"),
  unassisted_rate_last_10     NUMERIC(5, 2) OPTIONS(description="100 minus the assisted share, percent"),
  primary_scoring_zone        STRING OPTIONS(description="paint from 40 percent, else perimeter from 40, else mid_range from 35, else balanced; NULL without shots"),
  data_quality_tier           STRING NOT NULL OPTIONS(description="high with 10 games in the sample, medium from 7, else low"),
  quality_tier                STRING OPTIONS(description="gold, silver, bronze: how good the row's sources are"),
  quality_score               NUMERIC(5, 2) OPTIONS(description="0 to 100: how good the row's sources are"),
  quality_issues              ARRAY<STRING> OPTIONS(description="What the row had to do without"),
  data_hash                   STRING NOT NULL OPTIONS(description="First 16 hex digits of SHA-256 over the row's business columns as JSON"),
  processed_at                TIMESTAMP NOT NULL OPTIONS(description="When the row was computed; in no hash"),
  PRIMARY KEY (analysis_date, player_lookup) NOT ENFORCED
)
PARTITION BY analysis_date
CLUSTER BY player_lookup, universal_player_id, analysis_date
OPTIONS(description="Where a player shoots from before a date: his last 10 and 20 games of the season", require_partition_filter=TRUE);

WITH due AS (
  SELECT game_id, game_date, home_team_tricode, away_team_tricode, game_status, processed_at
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, game_date ORDER BY processed_at DESC, game_status DESC) = 1
),
due_games AS (
  SELECT
    game_date, CONCAT(FORMAT_DATE('%Y%m%d', game_date), '_', away_team_tricode, '_', home_team_tricode) AS game_id
  FROM due
  WHERE game_status = 3 AND SUBSTR(game_id, 1, 3) IN ('002', '004', '005', '006')
    AND DATE_DIFF(game_date, @history_from, DAY) >= @bootstrap_days
),
upcoming AS (
  SELECT game_date, game_id, player_lookup, universal_player_id, season_year, games_played_season
  FROM nba_analytics.upcoming_player_game_context
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
),
-- a date with a game nobody is known of is not prepared at all
whole_dates AS (
  SELECT due_games.game_date
  FROM due_games
  LEFT JOIN (SELECT DISTINCT game_id FROM upcoming) AS known ON known.game_id = due_games.game_id
  GROUP BY due_games.game_date
  HAVING COUNT(*) = COUNT(known.game_id)
),
players AS (
  SELECT upcoming.*
  FROM upcoming
  JOIN whole_dates ON whole_dates.game_date = upcoming.game_date
  WHERE upcoming.games_played_season >= @minimum_games
),
history AS (
  SELECT
    game_date, season_year, player_lookup, shot_zones_available, paint_attempts, paint_makes, mid_range_attempts,
    mid_range_makes, three_pt_attempts, three_pt_makes, assisted_fg_makes, unassisted_fg_makes,
    -- 1 for the player's first game of the season
    ROW_NUMBER() OVER (PARTITION BY season_year, player_lookup ORDER BY game_date) AS number
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @history_from AND @last
),
entering AS (
  SELECT players.game_date AS analysis_date, players.season_year, players.player_lookup, MAX(history.number) AS games
  FROM players
  JOIN history
    ON history.player_lookup = players.player_lookup AND history.season_year = players.season_year
      AND history.game_date < players.game_date
  GROUP BY players.game_date, players.season_year, players.player_lookup
),
-- the last 20 games; the newest has age 1
recent AS (
  SELECT entering.analysis_date, 1 + entering.games - history.number AS age, history.*
  FROM entering
  JOIN history
    ON history.player_lookup = entering.player_lookup AND history.season_year = entering.season_year
      AND history.game_date < entering.analysis_date AND history.number > entering.games - 20
),
-- threes are known of every game; where the other zones are not, they would weigh too much
samples AS (
  SELECT
    analysis_date, player_lookup,
    COUNTIF(age <= 10 AND shot_zones_available) AS games_10, COUNTIF(shot_zones_available) AS games_20,
    SUM(IF(age <= 10 AND shot_zones_available, paint_attempts, 0)) AS paint_attempts,
    SUM(IF(age <= 10 AND shot_zones_available, paint_makes, 0)) AS paint_makes,
    SUM(IF(age <= 10 AND shot_zones_available, mid_range_attempts, 0)) AS mid_attempts,
    SUM(IF(age <= 10 AND shot_zones_available, mid_range_makes, 0)) AS mid_makes,
    SUM(IF(age <= 10 AND shot_zones_available, COALESCE(three_pt_attempts, 0), 0)) AS three_attempts,
    SUM(IF(age <= 10 AND shot_zones_available, COALESCE(three_pt_makes, 0), 0)) AS three_makes,
    SUM(IF(shot_zones_available, paint_attempts, 0)) AS paint_attempts_20,
    SUM(IF(shot_zones_available, paint_makes, 0)) AS paint_makes_20,
    SUM(IF(shot_zones_available, paint_attempts + mid_range_attempts + COALESCE(three_pt_attempts, 0), 0)) AS shots_20,
    SUM(IF(age <= 10, assisted_fg_makes, NULL)) AS assisted, SUM(IF(age <= 10, unassisted_fg_makes, NULL)) AS unassisted
  FROM recent
  GROUP BY analysis_date, player_lookup
),
measured AS (
  SELECT
    players.player_lookup, players.universal_player_id, players.game_date AS analysis_date, players.season_year,
    COALESCE(samples.games_10, 0) AS games_10, COALESCE(samples.games_20, 0) AS games_20,
    samples.paint_attempts, samples.paint_makes, samples.mid_attempts, samples.mid_makes, samples.three_attempts,
    samples.three_makes, samples.paint_attempts_20, samples.paint_makes_20, samples.shots_20, samples.assisted,
    samples.assisted + samples.unassisted AS makes,
    COALESCE(samples.paint_attempts + samples.mid_attempts + samples.three_attempts, 0) AS shots
  FROM players
  LEFT JOIN samples ON samples.analysis_date = players.game_date AND samples.player_lookup = players.player_lookup
),
final AS (
  SELECT
    player_lookup,
    universal_player_id,
    analysis_date,
    season_year,
    -- the quotients are rounded in whole numbers, halves up: ROUND of a FLOAT64 differs between engines at a tie
    CAST(DIV(20000 * paint_attempts + shots, NULLIF(2 * shots, 0)) / 100 AS NUMERIC) AS paint_rate_last_10,
    CAST(DIV(20000 * mid_attempts + shots, NULLIF(2 * shots, 0)) / 100 AS NUMERIC) AS mid_range_rate_last_10,
    CAST(DIV(20000 * three_attempts + shots, NULLIF(2 * shots, 0)) / 100 AS NUMERIC) AS three_pt_rate_last_10,
    shots AS total_shots_last_10,
    games_10 AS games_in_sample_10,
    CASE WHEN games_10 >= 10 THEN 'excellent' WHEN games_10 >= 7 THEN 'good' WHEN games_10 >= 5 THEN 'limited' ELSE 'insufficient' END
      AS sample_quality_10,
    CAST(DIV(2000 * paint_makes + paint_attempts, NULLIF(2 * paint_attempts, 0)) / 1000 AS NUMERIC) AS paint_pct_last_10,
    CAST(DIV(2000 * mid_makes + mid_attempts, NULLIF(2 * mid_attempts, 0)) / 1000 AS NUMERIC) AS mid_range_pct_last_10,
    CAST(DIV(2000 * three_makes + three_attempts, NULLIF(2 * three_attempts, 0)) / 1000 AS NUMERIC) AS three_pt_pct_last_10,
    CAST(DIV(20 * paint_attempts + games_10, NULLIF(2 * games_10, 0)) / 10 AS NUMERIC) AS paint_attempts_per_game,
    CAST(DIV(20 * mid_attempts + games_10, NULLIF(2 * games_10, 0)) / 10 AS NUMERIC) AS mid_range_attempts_per_game,
    CAST(DIV(20 * three_attempts + games_10, NULLIF(2 * games_10, 0)) / 10 AS NUMERIC) AS three_pt_attempts_per_game,
    IF(games_20 >= 15, CAST(DIV(20000 * paint_attempts_20 + shots_20, NULLIF(2 * shots_20, 0)) / 100 AS NUMERIC), NULL)
      AS paint_rate_last_20,
    IF(games_20 >= 15, CAST(DIV(2000 * paint_makes_20 + paint_attempts_20, NULLIF(2 * paint_attempts_20, 0)) / 1000 AS NUMERIC), NULL)
      AS paint_pct_last_20,
    games_20 AS games_in_sample_20,
    CASE WHEN games_20 >= 20 THEN 'excellent' WHEN games_20 >= 14 THEN 'good' WHEN games_20 >= 10 THEN 'limited' ELSE 'insufficient' END
      AS sample_quality_20,
    CAST(DIV(20000 * assisted + makes, NULLIF(2 * makes, 0)) / 100 AS NUMERIC) AS assisted_rate_last_10,
    CAST((10000 - DIV(20000 * assisted + makes, NULLIF(2 * makes, 0))) / 100 AS NUMERIC) AS unassisted_rate_last_10,
    CASE
      WHEN shots = 0 THEN NULL
      WHEN 100 * paint_attempts >= 40 * shots THEN 'paint'
      WHEN 100 * three_attempts >= 40 * shots THEN 'perimeter'
      WHEN 100 * mid_attempts >= 35 * shots THEN 'mid_range'
      ELSE 'balanced'
    END AS primary_scoring_zone,
    CASE WHEN games_10 >= 10 THEN 'high' WHEN games_10 >= 7 THEN 'medium' ELSE 'low' END AS data_quality_tier,
    CASE WHEN games_10 >= 10 THEN 'gold' WHEN games_10 >= 5 THEN 'silver' ELSE 'bronze' END AS quality_tier,
    CAST(CASE WHEN games_10 >= 10 THEN 100 WHEN games_10 >= 5 THEN 85 ELSE 60 END AS NUMERIC) AS quality_score,
    ARRAY_CONCAT(
      IF(games_10 >= 10, [], [CONCAT('missing_shot_zones:', CAST(games_10 AS STRING), '/10')]),
      IF(makes IS NULL, ['missing_assists'], [])
    ) AS quality_issues
  FROM measured
)
SELECT final.*, SUBSTR(TO_HEX(SHA256(TO_JSON_STRING(final))), 1, 16) AS data_hash, CURRENT_TIMESTAMP() AS processed_at
FROM final;
