"""The chain: from nothing to proven, again with nothing to do, and red with the command that retries."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from lib.plan import read_plan
from lib.settings import ROOT, Settings
from lib.states import FULL
from lib.warehouse import EmbeddedWarehouse, connect
from runbook.archive import verify
from runbook.chain import GATES
from runbook.manifest import CODE, Manifest, code_digests, file_digest
from runbook.parameters import declared
from tests.lib.at_work import UPCOMING_TEAM, change, contents, game_dates, run, state

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def runbook(warehouse: EmbeddedWarehouse, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a person would."""
    command = [sys.executable, "-m", "runbook", *words, "--warehouse", f"duckdb:///{warehouse.path}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)


def manifest_of(runs: Path) -> dict[str, Any]:
    """The manifest of the latest run."""
    newest = max((path.parent for path in runs.glob("*/manifest.json")), key=lambda folder: folder.stat().st_mtime)
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
    _assert_evidence(next(pocket_environment.glob("*/manifest.json")).parent)
    assert runbook(raw_only, "gate", "3").returncode == 0
    second = runbook(raw_only, "run")
    assert second.returncode == 0
    assert "nothing to do" in second.stdout
    again = [record["step"] for record in manifest_of(pocket_environment)["steps"]]
    assert again == ["50_signoff.phase3"]


def _assert_evidence(folder: Path) -> None:
    """The manifest is complete, and every archive it names proves its step once more."""
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_text())
    assert manifest.finished
    assert manifest.warehouse_id
    assert set(manifest.code) == set(CODE)
    assert manifest.code == code_digests()
    assert read_plan(folder / "plan.json").digest == manifest.plan_digest
    assert {"python", "duckdb", "papermill"} <= set(manifest.versions)
    for step in manifest.steps:
        archive, template = folder / step.archive, ROOT / step.template
        assert (file_digest(archive), file_digest(template)) == (step.archive_digest, step.template_digest)
        again = verify(archive, template, step.parameters, GATES[template.stem])
        assert (again.state, again.verdicts) == ("proven", step.verdicts)
        assert step.seconds > 0


@pytest.mark.full
def test_a_failed_date_makes_the_run_red_and_prints_the_command_that_retries_just_that(
    warehouse: EmbeddedWarehouse, settings: Settings, pocket_environment: Path
) -> None:
    sql = "UPDATE nba_raw.odds_api_game_lines SET outcome_point = outcome_point + $1 WHERE game_date = $2 AND market_key = 'totals'"
    days = [day for day in game_dates(warehouse, settings) if day.year == 2024][20:22]
    day = days[0]
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = $1", days[1])
    change(warehouse, sql, 123000, day)
    ended = runbook(warehouse, "run")
    said = " ".join(ended.stdout.split())
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "game_total 123" in said
    steps = [record["step"] for record in manifest_of(pocket_environment)["steps"]]
    assert steps[-1] == "30_monitor.phase3"  # a red launch is looked at, and nothing is judged or computed after it
    verdicts = [v for record in manifest_of(pocket_environment)["steps"] for v in record["verdicts"]]
    mends = [finding["mend"] for verdict in verdicts for finding in verdict["findings"]]
    retry = f"runbook run --tables upcoming_team_game_context --dates {day}"
    assert retry in mends
    assert retry in said
    assert state(warehouse, settings, UPCOMING_TEAM, days[1]).state == FULL
    change(warehouse, sql, -123000, day)
    mended = runbook(warehouse, *retry.split()[1:])
    assert mended.returncode == 0, mended.stdout + mended.stderr


@pytest.mark.full
def test_ctrl_c_ends_a_run_in_order_and_the_next_one_mends(
    raw_only: EmbeddedWarehouse, computed_file: Path, settings: Settings, pocket_environment: Path
) -> None:
    command = [sys.executable, "-m", "runbook", "run", "--warehouse", raw_only.url]
    mark = f"run-{os.getpid()}-{raw_only.path}"
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "RUNBOOK_TEST": mark},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _wait_for(lambda: list(pocket_environment.glob("*/progress.jsonl")), running)
    running.send_signal(signal.SIGINT)
    _, complaint = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "interrupted" in complaint
    assert "Traceback" not in complaint
    assert manifest_of(pocket_environment)["outcome"] == "interrupted"
    assert [p for p in psutil.process_iter() if _has(p, mark)] == []
    run(raw_only, settings)
    whole = shutil.copy(computed_file, raw_only.path.with_name("whole.duckdb"))
    assert contents(raw_only) == contents(connect(f"duckdb:///{whole}"))


