CREATE TABLE IF NOT EXISTS nba_precompute.player_daily_cache (
  player_lookup               STRING NOT NULL OPTIONS(description="Player's key"),
  universal_player_id         STRING NOT NULL OPTIONS(description="Registry id; the player's key where no registry is read"),
  cache_date                  DATE NOT NULL OPTIONS(description="Day that is prepared, US/Eastern; every figure looks at games strictly before it"),
  team_abbr                   STRING NOT NULL OPTIONS(description="Player's team on that day"),
  season_year                 INT64 NOT NULL OPTIONS(description="Calendar year in which the season starts"),
  points_avg_last_5           NUMERIC(5, 1) OPTIONS(description="Mean points of the last 5 games of the season"),
  points_avg_last_10          NUMERIC(5, 1) OPTIONS(description="Mean points of the last 10 games"),
  points_avg_season           NUMERIC(5, 1) OPTIONS(description="Mean points of the season so far"),
  points_std_last_10          NUMERIC(5, 2) OPTIONS(description="Sample standard deviation of the points of the last 10 games"),
  minutes_avg_last_10         NUMERIC(5, 1) OPTIONS(description="Mean minutes of the last 10 games, games of unknown length left out"),
  usage_rate_last_10          NUMERIC(6, 2) OPTIONS(description="Mean usage rate of the last 10 games, percent"),
  ts_pct_last_10              NUMERIC(5, 3) OPTIONS(description="Mean true shooting of the last 10 games, fraction; games without a shot left out"),
  games_played_season         INT64 NOT NULL OPTIONS(description="The player's games of the season before this date"),
  player_usage_rate_season    NUMERIC(6, 2) OPTIONS(description="Mean usage rate of the season so far, percent"),
  team_pace_last_10           NUMERIC(5, 1) OPTIONS(description="Mean pace of the team's last 10 games of the season, possessions per 48 minutes"),
  team_off_rating_last_10     NUMERIC(6, 2) OPTIONS(description="Mean points per 100 possessions of the team's last 10 games of the season"),
  games_in_last_7_days        INT64 NOT NULL OPTIONS(description="The player's games with game_date >= D - 7 and < D"),
  games_in_last_14_days       INT64 NOT NULL OPTIONS(description="The player's games with game_date >= D - 14 and < D"),
  minutes_in_last_7_days      NUMERIC(6, 1) OPTIONS(description="Minutes in these games"),
  minutes_in_last_14_days     NUMERIC(6, 1) OPTIONS(description="Minutes in these games"),
  back_to_backs_last_14_days  INT64 NOT NULL OPTIONS(description="Pairs of games on consecutive days, both in the last 14 days"),
  avg_minutes_per_game_last_7 NUMERIC(5, 1) OPTIONS(description="minutes_in_last_7_days per game"),
  primary_scoring_zone        STRING OPTIONS(description="As in player_shot_zone_analysis of the same date"),
  paint_rate_last_10          NUMERIC(5, 2) OPTIONS(description="The same, percent"),
  three_pt_rate_last_10       NUMERIC(5, 2) OPTIONS(description="The same, percent"),
  assisted_rate_last_10       NUMERIC(5, 2) OPTIONS(description="The same, percent"),
  shot_zone_data_available    BOOL NOT NULL OPTIONS(description="player_shot_zone_analysis knows the player's shots on this date"),
  early_season_flag           BOOL NOT NULL OPTIONS(description="Fewer than 10 games of the season: the last 10 are fewer"),
  quality_tier                STRING OPTIONS(description="gold, silver, bronze: how good the row's sources are"),
  quality_score               NUMERIC(5, 2) OPTIONS(description="0 to 100: how good the row's sources are"),
  quality_issues              ARRAY<STRING> OPTIONS(description="What the row had to do without"),
  data_hash                   STRING NOT NULL OPTIONS(description="First 16 hex digits of SHA-256 over the row's business columns as JSON"),
  processed_at                TIMESTAMP NOT NULL OPTIONS(description="When the row was computed; in no hash"),
  PRIMARY KEY (cache_date, player_lookup) NOT ENFORCED
)
PARTITION BY cache_date
CLUSTER BY player_lookup, universal_player_id
OPTIONS(description="A player's form before a date: windows over his games of the season", require_partition_filter=TRUE);

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
  SELECT
    game_date, game_id, player_lookup, universal_player_id, team_abbr, season_year, games_played_season,
    games_in_last_7_days, games_in_last_14_days, minutes_in_last_7_days, minutes_in_last_14_days,
    back_to_backs_last_14_days, avg_minutes_per_game_last_7
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
    game_date, season_year, player_lookup, points, CAST(10 * minutes_played AS INT64) AS minute_tenths,
    CAST(100 * usage_rate AS INT64) AS usage_hundredths, CAST(1000 * ts_pct AS INT64) AS shooting_thousandths,
    -- 1 for the player's first game of the season
    ROW_NUMBER() OVER (PARTITION BY season_year, player_lookup ORDER BY game_date) AS number
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @history_from AND @last
),
entering AS (
  SELECT
    players.game_date AS cache_date, players.season_year, players.player_lookup, MAX(history.number) AS games,
    SUM(history.points) AS points_season, COUNT(history.points) AS games_season,
    SUM(history.usage_hundredths) AS usage_season, COUNT(history.usage_hundredths) AS usage_games_season
  FROM players
  JOIN history
    ON history.player_lookup = players.player_lookup AND history.season_year = players.season_year
      AND history.game_date < players.game_date
  GROUP BY players.game_date, players.season_year, players.player_lookup
),
-- the last 10 games; the newest has age 1
recent AS (
  SELECT entering.cache_date, 1 + entering.games - history.number AS age, history.*
  FROM entering
  JOIN history
    ON history.player_lookup = entering.player_lookup AND history.season_year = entering.season_year
      AND history.game_date < entering.cache_date AND history.number > entering.games - 10
),
form AS (
  SELECT
    cache_date, player_lookup,
    SUM(IF(age <= 5, points, NULL)) AS points_5, COUNT(IF(age <= 5, points, NULL)) AS games_5,
    SUM(points) AS points_10, COUNT(points) AS games_10, SUM(points * points) AS squares_10,
    SUM(minute_tenths) AS minute_tenths_10, COUNT(minute_tenths) AS minute_games_10,
    SUM(usage_hundredths) AS usage_10, COUNT(usage_hundredths) AS usage_games_10,
    SUM(shooting_thousandths) AS shooting_10, COUNT(shooting_thousandths) AS shooting_games_10
  FROM recent
  GROUP BY cache_date, player_lookup
),
team_history AS (
  SELECT
    game_date, season_year, team_abbr, CAST(10 * pace AS INT64) AS pace_tenths,
    CAST(100 * offensive_rating AS INT64) AS rating_hundredths
  FROM nba_analytics.team_offense_game_summary
  WHERE game_date BETWEEN @history_from AND @last
),
teams AS (
  SELECT DISTINCT game_date, season_year, team_abbr FROM players
),
team_past AS (
  SELECT
    teams.game_date AS cache_date, team_history.*,
    ROW_NUMBER() OVER (PARTITION BY teams.game_date, teams.team_abbr ORDER BY team_history.game_date DESC) AS age
  FROM teams
  JOIN team_history
    ON team_history.team_abbr = teams.team_abbr AND team_history.season_year = teams.season_year
      AND team_history.game_date < teams.game_date
),
team_form AS (
  SELECT
    cache_date, team_abbr, SUM(pace_tenths) AS pace_tenths, COUNT(pace_tenths) AS pace_games,
    SUM(rating_hundredths) AS rating_hundredths, COUNT(rating_hundredths) AS rating_games
  FROM team_past
  WHERE age <= 10
  GROUP BY cache_date, team_abbr
),
shot_zones AS (
  SELECT
    analysis_date, player_lookup, primary_scoring_zone, paint_rate_last_10, three_pt_rate_last_10, assisted_rate_last_10
  FROM nba_precompute.player_shot_zone_analysis
  WHERE analysis_date BETWEEN @first AND @last AND analysis_date IN UNNEST(@dates)
),
measured AS (
  SELECT
    players.*, form.points_5, form.games_5, form.points_10, form.games_10, form.squares_10, entering.points_season,
    entering.games_season, form.minute_tenths_10, form.minute_games_10, form.usage_10, form.usage_games_10,
    entering.usage_season, entering.usage_games_season, form.shooting_10, form.shooting_games_10,
    team_form.pace_tenths, team_form.pace_games, team_form.rating_hundredths, team_form.rating_games,
    shot_zones.primary_scoring_zone, shot_zones.paint_rate_last_10, shot_zones.three_pt_rate_last_10,
    shot_zones.assisted_rate_last_10
  FROM players
  LEFT JOIN entering ON entering.cache_date = players.game_date AND entering.player_lookup = players.player_lookup
  LEFT JOIN form ON form.cache_date = players.game_date AND form.player_lookup = players.player_lookup
  LEFT JOIN team_form ON team_form.cache_date = players.game_date AND team_form.team_abbr = players.team_abbr
  LEFT JOIN shot_zones
    ON shot_zones.analysis_date = players.game_date AND shot_zones.player_lookup = players.player_lookup
),
final AS (
  SELECT
    player_lookup,
    universal_player_id,
    game_date AS cache_date,
    team_abbr,
    season_year,
    -- the quotients are rounded in whole numbers, halves up: ROUND of a FLOAT64 differs between engines at a tie
    CAST(DIV(20 * points_5 + games_5, NULLIF(2 * games_5, 0)) / 10 AS NUMERIC) AS points_avg_last_5,
    CAST(DIV(20 * points_10 + games_10, NULLIF(2 * games_10, 0)) / 10 AS NUMERIC) AS points_avg_last_10,
    CAST(DIV(20 * points_season + games_season, NULLIF(2 * games_season, 0)) / 10 AS NUMERIC) AS points_avg_season,
    -- no tie here: the square of an odd number of two-hundredths is no multiple of 1 / (n (n - 1)) for n up to 10
    CAST(ROUND(100 * SQRT((games_10 * squares_10 - points_10 * points_10) / NULLIF(games_10 * (games_10 - 1), 0))) / 100 AS NUMERIC)
      AS points_std_last_10,
    CAST(DIV(2 * minute_tenths_10 + minute_games_10, NULLIF(2 * minute_games_10, 0)) / 10 AS NUMERIC) AS minutes_avg_last_10,
    CAST(DIV(2 * usage_10 + usage_games_10, NULLIF(2 * usage_games_10, 0)) / 100 AS NUMERIC) AS usage_rate_last_10,
    CAST(DIV(2 * shooting_10 + shooting_games_10, NULLIF(2 * shooting_games_10, 0)) / 1000 AS NUMERIC) AS ts_pct_last_10,
    games_played_season,
    CAST(DIV(2 * usage_season + usage_games_season, NULLIF(2 * usage_games_season, 0)) / 100 AS NUMERIC)
      AS player_usage_rate_season,
    CAST(DIV(2 * pace_tenths + pace_games, NULLIF(2 * pace_games, 0)) / 10 AS NUMERIC) AS team_pace_last_10,
    CAST(DIV(2 * rating_hundredths + rating_games, NULLIF(2 * rating_games, 0)) / 100 AS NUMERIC) AS team_off_rating_last_10,
    games_in_last_7_days,
    games_in_last_14_days,
    minutes_in_last_7_days,
    minutes_in_last_14_days,
    back_to_backs_last_14_days,
    avg_minutes_per_game_last_7,
    primary_scoring_zone,
    paint_rate_last_10,
    three_pt_rate_last_10,
    assisted_rate_last_10,
    primary_scoring_zone IS NOT NULL AS shot_zone_data_available,
    games_played_season < 10 AS early_season_flag,
    CASE
      WHEN games_played_season >= 10 AND primary_scoring_zone IS NOT NULL THEN 'gold'
      WHEN games_played_season >= 10 THEN 'silver'
      ELSE 'bronze'
    END AS quality_tier,
    CAST(
      CASE
        WHEN games_played_season >= 10 AND primary_scoring_zone IS NOT NULL THEN 100
        WHEN games_played_season >= 10 THEN 85
        ELSE 60
      END AS NUMERIC
    ) AS quality_score,
    ARRAY_CONCAT(
      IF(games_played_season >= 10, [], [CONCAT('thin_sample:', CAST(games_played_season AS STRING), '/10')]),
      IF(primary_scoring_zone IS NULL, ['missing_shot_zones'], [])
    ) AS quality_issues
  FROM measured
)
SELECT final.*, SUBSTR(TO_HEX(SHA256(TO_JSON_STRING(final))), 1, 16) AS data_hash, CURRENT_TIMESTAMP() AS processed_at
FROM final;
