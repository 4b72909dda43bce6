"""The list of runs: one plain page that leads to each run's report, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lib.files import write_whole
from runbook.report.facts import HEADLINES
from runbook.report.page import INDEX, rendered
from runbook.signing.check import Book


@dataclass(frozen=True)
class Listed:
    """One run of the list; what its manifest cannot say is empty."""

    name: str
    outcome: str
    colour: str = "red"
    created: str = ""
    seconds: str = ""
    phases: str = ""
    range: str = ""
    warehouse: str = ""
    notebooks: int = 0
    signed: str = ""
    has_report: bool = False


def write_list(runs: Path, book: Book) -> Path:
    """Writes ``index.html`` beside the runs."""
    listed = sorted(_listed(runs, book), key=lambda run: run.name, reverse=True)
    write_whole(runs / INDEX, rendered("runs.html.jinja", runs=listed).encode(), "page")
    return runs / INDEX


def _listed(runs: Path, book: Book) -> Iterator[Listed]:
    for path in runs.glob("*/manifest.json"):
        folder = path.parent
        try:
            yield _of(json.loads(path.read_bytes()), folder, book)
        except (OSError, ValueError, KeyError, TypeError):
            yield Listed(folder.name, "damaged manifest", has_report=(folder / INDEX).exists())


def _of(raw: dict[str, object], folder: Path, book: Book) -> Listed:
    created = datetime.fromisoformat(str(raw["created"]))
    finished = datetime.fromisoformat(str(raw["finished"])) if raw.get("finished") else None
    outcome, steps, phases = str(raw["outcome"]), raw["steps"], raw["phases"]
    if not isinstance(steps, list) or not isinstance(phases, list):
        raise ValueError("steps and phases are lists")
    signed = [line for line in book.lines if line.entry.run == folder.name and line.predicate and not line.faults]
    names = {line.entry.phase: line.signer.name for line in signed if line.signer and not line.revoked}
    return Listed(
        name=folder.name,
        outcome=outcome if finished else "not finished",
        colour=HEADLINES[outcome][0] if outcome in HEADLINES else "red",
        created=f"{created:%Y-%m-%d %H:%M:%S}",
        seconds=f"{(finished - created).total_seconds():.0f}" if finished else "",
        phases=", ".join(map(str, phases)),
        range=f"{raw['first']} to {raw['last']}",
        warehouse=str(raw["warehouse"]),
        notebooks=len(steps),
        signed="; ".join(
            f"{', '.join(p for p, n in names.items() if n == name)} by {name}" for name in dict.fromkeys(names.values())
        ),
        has_report=(folder / INDEX).exists(),
    )
