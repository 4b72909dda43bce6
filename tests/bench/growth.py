"""(e) What grows with the history: one more date should not, the whole backfill should in step, memory should not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.backfill import one_more_date, ours
from tests.bench.leagues import Leagues, settings_file
from tests.bench.measure import Figure, Ratio, peak_megabytes, rounds

MEMORY_MEGABYTES = 2000


def one_date(leagues: Leagues, folder: Path, count: int) -> Iterator[Figure | Ratio]:
    """One more date of ten tables, on a warehouse of one season and of five."""
    figures = []
    for seasons in (1, 5):
        place = leagues.seasons(seasons)
        warehouse = place.copy(folder / f"one-date-{seasons}.duckdb")
        ours(warehouse, place.settings)
        again = lambda w=warehouse, s=place.settings: one_more_date(w, s)  # noqa: E731
        figures.append(rounds(f"e: one more date, {seasons} seasons", count, again))
        yield figures[-1]
    yield Ratio("one more date, 5 seasons / 1 season", figures[1].median / figures[0].median, aim=1.5)


def whole(leagues: Leagues, folder: Path) -> Iterator[Figure | Ratio]:
    """The full backfill of 1, 2 and 5 leagues, once each."""
    alone = 0.0
    for count in (1, 2, 5):
        place = leagues.times(count)
        warehouse = place.copy(folder / f"grown-{count}.duckdb")
        took = rounds(f"e: full backfill, {count} x the league", 1, lambda w=warehouse, s=place.settings: ours(w, s))
        warehouse.path.unlink()
        yield took
        alone = alone or took.median
        if count > 1:
            yield Ratio(f"{count} x the league, per league / 1 x", took.median / count / alone, aim=1.25)


def memory(leagues: Leagues, folder: Path) -> Iterator[Figure | Ratio]:
    """Highest memory of a whole run from nothing, all its processes together."""
    place = leagues.seasons(5)
    warehouse = place.copy(folder / "memory.duckdb")
    words = ["runbook", "run", "--warehouse", warehouse.url, "--runs", str(folder / "memory-runs")]
    highest = peak_megabytes(words, settings_file(place.settings, folder))
    yield Ratio("highest memory of a run from nothing, GB", highest / 1000, aim=MEMORY_MEGABYTES / 1000)
