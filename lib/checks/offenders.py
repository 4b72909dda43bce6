"""The full set of offending rows, as CSV: a file for each check that fails."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from lib.checks.model import Result


def write_offenders(folder: Path, results: Sequence[Result]) -> dict[str, Path]:
    """Writes ``<folder>/<check>.csv`` for every check that fails; nothing, not even the folder, where none does.

    What an earlier attempt left there stays as it is: the next file is ``<check>.2.csv``.
    """
    failed = [result for result in results if result.failed]
    if failed:
        folder.mkdir(parents=True, exist_ok=True)
    return {result.check.name: _write(folder, result) for result in failed}


def _write(folder: Path, result: Result) -> Path:
    name = result.check.name
    names = (f"{name}.csv" if number == 1 else f"{name}.{number}.csv" for number in count(1))
    path = next(folder / free for free in names if not (folder / free).exists())
    with path.open("x", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(result.offenders.columns)
        writer.writerows(result.offenders.rows)
    return path
