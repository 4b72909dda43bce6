CREATE TABLE IF NOT EXISTS nba_predictions.player_prop_predictions (
  prediction_id       STRING NOT NULL OPTIONS(description="system_id, game_id and player_lookup, joined by slashes"),
  system_id           STRING NOT NULL OPTIONS(description="hist_gradient_boosting_v1: the trained model; moving_average: the mean of the last 10 games' and the season's average"),
  player_lookup       STRING NOT NULL OPTIONS(description="Player's key"),
  universal_player_id STRING NOT NULL OPTIONS(description="Registry id; the player's key where no registry is read"),
  game_date           DATE NOT NULL OPTIONS(description="Game date, US/Eastern"),
  game_id             STRING NOT NULL OPTIONS(description="Canonical game id, YYYYMMDD_AWAY_HOME"),
  prediction_version  STRING NOT NULL OPTIONS(description="SHA-256 of the model's model.json, which gives the digest of everything it is made of"),
  predicted_points    NUMERIC(5, 1) NOT NULL OPTIONS(description="Points, if he plays"),
  confidence_score    NUMERIC(5, 2) OPTIONS(description="Percent: how often the validation residuals fall on the recommended side of the line; NULL without a line"),
  recommendation      STRING NOT NULL OPTIONS(description="OVER, UNDER, PASS where prediction and line are too near, NO_LINE"),
  has_prop_line       BOOL NOT NULL OPTIONS(description="A points line exists"),
  current_points_line NUMERIC(4, 1) OPTIONS(description="Points line, last snapshot"),
  line_margin         NUMERIC(5, 1) OPTIONS(description="Predicted points minus line"),
  line_source         STRING OPTIONS(description="ACTUAL_PROP; NULL without a line, for none is made up"),
  model_part          STRING NOT NULL OPTIONS(description="train, validation, test or unseen: where the date lay when the model was trained"),
  default_features    INT64 NOT NULL OPTIONS(description="How many of the features are defaults"),
  feature_hash        STRING NOT NULL OPTIONS(description="data_hash of the feature row that was used"),
  predicted_at        TIMESTAMP NOT NULL OPTIONS(description="When; in no hash"),
  PRIMARY KEY (game_date, system_id, player_lookup) NOT ENFORCED
)
PARTITION BY game_date
CLUSTER BY system_id, player_lookup, confidence_score, game_date
OPTIONS(description="Points predicted for players who may play, by system; written by runbook predict", require_partition_filter=TRUE);
