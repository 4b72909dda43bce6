CREATE TABLE IF NOT EXISTS nba_raw.bettingpros_player_points_props (
  game_date             DATE NOT NULL OPTIONS(description="Day of the game, US/Eastern; the partition"),
  player_lookup         STRING NOT NULL OPTIONS(description="Player's key: lower-case name without spaces or punctuation, for instance lebronjames"),
  bookmaker             STRING NOT NULL OPTIONS(description="Bookmaker's name"),
  points_line           FLOAT64 OPTIONS(description="Line, points"),
  opening_line          FLOAT64 OPTIONS(description="First line, points"),
  is_active             BOOL OPTIONS(description="Offer stands"),
  is_best_line          BOOL OPTIONS(description="Best of the bookmakers"),
  bookmaker_last_update TIMESTAMP OPTIONS(description="When the bookmaker changed it last"),
  PRIMARY KEY (game_date, player_lookup, bookmaker) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY player_lookup
OPTIONS(description="Points lines by bookmaker; second source of lines, without game ids", require_partition_filter=TRUE);
