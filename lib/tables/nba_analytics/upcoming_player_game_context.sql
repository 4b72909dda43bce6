CREATE TABLE IF NOT EXISTS nba_analytics.upcoming_player_game_context (
  player_lookup               STRING NOT NULL OPTIONS(description="Player's key"),
  universal_player_id         STRING NOT NULL OPTIONS(description="Registry id; the player's key where no registry is read"),
  game_id                     STRING NOT NULL OPTIONS(description="Canonical game id, YYYYMMDD_AWAY_HOME"),
  game_date                   DATE NOT NULL OPTIONS(description="Day of the game, US/Eastern"),
  team_abbr                   STRING NOT NULL OPTIONS(description="Player's team"),
  opponent_team_abbr          STRING NOT NULL OPTIONS(description="Opponent's tricode"),
  season_year                 INT64 NOT NULL OPTIONS(description="Calendar year in which the season starts"),
  home_game                   BOOL NOT NULL OPTIONS(description="Plays at home"),
  has_prop_line               BOOL NOT NULL OPTIONS(description="A points line exists"),
  current_points_line         NUMERIC(4, 1) OPTIONS(description="Points line, last snapshot"),
  current_points_line_source  STRING OPTIONS(description="odds_api, or bettingpros"),
  opening_points_line         NUMERIC(4, 1) OPTIONS(description="First snapshot of the same bookmaker"),
  line_movement               NUMERIC(4, 1) OPTIONS(description="Line minus opening line"),
  game_spread                 NUMERIC(4, 1) OPTIONS(description="Spread from the team's side, points: negative for a favourite"),
  opening_spread              NUMERIC(4, 1) OPTIONS(description="First snapshot of the same bookmaker"),
  spread_movement             NUMERIC(4, 1) OPTIONS(description="Spread minus opening spread"),
  game_spread_source          STRING OPTIONS(description="Bookmaker of the spread"),
  game_total                  NUMERIC(5, 1) OPTIONS(description="Total, points of both teams"),
  opening_total               NUMERIC(5, 1) OPTIONS(description="First snapshot of the same bookmaker"),
  total_movement              NUMERIC(4, 1) OPTIONS(description="Total minus opening total"),
  game_total_source           STRING OPTIONS(description="Bookmaker of the total"),
  days_rest                   INT64 OPTIONS(description="Full days between the player's last game of the season and this one: 0 on a back-to-back; NULL before the first"),
  days_rest_before_last_game  INT64 OPTIONS(description="The same for the last game"),
  days_since_2_plus_days_rest INT64 OPTIONS(description="Days since the player last came back from 2 or more full days of rest; NULL where never"),
  back_to_back                BOOL NOT NULL OPTIONS(description="The player played on the previous calendar day"),
  opponent_days_rest          INT64 OPTIONS(description="Full days between the opponent's last game and this one"),
  games_in_last_7_days        INT64 NOT NULL OPTIONS(description="The player's games with game_date >= D - 7 and < D"),
  games_in_last_14_days       INT64 NOT NULL OPTIONS(description="The player's games with game_date >= D - 14 and < D"),
  minutes_in_last_7_days      NUMERIC(6, 1) OPTIONS(description="Minutes in these games"),
  minutes_in_last_14_days     NUMERIC(6, 1) OPTIONS(description="Minutes in these games"),
  avg_minutes_per_game_last_7 NUMERIC(5, 1) OPTIONS(description="minutes_in_last_7_days per game"),
  back_to_backs_last_14_days  INT64 NOT NULL OPTIONS(description="Pairs of games on consecutive days, both in the last 14 days"),
  games_played_season         INT64 NOT NULL OPTIONS(description="The player's games of the season before this date"),
  points_avg_last_5           NUMERIC(5, 1) OPTIONS(description="Mean points of the last 5 games"),
  points_avg_last_10          NUMERIC(5, 1) OPTIONS(description="Mean points of the last 10 games"),
  l5_games_used               INT64 NOT NULL OPTIONS(description="Games in points_avg_last_5"),
  l10_games_used              INT64 NOT NULL OPTIONS(description="Games in points_avg_last_10"),
  l5_sample_quality           STRING NOT NULL OPTIONS(description="excellent (all 5), good, limited, insufficient"),
  l10_sample_quality          STRING NOT NULL OPTIONS(description="excellent (all 10), good, limited, insufficient"),
  prop_over_streak            INT64 OPTIONS(description="Most recent games in a row strictly above the current line, pushes left out; NULL without a line"),
  prop_under_streak           INT64 OPTIONS(description="Most recent games in a row strictly below it"),
  opponent_pace_last_10       NUMERIC(5, 1) OPTIONS(description="Mean pace of the opponent's last 10 games"),
  pace_differential           NUMERIC(4, 1) OPTIONS(description="opponent_pace_last_10 minus the own team's"),
  avg_usage_rate_last_7_games NUMERIC(6, 1) OPTIONS(description="Mean usage rate of the last 7 games, percent"),
  projected_usage_rate        NUMERIC(6, 1) OPTIONS(description="Mean usage rate of the season so far, percent: what the player returns to"),
  star_teammates_out          INT64 NOT NULL OPTIONS(description="Teammates reported out who average 20 points or more over at least 5 games of the season"),
  season_phase                STRING NOT NULL OPTIONS(description="early, mid, late, playoffs (play-in included)"),
  player_status               STRING OPTIONS(description="Latest injury status before the game; NULL where the report does not name the player"),
  quality_tier                STRING OPTIONS(description="gold, silver, bronze: how good the row's sources are"),
  quality_score               NUMERIC(5, 2) OPTIONS(description="0 to 100: how good the row's sources are"),
  quality_issues              ARRAY<STRING> OPTIONS(description="What the row had to do without"),
  data_hash                   STRING NOT NULL OPTIONS(description="First 16 hex digits of SHA-256 over the row's business columns as JSON"),
  processed_at                TIMESTAMP NOT NULL OPTIONS(description="When the row was computed; in no hash"),
  PRIMARY KEY (game_date, player_lookup) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY player_lookup, universal_player_id, game_date
OPTIONS(description="What was known of a player before a game", require_partition_filter=TRUE);

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
roster AS (
  SELECT game_date, player_lookup, team_abbr, player_status, processed_at
  FROM nba_raw.nbac_gamebook_player_stats
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY game_date, player_lookup, team_abbr
    ORDER BY processed_at DESC, IF(player_status = 'active', 0, 1), player_status
  ) = 1
),
bdl_roster AS (
  SELECT game_date, player_lookup, team_abbr
  FROM nba_raw.bdl_player_boxscores
  WHERE game_date BETWEEN @first AND @last AND game_date IN UNNEST(@dates)
),
gamebook_players AS (
  SELECT side.*, roster.player_lookup
  FROM due_sides AS side
  JOIN roster ON roster.game_date = side.game_date AND roster.team_abbr = side.team_abbr
  WHERE roster.player_status = 'active'
),
bdl_players AS (
  SELECT DISTINCT side.*, bdl_roster.player_lookup
  FROM due_sides AS side
  JOIN bdl_roster ON bdl_roster.game_date = side.game_date AND bdl_roster.team_abbr = side.team_abbr
  LEFT JOIN (SELECT DISTINCT game_id FROM gamebook_players) AS known ON known.game_id = side.game_id
  WHERE known.game_id IS NULL
),
players AS (
  SELECT * FROM gamebook_players
  UNION ALL
  SELECT * FROM bdl_players
),
history AS (
  SELECT
    game_date, season_year, player_lookup, points, CAST(10 * minutes_played AS INT64) AS minute_tenths,
    CAST(100 * usage_rate AS INT64) AS usage_hundredths
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @history_from AND @last
),
-- one row per player and date, of the history or due; "number" is 1 + the player's games of the season before the date
timeline AS (
  SELECT
    COALESCE(players.game_date, history.game_date) AS game_date,
    COALESCE(players.season_year, history.season_year) AS season_year,
    COALESCE(players.player_lookup, history.player_lookup) AS player_lookup,
    IF(history.player_lookup IS NULL, 0, 1) AS games, history.points, history.minute_tenths, history.usage_hundredths
  FROM players
  FULL JOIN history ON history.game_date = players.game_date AND history.player_lookup = players.player_lookup
),
numbered AS (
  SELECT
    *,
    1 + COALESCE(SUM(games) OVER (
      PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0) AS number,
    LAST_VALUE(IF(games = 1, game_date, NULL) IGNORE NULLS) OVER (
      PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS last_date
  FROM timeline
),
gaps AS (
  SELECT *, IF(games = 1, DATE_DIFF(game_date, last_date, DAY), NULL) AS gap FROM numbered
),
entering AS (
  SELECT
    game_date, season_year, player_lookup, number, last_date,
    SUM(points) OVER l5 AS points_5, COUNT(points) OVER l5 AS games_5,
    SUM(points) OVER l10 AS points_10, COUNT(points) OVER l10 AS games_10,
    SUM(usage_hundredths) OVER l7 AS usage_7, COUNT(usage_hundredths) OVER l7 AS usage_games_7,
    SUM(usage_hundredths) OVER before AS usage_season, COUNT(usage_hundredths) OVER before AS usage_games_season,
    SUM(points) OVER before AS points_season,
    COALESCE(SUM(games) OVER d7, 0) AS games_7, COALESCE(SUM(games) OVER d14, 0) AS games_14,
    COALESCE(SUM(minute_tenths) OVER d7, 0) AS minute_tenths_7, COALESCE(SUM(minute_tenths) OVER d14, 0) AS minute_tenths_14,
    -- both games of a pair inside the window: the second of them at most 13 days back
    COALESCE(SUM(IF(gap = 1, 1, 0)) OVER d13, 0) AS back_to_backs_14,
    LAST_VALUE(gap IGNORE NULLS) OVER (
      PARTITION BY season_year, player_lookup ORDER BY number RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING
    ) AS last_gap,
    MAX(IF(gap > 2, game_date, NULL)) OVER before AS last_rested_date
  FROM gaps
  WINDOW
    before AS (PARTITION BY season_year, player_lookup ORDER BY game_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
    l5 AS (PARTITION BY season_year, player_lookup ORDER BY number RANGE BETWEEN 5 PRECEDING AND 1 PRECEDING),
    l7 AS (PARTITION BY season_year, player_lookup ORDER BY number RANGE BETWEEN 7 PRECEDING AND 1 PRECEDING),
    l10 AS (PARTITION BY season_year, player_lookup ORDER BY number RANGE BETWEEN 10 PRECEDING AND 1 PRECEDING),
    d7 AS (PARTITION BY season_year, player_lookup ORDER BY UNIX_DATE(game_date) RANGE BETWEEN 7 PRECEDING AND 1 PRECEDING),
    d13 AS (PARTITION BY season_year, player_lookup ORDER BY UNIX_DATE(game_date) RANGE BETWEEN 13 PRECEDING AND 1 PRECEDING),
    d14 AS (PARTITION BY season_year, player_lookup ORDER BY UNIX_DATE(game_date) RANGE BETWEEN 14 PRECEDING AND 1 PRECEDING)
),
team_history AS (
  SELECT game_date, season_year, team_abbr, CAST(10 * pace AS INT64) AS pace_tenths
  FROM nba_analytics.team_offense_game_summary
  WHERE game_date BETWEEN @history_from AND @last
),
team_timeline AS (
  SELECT played.game_date, played.season_year, played.team_abbr, team_history.pace_tenths
  FROM played
  LEFT JOIN team_history ON team_history.game_date = played.game_date AND team_history.team_abbr = played.team_abbr
),
team_entering AS (
  SELECT
    game_date, season_year, team_abbr, LAG(game_date) OVER earlier AS last_date,
    SUM(pace_tenths) OVER last_10 AS pace_tenths_10, NULLIF(COUNT(pace_tenths) OVER last_10, 0) AS pace_games_10
  FROM team_timeline
  WINDOW
    earlier AS (PARTITION BY season_year, team_abbr ORDER BY game_date),
    last_10 AS (PARTITION BY season_year, team_abbr ORDER BY game_date ROWS BETWEEN 10 PRECEDING AND 1 PRECEDING)
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
-- a star averages 20 points or more this season, at least five games before the date
stars_out AS (
  SELECT injured.game_date, injured.team, injured.player_lookup
  FROM latest_injuries AS injured
  JOIN history ON history.player_lookup = injured.player_lookup AND history.game_date < injured.game_date
  JOIN (SELECT DISTINCT game_date, season_year FROM due_games) AS day
    ON day.game_date = injured.game_date AND day.season_year = history.season_year
  WHERE injured.injury_status = 'out'
  GROUP BY injured.game_date, injured.team, injured.player_lookup
  HAVING COUNT(*) >= 5 AND SUM(history.points) >= 20 * COUNT(*)
),
star_counts AS (
  SELECT game_date, team, COUNT(*) AS stars
  FROM stars_out
  GROUP BY game_date, team
),
lined AS (
  SELECT
    players.*, entering.number, entering.last_date, entering.points_5, entering.games_5, entering.points_10, entering.games_10,
    entering.usage_7, entering.usage_games_7, entering.usage_season, entering.usage_games_season, entering.games_7,
    entering.games_14, entering.minute_tenths_7, entering.minute_tenths_14, entering.back_to_backs_14, entering.last_gap,
    entering.last_rested_date, own.pace_tenths_10, own.pace_games_10, other.pace_tenths_10 AS opponent_pace_tenths_10,
    other.pace_games_10 AS opponent_pace_games_10, other.last_date AS opponent_last_date,
    other.pace_tenths_10 * own.pace_games_10 - own.pace_tenths_10 * other.pace_games_10 AS pace_gap,
    own.pace_games_10 * other.pace_games_10 AS pace_gap_over,
    COALESCE(odds_lines.points_line, pros_lines.points_line) AS line,
    IF(odds_lines.points_line IS NOT NULL, odds_lines.opening_line, pros_lines.opening_line) AS opening_line,
    CASE
      WHEN odds_lines.points_line IS NOT NULL THEN 'odds_api'
      WHEN pros_lines.points_line IS NOT NULL THEN 'bettingpros'
    END AS line_source,
    spread.outcome_point AS home_spread, spread.opening_point AS home_opening_spread, spread.bookmaker_key AS spread_source,
    total.outcome_point AS total, total.opening_point AS opening_total, total.bookmaker_key AS total_source,
    COALESCE(star_counts.stars, 0) - IF(himself.player_lookup IS NULL, 0, 1) AS stars, latest_injuries.injury_status
  FROM players
  JOIN entering ON entering.game_date = players.game_date AND entering.player_lookup = players.player_lookup
  LEFT JOIN team_entering AS own ON own.game_date = players.game_date AND own.team_abbr = players.team_abbr
  LEFT JOIN team_entering AS other ON other.game_date = players.game_date AND other.team_abbr = players.opponent_team_abbr
  LEFT JOIN odds_lines
    ON odds_lines.game_date = players.game_date AND odds_lines.player_lookup = players.player_lookup AND odds_lines.choice = 1
  LEFT JOIN pros_lines
    ON pros_lines.game_date = players.game_date AND pros_lines.player_lookup = players.player_lookup AND pros_lines.choice = 1
  LEFT JOIN chosen_lines AS spread
    ON spread.game_date = players.game_date AND spread.home_team_abbr = players.home AND spread.away_team_abbr = players.away
      AND spread.market_key = 'spreads'
  LEFT JOIN chosen_lines AS total
    ON total.game_date = players.game_date AND total.home_team_abbr = players.home AND total.away_team_abbr = players.away
      AND total.market_key = 'totals'
  LEFT JOIN star_counts ON star_counts.game_date = players.game_date AND star_counts.team = players.team_abbr
  LEFT JOIN stars_out AS himself
    ON himself.game_date = players.game_date AND himself.team = players.team_abbr AND himself.player_lookup = players.player_lookup
  LEFT JOIN latest_injuries
    ON latest_injuries.game_date = players.game_date AND latest_injuries.player_lookup = players.player_lookup
),
-- streaks are counted against the line of this date; a push neither lengthens nor breaks one
against_line AS (
  SELECT
    lined.game_date, lined.player_lookup, lined.line, past.points, past.game_date AS past_date,
    MAX(IF(past.points < lined.line, past.game_date, NULL)) OVER due AS last_under,
    MAX(IF(past.points > lined.line, past.game_date, NULL)) OVER due AS last_over
  FROM lined
  JOIN history AS past
    ON past.player_lookup = lined.player_lookup AND past.season_year = lined.season_year AND past.game_date < lined.game_date
  WHERE lined.line IS NOT NULL
  WINDOW due AS (PARTITION BY lined.game_date, lined.player_lookup)
),
streaks AS (
  SELECT
    game_date, player_lookup,
    COUNTIF(points > line AND (last_under IS NULL OR past_date > last_under)) AS over_streak,
    COUNTIF(points < line AND (last_over IS NULL OR past_date > last_over)) AS under_streak
  FROM against_line
  GROUP BY game_date, player_lookup
),
measured AS (
  SELECT lined.*, streaks.over_streak, streaks.under_streak
  FROM lined
  LEFT JOIN streaks ON streaks.game_date = lined.game_date AND streaks.player_lookup = lined.player_lookup
),
final AS (
  SELECT
    player_lookup,
    player_lookup AS universal_player_id,
    CONCAT(FORMAT_DATE('%Y%m%d', game_date), '_', away, '_', home) AS game_id,
    game_date,
    team_abbr,
    opponent_team_abbr,
    season_year,
    home_game,
    line IS NOT NULL AS has_prop_line,
    CAST(ROUND(line, 1) AS NUMERIC) AS current_points_line,
    line_source AS current_points_line_source,
    CAST(ROUND(opening_line, 1) AS NUMERIC) AS opening_points_line,
    CAST(ROUND(line - opening_line, 1) AS NUMERIC) AS line_movement,
    CAST(ROUND(IF(home_game, home_spread, -home_spread), 1) AS NUMERIC) AS game_spread,
    CAST(ROUND(IF(home_game, home_opening_spread, -home_opening_spread), 1) AS NUMERIC) AS opening_spread,
    CAST(ROUND(IF(home_game, 1, -1) * (home_spread - home_opening_spread), 1) AS NUMERIC) AS spread_movement,
    spread_source AS game_spread_source,
    CAST(ROUND(total, 1) AS NUMERIC) AS game_total,
    CAST(ROUND(opening_total, 1) AS NUMERIC) AS opening_total,
    CAST(ROUND(total - opening_total, 1) AS NUMERIC) AS total_movement,
    total_source AS game_total_source,
    DATE_DIFF(game_date, last_date, DAY) - 1 AS days_rest,
    last_gap - 1 AS days_rest_before_last_game,
    DATE_DIFF(game_date, last_rested_date, DAY) AS days_since_2_plus_days_rest,
    COALESCE(DATE_DIFF(game_date, last_date, DAY) = 1, FALSE) AS back_to_back,
    DATE_DIFF(game_date, opponent_last_date, DAY) - 1 AS opponent_days_rest,
    games_7 AS games_in_last_7_days,
    games_14 AS games_in_last_14_days,
    CAST(minute_tenths_7 / 10 AS NUMERIC) AS minutes_in_last_7_days,
    CAST(minute_tenths_14 / 10 AS NUMERIC) AS minutes_in_last_14_days,
    -- the quotients are rounded in whole numbers, halves up: ROUND of a FLOAT64 differs between engines at a tie
    CAST(DIV(2 * minute_tenths_7 + games_7, NULLIF(2 * games_7, 0)) / 10 AS NUMERIC) AS avg_minutes_per_game_last_7,
    back_to_backs_14 AS back_to_backs_last_14_days,
    number - 1 AS games_played_season,
    CAST(DIV(20 * points_5 + games_5, NULLIF(2 * games_5, 0)) / 10 AS NUMERIC) AS points_avg_last_5,
    CAST(DIV(20 * points_10 + games_10, NULLIF(2 * games_10, 0)) / 10 AS NUMERIC) AS points_avg_last_10,
    games_5 AS l5_games_used,
    games_10 AS l10_games_used,
    CASE WHEN games_5 >= 5 THEN 'excellent' WHEN 10 * games_5 >= 35 THEN 'good' WHEN 2 * games_5 >= 5 THEN 'limited' ELSE 'insufficient' END
      AS l5_sample_quality,
    CASE WHEN games_10 >= 10 THEN 'excellent' WHEN games_10 >= 7 THEN 'good' WHEN games_10 >= 5 THEN 'limited' ELSE 'insufficient' END
      AS l10_sample_quality,
    IF(line IS NULL, NULL, COALESCE(over_streak, 0)) AS prop_over_streak,
    IF(line IS NULL, NULL, COALESCE(under_streak, 0)) AS prop_under_streak,
    CAST(DIV(2 * opponent_pace_tenths_10 + opponent_pace_games_10, 2 * opponent_pace_games_10) / 10 AS NUMERIC)
      AS opponent_pace_last_10,
    CAST(SIGN(pace_gap) * DIV(2 * ABS(pace_gap) + pace_gap_over, 2 * pace_gap_over) / 10 AS NUMERIC) AS pace_differential,
    CAST(DIV(2 * usage_7 + 10 * usage_games_7, NULLIF(20 * usage_games_7, 0)) / 10 AS NUMERIC) AS avg_usage_rate_last_7_games,
    CAST(DIV(2 * usage_season + 10 * usage_games_season, NULLIF(20 * usage_games_season, 0)) / 10 AS NUMERIC)
      AS projected_usage_rate,
    stars AS star_teammates_out,
    CASE
      WHEN kind IN ('004', '005') THEN 'playoffs'
      WHEN EXTRACT(MONTH FROM game_date) IN (10, 11) THEN 'early'
      WHEN EXTRACT(MONTH FROM game_date) IN (12, 1, 2) THEN 'mid'
      ELSE 'late'
    END AS season_phase,
    injury_status AS player_status,
    CASE WHEN number > 10 THEN 'gold' WHEN number > 5 THEN 'silver' ELSE 'bronze' END AS quality_tier,
    CAST(CASE WHEN number > 10 THEN 95 WHEN number > 5 THEN 75 ELSE 50 END AS NUMERIC) AS quality_score,
    ARRAY_CONCAT(
      IF(home_spread IS NULL, ['missing_game_spread'], []), IF(total IS NULL, ['missing_game_total'], []),
      IF(number > 3, [], [CONCAT('thin_sample:', CAST(number - 1 AS STRING), '/3')])
    ) AS quality_issues
  FROM measured
)
SELECT final.*, SUBSTR(TO_HEX(SHA256(TO_JSON_STRING(final))), 1, 16) AS data_hash, CURRENT_TIMESTAMP() AS processed_at
FROM final;
