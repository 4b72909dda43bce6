"""The full set of offending rows, as CSV: a file for each check that fails."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from lib.checks.model import Result


def write_offenders(folder: Path, results: Sequence[Result]) -> dict[str, Path]:
    """Writes ``<folder>/<check>.csv`` for every check that fails; nothing, not even the folder, where none does."""
    failed = [result for result in results if result.failed]
    if failed:
        folder.mkdir(parents=True, exist_ok=True)
    return {result.check.name: _write(folder / f"{result.check.name}.csv", result) for result in failed}


def _write(path: Path, result: Result) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(result.offenders.columns)
        writer.writerows(result.offenders.rows)
    return path
