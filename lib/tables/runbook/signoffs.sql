CREATE TABLE IF NOT EXISTS runbook.signoffs (
  sequence  INT64 NOT NULL OPTIONS(description="Place in the log of sign-offs, from 1"),
  head      STRING NOT NULL OPTIONS(description="SHA-256 of the log's line, which names the line before it"),
  kind      STRING NOT NULL OPTIONS(description="sign-off or revocation"),
  phase     STRING NOT NULL OPTIONS(description="3, 4 or ml"),
  signed_at TIMESTAMP NOT NULL OPTIONS(description="When, by the clock of the machine that signed"),
  PRIMARY KEY (sequence) NOT ENFORCED
)
OPTIONS(description="What the log of sign-offs said when it was written: a cut-off tail or another log is found");
