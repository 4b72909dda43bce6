"""The command line: exit codes a script can trust, JSON a machine can read, one clear sentence for whatever is wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest

from lib.garbage import NEW_OBJECTS
from lib.settings import ROOT, Settings
from lib.warehouse import EmbeddedWarehouse
from runbook import chain
from runbook.cli import cli
from tests.lib.at_work import PHASE_3, TEAM_DEFENSE, UPCOMING_TEAM, change, contents, game_dates, run
from tests.runbook.at_the_terminal import Say, refused

# what is there


def _verbs() -> list[tuple[str, click.Command]]:
    return sorted(cli.loaded().items())


@pytest.mark.parametrize(("name", "verb"), _verbs())
def test_every_verb_says_what_it_does_and_what_each_option_means(say: Say, name: str, verb: click.Command) -> None:
    code, out, _ = say(name, "--help")
    assert code == 0
    assert len((verb.help or "").split()) > 5
    for parameter in verb.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, f"{name} {parameter.opts}"
            assert parameter.opts[0] in out


def test_the_help_names_every_verb_and_the_exit_codes(say: Say) -> None:
    code, out, _ = say("--help")
    assert code == 0
    assert "130 interrupted" in out
    for name, _verb in _verbs():
        assert f"\n  {name} " in out


def test_python_m_runbook_is_the_same_command(settings_file: Path, warehouse: EmbeddedWarehouse) -> None:
    environment = {**os.environ, "RUNBOOK_CONFIG": str(settings_file)}
    command = [sys.executable, "-m", "runbook", "gate", "3", "--json", "--warehouse", warehouse.url]
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["verdict"] == "green"


IMPORTED = """
import atexit, gc, sys
slow = ("pandas", "sklearn", "plotly", "IPython", "papermill", "google.cloud.bigquery")
atexit.register(lambda: print([name for name in slow if name in sys.modules], gc.get_threshold()[0]))
from runbook.cli import main
main()
"""


def test_status_does_not_wait_for_libraries_that_it_does_not_need_and_looks_for_garbage_seldom(
    settings_file: Path, warehouse: EmbeddedWarehouse
) -> None:
    environment = {**os.environ, "RUNBOOK_CONFIG": str(settings_file)}
    command = [sys.executable, "-c", IMPORTED, "status", "--json", "--warehouse", warehouse.url]
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, f"[] {NEW_OBJECTS}"), ended.stderr


# exit codes and JSON


def test_the_gate_is_1_before_and_0_after_the_repair(
    say: Say, at: tuple[str, str], warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    days = game_dates(warehouse, settings)
    for day in days[-30:]:
        change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date = $1", day)
    code, out, _ = say("gate", 3, *at)
    assert code == 1
    assert f"{days[-30]}..{days[-1]} (30)" in out
    assert "mend: runbook run --phase 3" in out
    run(warehouse, settings)
    assert say("gate", 3, *at)[0] == 0


def test_amber_is_0_and_1_when_asked_to_be_strict(say: Say, at: tuple[str, str], warehouse: EmbeddedWarehouse) -> None:
    change(warehouse, "DELETE FROM runbook.receipts WHERE day = '2024-12-18' AND table_name = $1", TEAM_DEFENSE)
    assert say("gate", 3, *at)[0] == 0
    assert say("gate", 3, "--strict", *at)[0] == 1


GATE_KEYS = {"phase", "verdict", "as_of", "tables"}
TABLE_KEYS = {
    "table", "covered", "expected", "missing", "partial", "absent", "outdated", "excluded", "bootstrap", "coverage_pct", "verdict",
}  # fmt: skip


@pytest.mark.parametrize("phase", [2, 3])
def test_the_gate_as_json(say: Say, at: tuple[str, str], phase: int) -> None:
    code, out, _ = say("gate", phase, "--json", *at)
    verdict: dict[str, Any] = json.loads(out)
    assert code == 0
    assert verdict.keys() >= GATE_KEYS
    assert (verdict["phase"], verdict["verdict"], verdict["as_of"]) == (phase, "green", "2024-12-20")
    assert all(table.keys() >= TABLE_KEYS for table in verdict["tables"])
    if phase == 3:
        assert {t["table"] for t in verdict["tables"]} == set(PHASE_3)
        assert {(t["covered"], t["expected"], t["coverage_pct"]) for t in verdict["tables"]} == {(72, 72, 100.0)}


def test_status_as_json(say: Say, at: tuple[str, str], warehouse: EmbeddedWarehouse) -> None:
    code, out, _ = say("status", "--json", *at)
    phases = json.loads(out)["phases"]
    assert code == 0
    assert [(p["phase"], p["state"]) for p in phases] == [(2, "PROVEN"), (3, "PROVEN")]
    assert all(p.keys() >= {"phase", "state", "tables"} for p in phases)
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM}")
    phases = json.loads(say("status", "--json", *at)[1])["phases"]
    assert [p["state"] for p in phases] == ["PROVEN", "INCOMPLETE"]
    change(warehouse, "DELETE FROM nba_raw.nbac_team_boxscore")
    change(warehouse, "DELETE FROM nba_raw.nbac_gamebook_player_stats")
    change(warehouse, "DELETE FROM nba_raw.bdl_player_boxscores")
    phases = json.loads(say("status", "--json", *at)[1])["phases"]
    assert [p["state"] for p in phases] == ["INCOMPLETE", "BLOCKED"]


def test_status_says_unknown_where_a_phase_cannot_be_judged(
    say: Say, at: tuple[str, str], warehouse: EmbeddedWarehouse
) -> None:
    change(warehouse, f"DROP TABLE {TEAM_DEFENSE}")
    code, out, _ = say("status", "--json", *at)
    phases = json.loads(out)["phases"]
    assert (code, [p["state"] for p in phases]) == (3, ["PROVEN", "UNKNOWN"])
    assert TEAM_DEFENSE in phases[1]["says"]
    code, out, _ = say("status", *at)
    assert (code, "UNKNOWN" in out) == (3, True)


def test_the_plan_as_json_names_chunks_dates_and_reasons(
    say: Say, at: tuple[str, str], warehouse: EmbeddedWarehouse, tmp_path: Path
) -> None:
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = '2024-12-18'")
    code, out, _ = say("plan", "--json", "--out", tmp_path / "plan.json", *at)
    plan = json.loads(out)
    assert code == 0
    assert [(c["table"], c["reasons"]) for c in plan["chunks"]] == [(UPCOMING_TEAM, {"2024-12-18": "absent"})]
    assert json.loads((tmp_path / "plan.json").read_text()) == plan


def test_a_plan_for_a_person_says_what_why_and_how_long(
    say: Say, at: tuple[str, str], warehouse: EmbeddedWarehouse
) -> None:
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = '2024-12-18'")
    code, out, _ = say("plan", *at)
    assert code == 0
    assert "1 table-date in 1 chunk (1 absent)" in out
    assert "Chain of" in out


def test_a_dry_run_changes_nothing(
    say: Say, at: tuple[str, str], warehouse: EmbeddedWarehouse, pocket_environment: Path
) -> None:
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = '2024-12-18'")
    before = contents(warehouse)
    code, out, _ = say("run", "--dry-run", *at)
    assert code == 0
    assert "1 table-date in 1 chunk" in out
    assert contents(warehouse) == before
    assert not pocket_environment.exists()


def test_preflight_can_be_checked_alone(say: Say, at: tuple[str, str]) -> None:
    code, out, _ = say("check", "preflight", *at)
    assert (code, "The warehouse can be read and written" in out) == (0, True)


def test_a_pocket_sandbox_comes_with_settings_that_a_short_season_holds(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"duckdb:///{tmp_path}/pocket.duckdb"
    code, out, _ = say("sandbox", "--pocket", "--warehouse", url)
    assert (code, f"export RUNBOOK_CONFIG={tmp_path}/pocket.toml" in out.replace("\n", "")) == (0, True)
    monkeypatch.delenv("RUNBOOK_CONFIG", raising=False)
    assert say("gate", 2, "--warehouse", url)[0] == 1, "the project's own hold 1,230 games"
    monkeypatch.setenv("RUNBOOK_CONFIG", str(tmp_path / "pocket.toml"))
    assert say("gate", 2)[0] == 0, "and they name the warehouse"
    (tmp_path / "pocket.duckdb").unlink()
    monkeypatch.delenv("RUNBOOK_CONFIG")
    (tmp_path / "pocket.toml").write_text("runs = 'mine'\n")
    refused(say("sandbox", "--pocket", "--warehouse", url), 2, "pocket.toml is somebody's own")
    assert (tmp_path / "pocket.toml").read_text() == "runs = 'mine'\n"


def test_a_pocket_sandbox_is_made_once(say: Say, tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/deep/pocket.duckdb"
    assert say("sandbox", "--pocket", "--empty", "--warehouse", url)[0] == 0
    assert say("gate", 3, "--warehouse", url)[0] == 1
    assert say("gate", 2, "--warehouse", url)[0] == 0
    code, out, _ = say("sandbox", "--pocket", "--if-missing", "--warehouse", url)
    assert (code, "There is a warehouse" in out) == (0, True)
    refused(say("sandbox", "--pocket", "--warehouse", url), 2, "already", "--warehouse")


# bad usage


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["gait", "3"], "gait"),
        (["gate", "3", "--jsno"], "--jsno"),
        (["gate", "three"], "three"),
        (["gate"], "PHASE"),
        (["gate", "3", "--start-date", "yesterday"], "'yesterday' is no date: write YYYY-MM-DD"),
        (["gate", "3", "--end-date", "2024-02-30"], "'2024-02-30' is no date"),
        (["run", "--workers", "0"], "workers"),
        (["run", "--workers", "two"], "two"),
        (["run", "--phase", "x"], "x"),
        (["sandbox", "--seed", "-1"], "-1"),
    ],
)
def test_a_misspelt_verb_option_or_value_is_bad_usage(say: Say, words: list[str], named: str) -> None:
    refused(say(*words), 2, named)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["gate", "3", "--start-date", "2024-03-01", "--end-date", "2024-02-01"], "after its end 2024-02-01"),
        (["gate", "3", "--end-date", "2030-01-01"], "past as-of 2024-12-20"),
        (["gate", "7"], "there is no phase 7"),
        (["plan", "--phase", "2"], "phase 2 is not computed"),
        (["plan", "--tables", "team_ofense_game_summary"], "team_ofense_game_summary"),
        (["plan", "--tables", "nbac_schedule"], "nbac_schedule"),
        (["plan", "--tables", ""], "--tables"),
        (["plan", "--dates", ""], "--dates"),
        (["plan", "--dates", "2024-12-18,"], "--dates"),
        (["plan", "--dates", "someday"], "'someday' is no date"),
        (["plan", "--dates", "2024-07-01"], "the nearest game date is"),
        (["plan", "--dates", "2024-12-31"], "the nearest game date is 2024-12-18"),
        (["plan", "--dates", "2023-10-24", "--start-date", "2024-10-22"], "2023-10-24"),
        (["run", "--tables", "nothing", "--dry-run"], "nothing"),
        (["run", "--phase", "3", "--tables", "team_offense_game_summary,ml_feature_store_v2"], "ml_feature_store_v2"),
    ],
)
def test_what_is_not_there_is_bad_input(say: Say, at: tuple[str, str], words: list[str], named: str) -> None:
    refused(say(*words, *at), 2, named)


@pytest.mark.parametrize("verb", ["plan", "run"])
@pytest.mark.parametrize("more", ["--tables ml_feature_store_v2", "--dates 2024-12-18", "--force", "--recompute-found"])
def test_what_a_phase_does_not_compute_is_not_done_by_doing_nothing(
    say: Say, whole_environment: Path, whole: EmbeddedWarehouse, verb: str, more: str
) -> None:
    refused(say(verb, "--phase", "ml", *more.split(), "--warehouse", whole.url), 2, "--phase ml computes no table")
    words = ("--phase", 4, "--tables", "player_game_summary", "--warehouse", whole.url)
    refused(say(verb, *words), 2, "player_game_summary is of phase 3, and --phase says 4")
    assert not whole_environment.exists()


def test_a_day_without_games_is_refused_with_the_nearest_in_time(say: Say, at: tuple[str, str]) -> None:
    refused(say("plan", "--dates", "2024-10-01", *at), 2, "2024-10-22")


def test_settings_that_are_wrong_are_named(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: tuple[str, str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((ROOT / "runbook.toml").read_text().replace("bootstrap_days", "bootstap_days"))
    monkeypatch.setenv("RUNBOOK_CONFIG", str(path))
    refused(say("gate", 3, *at), 2, "bootstap_days", "mine.toml")


# a warehouse that is none

VERBS = [["gate", "3"], ["status"], ["plan"], ["run", "--dry-run"]]


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_a_missing_warehouse_is_bad_input(say: Say, tmp_path: Path, words: list[str]) -> None:
    refused(say(*words, "--warehouse", f"duckdb:///{tmp_path}/none.duckdb"), 2, "none.duckdb", "runbook sandbox")


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_a_duckdb_file_of_somebody_else_is_bad_input(say: Say, tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE x AS SELECT 1 AS y")
    refused(say(*words, "--warehouse", f"duckdb:///{path}"), 2, "theirs.duckdb", "no warehouse of this runbook")


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_a_corrupt_file_cannot_be_judged(say: Say, tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "junk.duckdb"
    path.write_bytes(b"junk" * 10_000)
    refused(say(*words, "--warehouse", f"duckdb:///{path}"), 3, "junk.duckdb", "not a DuckDB file")


def test_a_url_of_no_known_kind_is_bad_input(say: Say) -> None:
    refused(say("gate", 3, "--warehouse", "postgres://somewhere"), 2, "postgres://somewhere", "duckdb:///")


def test_the_environment_names_the_warehouse(
    say: Say, warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNBOOK_WAREHOUSE", warehouse.url)
    assert say("gate", 3)[0] == 0


HOLDS = "import sys, time, duckdb; held = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"


def test_a_locked_warehouse_cannot_be_judged_and_the_holder_is_named(
    say: Say, at: tuple[str, str], warehouse: EmbeddedWarehouse, settings_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = warehouse.path.with_name("hasty.toml")
    hasty.write_text(settings_file.read_text().replace("wait_seconds = 60", "wait_seconds = 0.3"))
    monkeypatch.setenv("RUNBOOK_CONFIG", str(hasty))
    stranger = subprocess.Popen([sys.executable, "-c", HOLDS, str(warehouse.path)], stdout=subprocess.PIPE, text=True)
    assert stranger.stdout
    try:
        assert stranger.stdout.readline().strip() == "held"
        refused(say("gate", 3, *at), 3, f"PID {stranger.pid}")
    finally:
        stranger.kill()
        stranger.communicate()


@pytest.mark.parametrize("table", [TEAM_DEFENSE, "nba_raw.nbac_schedule", "nba_raw.nbac_team_boxscore"])
def test_a_table_that_is_gone_cannot_be_judged(
    say: Say, at: tuple[str, str], warehouse: EmbeddedWarehouse, table: str
) -> None:
    change(warehouse, f"DROP TABLE {table}")
    refused(say("gate", 3, *at), 3, table)
    refused(say("gate", 3, "--json", *at), 3, table)


@pytest.mark.parametrize("phase", [2, 3])
def test_an_emptied_schedule_cannot_be_judged(
    say: Say, at: tuple[str, str], warehouse: EmbeddedWarehouse, phase: int
) -> None:
    change(warehouse, "DELETE FROM nba_raw.nbac_schedule")
    refused(say("gate", phase, *at), 3, "nbac_schedule", "never a pass")


def test_a_range_inside_bootstrap_is_0_with_nothing_to_do(say: Say, at: tuple[str, str]) -> None:
    code, out, _ = say("gate", 3, "--start-date", "2024-10-22", "--end-date", "2024-11-04", *at)
    assert (code, "nothing for Phase 4 to do" in out) == (0, True)


def test_a_runs_folder_that_cannot_be_made_is_said(say: Say, at: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = say("run", "--runs", tmp_path / "file" / "runs", *at)
    assert code in (2, 3)
    assert "file" in err
    assert len(err.splitlines()) == 1


# files that are none


def test_run_refuses_what_a_resumed_run_could_only_ignore(say: Say, at: tuple[str, str]) -> None:
    for words in (["--dry-run"], ["--until", "50_signoff.phase3"], ["--dates", "2024-12-01"], ["--phase", "3"]):
        refused(say("run", "--resume", "some-run", *words, *at), 2, f"leave out {words[0]}")


def test_a_dry_run_refuses_a_step_that_the_run_would_not_have_and_counts_those_that_it_would(
    say: Say, at: tuple[str, str]
) -> None:
    refused(say("run", "--dry-run", "--until", "50_signof", *at), 2, "50_signoff.phase3")
    assert "Chain of 1 notebook, about" in say("run", "--dry-run", "--force", "--until", "10_preflight", *at)[1]


def test_a_run_with_a_damaged_notebook_ends_before_it_begins(
    say: Say, at: tuple[str, str], tmp_path: Path, pocket_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebooks = shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    (notebooks / "50_signoff.ipynb").write_text("{")
    monkeypatch.setattr(chain, "NOTEBOOKS", notebooks)
    code, out, err = say("run", "--phase", "3", "--force", *at)
    assert (code, "50_signoff.ipynb: not a notebook" in err) == (2, True)
    assert "Go on with" not in out, "there is nothing to go on with"
    assert list(pocket_environment.glob("*")) == []


def test_as_of_decides_what_is_past_not_the_clock(say: Say, at: tuple[str, str], warehouse: EmbeddedWarehouse) -> None:
    change(warehouse, "UPDATE runbook.meta SET value = '2024-12-01' WHERE name = 'as_of'")
    refused(say("gate", 3, "--end-date", date(2024, 12, 2), *at), 2, "past as-of 2024-12-01")
