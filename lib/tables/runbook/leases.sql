CREATE TABLE IF NOT EXISTS runbook.leases (
  phase       STRING NOT NULL OPTIONS(description="What is worked on: 3, 4, 5 or ml; one row a phase"),
  token       INT64 NOT NULL OPTIONS(description="Grows with every lease of the phase; a publish under an older one is refused"),
  user_name   STRING NOT NULL OPTIONS(description="Who works"),
  host        STRING NOT NULL OPTIONS(description="On which machine"),
  pid         INT64 NOT NULL OPTIONS(description="Process that holds the lease"),
  work        STRING NOT NULL OPTIONS(description="What it does, for instance the command"),
  since       TIMESTAMP NOT NULL OPTIONS(description="When the lease was taken"),
  heartbeat   TIMESTAMP NOT NULL OPTIONS(description="Last sign of life; with each publish at least"),
  released_at TIMESTAMP OPTIONS(description="When it was given back; NULL while it is held, or where a lock file tells"),
  PRIMARY KEY (phase) NOT ENFORCED
)
OPTIONS(description="Who may publish into a phase: one runner at a time");
