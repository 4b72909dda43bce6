"""The helper module that every notebook imports: calendar, tables, warehouse, backfill, coverage, gates."""
