CREATE TABLE IF NOT EXISTS nba_predictions.prediction_accuracy (
  player_lookup      STRING NOT NULL OPTIONS(description="Player's key"),
  game_id            STRING NOT NULL OPTIONS(description="Canonical game id, YYYYMMDD_AWAY_HOME"),
  game_date          DATE NOT NULL OPTIONS(description="Game date, US/Eastern"),
  system_id          STRING NOT NULL OPTIONS(description="The system that predicted"),
  prediction_version STRING NOT NULL OPTIONS(description="SHA-256 of the model's model.json"),
  predicted_points   NUMERIC(5, 1) NOT NULL OPTIONS(description="Points that were predicted"),
  actual_points      INT64 NOT NULL OPTIONS(description="Points that were scored"),
  absolute_error     NUMERIC(5, 1) NOT NULL OPTIONS(description="Points"),
  signed_error       NUMERIC(5, 1) NOT NULL OPTIONS(description="Predicted minus actual, points"),
  recommendation     STRING NOT NULL OPTIONS(description="OVER, UNDER, PASS, NO_LINE"),
  prediction_correct BOOL OPTIONS(description="The recommended side won; NULL without a recommendation, or where the line was hit"),
  within_3_points    BOOL NOT NULL OPTIONS(description="Absolute error of at most 3 points"),
  within_5_points    BOOL NOT NULL OPTIONS(description="Absolute error of at most 5 points"),
  confidence_decile  INT64 OPTIONS(description="1 to 10, from confidence_score; NULL without a line"),
  graded_at          TIMESTAMP NOT NULL OPTIONS(description="When; in no hash"),
  PRIMARY KEY (game_date, system_id, player_lookup) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY system_id, player_lookup, game_date
OPTIONS(description="Predictions of past dates beside what the players who played then scored; written by runbook predict", require_partition_filter=TRUE);
