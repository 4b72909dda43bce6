"""(d) The whole chain with notebooks beside its own floor, and (f) the verbs that people wait for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import nbformat

from lib.ml.fitting import fit
from lib.ml.matrix import read_matrix
from lib.sandbox import compute_all, take_away
from lib.warehouse import EmbeddedWarehouse
from runbook.execute import Job, execute_group
from tests.bench.backfill import FLOOR, floor
from tests.bench.leagues import Place, settings_file
from tests.bench.measure import Figure, Ratio, command, rounds

TWO_SECONDS = 2.0


def incident(place: Place, folder: Path) -> EmbeddedWarehouse:
    """The warehouse of 5 January 2026: phase 3 with holes, phase 4 empty."""
    warehouse = place.copy(folder / "incident.duckdb")
    compute_all(warehouse, place.settings)
    take_away(warehouse, place.settings)
    return warehouse


def from_red_to_trained(place: Place, folder: Path, count: int) -> Iterator[Figure | Ratio]:
    """The chain from the incident to a trained model, beside as many empty notebooks, the floor (a) and the training."""
    broken = incident(place, folder)
    target, runs = folder / "chain.duckdb", folder / "chain-runs"

    def again() -> None:
        shutil.rmtree(runs, ignore_errors=True)
        shutil.copy(broken.path, target)

    words = ["runbook", "run", "--warehouse", f"duckdb:///{target}", "--runs", str(runs)]
    run = partial(command, words, settings_file(place.settings, folder))
    yield (chain := rounds("d: run, from red to trained", count, run, again))
    notebooks = len(json.loads(next(runs.glob("*/manifest.json")).read_text())["steps"])
    yield (empty := rounds(f"d: {notebooks} empty notebooks", count, lambda: _empty_notebooks(notebooks, folder)))
    yield (training := _training(target, place, count))
    bare = place.copy(folder / "bare.duckdb")
    fresh = lambda: place.copy(bare.path)  # noqa: E731
    yield (lowest := rounds(f"d: {FLOOR[3:]}", count, lambda: floor(bare, place.settings), fresh))
    yield rounds("d: run again, nothing to do", count, run)
    under = empty.median + lowest.median + training.median
    yield Ratio("d / (empty notebooks + a + training)", chain.median / under, aim=1.5)
    yield Ratio("d: from red to trained, seconds", chain.median, aim=60.0)


def _empty_notebooks(count: int, folder: Path) -> None:
    template = folder / "empty.ipynb"
    cells = [nbformat.v4.new_markdown_cell("# Empty"), nbformat.v4.new_code_cell("pass")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), template)
    out = folder / f"empty-{datetime.now(UTC).timestamp()}"
    jobs = [Job(f"{n}", template, out / f"{n}.ipynb", {}, frozenset(), 120, {}, out / f"{n}.log") for n in range(count)]
    outcomes = execute_group(jobs, 2, lambda event: None)
    if any(outcome.state != "proven" for outcome in outcomes):
        raise RuntimeError("; ".join(outcome.reason for outcome in outcomes if outcome.reason))


def _training(file: Path, place: Place, count: int) -> Figure:
    from lib.calendar import read_calendar
    from lib.warehouse import connect

    with connect(f"duckdb:///{file}").reading() as session:
        calendar = read_calendar(session, place.settings)
        matrix = read_matrix(session, place.settings.start_date, calendar.as_of)
    return rounds("d: training alone", count, lambda: fit(matrix, 42))


def verbs(warehouse: EmbeddedWarehouse, count: int) -> Iterator[Figure | Ratio]:
    """(f) ``gate``, ``status`` and ``plan`` at full size, each a command of its own."""
    asked = {"gate 3": ("gate", "3"), "gate 4": ("gate", "4"), "status": ("status",), "plan": ("plan",)}
    for name, words in asked.items():
        line = ["runbook", *words, "--warehouse", warehouse.url]
        yield (figure := rounds(f"f: {name}", count, lambda w=line: command(w, accept=(0, 1))))
        yield Ratio(f"{name}, seconds", figure.median, aim=TWO_SECONDS)
