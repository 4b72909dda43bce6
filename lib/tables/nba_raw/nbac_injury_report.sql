CREATE TABLE IF NOT EXISTS nba_raw.nbac_injury_report (
  report_date      DATE NOT NULL OPTIONS(description="Day of the report; the partition"),
  report_hour      INT64 NOT NULL OPTIONS(description="Hour of the report, US/Eastern"),
  game_date        DATE OPTIONS(description="Day of the game the report is for"),
  team             STRING OPTIONS(description="Player's team"),
  player_lookup    STRING NOT NULL OPTIONS(description="Player's key: lower-case name without spaces or punctuation, for instance lebronjames"),
  injury_status    STRING OPTIONS(description="out, doubtful, questionable, probable, available"),
  confidence_score FLOAT64 OPTIONS(description="Confidence of the parser, 0 to 1"),
  PRIMARY KEY (report_date, report_hour, game_date, player_lookup) NOT ENFORCED
)
PARTITION BY report_date
CLUSTER BY player_lookup
OPTIONS(description="Official injury report: one row per report and player", require_partition_filter=TRUE);
