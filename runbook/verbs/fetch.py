"""``runbook fetch``: raw data from stats.nba.com, then the same ingest."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lib.fetch.cache import Cache
from lib.fetch.folder import Fetch, Fetched
from lib.fetch.pulls import Pull, seasons_of
from lib.fetch.source import ADDRESS, Source, require_nba_api
from runbook.options import Place, json_option, open_place, warehouse_option
from runbook.verbs.warehouse import load_folder, refuse_existing


@click.command()
@click.option("--seasons", required=True, metavar="A..B", help="For instance 2021-22..2025-26, or 2024-25.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/stats.nba.com"), show_default=True,
              help="Where the files and, in raw/, the raw answers are kept.")  # fmt: skip
@click.option("--files-only", is_flag=True, help="Write the files; load them later with 'runbook ingest DIR'.")
@click.option("--refresh", is_flag=True, help="Ask for everything again, also for what is kept.")
@click.option("--pause", type=click.FloatRange(min=0), default=1.0, show_default=True, help="Seconds between requests.")
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=30.0, show_default=True, help="Seconds for an answer."
)
@click.option("--source", default=ADDRESS, hidden=True, help="Another site that answers alike, for tests.")
@json_option
@warehouse_option
def fetch(
    seasons: str,
    out: Path,
    files_only: bool,
    refresh: bool,
    pause: float,
    timeout: float,
    source: str,
    as_json: bool,
    url: str | None,
) -> int:
    """Fetch schedule, player and team game logs and shots from stats.nba.com, and load them into a new warehouse.

    Asks politely, about 45 requests a season; every raw answer is kept, so that an interrupted fetch goes on where it
    stopped. An answer of exactly as many rows as the source gives at most is named as suspect. Needs the extra: pip install
    'backfill-runbook[fetch]'. The source has no betting lines; put a file of them into the folder.

    \b
    Example:
      runbook fetch --seasons 2021-22..2025-26 --warehouse duckdb:////data/nba.duckdb
    """
    require_nba_api()
    place = open_place(url)
    place.console.quiet = as_json
    wanted = seasons_of(seasons)
    if not files_only:
        refuse_existing(place)
    result = _fetched(
        place, wanted, Source(source, pause, timeout), Cache(out / "raw", datetime.now(UTC), refresh), out
    )
    counts = ", ".join(f"{count:,} {kind}" for kind, count in result.rows.items())
    place.console.print(
        f"{counts} in {out}: {result.asked} requests, {result.cached} answers taken from {out / 'raw'}."
    )
    for suspicion in result.suspect:
        place.console.print(f"  ▲ {suspicion}")
    if files_only:
        place.console.print(f"Load them with: runbook ingest {out}")
        click.echo(json.dumps({"fetched": asdict(result)}, default=str, indent=1)) if as_json else None
        return 0
    return load_folder(place, out, as_json, {"fetched": asdict(result)})


def _fetched(place: Place, seasons: list[str], source: Source, cache: Cache, out: Path) -> Fetched:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=place.console, transient=True) as progress:
        task = progress.add_task("fetch", total=None)
        source.said = progress.console.print

        def on_pull(pull: Pull, done: int, total: int) -> None:
            progress.update(task, description=pull.name, completed=done, total=total)

        return Fetch(source, cache, out, on_pull).run(seasons)
