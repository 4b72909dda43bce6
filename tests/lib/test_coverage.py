"""Coverage: what a date must hold is counted on the schedule and the raw data, never on the table itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lib.calendar import closed_range
from lib.coverage import key_parts
from lib.errors import CannotJudge
from lib.registry import registry
from lib.settings import Settings
from lib.states import ABSENT, FULL, NOT_ELIGIBLE, PARTIAL, DateState, Holding
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import (
    PHASE_3,
    PLAYERS,
    TEAM_DEFENSE,
    TEAM_OFFENSE,
    UPCOMING_PLAYER,
    UPCOMING_TEAM,
    ask,
    change,
    covered,
    game_dates,
    judging,
    made,
    state,
)
from tests.lib.raw_rows import RawRows

DAY = date(2023, 11, 20)


def _held(expected: int, present: int, waiting: int = 0, rows: int | None = None, extra: int = 0) -> DateState:
    held = Holding(
        DAY, expected, waiting, present, extra, present + extra if rows is None else rows, "0", None, "no box score"
    )
    return DateState(held, bootstrap=False, excluded=False, found=False, todo=None, outdated=False)


@pytest.mark.parametrize(
    ("expected", "present", "waiting", "reads"),
    [
        (4, 4, 0, FULL),
        (4, 3, 0, PARTIAL),
        (4, 0, 0, ABSENT),
        (0, 0, 0, NOT_ELIGIBLE),
        (4, 2, 2, PARTIAL),
        (2, 0, 2, ABSENT),
    ],
)
def test_a_date_is_full_only_with_every_expected_key(expected: int, present: int, waiting: int, reads: str) -> None:
    assert _held(expected, present, waiting).state == reads


def test_a_partial_date_is_torn_unless_its_raw_data_are_short() -> None:
    assert _held(4, 3).torn
    assert not _held(4, 2, waiting=2).torn
    assert _held(4, 1, waiting=2).torn
    assert not _held(4, 0).torn


def test_what_waits_says_for_what_and_how_much() -> None:
    assert _held(4, 2, waiting=2).reason == "no box score: 2 of 4 keys cannot be computed"


def test_extra_and_doubled_rows_are_not_whole() -> None:
    assert _held(4, 4).holding.whole
    assert not _held(4, 4, rows=5).holding.whole
    assert not _held(4, 4, extra=1).holding.whole


def test_a_key_is_a_date_or_game_and_one_entity() -> None:
    tables = registry().tables
    assert key_parts(tables[PLAYERS].contract) == ("game_id", "player_lookup")
    assert key_parts(tables[UPCOMING_TEAM].contract)[1] == "team_abbr"
    odd = replace(tables[PLAYERS].contract, key=("game_date", "team_abbr", "player_lookup"))
    with pytest.raises(CannotJudge, match="one entity"):
        key_parts(odd)


def _one_game(path: Path, rows: RawRows) -> EmbeddedWarehouse:
    return made(path, rows, date(2024, 2, 1))


def _expected(warehouse: EmbeddedWarehouse, settings: Settings, table: str) -> tuple[int, int]:
    held = state(warehouse, settings, table, DAY).holding
    return held.expected, held.waiting


def test_active_players_are_expected_whatever_their_minutes(tmp_path: Path, settings: Settings) -> None:
    rows = RawRows().game(DAY, "BOS", "LAL")
    rows.player(DAY, "a", "LAL").player(DAY, "b", "LAL", minutes="00:00").player(DAY, "c", "BOS", player_status="dnp")
    warehouse = _one_game(tmp_path / "w.duckdb", rows)
    assert _expected(warehouse, settings, PLAYERS) == (2, 0)
    assert _expected(warehouse, settings, UPCOMING_PLAYER) == (2, 0)


def test_the_second_source_counts_where_the_first_knows_nothing(tmp_path: Path, settings: Settings) -> None:
    rows = RawRows().game(DAY, "BOS", "LAL").second_source(DAY, "a", "LAL").second_source(DAY, "b", "BOS")
    assert _expected(_one_game(tmp_path / "w.duckdb", rows), settings, PLAYERS) == (2, 0)


def test_a_game_without_any_box_waits_and_is_never_0_of_0(tmp_path: Path, settings: Settings) -> None:
    warehouse = _one_game(tmp_path / "w.duckdb", RawRows().scheduled(DAY, "BOS", "LAL"))
    assert _expected(warehouse, settings, PLAYERS) == (1, 1)
    assert _expected(warehouse, settings, TEAM_OFFENSE) == (2, 2)
    assert _expected(warehouse, settings, UPCOMING_TEAM) == (2, 0)
    assert state(warehouse, settings, PLAYERS, DAY).reason == "no box score: 1 of 1 keys cannot be computed"


def test_both_teams_of_the_schedule_are_expected_although_one_has_no_box(tmp_path: Path, settings: Settings) -> None:
    rows = RawRows().scheduled(DAY, "BOS", "LAL").team_box(DAY, "BOS", "LAL", "LAL")
    for number in range(5):
        rows.player(DAY, f"b{number}", "BOS").player(DAY, f"l{number}", "LAL")
    assert _expected(_one_game(tmp_path / "w.duckdb", rows), settings, TEAM_OFFENSE) == (2, 0)


def test_the_pocket_league_is_whole(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    for name, coverage in covered(warehouse, settings).items():
        assert (name, coverage.covered, coverage.expected, len(coverage.bootstrap)) == (name, 72, 72, 24)
        assert not any(s.todo or s.found or s.outdated for s in coverage.days)


def test_every_published_date_has_a_receipt_that_counts_its_rows(warehouse: EmbeddedWarehouse) -> None:
    for table in PHASE_3:
        counts = ask(warehouse, f"SELECT game_date, COUNT(*) FROM {table} GROUP BY game_date ORDER BY game_date")
        receipts = ask(
            warehouse, "SELECT day, key_count FROM runbook.receipts WHERE table_name = @t ORDER BY day", t=table
        )
        assert counts == receipts


def test_deleting_a_row_makes_a_date_partial_and_names_a_key(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[40]
    ((team,),) = ask(warehouse, f"SELECT MIN(team_abbr) FROM {TEAM_OFFENSE} WHERE game_date = @d", d=day)
    change(warehouse, f"DELETE FROM {TEAM_OFFENSE} WHERE game_date = ? AND team_abbr = ?", day, team)
    torn = state(warehouse, settings, TEAM_OFFENSE, day)
    assert (torn.state, torn.torn, torn.holding.example) == (PARTIAL, True, team)
    assert torn.todo == f"partial: {torn.holding.present} of {torn.holding.expected} keys"
    assert state(warehouse, settings, TEAM_DEFENSE, day).state == FULL


def test_a_range_in_the_middle_of_a_season_is_judged_with_its_whole_history(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    day = game_dates(warehouse, settings)[60]
    middle = {s.day: s for s in covered(warehouse, settings)[UPCOMING_PLAYER].days}[day]
    with judging(warehouse, settings) as judge:
        alone = judge.cover([3], day, day)[UPCOMING_PLAYER]
    assert alone.days == (middle,)


def test_who_has_judged_all_seasons_says_the_same_of_the_last_one(
    whole: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    change(whole, f"DELETE FROM {TEAM_OFFENSE} WHERE game_date = DATE '2023-12-18'")
    change(whole, f"DELETE FROM {TEAM_OFFENSE} WHERE game_date = DATE '2024-12-18'")
    with judging(whole, whole_settings) as judge:
        first, last = closed_range(judge.calendar, whole_settings, None, None)
        late = judge.calendar.season_start(last)
    with judging(whole, whole_settings) as judge:
        alone = judge.cover([3, 4], late, last)
    with judging(whole, whole_settings) as judge:
        judge.cover([3], first, last)
        looked = len(judge.known)
        assert judge.cover([3, 4], late, last) == alone
        assert len(judge.known) == looked
    assert any(state.outdated for coverage in alone.values() for state in coverage.days)
