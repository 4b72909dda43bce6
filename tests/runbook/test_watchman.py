"""The watchman: looks at everything, changes nothing, and never calls well what he could not see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.step import Step
from lib.verdicts import Verdict
from lib.warehouse import EmbeddedWarehouse
from runbook.drills.shell import Said, say
from tests.lib.at_work import TEAM_DEFENSE, UPCOMING_TEAM, change

STORE = "nba_predictions.ml_feature_store_v2"
PHASE_4 = {
    "nba_precompute.team_defense_zone_analysis": "analysis_date",
    "nba_precompute.player_shot_zone_analysis": "analysis_date",
    "nba_precompute.player_daily_cache": "cache_date",
    "nba_precompute.player_composite_factors": "game_date",
    STORE: "game_date",
}


def _watch(warehouse: EmbeddedWarehouse, *words: str) -> tuple[Said, dict[str, Any]]:
    said = say(["watchman", "--json", "--warehouse", warehouse.url, *words], {})
    return said, json.loads(said.out)


def _phases(told: dict[str, Any]) -> dict[Any, str]:
    return {phase["phase"]: phase["verdict"] for phase in told["phases"]}


def test_a_whole_warehouse_is_green_and_stays_as_it_is(whole_environment: Path, whole: EmbeddedWarehouse) -> None:
    before = whole.path.read_bytes()
    said, told = _watch(whole, "--strict", "--days", "10")
    assert (said.code, told["verdict"]) == (0, "green")
    assert _phases(told) == {"warehouse": "green", 2: "green", 3: "green", 4: "green", "ml": "green", 5: "not begun"}
    assert told["window"] == {"dates": 10, "first": "2024-12-07", "last": "2024-12-18"}
    gates = {gate["gate"] for phase in told["phases"] if phase["phase"] == 3 for gate in phase["gates"]}
    assert gates == {"coverage", "quality", "last 10 game dates"}
    assert whole.path.read_bytes() == before
    assert not (whole_environment).exists()


def test_a_week_that_phase_4_never_ran_is_red_although_most_of_the_range_is_full(
    whole_environment: Path, whole: EmbeddedWarehouse
) -> None:
    for name, column in PHASE_4.items():
        change(whole, f"DELETE FROM {name} WHERE {column} >= DATE '2024-12-16'")
        change(whole, f"DELETE FROM runbook.receipts WHERE table_name = '{name}' AND day >= DATE '2024-12-16'")
    said, told = _watch(whole)
    assert said.code == 1
    assert (_phases(told)[3], _phases(told)[4]) == ("green", "red")


def test_the_window_is_judged_by_itself(pocket_environment: Path, warehouse: EmbeddedWarehouse) -> None:
    for table in ("nba_analytics.team_defense_game_summary",):
        change(warehouse, f"DELETE FROM {table} WHERE game_date = DATE '2024-12-18'")
        change(warehouse, f"DELETE FROM runbook.receipts WHERE table_name = '{table}' AND day = DATE '2024-12-18'")
    said, told = _watch(warehouse, "--days", "3")
    phase = next(phase for phase in told["phases"] if phase["phase"] == 3)
    verdicts = {gate["gate"]: gate["verdict"] for gate in phase["gates"]}
    assert verdicts["coverage"] == "green"  # 71 of 72
    assert verdicts["last 3 game dates"] == "red"  # 2 of 3
    assert said.code == 1


def test_amber_is_0_and_1_when_asked_to_be_strict(pocket_environment: Path, warehouse: EmbeddedWarehouse) -> None:
    change(warehouse, f"DELETE FROM runbook.receipts WHERE table_name = '{TEAM_DEFENSE}' AND day = DATE '2024-12-18'")
    said, told = _watch(warehouse)
    assert (said.code, told["verdict"]) == (0, "amber")
    assert _watch(warehouse, "--strict")[0].code == 1


def test_a_phase_that_cannot_be_judged_is_3_and_named(pocket_environment: Path, warehouse: EmbeddedWarehouse) -> None:
    change(warehouse, f"DROP TABLE {UPCOMING_TEAM}")
    said, told = _watch(warehouse)
    assert (said.code, told["verdict"], _phases(told)[3]) == (3, "unknown", "unknown")
    person = say(["watchman", "--warehouse", warehouse.url], {})
    assert person.code == 3
    assert "UNKNOWN" in person.out
    assert "is not in the warehouse" in person.out


@pytest.mark.parametrize("fault", ["missing", "foreign", "empty schedule"])
def test_who_could_not_look_never_says_all_right(
    pocket_environment: Path, warehouse: EmbeddedWarehouse, fault: str
) -> None:
    if fault == "missing":
        warehouse.path.unlink()
    elif fault == "foreign":
        warehouse.path.write_text("no database")
    else:
        change(warehouse, "DELETE FROM nba_raw.nbac_schedule")
    said, told = _watch(warehouse)
    assert (said.code, told["verdict"]) == (3, "unknown")
    assert told["error"]
    assert "could not look" in said.err


def test_what_breaks_a_gate_is_not_taken_for_a_pass(
    pocket_environment: Path, warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(step: object) -> None:
        raise TypeError("dates and timestamps")

    monkeypatch.setattr("lib.step.Step.quality", broken)
    said, told = _watch(warehouse)
    assert (said.code, _phases(told)[3]) == (3, "unknown")
    assert "TypeError: dates and timestamps" in said.out


def test_all_is_judged_as_it_was_at_one_moment_and_what_is_written_meanwhile_by_the_next_look(
    pocket_environment: Path, warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts = Step.contracts

    def written_meanwhile(step: Step) -> Verdict:
        change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date = DATE '2024-12-18'")
        return contracts(step)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Step, "contracts", written_meanwhile)
        assert _watch(warehouse)[1]["verdict"] == "green"
    assert _watch(warehouse)[1]["verdict"] == "red"
