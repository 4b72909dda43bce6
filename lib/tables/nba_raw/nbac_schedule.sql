CREATE TABLE IF NOT EXISTS nba_raw.nbac_schedule (
  game_id              STRING NOT NULL OPTIONS(description="League's 10-digit id; its first three digits tell the kind: 001 preseason, 002 regular season, 003 All-Star, 004 playoffs, 005 play-in, 006 Cup final"),
  game_date            DATE NOT NULL OPTIONS(description="Day of the game, US/Eastern; the partition"),
  season_year          INT64 OPTIONS(description="Calendar year in which the season starts (2021 is 2021-22)"),
  home_team_tricode    STRING NOT NULL OPTIONS(description="Home team's tricode"),
  away_team_tricode    STRING NOT NULL OPTIONS(description="Visiting team's tricode"),
  game_status          INT64 NOT NULL OPTIONS(description="1 scheduled, 2 live, 3 final, 4 postponed, 5 cancelled"),
  is_regular_season    BOOL OPTIONS(description="Counts for the regular season"),
  is_playoffs          BOOL OPTIONS(description="Playoffs or play-in"),
  is_all_star          BOOL OPTIONS(description="Exhibition of the All-Star weekend"),
  home_team_score      INT64 OPTIONS(description="Home team's points; NULL before the game"),
  away_team_score      INT64 OPTIONS(description="Visiting team's points; NULL before the game"),
  winning_team_tricode STRING OPTIONS(description="Winner's tricode; NULL before the game"),
  processed_at         TIMESTAMP OPTIONS(description="When the row was loaded; among copies of one key the latest holds"),
  PRIMARY KEY (game_id, game_date) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY game_date, home_team_tricode
OPTIONS(description="The league's schedule: one row per game and date it was set for", require_partition_filter=TRUE);
