CREATE TABLE IF NOT EXISTS nba_raw.odds_api_player_points_props (
  game_id            STRING OPTIONS(description="Canonical game id"),
  game_date          DATE NOT NULL OPTIONS(description="Day of the game, US/Eastern; the partition"),
  player_lookup      STRING NOT NULL OPTIONS(description="Player's key: lower-case name without spaces or punctuation, for instance lebronjames"),
  bookmaker          STRING NOT NULL OPTIONS(description="Bookmaker's key"),
  points_line        FLOAT64 OPTIONS(description="Line, points"),
  snapshot_timestamp TIMESTAMP NOT NULL OPTIONS(description="When the line was read"),
  PRIMARY KEY (game_date, player_lookup, bookmaker, snapshot_timestamp) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY player_lookup
OPTIONS(description="Points lines by bookmaker and snapshot; first source of lines", require_partition_filter=TRUE);
