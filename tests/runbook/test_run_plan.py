"""``runbook plan --out`` and ``runbook run --plan``: what was reviewed is run, tried again, or refused by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lib.lease import holding
from lib.plan import read_plan
from lib.settings import ROOT, Settings
from lib.warehouse import EmbeddedWarehouse, connect
from runbook.cli import main
from runbook.signing.evidence import faults_of
from tests.lib.at_work import UPCOMING_TEAM, change, contents, game_dates


def _say(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """The exit code of the command line, run here."""
    monkeypatch.setattr(sys, "argv", ["runbook", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def reviewed(
    warehouse: EmbeddedWarehouse, pocket_environment: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    """The plan of a warehouse that lacks a date."""
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = '2024-12-18'")
    path = tmp_path / "plan.json"
    assert _say(monkeypatch, "plan", "--out", path, "--warehouse", warehouse.url) == 0
    return path


def test_the_plan_says_how_long_each_table_and_the_whole_chain_should_take(
    reviewed: Path, warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert _say(monkeypatch, "plan", "--json", "--warehouse", warehouse.url) == 0
    times = json.loads(capsys.readouterr().out)["estimated"]
    assert times["table_seconds"] == {UPCOMING_TEAM: read_plan(reviewed).chunks[0].seconds}
    assert times["chain_seconds"] > 2 * times["notebooks"] == 10  # preflight, a launch, monitor, validate, sign-off
    assert json.loads(reviewed.read_text())["estimated"] == times


def test_a_changed_threshold_refuses_the_reviewed_plan_by_name_and_changes_nothing(
    reviewed: Path,
    warehouse: EmbeddedWarehouse,
    settings_file: Path,
    pocket_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    before = contents(warehouse)
    lower = settings_file.read_text().replace("analytics_coverage_pct = 95", "analytics_coverage_pct = 90")
    (tmp_path / "lower.toml").write_text(lower)
    monkeypatch.setenv("RUNBOOK_CONFIG", str(tmp_path / "lower.toml"))
    assert _say(monkeypatch, "run", "--plan", reviewed, "--warehouse", warehouse.url) == 2
    assert "moved: gates.analytics_coverage_pct from 95.0 to 90.0." in capsys.readouterr().err
    assert contents(warehouse) == before
    assert not pocket_environment.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--phase", "3"),
        ("--dates", "2024-12-18"),
        ("--tables", "team_offense_game_summary"),
        ("--force",),
        ("--recompute-found",),
        ("--start-date", "2024-10-22"),
    ],
)
def test_a_reviewed_plan_takes_no_other_wish(
    reviewed: Path,
    warehouse: EmbeddedWarehouse,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    assert _say(monkeypatch, "run", "--plan", reviewed, *words, "--warehouse", warehouse.url) == 2
    assert f"--plan runs exactly what was reviewed: leave out {words[0]}" in capsys.readouterr().err


def test_a_second_run_is_told_who_works_before_anything_is_changed_and_status_says_it_too(
    warehouse: EmbeddedWarehouse,
    pocket_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = '2024-12-18'")
    before = warehouse.path.read_bytes()
    with holding(connect(warehouse.url), [3], "a long night", 60):
        held = warehouse.path.read_bytes()
        assert _say(monkeypatch, "run", "--warehouse", warehouse.url) == 3
        assert "a long night) has worked on phase 3 since 20" in capsys.readouterr().err
        assert warehouse.path.read_bytes() == held != before
        assert _say(monkeypatch, "status", "--warehouse", warehouse.url) == 0
        assert "a long night) has worked on phase 3 since 20" in capsys.readouterr().out
        assert _say(monkeypatch, "status", "--json", "--warehouse", warehouse.url) == 0
        assert json.loads(capsys.readouterr().out)["runners"][0]["work"] == "a long night"
    assert not pocket_environment.exists()


@pytest.mark.full
def test_a_reviewed_plan_is_tried_again_relative_to_itself_until_it_is_done(
    warehouse: EmbeddedWarehouse,
    settings: Settings,
    pocket_environment: Path,
    tmp_path: Path,
) -> None:
    """The first run is cut short after its launches; what they published is done for the second."""
    whole = contents(warehouse)
    days = game_dates(warehouse, settings)[-4:]
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date IN ($1, $2)", *days[:2])
    path = tmp_path / "plan.json"
    assert _runbook(warehouse, "plan", "--out", path).returncode == 0
    ended = _runbook(warehouse, "run", "--plan", path, "--until", "20_launch")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    folder = next(pocket_environment.glob("*/manifest.json")).parent
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["reviewed_plan"], manifest["tokens"]) == (read_plan(path).digest, {"3": 1})
    assert folder.name.endswith(read_plan(path).mark)
    assert [line["table"] for line in manifest["estimates"]] == [UPCOMING_TEAM, "whole chain"]
    assert all(line["actual_seconds"] > 0 for line in manifest["estimates"])
    assert "Seconds: estimated and actual" in ended.stdout
    again = _runbook(warehouse, "run", "--plan", path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "0 table-dates in 0 chunks (nothing to compute)" in again.stdout
    assert contents(warehouse) == whole
    assert [faults_of(path.parent) for path in pocket_environment.glob("*/manifest.json")] == [[], []]


def _runbook(warehouse: EmbeddedWarehouse, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runbook", *map(str, words), "--warehouse", f"duckdb:///{warehouse.path}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
