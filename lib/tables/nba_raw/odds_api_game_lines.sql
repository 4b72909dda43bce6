CREATE TABLE IF NOT EXISTS nba_raw.odds_api_game_lines (
  game_date          DATE NOT NULL OPTIONS(description="Day of the game, US/Eastern; the partition"),
  home_team_abbr     STRING NOT NULL OPTIONS(description="Home team's tricode"),
  away_team_abbr     STRING NOT NULL OPTIONS(description="Visiting team's tricode"),
  bookmaker_key      STRING NOT NULL OPTIONS(description="Bookmaker's key"),
  market_key         STRING NOT NULL OPTIONS(description="spreads, totals"),
  outcome_name       STRING NOT NULL OPTIONS(description="Full team name for spreads; Over or Under for totals"),
  outcome_point      FLOAT64 OPTIONS(description="Spread or total, points"),
  snapshot_timestamp TIMESTAMP NOT NULL OPTIONS(description="When the line was read"),
  PRIMARY KEY (game_date, home_team_abbr, away_team_abbr, bookmaker_key, market_key, outcome_name, snapshot_timestamp) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY home_team_abbr
OPTIONS(description="Spreads and totals by bookmaker, snapshot and outcome", require_partition_filter=TRUE);
