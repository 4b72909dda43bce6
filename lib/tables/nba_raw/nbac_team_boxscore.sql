CREATE TABLE IF NOT EXISTS nba_raw.nbac_team_boxscore (
  game_id            STRING NOT NULL OPTIONS(description="Game id of the date and the two teams; the order of the teams is not to be relied on"),
  team_abbr          STRING NOT NULL OPTIONS(description="Team's tricode"),
  nba_game_id        STRING OPTIONS(description="League's 10-digit id"),
  game_date          DATE NOT NULL OPTIONS(description="Day of the game, US/Eastern; the partition"),
  season_year        INT64 OPTIONS(description="Calendar year in which the season starts (2021 is 2021-22)"),
  is_home            BOOL OPTIONS(description="Played at home"),
  minutes            STRING OPTIONS(description="Sum of the players' minutes, MMM:SS; 240:00 without overtime, 25 more for each"),
  points             INT64 OPTIONS(description="Points scored"),
  fg_made            INT64 OPTIONS(description="Field goals made"),
  fg_attempted       INT64 OPTIONS(description="Field goals attempted"),
  three_pt_made      INT64 OPTIONS(description="Three-pointers made"),
  three_pt_attempted INT64 OPTIONS(description="Three-pointers attempted"),
  ft_made            INT64 OPTIONS(description="Free throws made"),
  ft_attempted       INT64 OPTIONS(description="Free throws attempted"),
  offensive_rebounds INT64 OPTIONS(description="Rebounds taken at the opponent's basket"),
  defensive_rebounds INT64 OPTIONS(description="Rebounds taken at the own basket"),
  total_rebounds     INT64 OPTIONS(description="Offensive and defensive rebounds"),
  assists            INT64 OPTIONS(description="Assists"),
  steals             INT64 OPTIONS(description="Steals"),
  blocks             INT64 OPTIONS(description="Blocks"),
  turnovers          INT64 OPTIONS(description="Turnovers; a team's include those charged to nobody"),
  personal_fouls     INT64 OPTIONS(description="Personal fouls committed"),
  plus_minus         INT64 OPTIONS(description="Points of the own side minus the other's while on the floor"),
  processed_at       TIMESTAMP OPTIONS(description="When the row was loaded; among copies of one key the latest holds"),
  PRIMARY KEY (game_id, team_abbr) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY team_abbr
OPTIONS(description="Official team lines: one row per game and team", require_partition_filter=TRUE);
