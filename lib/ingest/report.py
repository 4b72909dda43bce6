"""What was read, file by file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
from rich.table import Table

from lib.ingest.files import Source
from lib.ingest.model import Ingested, SourceReport
from lib.ingest.query import first_row, rows


def source_reports(con: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> tuple[SourceReport, ...]:
    """One report per file and kind, in the order of the files."""
    return tuple(_report(con, source) for source in sources)


def render_report(ingested: Ingested) -> Table:
    """The report as a table to print: source, rows read, loaded, dropped and why, dates and games covered."""
    table = Table(title=f"Read as of {ingested.as_of}")
    for title in (
        "source",
        "read",
        "loaded",
        "dropped",
        "dates",
        "games",
        "rows by season",
    ):
        table.add_column(
            title,
            justify="right" if title in ("read", "loaded", "games") else "left",
            overflow="fold",
        )
    for report in ingested.report:
        table.add_row(
            report.source,
            f"{report.read:,}",
            f"{report.loaded:,}",
            _counts(report.dropped) or "none",
            f"{report.first_date} to {report.last_date}" if report.first_date else "none",
            f"{report.games:,}",
            _counts(report.per_season),
        )
    return table


def _counts(counts: Mapping[str, int]) -> str:
    return "\n".join(f"{name}: {count:,}" for name, count in counts.items())


def _report(con: duckdb.DuckDBPyConnection, source: Source) -> SourceReport:
    seasons = _counted(con, source, "season", "dropped IS NULL")
    dropped = _counted(con, source, "dropped", "dropped IS NOT NULL")
    first, last, games, loaded = first_row(
        con,
        f"""SELECT min(game_date), max(game_date), count(DISTINCT game_id), count(*)
        FROM {source.kind.name} WHERE file = ? AND dropped IS NULL""",
        [source.file],
    ) or (None, None, 0, 0)
    name = f"{source.file}: {source.kind.title}"
    return SourceReport(name, source.rows.num_rows, loaded, dropped, first, last, games, seasons)


def _counted(con: duckdb.DuckDBPyConnection, source: Source, column: str, condition: str) -> dict[str, int]:
    query = (
        f"SELECT {column}, count(*) FROM {source.kind.name} WHERE file = ? AND {condition} GROUP BY ALL ORDER BY ALL"
    )
    return dict(rows(con, query, [source.file]))
