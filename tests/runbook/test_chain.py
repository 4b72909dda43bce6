"""The chain: from nothing to proven, again with nothing to do, and red with the command that retries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lib.settings import ROOT, Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import change, game_dates

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def runbook(warehouse: EmbeddedWarehouse, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a person would."""
    command = [sys.executable, "-m", "runbook", *words, "--warehouse", f"duckdb:///{warehouse.path}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)


def manifest_of(runs: Path) -> dict[str, Any]:
    """The manifest of the latest run."""
    newest = max(runs.iterdir(), key=lambda folder: folder.stat().st_mtime)
    found: dict[str, Any] = json.loads((newest / "manifest.json").read_text())
    return found


def test_a_run_goes_from_nothing_to_proven_and_the_next_finds_nothing_to_do(
    raw_only: EmbeddedWarehouse, pocket_environment: Path
) -> None:
    first = runbook(raw_only, "run")
    assert first.returncode == 0, first.stdout + first.stderr
    manifest = manifest_of(pocket_environment)
    assert manifest["outcome"] == "proven"
    steps = {record["step"]: record["state"] for record in manifest["steps"]}
    assert set(steps.values()) == {"proven"}
    assert len([name for name in steps if name.startswith("20_launch.")]) == 5
    assert {"10_preflight.phase3", "30_monitor.phase3", "40_validate.phase3", "50_signoff.phase3"} <= set(steps)
    assert runbook(raw_only, "gate", "3").returncode == 0
    second = runbook(raw_only, "run")
    assert second.returncode == 0
    assert "nothing to do" in second.stdout
    again = [record["step"] for record in manifest_of(pocket_environment)["steps"]]
    assert again == ["40_validate.phase3", "50_signoff.phase3"]


def test_a_failed_date_makes_the_run_red_and_prints_the_command_that_retries_just_that(
    warehouse: EmbeddedWarehouse, settings: Settings, pocket_environment: Path
) -> None:
    sql = "UPDATE nba_raw.odds_api_game_lines SET outcome_point = 123456 WHERE game_date = $1 AND market_key = 'totals'"
    day = [day for day in game_dates(warehouse, settings) if day.year == 2024][20]
    change(warehouse, sql, day)
    run = runbook(warehouse, "run")
    said = " ".join(run.stdout.split())
    assert run.returncode == 1, run.stdout + run.stderr
    assert "game_total 123456" in said
    verdicts = [v for record in manifest_of(pocket_environment)["steps"] for v in record["verdicts"]]
    mends = [finding["mend"] for verdict in verdicts for finding in verdict["findings"]]
    assert f"runbook run --tables upcoming_team_game_context --dates {day}" in mends


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_thin_and_committed_without_outputs(notebook: Path) -> None:
    cells = json.loads(notebook.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert all(len("".join(cell["source"]).splitlines()) <= 8 for cell in code)
    assert cells[0]["cell_type"] == "markdown"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_under_plain_papermill_with_its_defaults(
    notebook: Path, warehouse: EmbeddedWarehouse, pocket_environment: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "papermill", str(notebook), str(tmp_path / "out.ipynb"), "-p", "phase", "3"]
    environment = {**os.environ, "RUNBOOK_WAREHOUSE": f"duckdb:///{warehouse.path}"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