def _wait_for(seen: Callable[[], object], running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not seen():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _has(process: psutil.Process, mark: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and mark in process.environ().values()
    except psutil.Error:
        return False


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_thin_and_committed_without_outputs(notebook: Path) -> None:
    cells = json.loads(notebook.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert all(len("".join(cell["source"]).splitlines()) <= 8 for cell in code)
    assert cells[0]["cell_type"] == "markdown"


@pytest.mark.parametrize(
    "notebook",
    [
        # nbval runs every notebook in make test-full
        pytest.param(path, id=path.stem, marks=() if path.stem == "40_validate" else pytest.mark.torture)
        for path in NOTEBOOKS
        if "phase" in declared(path)
    ],
)
def test_a_notebook_runs_under_plain_papermill_with_its_defaults(
    notebook: Path, warehouse: EmbeddedWarehouse, pocket_environment: Path, tmp_path: Path
) -> None:
    _papermill(notebook, warehouse, tmp_path, "-p", "phase", "3")


@pytest.mark.full
def test_training_and_closing_run_under_plain_papermill_one_after_the_other(
    whole: EmbeddedWarehouse, whole_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = (
        Path(os.environ["RUNBOOK_CONFIG"]).read_text().replace('models = "models"', f'models = "{tmp_path / "models"}"')
    )
    (tmp_path / "runbook.toml").write_text(own)
    monkeypatch.setenv("RUNBOOK_CONFIG", str(tmp_path / "runbook.toml"))
    for name in ("60_train", "70_closing"):
        _papermill(ROOT / "notebooks" / f"{name}.ipynb", whole, tmp_path)
    assert len(list((tmp_path / "models").glob("model-*"))) == 1


def _papermill(notebook: Path, warehouse: EmbeddedWarehouse, folder: Path, *words: str) -> None:
    """Executes a notebook as somebody does who knows Papermill alone."""
    command = [sys.executable, "-m", "papermill", str(notebook), str(folder / notebook.name), *words]
    environment = {**os.environ, "RUNBOOK_WAREHOUSE": f"duckdb:///{warehouse.path}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.full
def test_the_chain_ends_with_a_trained_model_and_the_next_run_takes_it_over(
    raw_only: EmbeddedWarehouse, whole_environment: Path
) -> None:
    first = runbook(raw_only, "run")
    assert first.returncode == 0, first.stdout + first.stderr
    manifest = manifest_of(whole_environment)
    names = [record["step"] for record in manifest["steps"]]
    assert names[-2:] == ["60_train", "70_closing"]
    assert manifest["phases"] == [3, 4, "ml"]
    assert len([name for name in names if name.startswith("20_launch.")]) == 10
    models = list(whole_environment.glob("*/model-*"))
    assert len(models) == 1
    assert "(simulated league)" in first.stdout
    for phase in ("3", "4", "ml"):
        assert runbook(raw_only, "gate", phase).returncode == 0
    assert runbook(raw_only, "gate", "5").returncode == 1
    _predicts(raw_only)
    assert runbook(raw_only, "run", "--from", "60_train").returncode == 0
    again = list(whole_environment.glob("*/model-*/model.json"))
    assert len({path.read_text() for path in again}) == 1
    assert len(again) == 2


def _predicts(warehouse: EmbeddedWarehouse) -> None:
    with warehouse.reading() as session:
        day = session.rows("SELECT MAX(game_date) FROM nba_predictions.ml_feature_store_v2")[0][0]
    said = json.loads(runbook(warehouse, "predict", "--date", str(day), "--json").stdout)
    assert {line["system"] for line in said["grades"]} == {"hist_gradient_boosting_v1", "moving_average"}
    assert runbook(warehouse, "gate", "5").returncode == 0
    states = {p["phase"]: p["state"] for p in json.loads(runbook(warehouse, "status", "--json").stdout)["phases"]}
    assert not {"UNKNOWN", "BLOCKED", "INCOMPLETE"} & set(states.values())
    assert list(states) == [2, 3, 4, "ml", 5]


@pytest.mark.full
def test_a_change_below_turns_readiness_red_and_no_model_is_trained(
    whole: EmbeddedWarehouse, whole_environment: Path
) -> None:
    change(whole, "DELETE FROM nba_precompute.player_daily_cache WHERE cache_date = (SELECT max(cache_date) FROM nba_precompute.player_daily_cache)")  # fmt: skip
    ended = runbook(whole, "run", "--phase", "ml")
    assert ended.returncode == 1, ended.stdout
    assert "gate 'readiness' is red: phase 4" in ended.stdout
    assert list(whole_environment.glob("*/model-*")) == []
