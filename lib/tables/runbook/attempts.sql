CREATE TABLE IF NOT EXISTS runbook.attempts (
  attempt     STRING NOT NULL OPTIONS(description="Id of one try at a chunk"),
  run         STRING OPTIONS(description="The run it belongs to; NULL outside a run"),
  table_name  STRING NOT NULL OPTIONS(description="dataset.table"),
  day         DATE NOT NULL OPTIONS(description="One date of the chunk"),
  outcome     STRING NOT NULL OPTIONS(description="published, failed, blocked, interrupted"),
  detail      STRING OPTIONS(description="Why it was not published: key, value, what to do"),
  row_count   INT64 NOT NULL OPTIONS(description="Rows published for the date"),
  owner       STRING NOT NULL OPTIONS(description="Host and process"),
  started_at  TIMESTAMP NOT NULL OPTIONS(description="When the chunk was begun"),
  finished_at TIMESTAMP NOT NULL OPTIONS(description="When it was over"),
  PRIMARY KEY (attempt, day) NOT ENFORCED
)
OPTIONS(description="Append-only ledger of attempts: history only, it never says what is in a table");
