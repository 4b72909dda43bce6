"""``python -m tests.bench``: measures, prints ratios, writes JSON."""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console

from lib.show import table_of
from tests.bench.backfill import computed, write_path
from tests.bench.chain import from_red_to_trained, verbs
from tests.bench.growth import memory, one_date, whole
from tests.bench.leagues import Leagues
from tests.bench.measure import Figure, Ratio, row_of, yardstick
from tests.bench.monitor import watched
from tests.bench.validate import validate

SETS = ("write-path", "chain", "watched", "verbs", "validate", "growth", "memory")


@click.command()
@click.option(
    "--rounds", "count", type=click.IntRange(1), default=3, show_default=True, help="Rounds; the median counts."
)
@click.option("--only", type=click.Choice(SETS), multiple=True, help="Only this set; repeat for several.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("bench/bench.json"), show_default=True)
def main(count: int, only: tuple[str, ...], out: Path) -> None:
    """Measure the write path, the chain, alone and watched, the verbs and what grows with the history, on the full simulated league."""
    console = Console(width=110)
    found: list[Figure | Ratio] = []
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        for one in _measured(Path(scratch), only or SETS, count):
            found.append(one)
            out.write_text(json.dumps(_report(found, count), indent=1))  # kept also where a later set breaks off
            if isinstance(one, Figure):
                console.print(f"{one.name:<48} {one.median:8.2f} s")
                console.file.flush()
    ratios = [row_of(one) for one in found if isinstance(one, Ratio)]
    console.print(table_of(ratios, "Ratios, each within this run"))
    console.print(f"Written to {out}.")


def _measured(folder: Path, wanted: tuple[str, ...], count: int) -> Iterator[Figure | Ratio]:
    yield yardstick(count)
    leagues = Leagues(folder)
    place = leagues.seasons(5)
    if "write-path" in wanted:
        yield from write_path(place, folder, count)
    if "chain" in wanted:
        yield from from_red_to_trained(place, folder, count)
    if {"verbs", "validate"} & set(wanted):
        warehouse = computed(place, folder)
        yield from verbs(warehouse, count) if "verbs" in wanted else ()
        yield from validate(warehouse, place.settings, count) if "validate" in wanted else ()
    if "watched" in wanted:
        yield from watched(place, folder, count)
    if "growth" in wanted:
        yield from one_date(leagues, folder, count)
        yield from whole(leagues, folder)
    if "memory" in wanted:
        yield from memory(leagues, folder)
    yield yardstick(count)  # once more: a machine that others share is not the same an hour later


def _report(found: list[Figure | Ratio], count: int) -> dict[str, object]:
    figures = [one for one in found if isinstance(one, Figure)]
    ratios = [one for one in found if isinstance(one, Ratio)]
    return {
        "rounds": count,
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "figures": [figure.as_json() for figure in figures],
        "ratios": [ratio.as_json() for ratio in ratios],
    }


if __name__ == "__main__":
    main()
