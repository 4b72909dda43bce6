"""Every notebook in a real JupyterLab in a real browser: opened, run to the end, read off the page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse
from tests.browser.lab import Lab, lab
from tests.lib.at_work import TEAM_DEFENSE, change, covered

# the last thing that each notebook says when all is well
GREEN = {
    "00_start_here": "PROVEN",
    "10_preflight": "● sample: green",
    "20_launch": "● published: green",
    "30_monitor": "● attempts: green",
    "40_validate": "reconciliation: ",
    "50_signoff": "Phase 3 is ready to sign",
    "60_train": "model: ",
    "70_closing": "ready to sign",
}


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_red_gate_is_readable_a_launch_mends_it_and_every_notebook_runs_to_its_end(
    whole: EmbeddedWarehouse,
    settings: Settings,
    whole_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = Path(os.environ["RUNBOOK_CONFIG"]).read_text().replace('models = "models"', f'models = "{tmp_path}/models"')
    (tmp_path / "runbook.toml").write_text(own)
    environment = {
        "RUNBOOK_CONFIG": str(tmp_path / "runbook.toml"),
        "RUNBOOK_WAREHOUSE": whole.absolute_url,
        "RUNBOOK_RUNS": str(whole_environment),
    }
    change(whole, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date BETWEEN '2023-12-01' AND '2023-12-20'")
    missing = covered(whole, settings)[TEAM_DEFENSE].missing
    with lab(tmp_path, environment) as page:
        _red_is_readable(page)
        _launch_mends(page, missing)
        assert covered(whole, settings)[TEAM_DEFENSE].missing == 0
        for name, last in GREEN.items():
            page.run_all(name)
            page.sees(last)
            page.ends()
            said = page.says()
            assert "Traceback" not in said, f"{name}: {said[-2000:]}"
            assert "■" not in said.replace("■ red", ""), f"{name}: {said[-2000:]}"
            page.picture(name, last)
            page.close()


def _red_is_readable(page: Lab) -> None:
    page.run_all("40_validate")
    page.sees("■ coverage: red")
    page.ends()
    said = page.says()
    assert "GateFailed: gate 'coverage' is red" in said
    assert "runbook run" in said
    assert "Traceback" not in said
    assert "quality: " not in said  # it stopped there
    page.picture("red", "■ coverage: red")
    page.close()


def _launch_mends(page: Lab, dates: int) -> None:
    page.run_all("20_launch")
    page.sees("● published: green")
    page.sees(f"team_defense_game_summary: {dates} of {dates} dates")
    page.picture("launch", "published: green")
    page.close()
