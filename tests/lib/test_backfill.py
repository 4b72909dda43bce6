"""The write path: clean dates are published with their receipts, a bad date is named and left as it was."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path

import pytest

from lib.backfill import Backfill, sweep_orphans
from lib.settings import ROOT, Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import (
    PHASE_3,
    PLAYERS,
    TEAM_DEFENSE,
    TEAM_OFFENSE,
    UPCOMING_TEAM,
    ask,
    change,
    content_hashes,
    contents,
    due,
    failures,
    game_dates,
    planned,
    run,
    with_threads,
)


@pytest.fixture
def a_day(warehouse: EmbeddedWarehouse, settings: Settings) -> date:
    """A game date of the second season, bootstrap over."""
    return [day for day in game_dates(warehouse, settings) if day.year == 2024][20]


def test_running_again_changes_neither_rows_nor_hashes(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    rows, hashes = contents(warehouse), content_hashes(warehouse)
    run(warehouse, settings, force=True)
    assert contents(warehouse) == rows
    assert content_hashes(warehouse) == hashes


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_the_number_of_threads_changes_neither_rows_nor_hashes(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date, threads: int
) -> None:
    rows, hashes = contents(warehouse), content_hashes(warehouse)
    days = frozenset({game_dates(warehouse, settings)[20], a_day})  # two seasons, with more threads side by side
    outcomes = run(with_threads(warehouse, threads), settings, force=True, days=days)
    assert {o.chunk.table for o in outcomes} == set(PHASE_3)
    assert failures(outcomes) == {}  # what fails leaves the rows that were there
    assert contents(warehouse) == rows
    assert content_hashes(warehouse) == hashes


def test_a_plan_is_a_set_difference_never_a_high_water_mark(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    days = game_dates(warehouse, settings)
    lost = [days[2], days[3], days[40], days[-1]]
    for day in lost:
        change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = $1", day)
    assert due(planned(warehouse, settings)) == {UPCOMING_TEAM: lost}


def test_a_value_that_does_not_fit_fails_its_date_alone_and_is_named(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    sql = "UPDATE nba_raw.odds_api_game_lines SET outcome_point = 123456 WHERE game_date = $1 AND market_key = 'totals'"
    before = ask(warehouse, f"SELECT COUNT(*) FROM {UPCOMING_TEAM} WHERE game_date = @day", day=a_day)
    change(warehouse, sql, a_day)
    outcomes = run(warehouse, settings, force=True, tables=frozenset({UPCOMING_TEAM}))
    why = failures(outcomes)
    assert set(why) == {(UPCOMING_TEAM, a_day)}
    assert "game_total 123456" in why[UPCOMING_TEAM, a_day]
    assert str(a_day) in why[UPCOMING_TEAM, a_day]
    assert ask(warehouse, f"SELECT COUNT(*) FROM {UPCOMING_TEAM} WHERE game_date = @day", day=a_day) == before
    assert sum(len(o.published) for o in outcomes) == len(game_dates(warehouse, settings)) - 1


def test_two_people_with_one_player_lookup_on_a_date_are_refused_by_name(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    copy = """
    INSERT INTO nba_raw.nbac_gamebook_player_stats BY NAME
    SELECT * REPLACE (other.team_abbr AS team_abbr)
    FROM nba_raw.nbac_gamebook_player_stats AS own
    JOIN (SELECT home_team_abbr AS team_abbr, game_id AS other_game FROM nba_raw.nbac_gamebook_player_stats) AS other
      ON other.other_game = own.game_id AND other.team_abbr != own.team_abbr
    WHERE own.game_date = $1 AND own.player_status = 'active'
    LIMIT 1
    """.replace(
        "SELECT * REPLACE (other.team_abbr AS team_abbr)", "SELECT own.* REPLACE (other.team_abbr AS team_abbr)"
    )
    change(warehouse, copy, a_day)
    why = failures(run(warehouse, settings, tables=frozenset({PLAYERS})))
    assert "player_lookup=" in why[PLAYERS, a_day]
    assert "occurs 2 times" in why[PLAYERS, a_day]


def test_a_date_waits_for_the_same_date_upstream_and_says_so(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    change(warehouse, f"DELETE FROM {TEAM_OFFENSE} WHERE game_date = $1", a_day)
    plan = planned(warehouse, settings)
    outcomes = Backfill(warehouse, settings).run_chunks(plan.chunks_of(PLAYERS))
    assert [o.blocked for o in outcomes] == [{a_day: f"blocked by {TEAM_OFFENSE} {a_day} absent"}]


def test_receipts_come_with_their_rows_or_not_at_all(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    counted = ask(
        warehouse,
        f"SELECT COUNT(*) FROM {TEAM_DEFENSE} WHERE game_date BETWEEN @first AND @last",
        first=date(2023, 1, 1),
        last=date(2025, 1, 1),
    )
    noted = ask(warehouse, "SELECT SUM(key_count) FROM runbook.receipts WHERE table_name = @name", name=TEAM_DEFENSE)
    assert counted == [(int(noted[0][0]),)]


KILLED = """
import os, signal, sys
from lib.backfill import Backfill
from lib.warehouse import connect, embedded
from lib.settings import load_settings
from tests.lib.at_work import planned

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "compute":
    embedded.EmbeddedSession.write_stage = die
elif sys.argv[2] == "publish":
    before = embedded._insert
    embedded._insert = lambda connection, table, rows: die() if table == "runbook.attempts" else before(connection, table, rows)
warehouse, settings = connect(f"duckdb:///{sys.argv[1]}"), load_settings()
plan = planned(warehouse, settings)
Backfill(warehouse, settings).run_chunks(plan.chunks)
"""


@pytest.mark.parametrize("moment", ["compute", "publish"])
def test_a_kill_leaves_old_rows_or_new_ones_and_the_next_run_mends(
    warehouse: EmbeddedWarehouse, settings: Settings, settings_file: Path, a_day: date, moment: str
) -> None:
    whole = contents(warehouse)
    change(warehouse, f"UPDATE {TEAM_DEFENSE} SET steals = steals + 1 WHERE game_date >= $1", a_day)
    torn = contents(warehouse)
    environment = {**os.environ, "RUNBOOK_CONFIG": str(settings_file), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(warehouse.path), moment]
    died = subprocess.run(command, env=environment, cwd=ROOT, check=False, timeout=120)
    assert died.returncode == -signal.SIGKILL
    assert contents(warehouse) == torn
    run(warehouse, settings)
    assert contents(warehouse) == whole


def test_orphaned_stages_are_swept_and_those_of_the_living_are_kept(warehouse: EmbeddedWarehouse) -> None:
    warehouse.stages.mkdir()
    gone = warehouse.stages / f"{socket.gethostname()}-99999999-aa.parquet"
    mine = warehouse.stages / f"{socket.gethostname()}-{os.getpid()}-bb.parquet"
    gone.touch()
    mine.touch()
    assert sweep_orphans(warehouse) == [gone]
    assert mine.exists()


def test_ctrl_c_leaves_an_interrupted_attempt_and_no_stage(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date = $1", a_day)
    plan = planned(warehouse, settings)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Backfill, "_publish", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Backfill(warehouse, settings).run_chunks(plan.chunks)
    last = ask(
        warehouse, "SELECT outcome FROM runbook.attempts WHERE day = @day ORDER BY finished_at DESC LIMIT 1", day=a_day
    )
    assert last == [("interrupted",)]
    assert list(warehouse.stages.glob("*.parquet")) == []
