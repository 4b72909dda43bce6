CREATE TABLE IF NOT EXISTS nba_precompute.player_composite_factors (
  player_lookup               STRING NOT NULL OPTIONS(description="Player's key"),
  universal_player_id         STRING NOT NULL OPTIONS(description="Registry id; the player's key where no registry is read"),
  game_date                   DATE NOT NULL OPTIONS(description="Day that is prepared, US/Eastern; every figure looks at games strictly before it"),
  game_id                     STRING NOT NULL OPTIONS(description="Canonical game id, YYYYMMDD_AWAY_HOME"),
  team_abbr                   STRING NOT NULL OPTIONS(description="Player's team"),
  opponent_team_abbr          STRING NOT NULL OPTIONS(description="Opponent's tricode"),
  season_year                 INT64 NOT NULL OPTIONS(description="Calendar year in which the season starts"),
  fatigue_score               INT64 NOT NULL OPTIONS(description="100 rested, 0 worn out. From 100: back-to-back -15, else 3 full days of rest or more +5; 4 games or more in 7 days -10; more than 240 minutes in 7 days -10; more than 35 minutes a game -8; back-to-backs in 14 days: 2 or more -12, one -5; clamped. Age is in no source and takes no part"),
  shot_zone_mismatch_score    NUMERIC(4, 1) NOT NULL OPTIONS(description="-10 to 10: the opponent's defence of player_zone against the league, weighted by min(player_zone_rate / 50, 1); beyond 5 times 1.2; 0 where either is unknown"),
  pace_score                  NUMERIC(3, 1) NOT NULL OPTIONS(description="-3 to 3: half the pace differential; 0 where it is unknown"),
  usage_spike_score           NUMERIC(3, 1) NOT NULL OPTIONS(description="-3 to 3: 0.3 x (projected usage rate - mean of the last 7 games); above 0 times 1.15 with one star teammate out, 1.3 with more; 0 where either is unknown"),
  total_composite_adjustment  NUMERIC(5, 2) NOT NULL OPTIONS(description="(fatigue_score - 100) / 20 plus the three other scores"),
  days_rest                   INT64 OPTIONS(description="Context of the fatigue: full days between the last game and this one; NULL before the first"),
  back_to_back                BOOL NOT NULL OPTIONS(description="Context of the fatigue: played on the previous calendar day"),
  player_zone                 STRING OPTIONS(description="Context of the mismatch: paint, mid_range or perimeter; a balanced player counts as paint; NULL without shots"),
  player_zone_rate            NUMERIC(5, 2) OPTIONS(description="Context of the mismatch: the player's share of shots from that zone, percent"),
  opponent_zone_defense       NUMERIC(5, 2) OPTIONS(description="Context of the mismatch: what the opponent allows there against the league, percentage points; above 0 is a worse defence"),
  pace_differential           NUMERIC(4, 1) OPTIONS(description="Context of the pace: opponent's pace of the last 10 games minus the own team's"),
  projected_usage_rate        NUMERIC(6, 1) OPTIONS(description="Context of the usage: mean of the season so far, percent"),
  avg_usage_rate_last_7_games NUMERIC(6, 1) OPTIONS(description="Context of the usage: mean of the last 7 games, percent"),
  star_teammates_out          INT64 NOT NULL OPTIONS(description="Context of the usage: teammates of 20 points and more reported out"),
  data_completeness_pct       NUMERIC(5, 2) NOT NULL OPTIONS(description="Share of the five inputs that are known, percent: days_rest, usage, pace differential, the player's shot zones, the opponent's defence"),
  missing_data_fields         ARRAY<STRING> OPTIONS(description="Those that are not: days_rest, projected_usage_rate, pace_differential, player_shot_zone, team_defense_zone"),
  has_warnings                BOOL NOT NULL OPTIONS(description="fatigue below 50, mismatch beyond 8 or a total beyond 12"),
  calculation_version         STRING NOT NULL OPTIONS(description="v1_4factors"),
  quality_tier                STRING OPTIONS(description="gold, silver, bronze: how good the row's sources are"),
  quality_score               NUMERIC(5, 2) OPTIONS(description="0 to 100: how good the row's sources are"),
  quality_issues              ARRAY<STRING> OPTIONS(description="What the row had to do without"),
  data_hash                   STRING NOT NULL OPTIONS(description="First 16 hex digits of SHA-256 over the row's business columns as JSON"),
  processed_at                TIMESTAMP NOT NULL OPTIONS(description="When the row was computed; in no hash"),
  PRIMARY KEY (game_date, player_lookup) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY player_lookup, universal_player_id, game_date
OPTIONS(description="Four adjustments of a player's expectation for a game, and what they come from", require_partition_filter=TRUE);

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
    game_date, game_id, player_lookup, universal_player_id, team_abbr, opponent_team_abbr, season_year, days_rest,
    back_to_back, games_played_season, games_in_last_7_days, minutes_in_last_7_days, avg_minutes_per_game_last_7,
    back_to_backs_last_14_days, pace_differential, projected_usage_rate, avg_usage_rate_last_7_games, star_teammates_out
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
shot_zones AS (
  SELECT
    analysis_date, player_lookup, primary_scoring_zone, paint_rate_last_10, mid_range_rate_last_10, three_pt_rate_last_10
  FROM nba_precompute.player_shot_zone_analysis
  WHERE analysis_date BETWEEN @first AND @last AND analysis_date IN UNNEST(@dates)
),
favourites AS (
  SELECT
    analysis_date, player_lookup,
    CASE primary_scoring_zone WHEN 'mid_range' THEN 'mid_range' WHEN 'perimeter' THEN 'perimeter' ELSE 'paint' END AS zone,
    CASE primary_scoring_zone
      WHEN 'mid_range' THEN mid_range_rate_last_10
      WHEN 'perimeter' THEN three_pt_rate_last_10
      ELSE paint_rate_last_10
    END AS zone_rate
  FROM shot_zones
  WHERE primary_scoring_zone IS NOT NULL
),
defences AS (
  SELECT
    analysis_date, team_abbr, paint_defense_vs_league_avg, mid_range_defense_vs_league_avg, three_pt_defense_vs_league_avg
  FROM nba_precompute.team_defense_zone_analysis
  WHERE analysis_date BETWEEN @first AND @last AND analysis_date IN UNNEST(@dates)
),
met AS (
  SELECT
    players.*, favourites.zone, favourites.zone_rate,
    CASE COALESCE(favourites.zone, 'paint')
      WHEN 'mid_range' THEN defences.mid_range_defense_vs_league_avg
      WHEN 'perimeter' THEN defences.three_pt_defense_vs_league_avg
      ELSE defences.paint_defense_vs_league_avg
    END AS zone_defense
  FROM players
  LEFT JOIN favourites ON favourites.analysis_date = players.game_date AND favourites.player_lookup = players.player_lookup
  LEFT JOIN defences ON defences.analysis_date = players.game_date AND defences.team_abbr = players.opponent_team_abbr
),
-- in whole numbers: the weakness in 1 / 500000 points, the change of usage in hundredths, pace in tenths
weighed AS (
  SELECT
    *,
    GREATEST(0, LEAST(100,
      100
      + CASE WHEN back_to_back THEN -15 WHEN days_rest >= 3 THEN 5 ELSE 0 END
      - IF(games_in_last_7_days >= 4, 10, 0)
      - IF(minutes_in_last_7_days > 240, 10, 0)
      - IF(avg_minutes_per_game_last_7 > 35, 8, 0)
      - CASE WHEN back_to_backs_last_14_days >= 2 THEN 12 WHEN back_to_backs_last_14_days = 1 THEN 5 ELSE 0 END
    )) AS fatigue,
    CAST(100 * zone_defense AS INT64) * LEAST(CAST(100 * zone_rate AS INT64), 5000) AS weakness,
    CAST(10 * pace_differential AS INT64) AS pace_tenths,
    3 * (CAST(10 * projected_usage_rate AS INT64) - CAST(10 * avg_usage_rate_last_7_games AS INT64)) AS usage_hundredths,
    CAST(10 * avg_usage_rate_last_7_games AS INT64) AS usage_base
  FROM met
),
emphasized AS (
  SELECT
    *,
    COALESCE(IF(ABS(weakness) > 2500000, 12, 10) * weakness, 0) AS mismatch_parts,
    COALESCE(pace_tenths, 0) AS pace_parts,
    CASE
      WHEN usage_hundredths IS NULL OR usage_base = 0 THEN 0
      WHEN usage_hundredths > 0 AND star_teammates_out = 1 THEN 115 * usage_hundredths
      WHEN usage_hundredths > 0 AND star_teammates_out > 1 THEN 130 * usage_hundredths
      ELSE 100 * usage_hundredths
    END AS usage_parts
  FROM weighed
),
scored AS (
  SELECT
    *,
    GREATEST(-100, LEAST(100, SIGN(mismatch_parts) * DIV(ABS(mismatch_parts) + 250000, 500000))) AS mismatch_tenths,
    GREATEST(-30, LEAST(30, SIGN(pace_parts) * DIV(ABS(pace_parts) + 1, 2))) AS pace_score_tenths,
    GREATEST(-30, LEAST(30, SIGN(usage_parts) * DIV(ABS(usage_parts) + 500, 1000))) AS usage_tenths,
    ARRAY_CONCAT(
      IF(days_rest IS NULL, ['days_rest'], []), IF(usage_hundredths IS NULL, ['projected_usage_rate'], []),
      IF(pace_differential IS NULL, ['pace_differential'], []), IF(zone IS NULL, ['player_shot_zone'], []),
      IF(zone_defense IS NULL, ['team_defense_zone'], [])
    ) AS missing
  FROM emphasized
),
totalled AS (
  SELECT *, 5 * (fatigue - 100) + 10 * (mismatch_tenths + pace_score_tenths + usage_tenths) AS total_hundredths
  FROM scored
),
final AS (
  SELECT
    player_lookup,
    universal_player_id,
    game_date,
    game_id,
    team_abbr,
    opponent_team_abbr,
    season_year,
    fatigue AS fatigue_score,
    CAST(mismatch_tenths / 10 AS NUMERIC) AS shot_zone_mismatch_score,
    CAST(pace_score_tenths / 10 AS NUMERIC) AS pace_score,
    CAST(usage_tenths / 10 AS NUMERIC) AS usage_spike_score,
    CAST(total_hundredths / 100 AS NUMERIC) AS total_composite_adjustment,
    days_rest,
    back_to_back,
    zone AS player_zone,
    zone_rate AS player_zone_rate,
    zone_defense AS opponent_zone_defense,
    pace_differential,
    projected_usage_rate,
    avg_usage_rate_last_7_games,
    star_teammates_out,
    CAST(100 - 20 * ARRAY_LENGTH(missing) AS NUMERIC) AS data_completeness_pct,
    missing AS missing_data_fields,
    fatigue < 50 OR ABS(mismatch_tenths) > 80 OR ABS(total_hundredths) > 1200 AS has_warnings,
    'v1_4factors' AS calculation_version,
    CASE WHEN ARRAY_LENGTH(missing) = 0 THEN 'gold' WHEN ARRAY_LENGTH(missing) <= 2 THEN 'silver' ELSE 'bronze' END
      AS quality_tier,
    CAST(CASE WHEN ARRAY_LENGTH(missing) = 0 THEN 100 WHEN ARRAY_LENGTH(missing) <= 2 THEN 85 ELSE 60 END AS NUMERIC)
      AS quality_score,
    ARRAY_CONCAT(
      IF(games_played_season >= 10, [], [CONCAT('thin_sample:', CAST(games_played_season AS STRING), '/10')]),
      IF(zone IS NULL, ['missing_shot_zones'], []), IF(zone_defense IS NULL, ['missing_opponent_zones'], [])
    ) AS quality_issues
  FROM totalled
)
SELECT final.*, SUBSTR(TO_HEX(SHA256(TO_JSON_STRING(final))), 1, 16) AS data_hash, CURRENT_TIMESTAMP() AS processed_at
FROM final;
