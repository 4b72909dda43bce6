CREATE TABLE IF NOT EXISTS nba_static.travel_distances (
  from_team      STRING NOT NULL OPTIONS(description="Team at whose arena the way starts"),
  to_team        STRING NOT NULL OPTIONS(description="Team at whose arena it ends"),
  distance_miles INT64 OPTIONS(description="Distance, miles"),
  PRIMARY KEY (from_team, to_team) NOT ENFORCED
)
OPTIONS(description="Miles between arenas, one row per ordered pair of teams");
