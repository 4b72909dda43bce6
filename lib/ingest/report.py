"""What was read, file by file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
from rich.console import RenderableType
from rich.table import Table

from lib.ingest.files import Source
from lib.ingest.model import Correction, Ingested, SourceReport
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


def render_changes(correction: Correction, most: int = 20) -> list[RenderableType]:
    """What a correction changes, by table and date, at most *most* of them; then the sum and the findings."""
    table = Table()
    for title in ("raw table", "date", "added", "gone", "changed"):
        table.add_column(title, justify="left" if title in ("raw table", "date") else "right")
    for change in correction.changes[:most]:
        figures = (change.added, change.gone, change.changed)
        table.add_row(change.table.partition(".")[2], str(change.day), *(f"{figure:,}" for figure in figures))
    more = len(correction.changes) - most
    left_out = f" Not shown: {more:,}; --json has all." if more > 0 else ""
    total = f"Table-dates: {len(correction.changes):,} with other rows, {correction.same:,} as they were.{left_out}"
    return [*([table] if correction.changes else []), total, *(f"  ▲ {finding}" for finding in correction.findings)]


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
