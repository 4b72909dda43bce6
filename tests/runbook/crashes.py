"""Killing the runbook, and what must hold afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from lib.moments import VARIABLE
from lib.registry import registry
from lib.settings import ROOT
from lib.warehouse import EmbeddedWarehouse
from runbook.manifest import Manifest
from runbook.signing.evidence import faults_of
from tests.lib.at_work import Rows, contents

Tables = dict[str, dict[date, Rows]]


def command(warehouse: EmbeddedWarehouse, *words: str, die_at: str = "") -> dict[str, Any]:
    """How to start the command line in a process of its own, to be killed at a moment."""
    env = {name: value for name, value in os.environ.items() if name != VARIABLE}
    return {
        "args": [sys.executable, "-m", "runbook", *words, "--warehouse", warehouse.absolute_url],
        "cwd": ROOT,
        "env": env | ({VARIABLE: die_at} if die_at else {}),
        "text": True,
    }


def runbook(warehouse: EmbeddedWarehouse, *words: str, die_at: str = "") -> subprocess.CompletedProcess[str]:
    """Runs the command line to its end, or to its death."""
    how = command(warehouse, *words, die_at=die_at)
    return subprocess.run(**how, capture_output=True, timeout=280, check=False)


def by_date(warehouse: EmbeddedWarehouse) -> Tables:
    """Every row of Phase 3 by table and date."""
    found: Tables = {}
    for name, rows in contents(warehouse).items():
        table = registry().tables[name]
        at = table.contract.business_columns.index(table.date_column)
        found[name] = defaultdict(list)
        for row in rows:
            found[name][row[at]].append(row)
    return found


def assert_no_hole(warehouse: EmbeddedWarehouse, before: Tables, after: Tables) -> None:
    """Every date of every table is as it was before the run, or as the undisturbed run leaves it: never in between."""
    for name, dates in by_date(warehouse).items():
        for day in {*dates, *before[name], *after[name]}:
            rows = dates.get(day, [])
            assert rows in (before[name].get(day, []), after[name].get(day, [])), f"{name} {day}"


def newest(runs: Path) -> Path | None:
    """The folder of the latest run, None where no run has got so far as to have one."""
    folders = [path.parent for path in runs.glob("*/manifest.json")]
    return max(folders, key=lambda folder: folder.name, default=None)


def assert_verified_or_not_proven(folder: Path) -> Manifest:
    """The evidence of a run holds, or it says itself that it proves nothing and where it stopped."""
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_text())
    faults = faults_of(folder)
    if manifest.finished is None:
        assert len(faults) == 1, faults
        assert "the run did not end: it stopped" in faults[0]
        assert "runbook run --resume" in faults[0]
    else:
        assert faults == [], faults
    return manifest


def digests(folder: Path) -> dict[str, int]:
    """Name and inode of each finished file: what is overwritten or replaced has another inode."""
    kept = [path for path in folder.rglob("*") if path.is_file() and not path.stat().st_mode & 0o222]
    return {str(path.relative_to(folder)): path.stat().st_ino for path in kept if path.name != "manifest.json"}


def records(folder: Path) -> list[tuple[str, str]]:
    """Step and state of every record of a run."""
    return [(record["step"], record["state"]) for record in json.loads((folder / "manifest.json").read_text())["steps"]]
