CREATE TABLE IF NOT EXISTS nba_raw.bigdataball_play_by_play (
  event_id           STRING NOT NULL OPTIONS(description="Event's id, unique within its game"),
  game_id            STRING NOT NULL OPTIONS(description="Canonical game id, YYYYMMDD_AWAY_HOME"),
  game_date          DATE NOT NULL OPTIONS(description="Day of the game, US/Eastern; the partition"),
  home_team_abbr     STRING OPTIONS(description="Home team's tricode"),
  away_team_abbr     STRING OPTIONS(description="Visiting team's tricode"),
  event_type         STRING OPTIONS(description="shot, free throw"),
  event_subtype      STRING OPTIONS(description="For instance 3pt jump shot, layup, free throw 1/1"),
  player_1_lookup    STRING OPTIONS(description="Shooter; since October 2024 with a numeric id in front, 1630552jalenjohnson"),
  player_1_team_abbr STRING OPTIONS(description="Shooter's team"),
  player_2_lookup    STRING OPTIONS(description="Other player, the same two shapes"),
  player_2_role      STRING OPTIONS(description="assist, block"),
  shot_made          BOOL OPTIONS(description="The shot went in"),
  shot_type          STRING OPTIONS(description="2PT, 3PT, FT"),
  shot_distance      FLOAT64 OPTIONS(description="Distance from the basket, feet"),
  PRIMARY KEY (game_id, event_id) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY game_id, player_1_lookup
OPTIONS(description="Play-by-play events with shot distance; source of shot zones", require_partition_filter=TRUE);
