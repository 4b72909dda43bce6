"""``python -m tests.bench.peers``: SQLMesh and dbt over the same raw data, their rows compared with ours."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console

from lib.calendar import read_calendar
from lib.show import table_of
from tests.bench.leagues import Leagues
from tests.bench.measure import Figure, Ratio, rounds, row_of
from tests.bench.peers import dbt, sqlmesh
from tests.bench.peers.common import Span, differences, export_raw, ours

BATCH_DATES = 30
SAMPLE_DATES = 30  # of single dates


@click.command()
@click.option("--rounds", "count", type=click.IntRange(1), default=3, show_default=True, help="Rounds of our own side.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("bench/peers"), show_default=True)
def main(count: int, folder: Path) -> None:
    """Measure three tables of phase 3 over five seasons: ours, SQLMesh in batches of 30 dates; and single dates."""
    folder = folder.resolve()
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    place = Leagues(work).seasons(5)
    warehouse = place.copy(work / "ours.duckdb")
    raw = export_raw(warehouse, work / "raw")
    fresh = lambda: place.copy(work / "ours.duckdb")  # noqa: E731
    mine = rounds("ours, 3 tables, 5 seasons", count, lambda: ours(warehouse, place.settings), fresh)
    with warehouse.reading() as session:
        calendar = read_calendar(session, place.settings)
    dates = calendar.expected_dates(place.settings.start_date, calendar.as_of)
    whole = Span(dates[0], dates[-1])
    sample = Span(dates[-SAMPLE_DATES], dates[-1])
    figures, compared = [mine], {}
    for name, span, batch in (("batches", whole, BATCH_DATES), ("single", sample, 1)):
        programs = sqlmesh.project(work / f"sqlmesh-{name}", raw, span, batch, folder / "venv-sqlmesh")
        label = f"SQLMesh, batches of {batch}, {(span.last - span.first).days + 1} days"
        figures.append(rounds(label, 1, lambda n=name, p=programs: sqlmesh.build(work / f"sqlmesh-{n}", p)))
        compared[label] = differences(warehouse, sqlmesh.export(work / f"sqlmesh-{name}", programs), span)
    programs = dbt.project(work / "dbt", raw, sample, folder / "venv-dbt")
    end = Span(sample.first, sample.last + timedelta(days=1))
    label = f"dbt microbatch, {(sample.last - sample.first).days + 1} days"
    figures.append(rounds(label, 1, lambda: dbt.build(work / "dbt", programs, end)))
    compared[label] = differences(warehouse, dbt.export(work / "dbt", programs), sample)
    _report(folder, figures, compared, (whole.last - whole.first).days + 1, (sample.last - sample.first).days + 1)


def _report(folder: Path, figures: list[Figure], compared: dict[str, dict[str, int]], days: int, sample: int) -> None:
    mine, batches, single, micro = (figure.median for figure in figures)
    ratios = [
        Ratio("SQLMesh in batches of 30 / ours", batches / mine, at_least=5.0),
        Ratio("SQLMesh one date at a time, carried on to all days / ours", single / sample * days / mine),
        Ratio("dbt microbatch, carried on to all days / ours", micro / sample * days / mine),
    ]
    console = Console(width=120)
    for figure in figures:
        console.print(f"{figure.name:<48} {figure.median:8.2f} s")
    console.print(table_of([row_of(ratio) for ratio in ratios], "Ratios, within this run; each peer was measured once"))
    differ = [
        {"peer": name, "table": table, "rows": count}
        for name, found in compared.items()
        for table, count in found.items()
    ]
    console.print(table_of(differ, "Rows that differ from ours"))
    report = {
        "figures": [f.as_json() for f in figures],
        "ratios": [r.as_json() for r in ratios],
        "differing_rows": compared,
    }
    (folder / "peers.json").write_text(json.dumps(report, indent=1))
    if any(count for found in compared.values() for count in found.values()):
        raise SystemExit("a peer's rows differ from ours")


if __name__ == "__main__":
    main()
