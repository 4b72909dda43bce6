CREATE TABLE IF NOT EXISTS nba_analytics.upcoming_team_game_context (
  team_abbr                  STRING NOT NULL OPTIONS(description="Team's tricode"),
  game_id                    STRING NOT NULL OPTIONS(description="League's 10-digit id, as in the schedule"),
  game_date                  DATE NOT NULL OPTIONS(description="Day of the game, US/Eastern"),
  season_year                INT64 NOT NULL OPTIONS(description="Calendar year in which the season starts"),
  opponent_team_abbr         STRING NOT NULL OPTIONS(description="Opponent's tricode"),
  home_game                  BOOL NOT NULL OPTIONS(description="Plays at home"),
  days_since_last_game       INT64 OPTIONS(description="Calendar days since the team's last game of the season; NULL before the first"),
  team_days_rest             INT64 OPTIONS(description="Full days between the last game and this one: 0 on a back-to-back; NULL before the first"),
  team_back_to_back          BOOL NOT NULL OPTIONS(description="A game on the previous calendar day"),
  opponent_days_rest         INT64 OPTIONS(description="The opponent's team_days_rest"),
  games_in_last_7_days       INT64 NOT NULL OPTIONS(description="Games with game_date >= D - 7 and < D"),
  games_in_last_14_days      INT64 NOT NULL OPTIONS(description="Games with game_date >= D - 14 and < D"),
  game_number_in_season      INT64 NOT NULL OPTIONS(description="1 for the season's first game; exhibitions do not count"),
  game_spread                NUMERIC(5, 2) OPTIONS(description="Spread from the team's side, points: negative for a favourite"),
  game_spread_source         STRING OPTIONS(description="Bookmaker of the spread"),
  spread_movement            NUMERIC(5, 2) OPTIONS(description="Spread minus opening spread of the same bookmaker"),
  game_total                 NUMERIC(5, 1) OPTIONS(description="Total, points of both teams"),
  game_total_source          STRING OPTIONS(description="Bookmaker of the total"),
  total_movement             NUMERIC(5, 1) OPTIONS(description="Total minus opening total of the same bookmaker"),
  betting_lines_updated_at   TIMESTAMP OPTIONS(description="Snapshot of the later of the two lines"),
  starters_out_count         INT64 NOT NULL OPTIONS(description="Players reported out for the game, starters or not"),
  questionable_players_count INT64 NOT NULL OPTIONS(description="Players reported questionable or doubtful"),
  team_win_streak_entering   INT64 NOT NULL OPTIONS(description="Games won in a row before this one, this season"),
  team_loss_streak_entering  INT64 NOT NULL OPTIONS(description="Games lost in a row before this one, this season"),
  last_game_margin           INT64 OPTIONS(description="Margin of the last game, points"),
  last_game_result           STRING OPTIONS(description="W or L of the last game"),
  travel_miles               INT64 OPTIONS(description="Miles from the arena of the last game (home before the first) to this one; NULL where the distance is unknown"),
  quality_tier               STRING OPTIONS(description="gold, silver, bronze: how good the row's sources are"),
  quality_score              NUMERIC(5, 2) OPTIONS(description="0 to 100: how good the row's sources are"),
  quality_issues             ARRAY<STRING> OPTIONS(description="What the row had to do without"),
  data_hash                  STRING NOT NULL OPTIONS(description="First 16 hex digits of SHA-256 over the row's business columns as JSON"),
  processed_at               TIMESTAMP NOT NULL OPTIONS(description="When the row was computed; in no hash"),
  PRIMARY KEY (game_date, team_abbr) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY game_date, team_abbr, game_id
OPTIONS(description="What was known of a team before a game", require_partition_filter=TRUE);

WITH due AS (
  SELECT game_id, game_date, season_year, home_team_tricode, away_team_tricode, game_status, processed_at
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, game_date ORDER BY processed_at DESC, game_status DESC) = 1
),
due_games AS (
  SELECT
    game_id, game_date, season_year, home_team_tricode AS home, away_team_tricode AS away, SUBSTR(game_id, 1, 3) AS kind
  FROM due
  WHERE game_status = 3 AND SUBSTR(game_id, 1, 3) IN ('002', '004', '005', '006')
),
due_sides AS (
  SELECT game_id, game_date, season_year, kind, home, away, home AS team_abbr, away AS opponent_team_abbr, TRUE AS home_game
  FROM due_games
  UNION ALL
  SELECT game_id, game_date, season_year, kind, home, away, away AS team_abbr, home AS opponent_team_abbr, FALSE AS home_game
  FROM due_games
),
season AS (
  SELECT
    game_id, game_date, season_year, home_team_tricode, away_team_tricode, game_status, home_team_score, away_team_score,
    processed_at
  FROM nba_raw.nbac_schedule
  WHERE game_date BETWEEN @history_from AND @last
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, game_date ORDER BY processed_at DESC, game_status DESC) = 1
),
season_games AS (
  SELECT
    game_date, season_year, home_team_tricode AS home, away_team_tricode AS away,
    home_team_score - away_team_score AS home_margin
  FROM season
  WHERE game_status = 3 AND SUBSTR(game_id, 1, 3) IN ('002', '004', '005', '006')
),
played AS (
  SELECT game_date, season_year, home AS team_abbr, home AS arena, home_margin AS margin FROM season_games
  UNION ALL
  SELECT game_date, season_year, away AS team_abbr, home AS arena, -home_margin AS margin FROM season_games
),
numbered AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY season_year, team_abbr ORDER BY game_date) AS game_number FROM played
),
-- every figure of a game looks at the team's earlier games of the season only
entering AS (
  SELECT
    game_date, season_year, team_abbr, arena, game_number,
    LAG(game_date) OVER earlier AS last_date, LAG(arena) OVER earlier AS last_arena, LAG(margin) OVER earlier AS last_margin,
    COUNT(*) OVER (PARTITION BY season_year, team_abbr ORDER BY UNIX_DATE(game_date) RANGE BETWEEN 7 PRECEDING AND 1 PRECEDING)
      AS games_7,
    COUNT(*) OVER (PARTITION BY season_year, team_abbr ORDER BY UNIX_DATE(game_date) RANGE BETWEEN 14 PRECEDING AND 1 PRECEDING)
      AS games_14,
    game_number - 1 - COALESCE(MAX(IF(margin > 0, 0, game_number)) OVER before, 0) AS win_streak,
    game_number - 1 - COALESCE(MAX(IF(margin < 0, 0, game_number)) OVER before, 0) AS loss_streak
  FROM numbered
  WINDOW
    earlier AS (PARTITION BY season_year, team_abbr ORDER BY game_date),
    before AS (
      PARTITION BY season_year, team_abbr ORDER BY game_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
lines AS (
  SELECT
    game_date, home_team_abbr, away_team_abbr, bookmaker_key, market_key, outcome_name,
    SAFE_CAST(outcome_point AS NUMERIC) AS outcome_point, snapshot_timestamp
  FROM nba_raw.odds_api_game_lines
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
),
named_lines AS (
  SELECT
    game_date, home_team_abbr, away_team_abbr, bookmaker_key, market_key, outcome_name, outcome_point, snapshot_timestamp,
    CASE outcome_name
      WHEN 'Atlanta Hawks' THEN 'ATL'
      WHEN 'Boston Celtics' THEN 'BOS'
      WHEN 'Brooklyn Nets' THEN 'BKN'
      WHEN 'Charlotte Hornets' THEN 'CHA'
      WHEN 'Chicago Bulls' THEN 'CHI'
      WHEN 'Cleveland Cavaliers' THEN 'CLE'
      WHEN 'Dallas Mavericks' THEN 'DAL'
      WHEN 'Denver Nuggets' THEN 'DEN'
      WHEN 'Detroit Pistons' THEN 'DET'
      WHEN 'Golden State Warriors' THEN 'GSW'
      WHEN 'Houston Rockets' THEN 'HOU'
      WHEN 'Indiana Pacers' THEN 'IND'
      WHEN 'Los Angeles Clippers' THEN 'LAC'
      WHEN 'Los Angeles Lakers' THEN 'LAL'
      WHEN 'Memphis Grizzlies' THEN 'MEM'
      WHEN 'Miami Heat' THEN 'MIA'
      WHEN 'Milwaukee Bucks' THEN 'MIL'
      WHEN 'Minnesota Timberwolves' THEN 'MIN'
      WHEN 'New Orleans Pelicans' THEN 'NOP'
      WHEN 'New York Knicks' THEN 'NYK'
      WHEN 'Oklahoma City Thunder' THEN 'OKC'
      WHEN 'Orlando Magic' THEN 'ORL'
      WHEN 'Philadelphia 76ers' THEN 'PHI'
      WHEN 'Phoenix Suns' THEN 'PHX'
      WHEN 'Portland Trail Blazers' THEN 'POR'
      WHEN 'Sacramento Kings' THEN 'SAC'
      WHEN 'San Antonio Spurs' THEN 'SAS'
      WHEN 'Toronto Raptors' THEN 'TOR'
      WHEN 'Utah Jazz' THEN 'UTA'
      WHEN 'Washington Wizards' THEN 'WAS'
      WHEN 'LA Clippers' THEN 'LAC'
      WHEN 'LA Lakers' THEN 'LAL'
    END AS outcome_team,
    CASE bookmaker_key WHEN 'draftkings' THEN 1 WHEN 'fanduel' THEN 2 ELSE 3 END AS preference
  FROM lines
  WHERE outcome_point IS NOT NULL
),
-- the spread is taken from one side: over both sides it is 0
ranked_lines AS (
  SELECT
    game_date, home_team_abbr, away_team_abbr, bookmaker_key, market_key, outcome_point, snapshot_timestamp,
    FIRST_VALUE(outcome_point) OVER (
      PARTITION BY game_date, home_team_abbr, away_team_abbr, market_key, bookmaker_key
      ORDER BY snapshot_timestamp, outcome_point
    ) AS opening_point,
    ROW_NUMBER() OVER (
      PARTITION BY game_date, home_team_abbr, away_team_abbr, market_key
      ORDER BY preference, bookmaker_key, snapshot_timestamp DESC, outcome_point
    ) AS choice
  FROM named_lines
  WHERE (market_key = 'spreads' AND outcome_team = home_team_abbr) OR (market_key = 'totals' AND outcome_name = 'Over')
),
chosen_lines AS (
  SELECT game_date, home_team_abbr, away_team_abbr, bookmaker_key, market_key, outcome_point, opening_point, snapshot_timestamp
  FROM ranked_lines
  WHERE choice = 1
),
injuries AS (
  SELECT report_date, report_hour, game_date, team, player_lookup, injury_status, confidence_score
  FROM nba_raw.nbac_injury_report
  WHERE report_date BETWEEN DATE_SUB(@history_from, INTERVAL 30 DAY) AND @last
    AND game_date IN UNNEST(@dates) AND report_date <= game_date
),
latest_injuries AS (
  SELECT game_date, team, player_lookup, injury_status
  FROM injuries
  WHERE confidence_score >= 0.8
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY game_date, player_lookup ORDER BY report_date DESC, report_hour DESC, confidence_score DESC, injury_status, team
  ) = 1
),
injured AS (
  SELECT
    game_date, team, COUNTIF(injury_status = 'out') AS out_count,
    COUNTIF(injury_status IN ('questionable', 'doubtful')) AS questionable_count
  FROM latest_injuries
  GROUP BY game_date, team
),
distances AS (
  SELECT from_team, to_team, distance_miles
  FROM nba_static.travel_distances
),
measured AS (
  SELECT
    due_sides.*, own.last_date, own.last_margin, own.games_7, own.games_14, own.game_number, own.win_streak, own.loss_streak,
    DATE_DIFF(due_sides.game_date, own.last_date, DAY) AS days_since, DATE_DIFF(due_sides.game_date, other.last_date, DAY) AS other_days_since,
    -- the way leads from the arena of the last game, home or away; before the first game it starts at home
    COALESCE(own.last_arena, due_sides.team_abbr) AS from_arena,
    spread.outcome_point AS home_spread, spread.opening_point AS home_opening_spread, spread.bookmaker_key AS spread_source,
    total.outcome_point AS total, total.opening_point AS opening_total, total.bookmaker_key AS total_source,
    GREATEST(
      COALESCE(spread.snapshot_timestamp, total.snapshot_timestamp), COALESCE(total.snapshot_timestamp, spread.snapshot_timestamp)
    ) AS betting_lines_updated_at,
    COALESCE(injured.out_count, 0) AS out_count, COALESCE(injured.questionable_count, 0) AS questionable_count
  FROM due_sides
  JOIN entering AS own ON own.game_date = due_sides.game_date AND own.team_abbr = due_sides.team_abbr
  JOIN entering AS other ON other.game_date = due_sides.game_date AND other.team_abbr = due_sides.opponent_team_abbr
  LEFT JOIN chosen_lines AS spread
    ON spread.game_date = due_sides.game_date AND spread.home_team_abbr = due_sides.home AND spread.away_team_abbr = due_sides.away
      AND spread.market_key = 'spreads'
  LEFT JOIN chosen_lines AS total
    ON total.game_date = due_sides.game_date AND total.home_team_abbr = due_sides.home AND total.away_team_abbr = due_sides.away
      AND total.market_key = 'totals'
  LEFT JOIN injured ON injured.game_date = due_sides.game_date AND injured.team = due_sides.team_abbr
),
final AS (
  SELECT
    measured.team_abbr,
    measured.game_id,
    measured.game_date,
    measured.season_year,
    measured.opponent_team_abbr,
    measured.home_game,
    measured.days_since AS days_since_last_game,
    measured.days_since - 1 AS team_days_rest,
    COALESCE(measured.days_since = 1, FALSE) AS team_back_to_back,
    measured.other_days_since - 1 AS opponent_days_rest,
    measured.games_7 AS games_in_last_7_days,
    measured.games_14 AS games_in_last_14_days,
    measured.game_number AS game_number_in_season,
    CAST(ROUND(IF(measured.home_game, measured.home_spread, -measured.home_spread), 2) AS NUMERIC) AS game_spread,
    measured.spread_source AS game_spread_source,
    CAST(ROUND(IF(measured.home_game, 1, -1) * (measured.home_spread - measured.home_opening_spread), 2) AS NUMERIC) AS spread_movement,
    CAST(ROUND(measured.total, 1) AS NUMERIC) AS game_total,
    measured.total_source AS game_total_source,
    CAST(ROUND(measured.total - measured.opening_total, 1) AS NUMERIC) AS total_movement,
    measured.betting_lines_updated_at,
    measured.out_count AS starters_out_count,
    measured.questionable_count AS questionable_players_count,
    measured.win_streak AS team_win_streak_entering,
    measured.loss_streak AS team_loss_streak_entering,
    measured.last_margin AS last_game_margin,
    CASE WHEN measured.last_margin > 0 THEN 'W' WHEN measured.last_margin < 0 THEN 'L' END AS last_game_result,
    IF(measured.from_arena = measured.home, 0, distances.distance_miles) AS travel_miles,
    IF(measured.home_spread IS NULL OR measured.total IS NULL, 'silver', 'gold') AS quality_tier,
    CAST(IF(measured.home_spread IS NULL OR measured.total IS NULL, 90, 100) AS NUMERIC) AS quality_score,
    ARRAY_CONCAT(
      IF(measured.home_spread IS NULL, ['missing_game_spread'], []), IF(measured.total IS NULL, ['missing_game_total'], [])
    ) AS quality_issues
  FROM measured
  LEFT JOIN distances ON distances.from_team = measured.from_arena AND distances.to_team = measured.home
)
SELECT final.*, SUBSTR(TO_HEX(SHA256(TO_JSON_STRING(final))), 1, 16) AS data_hash, CURRENT_TIMESTAMP() AS processed_at
FROM final;
