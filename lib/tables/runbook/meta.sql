CREATE TABLE IF NOT EXISTS runbook.meta (
  name  STRING NOT NULL OPTIONS(description="as_of, kind (sandbox, ingested), id, created_at"),
  value STRING NOT NULL OPTIONS(description="The fact, as text"),
  PRIMARY KEY (name) NOT ENFORCED
)
OPTIONS(description="Facts about the warehouse itself");
