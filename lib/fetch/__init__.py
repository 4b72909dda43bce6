"""Raw data from its source, stats.nba.com: polite, resumable, every raw answer kept; written in the shapes of ingest."""
