"""The sandbox: the warehouse as it stood on 5 January 2026, counted by the gate and nowhere written down."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lib.gates import coverage_gate
from lib.league import League, full_league
from lib.raw_gate import raw_gate
from lib.sandbox import compute_all, load_raw, take_away
from lib.settings import ROOT, Settings, load_settings
from lib.states import FULL, NOT_ELIGIBLE
from lib.verdicts import Verdict
from lib.warehouse import EmbeddedWarehouse, connect
from tests.lib.at_work import (
    PHASE_3,
    PLAYERS,
    TEAM_DEFENSE,
    TEAM_OFFENSE,
    UPCOMING_PLAYER,
    UPCOMING_TEAM,
    contents,
    covered,
    judging,
    run,
)

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def whole_league() -> League:
    """The full league."""
    return full_league()


@pytest.fixture(scope="module")
def full_settings() -> Settings:
    """The project's own settings."""
    return load_settings(ROOT / "runbook.toml")


@pytest.fixture(scope="module")
def empty_file(whole_league: League, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sandbox with nothing computed."""
    path = tmp_path_factory.mktemp("empty") / "warehouse.duckdb"
    load_raw(connect(f"duckdb:///{path}"), whole_league.tables, whole_league.as_of, "sandbox")
    return path


@pytest.fixture(scope="module")
def computed(empty_file: Path, full_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> EmbeddedWarehouse:
    """The sandbox with Phase 3 computed from nothing; read only."""
    path = tmp_path_factory.mktemp("computed") / "warehouse.duckdb"
    warehouse = connect(f"duckdb:///{shutil.copy(empty_file, path)}")
    compute_all(warehouse, full_settings)
    return warehouse


@pytest.fixture(scope="module")
def incident(
    computed: EmbeddedWarehouse, full_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> EmbeddedWarehouse:
    """The sandbox as the incident left it; read only."""
    path = tmp_path_factory.mktemp("incident") / "warehouse.duckdb"
    warehouse = connect(f"duckdb:///{shutil.copy(computed.path, path)}")
    take_away(warehouse, full_settings)
    return warehouse


def _gate(warehouse: EmbeddedWarehouse, settings: Settings, phase: int) -> Verdict:
    with judging(warehouse, settings) as judge:
        if phase == 2:
            return raw_gate(judge.session, settings, judge.calendar, settings.start_date, judge.calendar.as_of)
        return coverage_gate(judge, phase, settings.start_date, judge.calendar.as_of)


def test_the_gate_counts_the_incident(incident: EmbeddedWarehouse, full_settings: Settings) -> None:
    verdict = _gate(incident, full_settings, 3)
    figures = {row["table"]: (row["covered"], row["absent"], row["partial"]) for row in verdict.table}
    assert figures == {
        TEAM_OFFENSE: (848, 0, 0),
        PLAYERS: (848, 0, 0),
        TEAM_DEFENSE: (776, 66, 6),
        UPCOMING_PLAYER: (446, 389, 13),
        UPCOMING_TEAM: (496, 346, 6),
    }
    assert verdict.red
    assert {row["expected"] for row in verdict.table} == {848}
    assert {row["bootstrap"] for row in verdict.table} == {"70/70"}
    assert {row["outdated"] for row in verdict.table} == {0}


def test_the_raw_data_are_complete(incident: EmbeddedWarehouse, full_settings: Settings) -> None:
    verdict = _gate(incident, full_settings, 2)
    assert (verdict.verdict, verdict.findings) == ("green", ())


def test_there_are_918_dates_and_70_of_them_are_bootstrap(incident: EmbeddedWarehouse, full_settings: Settings) -> None:
    with judging(incident, full_settings) as judge:
        days = list(judge.calendar.games)
    assert (len(days), sum(judge.calendar.is_bootstrap(day) for day in days)) == (918, 70)


def test_a_run_from_nothing_and_one_from_the_incident_end_alike(
    incident: EmbeddedWarehouse, computed: EmbeddedWarehouse, full_settings: Settings, tmp_path: Path
) -> None:
    repaired = connect(f"duckdb:///{shutil.copy(incident.path, tmp_path / 'repaired.duckdb')}")
    outcomes = run(repaired, full_settings)
    assert sum(len(o.published) for o in outcomes) == 66 + 6 + 389 + 13 + 346 + 6
    left, right = contents(repaired), contents(computed)
    for table in PHASE_3:
        assert left.pop(table) == right.pop(table)
    for coverage in covered(computed, full_settings).values():
        assert {s.state for s in coverage.days} <= {FULL, NOT_ELIGIBLE}
    assert _gate(repaired, full_settings, 3).verdict == "green"
