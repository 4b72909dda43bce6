"""The checks of Phase 3: green on the pocket league, and each red when its fault is planted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lib import checks
from lib.checks import checks_of, run_checks
from lib.errors import CannotJudge
from lib.verdicts import Verdict
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import PLAYERS, TEAM_DEFENSE, TEAM_OFFENSE, UPCOMING_TEAM, change, said

FIRST, LAST = date(2023, 10, 24), date(2024, 12, 20)
ONE_GAME = f"(SELECT max(game_id) FROM {TEAM_OFFENSE})"
FAULTS = {
    "back_to_backs_occur": (f"UPDATE {UPCOMING_TEAM} SET team_back_to_back = FALSE, season_year = 2023",),
    "minutes_played_coverage": (
        f"UPDATE {PLAYERS} SET minutes_played = NULL WHERE season_year = 2023 AND hash(player_lookup, game_id) % 50 = 0",
    ),
    "offence_is_the_other_defence": (
        f"UPDATE {TEAM_DEFENSE} SET points_allowed = points_allowed + 1 WHERE game_id = {ONE_GAME}",
    ),
    "player_games_are_team_games": (f"DELETE FROM {TEAM_OFFENSE} WHERE game_id = {ONE_GAME}",),
    "team_points_are_players_points": (
        f"UPDATE {PLAYERS} SET points = points + 3 WHERE game_id = {ONE_GAME} AND player_lookup ="
        f" (SELECT min(player_lookup) FROM {PLAYERS} WHERE game_id = {ONE_GAME})",
    ),
    "two_sides_of_a_game": (f"UPDATE {TEAM_OFFENSE} SET win_flag = TRUE WHERE game_id = {ONE_GAME}",),
    "usage_rate_coverage": (
        f"UPDATE {PLAYERS} SET usage_rate = NULL WHERE season_year = 2024 AND hash(player_lookup, game_id) % 10 = 0",
    ),
    "usage_rate_varies": (f"UPDATE {PLAYERS} SET usage_rate = 20",),
}


def _verdict(warehouse: EmbeddedWarehouse) -> Verdict:
    with warehouse.reading() as session:
        return run_checks(session, 3, FIRST, LAST)


def _red(verdict: Verdict) -> set[str]:
    return {row["check"] for row in verdict.table if row["verdict"] == "red"}


def test_every_check_is_tried_with_its_fault() -> None:
    assert set(FAULTS) == {check.name for check in checks_of(3)}


def test_the_pocket_league_passes_every_check(warehouse: EmbeddedWarehouse) -> None:
    verdict = _verdict(warehouse)
    assert (verdict.verdict, verdict.sentence) == ("green", f"{len(FAULTS)} of {len(FAULTS)} checks pass.")


@pytest.mark.parametrize("name", FAULTS)
def test_a_check_is_red_when_its_fault_is_planted(warehouse: EmbeddedWarehouse, name: str) -> None:
    for fault in FAULTS[name]:
        change(warehouse, fault)
    verdict = _verdict(warehouse)
    assert name in _red(verdict)
    assert f"red {name}: " in said(verdict)
    assert "for instance" in said(verdict)


def test_a_fault_outside_the_range_is_not_seen(warehouse: EmbeddedWarehouse) -> None:
    change(warehouse, FAULTS["two_sides_of_a_game"][0])
    with warehouse.reading() as session:
        assert run_checks(session, 3, FIRST, date(2024, 1, 31)).verdict == "green"


def test_a_check_that_cannot_run_is_an_error_and_never_a_pass(warehouse: EmbeddedWarehouse) -> None:
    change(warehouse, f"DROP TABLE {TEAM_DEFENSE}")
    with pytest.raises(CannotJudge, match="could not answer"):
        _verdict(warehouse)


def test_a_phase_without_checks_cannot_be_judged(warehouse: EmbeddedWarehouse) -> None:
    with warehouse.reading() as session, pytest.raises(CannotJudge, match="no check is written for phase 9"):
        run_checks(session, 9, FIRST, LAST)


def test_a_check_without_its_head_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "phase_9"
    folder.mkdir()
    (folder / "headless.sql").write_text("-- severity: blue\nSELECT 1")
    monkeypatch.setattr(checks, "FOLDER", tmp_path)
    with pytest.raises(CannotJudge, match=r"headless\.sql"):
        checks_of.__wrapped__(9)
