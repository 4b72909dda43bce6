CREATE TABLE IF NOT EXISTS nba_raw.bdl_player_boxscores (
  game_id                  STRING NOT NULL OPTIONS(description="Canonical game id, YYYYMMDD_AWAY_HOME"),
  player_lookup            STRING NOT NULL OPTIONS(description="Player's key: lower-case name without spaces or punctuation, for instance lebronjames"),
  game_date                DATE NOT NULL OPTIONS(description="Day of the game, US/Eastern; the partition"),
  season_year              INT64 OPTIONS(description="Calendar year in which the season starts (2021 is 2021-22)"),
  player_full_name         STRING OPTIONS(description="Name as printed"),
  team_abbr                STRING NOT NULL OPTIONS(description="Player's team"),
  minutes                  STRING OPTIONS(description="Time on the floor, MM:SS; other shapes occur: 36, 36.5, PT36M12.00S"),
  points                   INT64 OPTIONS(description="Points scored"),
  rebounds                 INT64 OPTIONS(description="Offensive and defensive rebounds"),
  field_goals_made         INT64 OPTIONS(description="Field goals made"),
  field_goals_attempted    INT64 OPTIONS(description="Field goals attempted"),
  three_pointers_made      INT64 OPTIONS(description="Three-pointers made"),
  three_pointers_attempted INT64 OPTIONS(description="Three-pointers attempted"),
  free_throws_made         INT64 OPTIONS(description="Free throws made"),
  free_throws_attempted    INT64 OPTIONS(description="Free throws attempted"),
  offensive_rebounds       INT64 OPTIONS(description="Rebounds taken at the opponent's basket"),
  defensive_rebounds       INT64 OPTIONS(description="Rebounds taken at the own basket"),
  assists                  INT64 OPTIONS(description="Assists"),
  steals                   INT64 OPTIONS(description="Steals"),
  blocks                   INT64 OPTIONS(description="Blocks"),
  turnovers                INT64 OPTIONS(description="Turnovers; a team's include those charged to nobody"),
  personal_fouls           INT64 OPTIONS(description="Personal fouls committed"),
  processed_at             TIMESTAMP OPTIONS(description="When the row was loaded; among copies of one key the latest holds"),
  PRIMARY KEY (game_id, player_lookup) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY player_lookup, team_abbr
OPTIONS(description="Second source of player boxes, read for games that the gamebook does not have", require_partition_filter=TRUE);
