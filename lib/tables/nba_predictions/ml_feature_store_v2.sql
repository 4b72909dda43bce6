CREATE TABLE IF NOT EXISTS nba_predictions.ml_feature_store_v2 (
  player_lookup               STRING NOT NULL OPTIONS(description="Player's key"),
  universal_player_id         STRING NOT NULL OPTIONS(description="Registry id; the player's key where no registry is read"),
  game_date                   DATE NOT NULL OPTIONS(description="Day that is prepared, US/Eastern; every feature looks at games strictly before it"),
  game_id                     STRING NOT NULL OPTIONS(description="Canonical game id, YYYYMMDD_AWAY_HOME"),
  season_year                 INT64 NOT NULL OPTIONS(description="Calendar year in which the season starts"),
  team_abbr                   STRING NOT NULL OPTIONS(description="Player's team"),
  opponent_team_abbr          STRING NOT NULL OPTIONS(description="Opponent's tricode"),
  has_prop_line               BOOL NOT NULL OPTIONS(description="A points line exists"),
  current_points_line         NUMERIC(4, 1) OPTIONS(description="Points line, last snapshot; no feature, a baseline to be measured against"),
  features                    ARRAY<FLOAT64> OPTIONS(description="The 25 features of v1_baseline_25, in the order of feature_names"),
  feature_names               ARRAY<STRING> OPTIONS(description="Their names"),
  feature_count               INT64 NOT NULL OPTIONS(description="25"),
  feature_version             STRING NOT NULL OPTIONS(description="v1_baseline_25"),
  feature_quality_score       NUMERIC(5, 2) NOT NULL OPTIONS(description="Mean over the 25: 100 for one from Phase 4 or calculated here, 75 from Phase 3 (home_away, back_to_back, playoff_game), 40 for a default"),
  data_source                 STRING NOT NULL OPTIONS(description="phase4: all 16 features of Phase 4 are known; phase4_partial: at least 8; mixed: fewer"),
  default_features            ARRAY<STRING> OPTIONS(description="Names of those of the 25 and the 21 training features that are defaults because nothing is known"),
  points_avg_last_5           NUMERIC(5, 1) NOT NULL OPTIONS(description="Training feature 0: mean points of the last 5 games; default 10.0"),
  points_avg_last_10          NUMERIC(5, 1) NOT NULL OPTIONS(description="Training feature 1: mean points of the last 10 games; default 10.0"),
  points_avg_season           NUMERIC(5, 1) NOT NULL OPTIONS(description="Training feature 2: mean points of the season so far; default 10.0"),
  points_std_last_10          NUMERIC(5, 2) NOT NULL OPTIONS(description="Training feature 3: sample standard deviation of the points of the last 10 games; default 5.0"),
  minutes_avg_last_10         NUMERIC(5, 1) NOT NULL OPTIONS(description="Training feature 4: mean minutes of the last 10 games; default 0"),
  fatigue_score               INT64 NOT NULL OPTIONS(description="Training feature 5: 100 rested, 0 worn out; default 50"),
  shot_zone_mismatch_score    NUMERIC(4, 1) NOT NULL OPTIONS(description="Training feature 6: -10 to 10; default 0"),
  pace_score                  NUMERIC(3, 1) NOT NULL OPTIONS(description="Training feature 7: -3 to 3; default 0"),
  usage_spike_score           NUMERIC(3, 1) NOT NULL OPTIONS(description="Training feature 8: -3 to 3; default 0"),
  opponent_def_rating_last_15 NUMERIC(6, 2) NOT NULL OPTIONS(description="Training feature 9: the opponent's defensive rating of its last 15 games; default 112.0"),
  opponent_pace_last_15       NUMERIC(5, 1) NOT NULL OPTIONS(description="Training feature 10: pace of its opponents in these games; default 100.0"),
  is_home                     BOOL NOT NULL OPTIONS(description="Training feature 11: plays at home"),
  days_rest                   INT64 NOT NULL OPTIONS(description="Training feature 12: full days between the last game and this one; default 2"),
  back_to_back                BOOL NOT NULL OPTIONS(description="Training feature 13: played on the previous calendar day"),
  paint_rate_last_10          NUMERIC(5, 2) NOT NULL OPTIONS(description="Training feature 14: share of paint shots, percent; default 30"),
  mid_range_rate_last_10      NUMERIC(5, 2) NOT NULL OPTIONS(description="Training feature 15: share of mid-range shots, percent; default 20"),
  three_pt_rate_last_10       NUMERIC(5, 2) NOT NULL OPTIONS(description="Training feature 16: share of three-pointers, percent; default 30"),
  assisted_rate_last_10       NUMERIC(5, 2) NOT NULL OPTIONS(description="Training feature 17: share of assisted field goals, percent; default 60"),
  team_pace_last_10           NUMERIC(5, 1) NOT NULL OPTIONS(description="Training feature 18: mean pace of the team's last 10 games; default 100.0"),
  team_off_rating_last_10     NUMERIC(6, 2) NOT NULL OPTIONS(description="Training feature 19: mean offensive rating of the team's last 10 games; default 112.0"),
  usage_rate_last_10          NUMERIC(6, 2) NOT NULL OPTIONS(description="Training feature 20: mean usage rate of the last 10 games, percent; default 25"),
  quality_tier                STRING OPTIONS(description="gold from a feature_quality_score of 95, silver from 70, else bronze"),
  quality_issues              ARRAY<STRING> OPTIONS(description="What the row had to do without"),
  data_hash                   STRING NOT NULL OPTIONS(description="First 16 hex digits of SHA-256 over the row's business columns as JSON"),
  processed_at                TIMESTAMP NOT NULL OPTIONS(description="When the row was computed; in no hash"),
  PRIMARY KEY (game_date, player_lookup) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY player_lookup, feature_version, game_date
OPTIONS(description="What a model is told of a player before a game", require_partition_filter=TRUE);

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
    game_date, game_id, player_lookup, universal_player_id, team_abbr, opponent_team_abbr, season_year, home_game,
    has_prop_line, current_points_line, days_rest, opponent_days_rest, back_to_back, games_played_season, season_phase,
    player_status
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
cache AS (
  SELECT
    cache_date, player_lookup, points_avg_last_5, points_avg_last_10, points_avg_season, points_std_last_10,
    minutes_avg_last_10, usage_rate_last_10, games_in_last_7_days, team_pace_last_10, team_off_rating_last_10
  FROM nba_precompute.player_daily_cache
  WHERE cache_date BETWEEN @first AND @last AND cache_date IN UNNEST(@dates)
),
factors AS (
  SELECT
    game_date, player_lookup, fatigue_score,
    -- a score that had nothing to go by is 0 in its table and unknown here
    IF(player_zone IS NULL OR opponent_zone_defense IS NULL, NULL, shot_zone_mismatch_score) AS shot_zone_mismatch_score,
    IF(pace_differential IS NULL, NULL, pace_score) AS pace_score,
    IF(projected_usage_rate IS NULL OR avg_usage_rate_last_7_games IS NULL, NULL, usage_spike_score) AS usage_spike_score
  FROM nba_precompute.player_composite_factors
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
),
shot_zones AS (
  SELECT
    analysis_date, player_lookup, paint_rate_last_10, mid_range_rate_last_10, three_pt_rate_last_10, assisted_rate_last_10
  FROM nba_precompute.player_shot_zone_analysis
  WHERE analysis_date BETWEEN @first AND @last AND analysis_date IN UNNEST(@dates)
),
defences AS (
  SELECT analysis_date, team_abbr, defensive_rating_last_15, opponent_pace
  FROM nba_precompute.team_defense_zone_analysis
  WHERE analysis_date BETWEEN @first AND @last AND analysis_date IN UNNEST(@dates)
),
history AS (
  SELECT
    game_date, season_year, player_lookup, points, ft_makes, CAST(10 * minutes_played AS INT64) AS minute_tenths,
    -- 1 for the player's first game of the season
    ROW_NUMBER() OVER (PARTITION BY season_year, player_lookup ORDER BY game_date) AS number
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @history_from AND @last
),
entering AS (
  SELECT
    players.game_date AS due_date, players.season_year, players.player_lookup, MAX(history.number) AS games,
    SUM(history.minute_tenths) AS minute_tenths_season, COUNT(history.minute_tenths) AS minute_games_season
  FROM players
  JOIN history
    ON history.player_lookup = players.player_lookup AND history.season_year = players.season_year
      AND history.game_date < players.game_date
  GROUP BY players.game_date, players.season_year, players.player_lookup
),
-- the last 10 games; the newest has age 1
recent AS (
  SELECT entering.due_date, 1 + entering.games - history.number AS age, history.*
  FROM entering
  JOIN history
    ON history.player_lookup = entering.player_lookup AND history.season_year = entering.season_year
      AND history.game_date < entering.due_date AND history.number > entering.games - 10
),
form AS (
  SELECT
    due_date, player_lookup,
    COUNT(IF(age <= 5, points, NULL)) AS games_5, SUM(IF(age <= 2, points, 0)) AS newest_points,
    SUM(IF(age > 2 AND age <= 5, points, 0)) AS older_points,
    COUNT(points) AS games_10, SUM(points) AS points_10, SUM(ft_makes) AS free_throws_10,
    SUM(minute_tenths) AS minute_tenths_10, COUNT(minute_tenths) AS minute_games_10
  FROM recent
  GROUP BY due_date, player_lookup
),
team_history AS (
  SELECT game_date, season_year, team_abbr, win_flag
  FROM nba_analytics.team_offense_game_summary
  WHERE game_date BETWEEN @history_from AND @last
),
teams AS (
  SELECT DISTINCT game_date, season_year, team_abbr FROM players
),
records AS (
  SELECT teams.game_date, teams.team_abbr, COUNT(*) AS games, COUNTIF(team_history.win_flag) AS wins
  FROM teams
  JOIN team_history
    ON team_history.team_abbr = teams.team_abbr AND team_history.season_year = teams.season_year
      AND team_history.game_date < teams.game_date
  GROUP BY teams.game_date, teams.team_abbr
),
joined AS (
  SELECT
    players.*, cache.points_avg_last_5, cache.points_avg_last_10, cache.points_avg_season, cache.points_std_last_10,
    cache.minutes_avg_last_10, cache.usage_rate_last_10, cache.games_in_last_7_days, cache.team_pace_last_10,
    cache.team_off_rating_last_10, factors.fatigue_score, factors.shot_zone_mismatch_score, factors.pace_score,
    factors.usage_spike_score, shot_zones.paint_rate_last_10, shot_zones.mid_range_rate_last_10,
    shot_zones.three_pt_rate_last_10, shot_zones.assisted_rate_last_10, defences.defensive_rating_last_15,
    defences.opponent_pace, form.games_5, form.newest_points, form.older_points, form.games_10, form.points_10,
    form.free_throws_10, form.minute_tenths_10 * entering.minute_games_season AS minutes_now,
    entering.minute_tenths_season * form.minute_games_10 AS minutes_usual, records.games AS team_games,
    records.wins AS team_wins
  FROM players
  LEFT JOIN cache ON cache.cache_date = players.game_date AND cache.player_lookup = players.player_lookup
  LEFT JOIN factors ON factors.game_date = players.game_date AND factors.player_lookup = players.player_lookup
  LEFT JOIN shot_zones ON shot_zones.analysis_date = players.game_date AND shot_zones.player_lookup = players.player_lookup
  LEFT JOIN defences ON defences.analysis_date = players.game_date AND defences.team_abbr = players.opponent_team_abbr
  LEFT JOIN entering ON entering.due_date = players.game_date AND entering.player_lookup = players.player_lookup
  LEFT JOIN form ON form.due_date = players.game_date AND form.player_lookup = players.player_lookup
  LEFT JOIN records ON records.game_date = players.game_date AND records.team_abbr = players.team_abbr
),
-- the six features that are calculated here; NULL where nothing is known
calculated AS (
  SELECT
    *,
    GREATEST(-2, LEAST(2, days_rest - opponent_days_rest)) AS rest_advantage,
    CASE player_status WHEN 'probable' THEN 1 WHEN 'questionable' THEN 2 WHEN 'doubtful' THEN 3 WHEN 'out' THEN 3 ELSE 0 END
      AS injury_risk,
    -- mean of the newest two games against that of the three before, times six: rising is positive
    CASE
      WHEN COALESCE(games_5, 0) < 5 THEN NULL
      WHEN 3 * newest_points - 2 * older_points >= 30 THEN 2
      WHEN 3 * newest_points - 2 * older_points >= 12 THEN 1
      WHEN 3 * newest_points - 2 * older_points <= -30 THEN -2
      WHEN 3 * newest_points - 2 * older_points <= -12 THEN -1
      ELSE 0
    END AS recent_trend,
    CASE
      WHEN COALESCE(minutes_usual, 0) = 0 THEN NULL
      WHEN 10 * minutes_now >= 12 * minutes_usual THEN 2
      WHEN 10 * minutes_now >= 11 * minutes_usual THEN 1
      WHEN 10 * minutes_now <= 8 * minutes_usual THEN -2
      WHEN 10 * minutes_now <= 9 * minutes_usual THEN -1
      ELSE 0
    END AS minutes_change,
    IF(
      games_10 >= 5,
      LEAST(500000000, DIV(2000000000 * free_throws_10 + points_10, NULLIF(2 * points_10, 0))), NULL
    ) AS free_throw_billionths,
    IF(team_games >= 5, DIV(2000000000 * team_wins + team_games, 2 * team_games), NULL) AS win_billionths
  FROM joined
),
counted AS (
  SELECT
    *,
    IF(points_avg_last_5 IS NULL, 0, 1) + IF(points_avg_last_10 IS NULL, 0, 1) + IF(points_avg_season IS NULL, 0, 1)
      + IF(points_std_last_10 IS NULL, 0, 1) + IF(games_in_last_7_days IS NULL, 0, 1) + IF(fatigue_score IS NULL, 0, 1)
      + IF(shot_zone_mismatch_score IS NULL, 0, 1) + IF(pace_score IS NULL, 0, 1) + IF(usage_spike_score IS NULL, 0, 1)
      + IF(defensive_rating_last_15 IS NULL, 0, 1) + IF(opponent_pace IS NULL, 0, 1) + IF(paint_rate_last_10 IS NULL, 0, 1)
      + IF(mid_range_rate_last_10 IS NULL, 0, 1) + IF(three_pt_rate_last_10 IS NULL, 0, 1)
      + IF(team_pace_last_10 IS NULL, 0, 1) + IF(team_off_rating_last_10 IS NULL, 0, 1) AS from_phase_4,
    1 + IF(rest_advantage IS NULL, 0, 1) + IF(recent_trend IS NULL, 0, 1) + IF(minutes_change IS NULL, 0, 1)
      + IF(free_throw_billionths IS NULL, 0, 1) + IF(win_billionths IS NULL, 0, 1) AS from_here
  FROM calculated
),
graded AS (
  SELECT *, 100 * (from_phase_4 + from_here) + 75 * 3 + 40 * (22 - from_phase_4 - from_here) AS quality_sum FROM counted
),
final AS (
  SELECT
    player_lookup,
    universal_player_id,
    game_date,
    game_id,
    season_year,
    team_abbr,
    opponent_team_abbr,
    has_prop_line,
    current_points_line,
    [
      CAST(COALESCE(points_avg_last_5, 10) AS FLOAT64),
      CAST(COALESCE(points_avg_last_10, 10) AS FLOAT64),
      CAST(COALESCE(points_avg_season, 10) AS FLOAT64),
      CAST(COALESCE(points_std_last_10, 5) AS FLOAT64),
      CAST(COALESCE(games_in_last_7_days, 3) AS FLOAT64),
      CAST(COALESCE(fatigue_score, 50) AS FLOAT64),
      CAST(COALESCE(shot_zone_mismatch_score, 0) AS FLOAT64),
      CAST(COALESCE(pace_score, 0) AS FLOAT64),
      CAST(COALESCE(usage_spike_score, 0) AS FLOAT64),
      CAST(COALESCE(rest_advantage, 0) AS FLOAT64),
      CAST(injury_risk AS FLOAT64),
      CAST(COALESCE(recent_trend, 0) AS FLOAT64),
      CAST(COALESCE(minutes_change, 0) AS FLOAT64),
      CAST(COALESCE(defensive_rating_last_15, 112) AS FLOAT64),
      CAST(COALESCE(opponent_pace, 100) AS FLOAT64),
      IF(home_game, 1.0, 0.0),
      IF(back_to_back, 1.0, 0.0),
      IF(season_phase = 'playoffs', 1.0, 0.0),
      CAST(100 * COALESCE(paint_rate_last_10, 30) AS INT64) / 10000,
      CAST(100 * COALESCE(mid_range_rate_last_10, 20) AS INT64) / 10000,
      CAST(100 * COALESCE(three_pt_rate_last_10, 35) AS INT64) / 10000,
      COALESCE(free_throw_billionths, 150000000) / 1000000000,
      CAST(COALESCE(team_pace_last_10, 100) AS FLOAT64),
      CAST(COALESCE(team_off_rating_last_10, 112) AS FLOAT64),
      COALESCE(win_billionths, 500000000) / 1000000000
    ] AS features,
    [
      'points_avg_last_5', 'points_avg_last_10', 'points_avg_season', 'points_std_last_10', 'games_in_last_7_days',
      'fatigue_score', 'shot_zone_mismatch_score', 'pace_score', 'usage_spike_score', 'rest_advantage',
      'injury_risk', 'recent_trend', 'minutes_change', 'opponent_def_rating', 'opponent_pace', 'home_away',
      'back_to_back', 'playoff_game', 'pct_paint', 'pct_mid_range', 'pct_three', 'pct_free_throw', 'team_pace',
      'team_off_rating', 'team_win_pct'
    ] AS feature_names,
    25 AS feature_count,
    'v1_baseline_25' AS feature_version,
    CAST(4 * quality_sum / 100 AS NUMERIC) AS feature_quality_score,
    CASE WHEN from_phase_4 = 16 THEN 'phase4' WHEN from_phase_4 >= 8 THEN 'phase4_partial' ELSE 'mixed' END AS data_source,
    ARRAY_CONCAT(
      IF(points_avg_last_5 IS NULL, ['points_avg_last_5'], []),
      IF(points_avg_last_10 IS NULL, ['points_avg_last_10'], []),
      IF(points_avg_season IS NULL, ['points_avg_season'], []),
      IF(points_std_last_10 IS NULL, ['points_std_last_10'], []),
      IF(games_in_last_7_days IS NULL, ['games_in_last_7_days'], []),
      IF(fatigue_score IS NULL, ['fatigue_score'], []),
      IF(shot_zone_mismatch_score IS NULL, ['shot_zone_mismatch_score'], []),
      IF(pace_score IS NULL, ['pace_score'], []),
      IF(usage_spike_score IS NULL, ['usage_spike_score'], []),
      IF(rest_advantage IS NULL, ['rest_advantage'], []),
      IF(recent_trend IS NULL, ['recent_trend'], []),
      IF(minutes_change IS NULL, ['minutes_change'], []),
      IF(defensive_rating_last_15 IS NULL, ['opponent_def_rating', 'opponent_def_rating_last_15'], []),
      IF(opponent_pace IS NULL, ['opponent_pace', 'opponent_pace_last_15'], []),
      IF(paint_rate_last_10 IS NULL, ['pct_paint', 'paint_rate_last_10'], []),
      IF(mid_range_rate_last_10 IS NULL, ['pct_mid_range', 'mid_range_rate_last_10'], []),
      IF(three_pt_rate_last_10 IS NULL, ['pct_three', 'three_pt_rate_last_10'], []),
      IF(free_throw_billionths IS NULL, ['pct_free_throw'], []),
      IF(team_pace_last_10 IS NULL, ['team_pace', 'team_pace_last_10'], []),
      IF(team_off_rating_last_10 IS NULL, ['team_off_rating', 'team_off_rating_last_10'], []),
      IF(win_billionths IS NULL, ['team_win_pct'], []),
      IF(minutes_avg_last_10 IS NULL, ['minutes_avg_last_10'], []),
      IF(days_rest IS NULL, ['days_rest'], []),
      IF(assisted_rate_last_10 IS NULL, ['assisted_rate_last_10'], []),
      IF(usage_rate_last_10 IS NULL, ['usage_rate_last_10'], [])
    ) AS default_features,
    COALESCE(points_avg_last_5, 10) AS points_avg_last_5,
    COALESCE(points_avg_last_10, 10) AS points_avg_last_10,
    COALESCE(points_avg_season, 10) AS points_avg_season,
    COALESCE(points_std_last_10, 5) AS points_std_last_10,
    COALESCE(minutes_avg_last_10, 0) AS minutes_avg_last_10,
    COALESCE(fatigue_score, 50) AS fatigue_score,
    COALESCE(shot_zone_mismatch_score, 0) AS shot_zone_mismatch_score,
    COALESCE(pace_score, 0) AS pace_score,
    COALESCE(usage_spike_score, 0) AS usage_spike_score,
    COALESCE(defensive_rating_last_15, 112) AS opponent_def_rating_last_15,
    COALESCE(opponent_pace, 100) AS opponent_pace_last_15,
    home_game AS is_home,
    COALESCE(days_rest, 2) AS days_rest,
    back_to_back,
    COALESCE(paint_rate_last_10, 30) AS paint_rate_last_10,
    COALESCE(mid_range_rate_last_10, 20) AS mid_range_rate_last_10,
    COALESCE(three_pt_rate_last_10, 30) AS three_pt_rate_last_10,
    COALESCE(assisted_rate_last_10, 60) AS assisted_rate_last_10,
    COALESCE(team_pace_last_10, 100) AS team_pace_last_10,
    COALESCE(team_off_rating_last_10, 112) AS team_off_rating_last_10,
    COALESCE(usage_rate_last_10, 25) AS usage_rate_last_10,
    CASE WHEN quality_sum >= 2375 THEN 'gold' WHEN quality_sum >= 1750 THEN 'silver' ELSE 'bronze' END AS quality_tier,
    ARRAY_CONCAT(
      IF(games_played_season >= 10, [], [CONCAT('thin_sample:', CAST(games_played_season AS STRING), '/10')]),
      IF(paint_rate_last_10 IS NULL, ['missing_shot_zones'], []),
      IF(defensive_rating_last_15 IS NULL, ['missing_opponent_defense'], [])
    ) AS quality_issues
  FROM graded
)
SELECT final.*, SUBSTR(TO_HEX(SHA256(TO_JSON_STRING(final))), 1, 16) AS data_hash, CURRENT_TIMESTAMP() AS processed_at
FROM final;
