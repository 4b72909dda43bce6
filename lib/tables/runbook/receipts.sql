CREATE TABLE IF NOT EXISTS runbook.receipts (
  table_name   STRING NOT NULL OPTIONS(description="dataset.table"),
  day          DATE NOT NULL OPTIONS(description="The date that was published"),
  kind         STRING NOT NULL OPTIONS(description="published, or found: taken stock of, written by something else"),
  key_count    INT64 NOT NULL OPTIONS(description="Rows of the date"),
  content      STRING NOT NULL OPTIONS(description="Sum of the rows' hashes, business columns only"),
  sql_digest   STRING NOT NULL OPTIONS(description="SHA-256 of the contract's types and the SELECT"),
  input_digest STRING NOT NULL OPTIONS(description="SHA-256 over what the SELECT read for the date"),
  attempt      STRING NOT NULL OPTIONS(description="The attempt that published it"),
  published_at TIMESTAMP NOT NULL OPTIONS(description="When"),
  PRIMARY KEY (table_name, day) NOT ENFORCED
)
OPTIONS(description="What a publish leaves per table and date, in the same transaction");
