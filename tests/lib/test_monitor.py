"""The monitor: who is still at work, and which failures still matter."""

from __future__ import annotations

import os
import socket
from datetime import date
from pathlib import Path

import pytest

from lib.calendar import closed_range
from lib.monitor import attempts_verdict, runners_verdict
from lib.settings import Settings
from lib.stages import new_stage
from lib.verdicts import Verdict
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import TEAM_DEFENSE, change, game_dates, judging, run, said


def _attempts(warehouse: EmbeddedWarehouse, settings: Settings) -> Verdict:
    with judging(warehouse, settings) as judge:
        return attempts_verdict(judge, 3, *closed_range(judge.calendar, settings, None, None))


def _note(warehouse: EmbeddedWarehouse, outcome: str, day: date) -> None:
    """A later attempt at team_defense that ended so."""
    change(
        warehouse,
        "INSERT INTO runbook.attempts SELECT * REPLACE ($1 AS outcome, 'why' AS detail, 'x' AS attempt, now() AS finished_at)"
        " FROM runbook.attempts WHERE day = $2 AND table_name = $3",
        outcome,
        day,
        TEAM_DEFENSE,
    )


def test_a_build_without_trouble_is_green(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    verdict = _attempts(warehouse, settings)
    assert (verdict.verdict, verdict.sentence) == ("green", "480 latest attempts, 0 of them failed.")


@pytest.mark.parametrize("outcome", ["failed", "interrupted"])
def test_a_date_that_still_needs_its_failed_attempt_is_red(
    warehouse: EmbeddedWarehouse, settings: Settings, outcome: str
) -> None:
    day = game_dates(warehouse, settings)[50]
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date = $1", day)
    _note(warehouse, outcome, day)
    text = said(_attempts(warehouse, settings), "red")
    assert f"{outcome}: why [runbook run --tables team_defense_game_summary --dates {day}]" in text


def test_a_later_success_settles_a_failure(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[50]
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date = $1", day)
    _note(warehouse, "failed", day)
    run(warehouse, settings)
    assert _attempts(warehouse, settings).verdict == "green"


def test_a_forced_attempt_that_failed_at_a_whole_date_is_amber_and_says_how_to_settle_it(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    day = game_dates(warehouse, settings)[50]
    _note(warehouse, "failed", day)
    verdict = _attempts(warehouse, settings)
    assert verdict.verdict == "amber"
    assert f"--dates {day} --force" in said(verdict)


def test_an_interrupted_attempt_at_a_whole_date_is_no_finding(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    _note(warehouse, "interrupted", game_dates(warehouse, settings)[50])
    assert _attempts(warehouse, settings).verdict == "green"


def test_a_failure_at_a_date_that_is_no_longer_expected_stops_nothing(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    day = game_dates(warehouse, settings)[50]
    _note(warehouse, "failed", day)
    change(warehouse, "UPDATE nba_raw.nbac_schedule SET game_status = 5 WHERE game_date = $1", day)
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date = $1", day)
    change(warehouse, "DELETE FROM runbook.receipts WHERE day = $1", day)
    assert not _attempts(warehouse, settings).red


def test_a_process_that_computes_is_seen_from_its_first_moment(warehouse: EmbeddedWarehouse) -> None:
    new_stage(warehouse.stages, "a")
    verdict = runners_verdict(warehouse, 3, {})
    assert verdict.red
    assert f"PID {os.getpid()} is still computing" in said(verdict)


def _aged(stage: Path) -> Path:
    stage.parent.mkdir(exist_ok=True)
    stage.touch()
    os.utime(stage, (0, 0))
    return stage


def test_a_process_that_only_has_the_same_number_as_a_dead_runner_is_not_taken_for_it(
    warehouse: EmbeddedWarehouse,
) -> None:
    _aged(warehouse.stages / f"{socket.gethostname()}-{os.getpid()}-old.parquet")
    assert runners_verdict(warehouse, 3, {}).verdict == "green"


def test_a_dead_runner_is_no_runner(warehouse: EmbeddedWarehouse) -> None:
    _aged(warehouse.stages / f"{socket.gethostname()}-99999999-dead.parquet")
    assert runners_verdict(warehouse, 3, {}).verdict == "green"
