"""The start page: where things stand, what to do next, and how to begin where there is nothing yet."""

from __future__ import annotations

import os
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from lib.errors import CannotJudge
from lib.settings import ROOT
from lib.start import _next_step, grid, states_html
from lib.step import open_step
from lib.warehouse import EmbeddedWarehouse
from runbook.chain import GATES
from tests.lib.at_work import TEAM_DEFENSE, change

START = ROOT / "notebooks" / "00_start_here.ipynb"


def test_without_a_warehouse_it_says_how_to_get_one(tmp_path: Path, pocket_environment: Path) -> None:
    step = open_step("00_start_here", warehouse=f"duckdb:///{tmp_path}/none.duckdb")
    said = states_html(step.warehouse)
    assert "runbook sandbox" in said
    assert "runbook ingest" in said
    assert grid(step) is None


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ({2: "PROVEN", 3: "INCOMPLETE", 4: "BLOCKED"}, "phase 3 is INCOMPLETE: go through the steps below"),
        ({2: "INCOMPLETE", 3: "BLOCKED"}, "raw data is short; 'runbook gate 2' in a terminal names"),
        ({2: "PROVEN", 3: "COMPLETE", 4: "STALE"}, "phase 4 is STALE: something has changed"),
        ({2: "PROVEN", 3: "PROVEN"}, "sign it with"),
        ({2: "PROVEN", 3: "COMPLETE", 5: "PROVEN"}, "every phase holds"),
        ({2: "PROVEN", 3: "COMPLETE", 5: "INCOMPLETE"}, "no step predicts. 'runbook predict --date YYYY-MM-DD'"),
    ],
)
def test_the_next_thing_to_do_is_that_of_the_lowest_phase_that_does_not_hold(states: dict[int, str], said: str) -> None:
    assert said in unescape(_next_step([{"phase": phase, "state": state} for phase, state in states.items()]))


def test_the_start_page_reads_the_settings_that_its_notebook_reads(
    warehouse: EmbeddedWarehouse, settings_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runbook.toml").write_bytes(settings_file.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNBOOK_CONFIG", "runbook.toml")
    said = states_html(open_step("00_start_here", warehouse=warehouse.url).warehouse)
    assert "4 precompute" not in said, "the project's own settings have a phase 4"


def test_a_phase_that_cannot_be_judged_is_shown_beside_those_that_can(
    warehouse: EmbeddedWarehouse, pocket_environment: Path
) -> None:
    change(warehouse, f"DROP TABLE {TEAM_DEFENSE}")
    said = states_html(warehouse)
    assert "PROVEN</b>" in said
    assert "UNKNOWN</b>" in said
    assert f"{TEAM_DEFENSE} is not in the warehouse" in said


def test_the_start_page_is_no_step_of_the_chain() -> None:
    assert START.stem not in GATES


@pytest.mark.full
def test_it_shows_the_states_that_status_derives_and_runs_under_plain_papermill(
    warehouse: EmbeddedWarehouse, pocket_environment: Path, tmp_path: Path
) -> None:
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date >= '2024-12-01'")
    command = [sys.executable, "-m", "papermill", str(START), str(tmp_path / "out.ipynb"), "--no-progress-bar"]
    environment = {**os.environ, "RUNBOOK_WAREHOUSE": warehouse.absolute_url}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200, check=False)  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    said = (tmp_path / "out.ipynb").read_text()
    assert "INCOMPLETE</b>" in said
    assert "phase 3 is INCOMPLETE" in said
    change(warehouse, "DROP TABLE nba_raw.nbac_schedule")
    with pytest.raises(CannotJudge, match="nbac_schedule"):
        states_html(warehouse)
