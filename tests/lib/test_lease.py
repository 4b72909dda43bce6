"""One runner at a time: told who works, taken over when dead, and a slow old runner publishes nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import psutil
import pytest

from lib.backfill import Backfill, Outcome
from lib.errors import CannotJudge
from lib.lease import VARIABLE, Fence, Fenced, Taken, as_environment, holding, inherited, publishing
from lib.monitor import runners_verdict
from lib.plan import Plan
from lib.settings import ROOT, Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import TEAM_DEFENSE, TEAM_OFFENSE, ask, change, contents, planned, said

RUNNER = """
import os, signal, sys
from lib.errors import RunbookError
from lib.step import open_step
from lib.warehouse.embedded import EmbeddedWarehouse

if sys.argv[2] == "pauses":
    publish = EmbeddedWarehouse.publish

    def paused(self, publication):
        os.kill(os.getpid(), signal.SIGSTOP)
        publish(self, publication)

    EmbeddedWarehouse.publish = paused
print("begins", flush=True)
sys.stdin.readline()
try:
    print(open_step("20_launch", 3, sys.argv[1]).launch("team_defense_game_summary").sentence)
except RunbookError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def _runner(warehouse: EmbeddedWarehouse, settings_file: Path, manner: str = "") -> subprocess.Popen[str]:
    """A process that is about to launch team_defense; it begins with the first line it reads."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER, warehouse.url, manner],
        cwd=ROOT,
        env={**os.environ, "RUNBOOK_CONFIG": str(settings_file), "PYTHONPATH": str(ROOT)},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout
    assert process.stdout.readline() == "begins\n"
    return process


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def _until_stopped(process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def _launch(warehouse: EmbeddedWarehouse, settings: Settings, plan: Plan, patience: float = 60) -> list[Outcome]:
    with holding(warehouse, [3], "the second", patience) as fences:
        return Backfill(warehouse, settings, fence=fences["3"]).run_chunks(plan.chunks)


def _lack_defense(warehouse: EmbeddedWarehouse, settings: Settings) -> Plan:
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date >= '2024-11-01'")
    return planned(warehouse, settings, tables=frozenset({TEAM_DEFENSE}))


def _ledger(warehouse: EmbeddedWarehouse, pid: int) -> int:
    rows = ask(warehouse, "SELECT owner FROM runbook.attempts")
    return sum(owner.endswith(f":{pid}") for (owner,) in rows)


# in one process


def test_a_second_runner_is_told_who_works_at_what_and_since_when(warehouse: EmbeddedWarehouse) -> None:
    with holding(warehouse, [3, 4], "runbook run", 60):
        with pytest.raises(Taken) as told, holding(warehouse, ["ml", 4], "another", 60):
            pass
        assert [lease.phase for lease in warehouse.leases()] == ["3", "4"]  # all or none
    sentence = str(told.value)
    assert re.search(rf"@\S+ \(PID {os.getpid()}: runbook run\) has worked on phase 4 since 20\d\d-", sentence)
    assert "Nothing was changed" in sentence
    assert told.value.exit_code == 3
    assert warehouse.leases() == []
    assert [path.name for path in warehouse.path.parent.glob("*lease*")] == []


def test_two_phases_have_two_runners(warehouse: EmbeddedWarehouse) -> None:
    with holding(warehouse, [3], "a", 60), holding(warehouse, [4], "b", 60):
        assert [(lease.phase, lease.owner.work) for lease in warehouse.leases()] == [("3", "a"), ("4", "b")]


def test_tokens_grow_with_every_lease_of_a_phase(warehouse: EmbeddedWarehouse) -> None:
    tokens = []
    for _ in range(3):
        with holding(warehouse, [3], "a", 60) as fences:
            tokens.append(fences["3"].token)
    assert tokens == [1, 2, 3]


def test_a_warehouse_made_before_there_were_leases_gets_its_table_with_the_first(warehouse: EmbeddedWarehouse) -> None:
    change(warehouse, "DROP TABLE runbook.leases")
    with holding(warehouse, [3], "a", 60) as fences:
        assert fences["3"] == Fence("3", 1)


def test_a_publish_under_an_older_token_changes_nothing_and_names_who_has_the_phase(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    plan = _lack_defense(warehouse, settings)
    before = contents(warehouse)
    with holding(warehouse, [3], "the first", 60) as old:
        pass
    with holding(warehouse, [3], "the second", 60), pytest.raises(Fenced) as lost:
        Backfill(warehouse, settings, fence=old["3"]).run_chunks(plan.chunks)
    assert "the second) has worked on phase 3 since" in str(lost.value)
    assert "token was 1" in str(lost.value)
    assert contents(warehouse) == before
    change(warehouse, f"DELETE FROM runbook.receipts WHERE table_name = '{TEAM_OFFENSE}'")
    with pytest.raises(Fenced):  # stock is taken by publishing, too
        Backfill(warehouse, settings, fence=old["3"]).take_stock({TEAM_OFFENSE: (date(2024, 11, 1),)})


def test_notebooks_of_a_run_publish_under_its_token_and_others_take_a_lease_of_their_own(
    warehouse: EmbeddedWarehouse, raw_only: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with holding(warehouse, [3], "runbook run", 60) as fences:
        monkeypatch.setenv(VARIABLE, as_environment(warehouse, fences)[VARIABLE])
        with publishing(warehouse, 3, "launch", 60) as fence:
            assert fence == fences["3"]
        with publishing(warehouse, 4, "launch", 60) as other, publishing(raw_only, 3, "launch", 60) as elsewhere:
            assert [lease.owner.work for lease in warehouse.leases()] == ["runbook run", "launch"]
            assert (other, elsewhere) == (Fence("4", 1), Fence("3", 1))
    monkeypatch.setenv(VARIABLE, "yes")
    with pytest.raises(CannotJudge, match="unset it"):
        inherited(warehouse)


def test_the_monitor_names_another_runner_and_leaves_the_run_that_asks_alone(warehouse: EmbeddedWarehouse) -> None:
    with holding(warehouse, [3], "runbook run", 60) as fences:
        assert runners_verdict(warehouse, 3, fences).verdict == "green"
        assert runners_verdict(warehouse, 4, {}).verdict == "green"
        verdict = runners_verdict(warehouse, 3, {})
    assert verdict.red
    assert f"(PID {os.getpid()}: runbook run) has worked on phase 3 since" in said(verdict)
    assert verdict.table[0]["pid"] == os.getpid()


def test_a_sign_of_life_costs_no_write_of_the_warehouse(warehouse: EmbeddedWarehouse) -> None:
    with holding(warehouse, [3], "slow", 0.3):
        before, seen = warehouse.path.stat().st_mtime_ns, warehouse.leases()[0].heartbeat
        deadline = time.monotonic() + 20
        while warehouse.leases()[0].heartbeat == seen:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert warehouse.path.stat().st_mtime_ns == before


# with processes


@pytest.mark.full
def test_of_two_runners_started_at_the_same_moment_one_works_and_the_other_says_who(
    warehouse: EmbeddedWarehouse, settings: Settings, settings_file: Path
) -> None:
    whole = contents(warehouse)
    _lack_defense(warehouse, settings)
    runners = [_runner(warehouse, settings_file, "pauses") for _ in range(2)]
    for runner in runners:
        _go(runner)
    loser = _first_to_end(runners)
    winner = next(runner for runner in runners if runner is not loser)
    _until_stopped(winner)
    winner.send_signal(signal.SIGCONT)
    assert loser.returncode == 3
    assert f"(PID {winner.pid}: launch of {TEAM_DEFENSE}) has worked on phase 3 since" in loser.communicate()[0]
    out, _ = winner.communicate(timeout=60)
    assert (winner.returncode, "0 failed" in out) == (0, True), out
    assert contents(warehouse) == whole


def _first_to_end(runners: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    deadline = time.monotonic() + 60
    while not (ended := [runner for runner in runners if runner.poll() is not None]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return ended[0]


def test_the_lease_of_a_runner_that_was_killed_is_free_at_once_and_the_tables_become_right(
    warehouse: EmbeddedWarehouse, settings: Settings, settings_file: Path
) -> None:
    whole = contents(warehouse)
    plan = _lack_defense(warehouse, settings)
    runner = _runner(warehouse, settings_file, "pauses")
    _go(runner)
    _until_stopped(runner)
    with pytest.raises(Taken, match=f"PID {runner.pid}"), holding(warehouse, [3], "too early", 3600):
        pass
    runner.kill()
    runner.communicate()
    assert warehouse.leases() == []
    assert not any(outcome.failed for outcome in _launch(warehouse, settings, plan))
    assert contents(warehouse) == whole


def test_a_paused_runner_that_was_taken_over_publishes_nothing_when_it_wakes_up(
    warehouse: EmbeddedWarehouse, settings: Settings, settings_file: Path
) -> None:
    whole = contents(warehouse)
    plan = _lack_defense(warehouse, settings)
    runner = _runner(warehouse, settings_file, "pauses")
    _go(runner)
    _until_stopped(runner)
    time.sleep(0.3)
    _launch(warehouse, settings, plan, patience=0.2)
    assert contents(warehouse) == whole
    receipts = ask(warehouse, "SELECT COUNT(*), MAX(UNIX_MICROS(published_at)) FROM runbook.receipts")
    runner.send_signal(signal.SIGCONT)
    out, _ = runner.communicate(timeout=60)
    assert runner.returncode == 3, out
    assert "this runner lost phase 3" in out
    assert (contents(warehouse), _ledger(warehouse, runner.pid)) == (whole, 0)
    assert ask(warehouse, "SELECT COUNT(*), MAX(UNIX_MICROS(published_at)) FROM runbook.receipts") == receipts
