"""One changed box score makes exactly the dates outdated that read it, and a run mends exactly those."""

from __future__ import annotations

from datetime import date

import pytest

from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import (
    PLAYERS,
    TEAM_DEFENSE,
    TEAM_OFFENSE,
    UPCOMING_PLAYER,
    UPCOMING_TEAM,
    change,
    contents,
    covered,
    game_dates,
    planned,
    run,
)


def outdated(warehouse: EmbeddedWarehouse, settings: Settings) -> dict[str, set[date]]:
    """The outdated dates by table; tables without any are left out."""
    found = {name: {s.day for s in table.outdated} for name, table in covered(warehouse, settings).items()}
    return {name: days for name, days in found.items() if days}


@pytest.fixture
def a_day(warehouse: EmbeddedWarehouse, settings: Settings) -> date:
    """A game date in the middle of the second season."""
    days = [day for day in game_dates(warehouse, settings) if day.year == 2024]
    return days[len(days) // 2]


def later_in_season(warehouse: EmbeddedWarehouse, settings: Settings, day: date) -> set[date]:
    return {d for d in game_dates(warehouse, settings) if d > day and d.year == day.year}


def test_nothing_is_outdated_after_a_build(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    assert outdated(warehouse, settings) == {}


def test_one_changed_player_box_makes_the_dates_outdated_that_read_it(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    sql = "UPDATE nba_raw.nbac_gamebook_player_stats SET points = points + 1 WHERE game_date = $1 AND player_status = 'active'"
    change(warehouse, sql, a_day)
    later = later_in_season(warehouse, settings, a_day)
    same = {a_day}
    assert outdated(warehouse, settings) == {
        TEAM_OFFENSE: same,
        TEAM_DEFENSE: same,
        PLAYERS: same,
        UPCOMING_PLAYER: later,
    }


def test_a_changed_score_reaches_the_later_dates_of_the_teams_alone(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    change(
        warehouse, "UPDATE nba_raw.nbac_schedule SET home_team_score = home_team_score + 1 WHERE game_date = $1", a_day
    )
    later = later_in_season(warehouse, settings, a_day)
    assert outdated(warehouse, settings) == {UPCOMING_TEAM: later, UPCOMING_PLAYER: later}


def test_a_changed_injury_report_touches_its_own_game_date(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    change(warehouse, "UPDATE nba_raw.nbac_injury_report SET injury_status = 'doubtful' WHERE game_date = $1", a_day)
    assert outdated(warehouse, settings) == {UPCOMING_TEAM: {a_day}, UPCOMING_PLAYER: {a_day}}


def test_a_column_that_nothing_reads_makes_nothing_outdated(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    change(warehouse, "UPDATE nba_raw.nbac_team_boxscore SET plus_minus = 99 WHERE game_date = $1", a_day)
    assert outdated(warehouse, settings) == {}


def test_rows_edited_behind_the_runbooks_back_are_outdated(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    change(warehouse, f"UPDATE {TEAM_DEFENSE} SET steals = steals + 1 WHERE game_date = $1", a_day)
    found = covered(warehouse, settings)[TEAM_DEFENSE].outdated
    assert [s.day for s in found] == [a_day]
    assert "not those that were published" in str(found[0].todo)


def test_a_run_mends_what_is_outdated_and_nothing_else(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    before = contents(warehouse)
    change(warehouse, f"UPDATE {TEAM_DEFENSE} SET steals = steals + 1 WHERE game_date = $1", a_day)
    run(warehouse, settings)
    assert contents(warehouse) == before
    assert planned(warehouse, settings).chunks == ()


def test_found_rows_are_taken_stock_of_once(warehouse: EmbeddedWarehouse, settings: Settings, a_day: date) -> None:
    change(warehouse, "DELETE FROM runbook.receipts WHERE table_name = $1 AND day = $2", TEAM_DEFENSE, a_day)
    assert planned(warehouse, settings).found == {TEAM_DEFENSE: (a_day,)}
    run(warehouse, settings)
    assert planned(warehouse, settings).found == {}
    change(warehouse, f"UPDATE {TEAM_DEFENSE} SET steals = steals + 1 WHERE game_date = $1", a_day)
    assert outdated(warehouse, settings) == {TEAM_DEFENSE: {a_day}}
